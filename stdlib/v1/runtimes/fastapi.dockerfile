# syntax=docker/dockerfile:1
# {{ header }}
# Build it in the folder of the program:
#   docker build -f {{ path }} -t {{ name }} {{ source }}

# The libraries, in a layer of their own: it changes only when requirements.txt does.
FROM {{ base }} AS libraries
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /app/.venv
COPY requirements.txt ./
# Compiled to .pyc here, because the final image runs as a user that cannot write: without them a service
# needs 4Mi more (measured).
RUN --mount=type=cache,target=/root/.cache/pip \
    /app/.venv/bin/pip install --disable-pip-version-check --compile --requirement requirements.txt

FROM {{ base }}
LABEL org.opencontainers.image.title="{{ service }}"
WORKDIR /app
COPY --from=libraries /app/.venv /app/.venv
COPY . .
# PYTHONUNBUFFERED: a line of log is seen when it is written. No allocator is tuned: MALLOC_ARENA_MAX, malloc
# trim, jemalloc and mimalloc were measured and save nothing.
ENV PATH="/app/.venv/bin:$PATH" \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE {{ port }}
# uvicorn itself, one process{{ workers_reason }}: `fastapi run` takes 20Mi more, a second worker 52Mi (measured).
CMD ["uvicorn", "{{ app }}", "--host", "0.0.0.0", "--port", "{{ port }}"{{ workers_args }}]
