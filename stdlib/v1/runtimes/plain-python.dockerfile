{% extends "std/python.dockerfile" %}
{%- block start -%}
CMD {{ ((["-m"] if variant == "distroless" else ["python", "-m"]) + [app]) | exec }}
{%- endblock %}
