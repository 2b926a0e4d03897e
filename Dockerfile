# One image for the worker and every other command: docker run shopwarden --help
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/shopwarden
WORKDIR /src
# The locked packages first: they change less often than the code.
COPY requirements.lock ./
RUN /opt/shopwarden/bin/pip install --require-hashes --only-binary=:all: -r requirements.lock
# The build backend is needed only here, so it gets an environment of its own.
COPY requirements-build.lock ./
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes --only-binary=:all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY features features
COPY detectors detectors
COPY streams streams
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/shopwarden/bin/pip install --no-deps --no-index /dist/*.whl

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Shopwarden" \
      org.opencontainers.image.description="Streaming risk detection for marketplace governance" \
      org.opencontainers.image.licenses="Apache-2.0"
# What the compose file keeps in a volume (the pseudonym key) is the user's own.
RUN useradd --system --uid 10001 --no-create-home shopwarden \
    && install --directory --owner shopwarden --mode 0700 /var/lib/shopwarden
COPY --from=build /opt/shopwarden /opt/shopwarden
COPY LICENSE /usr/share/doc/shopwarden/LICENSE
ENV PATH=/opt/shopwarden/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Metrics, health and readiness; within the container's own network, so all addresses.
ENV SHOPWARDEN_TELEMETRY__PORT=9464 SHOPWARDEN_TELEMETRY__ADDRESS=0.0.0.0
EXPOSE 9464
USER shopwarden
WORKDIR /tmp
# Healthy when the worker, or the console, is ready.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["shopwarden", "probe"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["shopwarden"]
CMD ["worker"]
