{%- set builder = build_base or "golang:" ~ version ~ "-alpine" %}
{%- set final = base or {"distroless": "gcr.io/distroless/static-debian13:nonroot", "alpine": "alpine:3.22", "slim": "debian:bookworm-slim"}[variant] %}
{%- include "std/head.dockerfile" %}

FROM {{ builder }} AS build
WORKDIR /src
{%- if not vendor and not local %}
# The modules, in a layer of their own: it changes only when go.mod{% if lock %} or go.sum{% endif %} does.
COPY go.mod {% if lock %}go.sum {% endif %}./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download
{%- endif %}
COPY . .
# Without cgo the binary needs nothing of the image it runs in.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/app {{ app }}

FROM {{ final }}
{% include "std/label.dockerfile" %}
WORKDIR /app
{%- if variant == "slim" and not build_base or base == "scratch" %}
# The certificates that calls over TLS are checked by: {{ final }} has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
{%- endif %}
COPY --from=build /out/app /app/app
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
