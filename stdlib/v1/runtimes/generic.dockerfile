{%- set final = base %}
{%- include "std/head.dockerfile" %}

FROM {{ final }}
{%- set packages = run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
WORKDIR /app
COPY . .
ENV PORT={{ port }}
USER 10001:10001
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
CMD {{ start | exec }}
