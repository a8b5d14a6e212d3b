{% extends "std/python.dockerfile" %}
{% block start -%}
CMD {{ (["uvicorn", app, "--host", "0.0.0.0", "--port", port, "--log-level", level] + (["--no-access-log"] if quiet else [])) | exec }}
{%- endblock %}
