{% include "std/head.dockerfile" %}
FROM {{ base }}
WORKDIR /app
COPY . .
# {{ limit - room }}Mi of {{ limit }}Mi are left to the heap.
USER 10001:10001
CMD {{ (["bun"] + flags + [entry]) | exec }}
