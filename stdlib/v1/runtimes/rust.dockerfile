{%- set builder = build_base or "rust:" ~ version ~ ("-alpine" if variant == "alpine" else "-bookworm") %}
{%- set final = base or {"distroless": "gcr.io/distroless/cc-debian13:nonroot", "alpine": "alpine:3.22", "slim": "debian:bookworm-slim"}[variant] %}
{%- include "std/head.dockerfile" %}

# cargo-chef builds the dependencies from the manifests alone, so that they have a layer of their own.
FROM {{ builder }} AS chef
{%- set packages = (build_packages or []) + (linkers or []) %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo install cargo-chef --version 0.1.78 --locked

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=plan /src/recipe.json ./
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo chef cook --release{% if lock %} --locked{% endif %} --bin {{ app }} --recipe-path recipe.json
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --release{% if lock %} --locked{% endif %} --bin {{ app }}

FROM {{ final }}
{%- set packages = run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
WORKDIR /app
{%- if variant == "slim" and not build_base and not base %}
# The certificates that calls over TLS are checked by: {{ final }} has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
{%- endif %}
COPY --from=build /src/target/release/{{ app }} /app/{{ app }}
{%- for file in files %}
COPY {{ file }} ./{{ file }}
{%- endfor %}
ENV PORT={{ port }}
USER 10001:10001
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
{%- if start %}
CMD {{ start | exec }}
{%- else %}
ENTRYPOINT {{ ["/app/" ~ app] | exec }}
{%- endif %}
