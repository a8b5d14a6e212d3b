# syntax=docker/dockerfile:1
# {{ header }}
# Build it in the folder of the program:
#   docker build -f {{ path }} -t {{ name }} {{ source }}
{%- for line in found %}
# {{ line }}
{%- endfor %}
