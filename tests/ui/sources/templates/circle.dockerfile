{% include "sources/templates/circle.dockerfile" %}
FROM scratch
