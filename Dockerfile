# syntax=docker/dockerfile:1
# Two stages: the first installs and compiles, the second only runs. Packages are pinned by hash; the base image may be pinned by
# its digest from outside: docker build --build-arg PYTHON=python:3.12-slim@sha256:… .
ARG PYTHON=python:3.12-slim

FROM ${PYTHON} AS build
# requirements-observe.txt has Sentry and OpenTelemetry as well.
ARG REQUIREMENTS=requirements.txt
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/standby
RUN python -m venv --without-pip /srv/venv
COPY ${REQUIREMENTS} requirements.txt
RUN pip --python /srv/venv/bin/python install --require-hashes --only-binary :all: -r requirements.txt
COPY manage.py ./
COPY config config
COPY tickets tickets
COPY agents agents
COPY dispatch dispatch
COPY templates templates
COPY static static
COPY locale locale
# Settings want addresses even to collect files; nothing is reached.
RUN export DATABASE_URL=postgres:///none REDIS_URL=redis://none SECRET_KEY=none STANDBY_DEV_TOOLS=no \
 && /srv/venv/bin/python -m config.catalogues \
 && /srv/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
 && /srv/venv/bin/python -m compileall -q /srv/standby

FROM ${PYTHON}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Standby" \
      org.opencontainers.image.description="A human whenever your customers want one: live tickets offered to agents online on demand" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --system --gid 10001 standby \
 && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent standby \
 && install -d -o standby -g standby /var/lib/standby/media
COPY --from=build /srv /srv
WORKDIR /srv/standby
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STANDBY_DEV_TOOLS=no MEDIA_ROOT=/var/lib/standby/media PULSE_FILE=/tmp/standby-pulse MPLCONFIGDIR=/tmp/matplotlib
USER 10001:10001
EXPOSE 8000
VOLUME /var/lib/standby/media
# Its SIGTERM: config/web.py leaves in order, Celery ends the task that it has in hand.
STOPSIGNAL SIGTERM
# Of the web; compose.yaml and the Kubernetes manifests name that of the other roles.
HEALTHCHECK --interval=10s --timeout=6s --start-period=40s --retries=3 CMD ["python", "-m", "config.probe", "web", "live"]
# Roles: web, matcher, worker, simulator, beat, migrate, manage … (config/roles.py)
ENTRYPOINT ["python", "-m", "config.roles"]
CMD ["web"]
