{#- An application without packages gets an empty folder, for what copies it. -#}
{%- set tail = " && \\\n    mkdir -p node_modules" if production else "" %}
{%- if manager == "pnpm" %}
RUN --mount=type=cache,target=/root/.local/share/pnpm/store \
    pnpm install {% if lock %}--frozen-lockfile{% else %}--no-frozen-lockfile{% endif %}{% if production %} --prod{% endif %}{{ tail }}
{%- elif manager == "yarn" and berry %}
RUN --mount=type=cache,target=/root/.yarn/berry/cache \
    YARN_NODE_LINKER=node-modules {% if production %}yarn workspaces focus --production{% else %}yarn install --immutable{% endif %}{{ tail }}
{%- elif manager == "yarn" %}
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn \
    yarn install {% if lock %}--frozen-lockfile{% else %}--no-lockfile{% endif %}{% if production %} --production{% endif %}{{ tail }}
{%- elif lock %}
RUN --mount=type=cache,target=/root/.npm \
    npm ci{% if production %} --omit=dev{% endif %}{{ tail }}
{%- else %}
# No lock file: what is newest on the day of the build.
RUN --mount=type=cache,target=/root/.npm \
    npm install --no-package-lock{% if production %} --omit=dev{% endif %}{{ tail }}
{%- endif %}
