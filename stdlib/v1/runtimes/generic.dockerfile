{%- set final = base %}
{%- include "std/head.dockerfile" %}

FROM {{ final }}
{% include "std/label.dockerfile" %}
WORKDIR /app
COPY . .
ENV PORT={{ port }}
USER 10001:10001
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
CMD {{ start | exec }}
