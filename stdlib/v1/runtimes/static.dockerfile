{%- set final = base or {"alpine": "nginx:1.30-alpine-slim", "slim": "nginx:1.30-trixie"}[variant] %}
{%- set builder = build_base or "node:" ~ version ~ "-bookworm-slim" %}
{%- include "std/head.dockerfile" %}
{%- if build %}

{% if local %}# The packages; some of them, or a script that installing runs, lie in the source, so all of it is here first.
{%- else %}# The packages, in a layer of their own: it changes only when {{ lock or "package.json" }} does.
{%- endif %}
FROM {{ builder }} AS build
{%- set packages = build_packages %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /app
{%- include "std/node-tool.dockerfile" %}
{%- set production = false %}
{%- include "std/node-install.dockerfile" %}
COPY . .
RUN {{ manager }} run {{ build }}
{%- endif %}

FROM {{ final }}
{%- set packages = run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
# One worker: `auto` starts one for every core of the node. What nginx writes goes to /tmp, which any user may write to.
RUN printf '%s\n' \
    'worker_processes 1;' \
    'pid /tmp/nginx.pid;' \
    'error_log /dev/stderr warn;' \
    'events { worker_connections 256; }' \
    'http {' \
    '  include /etc/nginx/mime.types;' \
    '  default_type application/octet-stream;' \
    '  access_log {% if log %}/dev/stdout{% else %}off{% endif %};' \
    '  sendfile on;' \
    '  server_tokens off;' \
    '  client_body_temp_path /tmp/body;' \
    '  proxy_temp_path /tmp/proxy;' \
    '  fastcgi_temp_path /tmp/fastcgi;' \
    '  uwsgi_temp_path /tmp/uwsgi;' \
    '  scgi_temp_path /tmp/scgi;' \
{%- if conf %}
    '  include /etc/nginx/conf.d/site.conf;' \
{%- else %}
    '  server {' \
    '    listen {{ port }};' \
    '    root /srv;' \
{%- if fallback %}
    '    error_page 404 =200 /index.html;' \
    '    log_not_found off;' \
{%- endif %}
    '  }' \
{%- endif %}
    '}' > /etc/nginx/nginx.conf
{%- if conf %}
# Its `server` blocks, as the source has them.
COPY {{ conf }} /etc/nginx/conf.d/site.conf
{%- endif %}
{%- if build %}
COPY --from=build /app/{{ app }} /srv
{%- else %}
COPY {{ app }} /srv
{%- endif %}
USER 10001:10001
EXPOSE {{ port }}
{%- if start %}
CMD {{ start | exec }}
{%- else %}
CMD ["nginx", "-g", "daemon off;"]
{%- endif %}
