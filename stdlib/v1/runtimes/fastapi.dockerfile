{% extends "std/python.dockerfile" %}
{%- block start -%}
{%- set factory = app is endingwith "()" -%}
# uvicorn itself, one process{% if workers > 1 %} a worker{% endif %}: `fastapi run` takes 20Mi more, a second worker 52Mi (measured).
CMD {{ ((["-m"] if variant == "distroless" else []) + ["uvicorn", app | replace("()", "")] + (["--factory"] if factory else []) + ["--host", "0.0.0.0", "--port", port] + (["--workers", workers] if workers > 1 else [])) | exec }}
{%- endblock %}
