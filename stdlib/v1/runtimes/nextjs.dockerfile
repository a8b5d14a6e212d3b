{%- set builder = build_base or base or {"slim": "node:" ~ version ~ "-bookworm-slim", "alpine": "node:" ~ version ~ "-alpine", "distroless": "node:" ~ version ~ "-bookworm-slim"}[variant] %}
{%- set final = base or {"slim": "node:" ~ version ~ "-bookworm-slim", "alpine": "node:" ~ version ~ "-alpine", "distroless": "gcr.io/distroless/nodejs" ~ version ~ "-debian13:nonroot"}[variant] %}
{%- include "std/head.dockerfile" %}

{% if local %}# The packages; some of them, or a script that installing runs, lie in the source, so all of it is here first.
{%- else %}# The packages, in a layer of their own: it changes only when {{ lock or "package.json" }} does.
{%- endif %}
FROM {{ builder }} AS libraries
{%- set packages = (build_packages or []) + (run_packages or []) %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /app
{%- include "std/node-tool.dockerfile" %}
{%- set production = false %}
{%- include "std/node-install.dockerfile" %}

FROM libraries AS build
ENV NEXT_TELEMETRY_DISABLED=1
COPY . .
RUN {% if generate %}node_modules/.bin/prisma generate && \
    {% endif %}{{ manager }} run {{ build or "build" }}

# `output: "standalone"`: the server with the packages it uses, and no others.
FROM {{ final }}
{%- set packages = run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
WORKDIR /app
COPY --from=build /app/.next/standalone ./
COPY --from=build /app/.next/static ./.next/static
{%- if public %}
COPY --from=build /app/public ./public
{%- endif %}
ENV NODE_ENV=production \
    HOSTNAME=0.0.0.0 \
    PORT={{ port }} \
    NEXT_TELEMETRY_DISABLED=1
USER 10001:10001
EXPOSE {{ port }}
# Node itself: `npm start` takes 27Mi more (measured with a plain server).
{%- if start %}
CMD {{ start | exec }}
{%- elif variant == "distroless" %}
ENTRYPOINT ["/nodejs/bin/node"]
CMD {{ [app] | exec }}
{%- else %}
CMD {{ ["node", app] | exec }}
{%- endif %}
