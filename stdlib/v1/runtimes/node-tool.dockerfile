{%- if manager == "pnpm" %}
RUN npm install --global pnpm@{{ tool or "10" }}
{%- elif berry %}
RUN npm install --global @yarnpkg/cli-dist@{{ tool or "4.18.1" }}
{%- endif %}
{%- if local %}
COPY . .
{%- else %}
COPY package.json {% if lock %}{{ lock }} {% endif %}{% if npmrc %}.npmrc {% endif %}{% if yarnrc %}.yarnrc.yml {% endif %}{% if workspace %}pnpm-workspace.yaml {% endif %}./
{%- endif %}
{%- if prepare %}
# It prepares a working copy, with tools that are not installed here.
RUN npm pkg delete scripts.prepare
{%- endif %}
