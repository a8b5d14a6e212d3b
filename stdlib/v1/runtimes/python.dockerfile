{%- set venv = variant != "distroless" %}
{%- set compiles = compiler or manager in ["pip", "pyproject"] %}
{%- set builder = build_base or base or {"slim": "python:" ~ version ~ ("" if compiles else "-slim") ~ "-bookworm", "alpine": "python:" ~ version ~ "-alpine", "distroless": "python:3.13" ~ ("" if compiles else "-slim") ~ "-trixie"}[variant] %}
{%- set final = shared or base or {"slim": "python:" ~ version ~ "-slim-bookworm", "alpine": "python:" ~ version ~ "-alpine", "distroless": "gcr.io/distroless/python3-debian13:nonroot"}[variant] %}
{%- include "std/head.dockerfile" %}
{%- if is_base %}
# The libraries that services share: what starts from this image brings its own code.
{%- endif %}
{%- if shared %}
# The libraries are those of {{ shared }}: one layer on disk, and pages in memory that are read once.
{%- elif variant == "distroless" %}
# No shell and no package manager; its Python is Debian 13's own, 3.13, and so is the one that installs.
{%- elif variant == "alpine" %}
# Smaller on disk than slim, the same in memory. A library without wheels for musl is compiled, and fails without a
# compiler.
{%- endif %}
{%- if manager != "none" and not shared %}

# The libraries{% if local %}; some of them lie in the source, so all of it is here first{% else %}, in a layer of their own: it changes only when {% if manager == "pip" %}requirements.txt{% elif manager == "pyproject" %}pyproject.toml{% else %}{{ manager }}.lock{% endif %} does{% endif %}. Compiled to .pyc here, because
# the final image runs as a user that cannot write: without them a service needs 4Mi more (measured).
FROM {{ builder }} AS libraries
{%- set packages = build_packages %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /app
{%- if local %}
COPY . .
{%- endif %}
{%- if manager == "pip" %}
RUN python -m venv /app/.venv
{%- if not local %}
COPY requirements.txt ./
{%- for file in includes or [] %}
COPY {{ file }} ./{{ file }}
{%- endfor %}
{%- endif %}
RUN --mount=type=cache,target=/root/.cache/pip \
    /app/.venv/bin/pip install --disable-pip-version-check --compile --requirement requirements.txt
{%- elif manager == "uv" %}
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
{%- if not local %}
COPY pyproject.toml uv.lock ./
{%- endif %}
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-install-workspace
{%- elif manager == "poetry" %}
RUN --mount=type=cache,target=/root/.cache/pip \
    {% if version in ["3.7", "3.8", "3.9", "3.10"] %}pip install --disable-pip-version-check poetry==2.5.1 'hishel<2'{% else %}{% include "std/poetry.txt" %}{% endif %}
ENV POETRY_VIRTUALENVS_IN_PROJECT=1
{%- if not local %}
COPY pyproject.toml poetry.lock ./
{%- endif %}
RUN --mount=type=cache,target=/root/.cache/pypoetry \
    poetry install --only main --no-root --no-interaction --compile
{%- elif manager == "pdm" %}
RUN --mount=type=cache,target=/root/.cache/pip \
    {% if version in ["3.7", "3.8", "3.9", "3.10"] %}pip install --disable-pip-version-check pdm==2.29.4 'hishel<2'{% else %}{% include "std/pdm.txt" %}{% endif %}
{%- if not local %}
COPY pyproject.toml pdm.lock ./
{%- endif %}
RUN --mount=type=cache,target=/root/.cache/pdm \
    pdm sync --prod --no-self --no-editable && \
    python -m compileall -q .venv
{%- else %}
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --disable-pip-version-check uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
{%- if not local %}
COPY pyproject.toml ./
{%- endif %}
# No lock file: what is newest on the day of the build.
RUN --mount=type=cache,target=/root/.cache/uv \
    uv venv /app/.venv && \
    uv pip install --requirement pyproject.toml
{%- endif %}
{%- endif %}

FROM {{ final }}
{%- set packages = [] if shared else run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{%- if venv and not shared %}
# Python's own library, compiled too: official images come without its .pyc files, and a service that cannot write needs
# 3Mi more without them (measured). First, so that all services of this base have one such layer.
RUN python -m compileall -q -x '/(site-packages|test|tests|lib2to3)/' \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"
{%- endif %}
{% include "std/label.dockerfile" %}
WORKDIR /app
{%- if manager != "none" and not shared %}
COPY --from=libraries /app/.venv /app/.venv
{%- endif %}
{%- if not is_base %}
COPY . .
{%- endif %}
{%- if shared and (venv or not root) %}
{%- if root %}
ENV PYTHONPATH="/app/{{ root }}"
{%- endif %}
{%- elif venv %}
# PYTHONUNBUFFERED: a line of log is seen when it is written. No allocator is tuned: MALLOC_ARENA_MAX, malloc
# trim, jemalloc and mimalloc were measured and save nothing.
ENV {% if manager != "none" %}PATH="/app/.venv/bin:$PATH" \
    {% endif %}{% if root and not is_base %}PYTHONPATH="/app/{{ root }}" \
    {% endif %}PYTHONUNBUFFERED=1
{%- else %}
# PYTHONUNBUFFERED: a line of log is seen when it is written. No allocator is tuned: MALLOC_ARENA_MAX, malloc
# trim, jemalloc and mimalloc were measured and save nothing.
ENV PYTHONPATH="/app{% if root and not is_base %}/{{ root }}{% endif %}{% if manager != "none" %}:/app/.venv/lib/python3.13/site-packages{% endif %}" \
    PYTHONUNBUFFERED=1
{%- endif %}
USER 10001:10001
{%- if not is_base %}
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
{%- if not venv %}
ENTRYPOINT ["/usr/bin/python3.13"]
{%- endif %}
{%- if start %}
CMD {{ start | exec }}
{%- else %}
{% block start %}{% endblock %}
{%- endif %}
{%- endif %}
