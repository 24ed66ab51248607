# syntax=docker/dockerfile:1
# The last stage only runs what the others have made. Packages are pinned by hash; the base images may be pinned by their digest from
# outside: docker build --build-arg PYTHON=python:3.12-slim-trixie@sha256:… . Both are of the same Debian, so that one's programs
# run with the other's C library.
ARG PYTHON=python:3.12-slim-trixie
ARG POSTGRES=postgres:18-trixie

# PostgreSQL's programs for backups, not older than the server (compose.yaml), with the libraries that they want.
FROM ${POSTGRES} AS client
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /opt/standby-postgres
RUN mkdir bin libexec lib \
 && for name in pg_dump pg_restore psql; do \
      cp "/usr/lib/postgresql/${PG_MAJOR}/bin/${name}" libexec/ \
      && printf '#!/bin/sh\nLD_LIBRARY_PATH=/opt/standby-postgres/lib exec /opt/standby-postgres/libexec/%s "$@"\n' "${name}" >"bin/${name}" \
      && chmod 755 "bin/${name}" || exit 1; \
    done \
 && ldd libexec/* | awk '$3 ~ /^\// && $3 !~ /\/lib(c|m|dl|rt|pthread|resolv)\.so/ { print $3 }' | sort -u | xargs cp -L -t lib

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
 && install -d -o standby -g standby -m 0750 /var/lib/standby/media /var/lib/standby/backups
COPY --from=client /opt/standby-postgres /opt/standby-postgres
COPY --from=build /srv /srv
# A library that is missing ends the build, and not the first backup.
RUN for name in pg_dump pg_restore psql; do "/opt/standby-postgres/bin/${name}" --version || exit 1; done
WORKDIR /srv/standby
ENV PATH=/srv/venv/bin:/opt/standby-postgres/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
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
