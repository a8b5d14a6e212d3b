{% extends "std/python.dockerfile" %}
{%- block start -%}
CMD {{ ((["python"] if variant != "distroless" else []) + (call or ["-m", app]) + (arguments or [])) | exec }}
{%- endblock %}
