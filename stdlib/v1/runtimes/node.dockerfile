{%- set builder = build_base or base or {"slim": "node:" ~ version ~ "-bookworm-slim", "alpine": "node:" ~ version ~ "-alpine", "distroless": "node:" ~ version ~ "-bookworm-slim"}[variant] %}
{%- set final = shared or base or {"slim": "node:" ~ version ~ "-bookworm-slim", "alpine": "node:" ~ version ~ "-alpine", "distroless": "gcr.io/distroless/nodejs" ~ version ~ "-debian13:nonroot"}[variant] %}
{%- include "std/head.dockerfile" %}
{%- if is_base %}
# The packages that services share: what starts from this image brings its own code.
{%- endif %}
{%- if variant == "distroless" %}
# No shell and no npm in the final image; distroless has the even versions of Node only.
{%- elif variant == "alpine" %}
# Smaller on disk than slim. A package with native code needs binaries for musl.
{%- endif %}
{%- if shared %}
# The packages are those of {{ shared }}: one layer on disk, and pages in memory that are read once.
{%- endif %}
{%- if manager != "none" and not shared %}

{% if local %}# The packages; some of them, or a script that installing runs, lie in the source, so all of it is here first.
{%- else %}# The packages, in a layer of their own: it changes only when {{ lock or "package.json" }} does.
{%- endif %}
FROM {{ builder }} AS libraries
{%- set packages = (build_packages or []) + (run_packages or []) %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /app
{%- include "std/node-tool.dockerfile" %}
{%- set production = not dev %}
{%- include "std/node-install.dockerfile" %}
{%- endif %}
{%- if build and not is_base %}

FROM {{ builder }} AS build
{%- set packages = (build_packages or []) + (run_packages or []) %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /app
{%- include "std/node-tool.dockerfile" %}
{%- set production = false %}
{%- include "std/node-install.dockerfile" %}
COPY . .
# What it makes stays beside the source: a server may read files of both.
RUN {% if generate %}node_modules/.bin/prisma generate && \
    {% endif %}{{ manager }} run {{ build }}{% if not whole %} && \
    rm -rf node_modules{% endif %}
{%- endif %}

FROM {{ final }}
{%- set packages = [] if shared else run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
WORKDIR /app
{%- if manager != "none" and not shared and not (whole and build) %}
COPY --from=libraries /app/node_modules ./node_modules
{%- endif %}
{%- if is_base %}
{%- elif build %}
COPY --from=build /app ./
{%- else %}
COPY . .
{%- endif %}
ENV NODE_ENV=production \
    PORT={{ port }}{% for variable in env or [] %} \
    {{ variable }}{% endfor %}
USER 10001:10001
{%- if not is_base %}
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
# Node itself: `npm start` takes 27Mi more (measured).
{%- if heap %} Its heap ends at {{ heap }}Mi: this bounds
# its growth (an Express server had 57Mi after 10000 requests, with 24Mi of heap 23Mi, measured), and does not lower what
# it begins with.
{%- else %} Its heap is left to it: a smaller one does not
# lower what it begins with (measured).
{%- endif %}
{%- if start %}
CMD {{ start | exec }}
{%- else %}
{%- set heap_flags = ["--max-old-space-size=" ~ heap, "--max-semi-space-size=" ~ ([heap // 16, 1] | max)] if heap else [] %}
{%- if variant == "distroless" %}
ENTRYPOINT ["/nodejs/bin/node"]
CMD {{ (heap_flags + (flags or []) + [app] + (arguments or [])) | exec }}
{%- else %}
CMD {{ (["node"] + heap_flags + (flags or []) + [app] + (arguments or [])) | exec }}
{%- endif %}
{%- endif %}
{%- endif %}
