{% extends "std/python.dockerfile" %}
{%- block start -%}
# One worker. /dev/shm: gunicorn's heartbeat is a file, and a file on disk can make a worker seem dead.
CMD {{ ((["-m"] if variant == "distroless" else []) + ["gunicorn", "--bind", "0.0.0.0:" ~ port, "--workers", workers, "--worker-tmp-dir", "/dev/shm", app]) | exec }}
{%- endblock %}
