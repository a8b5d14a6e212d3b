{%- set tool = {"maven": "maven:3.9-eclipse-temurin-" ~ version ~ "-alpine", "gradle": "gradle:8-jdk" ~ version ~ "-alpine"}[manager] if variant == "alpine" else {"maven": "maven:3.9-eclipse-temurin-" ~ version, "gradle": "gradle:8-jdk" ~ version}[manager] %}
{%- set builder = build_base or tool %}
{%- set final = base or ({"alpine": "alpine:3.22", "slim": "debian:bookworm-slim"}[variant] if jlink and variant != "distroless" else {"alpine": "eclipse-temurin:" ~ version ~ "-jre-alpine", "slim": "eclipse-temurin:" ~ version ~ "-jre", "distroless": "gcr.io/distroless/java" ~ version ~ "-debian13:nonroot"}[variant]) %}
{%- set java = "/opt/java/bin/java" if jlink and variant != "distroless" else "java" %}
{%- set small = limit < 128 %}
{%- set heap = [limit - 22, 8] | max %}
{%- set flags = ["-XX:+UseSerialGC", "-Xmx" ~ heap ~ "m", "-Xss256k", "-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=8m"] if small else [] %}
{%- include "std/head.dockerfile" %}

FROM {{ builder }} AS build
{%- set packages = build_packages %}{% set image = builder %}
{%- include "std/packages.dockerfile" %}
WORKDIR /src
{%- if local %}
# Its libraries are named in more files than one: all of the source is here first.
COPY . .
{%- if manager == "maven" %}
RUN --mount=type=cache,target=/root/.m2 \
    mvn --batch-mode --quiet package -DskipTests
{%- else %}
RUN --mount=type=cache,target=/home/gradle/.gradle \
    gradle --no-daemon --quiet assemble
{%- endif %}
{%- elif manager == "maven" %}
# The libraries, in a layer of their own: it changes only when pom.xml does.
COPY pom.xml ./
RUN --mount=type=cache,target=/root/.m2 \
    mvn --batch-mode --quiet dependency:go-offline
COPY . .
RUN --mount=type=cache,target=/root/.m2 \
    mvn --batch-mode --quiet package -DskipTests
{%- else %}
# The libraries, in a layer of their own: it changes only when the build script does.
COPY {{ script or "build.gradle" }} {% if settings %}{{ settings }} {% endif %}{% if lock %}gradle.lockfile {% endif %}./
RUN --mount=type=cache,target=/home/gradle/.gradle \
    gradle --no-daemon --quiet dependencies
COPY . .
RUN --mount=type=cache,target=/home/gradle/.gradle \
    gradle --no-daemon --quiet assemble
{%- endif %}
# A jar that runs by itself: its manifest names the main class, and its libraries are in it.
RUN {% if app %}cp {{ app }} /app.jar{% else %}find {% if module %}{{ module }}/{% endif %}{{ {"maven": "target", "gradle": "build/libs"}[manager] }} -maxdepth 1 -name '*.jar' ! -name '*-sources.jar' ! -name '*-javadoc.jar' ! -name '*-plain.jar' \
    ! -name 'original-*' -exec cp {} /app.jar \; && \
    test -f /app.jar{% endif %}
{%- if jlink and variant != "distroless" %}
# The modules that the jar names, and no others.
RUN jlink --output /opt/jre --strip-java-debug-attributes --no-header-files --no-man-pages \
    --add-modules "$(jdeps --ignore-missing-deps --multi-release {{ version }} --print-module-deps /app.jar)"
{%- endif %}

FROM {{ final }}
{%- set packages = run_packages %}{% set image = final %}
{%- include "std/packages.dockerfile" %}
{% include "std/label.dockerfile" %}
WORKDIR /app
{%- if jlink and variant != "distroless" %}
COPY --from=build /opt/jre /opt/java
{%- endif %}
COPY --from=build /app.jar /app/app.jar
{%- for file in files %}
COPY {{ file }} ./{{ file }}
{%- endfor %}
ENV PORT={{ port }}
USER 10001:10001
{%- if serves %}
EXPOSE {{ port }}
{%- endif %}
{%- if small %}
# {{ limit }}Mi = {{ heap }}Mi heap + 8Mi compiled code + 14Mi classes, stacks, the collector and the JVM itself. One compiler with
# 8Mi for its code needs 4Mi less than two with what they take (38Mi to 42Mi, measured with OpenJDK 17).
{%- else %}
# The JVM sizes itself by the limit: what helps a small one was measured below 128Mi.
{%- endif %}
{%- if start %}
CMD {{ start | exec }}
{%- elif variant == "distroless" %}
ENTRYPOINT ["/usr/bin/java"]
CMD {{ (flags + ["-jar", "/app/app.jar"]) | exec }}
{%- else %}
CMD {{ ([java] + flags + ["-jar", "/app/app.jar"]) | exec }}
{%- endif %}
