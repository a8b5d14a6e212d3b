{%- if packages %}
{%- if "alpine" in image %}
RUN apk add --no-cache{% for name in packages %} '{{ name }}>=0'{% endfor %}
{%- elif "distroless" not in image %}
RUN apt-get update && \
    apt-get install --yes --no-install-recommends{% for name in packages %} '{{ name }}=*'{% endfor %} && \
    rm -rf /var/lib/apt/lists/*
{%- endif %}
{%- endif %}
