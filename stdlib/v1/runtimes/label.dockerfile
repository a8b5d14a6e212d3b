LABEL org.opencontainers.image.title="{{ service }}" \
    org.opencontainers.image.base.name="{{ final }}"
