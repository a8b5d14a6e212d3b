{%- set builder = build_base or "golang:" ~ version ~ ("-bookworm" if cgo and variant != "alpine" else "-alpine") %}
{%- set final = base or {"distroless": "gcr.io/distroless/" ~ ("base" if cgo else "static") ~ "-debian13:nonroot", "alpine": "alpine:3.22", "slim": "debian:bookworm-slim"}[variant] %}
{%- include "std/head.dockerfile" %}

FROM {{ builder }} AS build
{%- set packages = (build_packages or []) + (["build-base"] if cgo and variant == "alpine" else []) %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /src
{%- if not vendor and not local %}
# The modules, in a layer of their own: it changes only when go.mod{% if lock %} or go.sum{% endif %} does.
COPY go.mod {% if lock %}go.sum {% endif %}./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download
{%- endif %}
COPY . .
{%- if cgo %}
# A library of it is C: the binary needs the libc of the image it runs in.
{%- else %}
# Without cgo the binary needs nothing of the image it runs in.
{%- endif %}
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED={{ 1 if cgo else 0 }} go build -trimpath -ldflags="-s -w" -o /out/app {{ app }}

FROM {{ final }}
{%- set packages = run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
WORKDIR /app
{%- if variant == "slim" and not build_base or base == "scratch" %}
# The certificates that calls over TLS are checked by: {{ final }} has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
{%- endif %}
COPY --from=build /out/app /app/app
{%- for file in files %}
COPY {{ file }} ./{{ file }}
{%- endfor %}
# GOMEMLIMIT is not set: on a small server it was measured and saves nothing.
ENV PORT={{ port }}
USER 10001:10001
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
{%- if start %}
CMD {{ start | exec }}
{%- else %}
ENTRYPOINT ["/app/app"]
{%- endif %}
