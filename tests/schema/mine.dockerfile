FROM debian:12
# {{ app }} {{ base }} {{ version }} {{ variant }} {{ manager }}{% if threads is defined %} {{ threads }}{% endif %}
