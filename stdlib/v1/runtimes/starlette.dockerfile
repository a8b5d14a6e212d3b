{% extends "std/python.dockerfile" %}
{%- block start -%}
{%- set factory = app is endingwith "()" -%}
# uvicorn itself, one process.
CMD {{ ((["-m"] if variant == "distroless" else []) + ["uvicorn", app | replace("()", "")] + (["--factory"] if factory else []) + ["--host", "0.0.0.0", "--port", port]) | exec }}
{%- endblock %}
