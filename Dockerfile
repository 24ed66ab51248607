# Two stages: the first has a compiler's worth of tools, the second only what runs. Packages are pinned by hash.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/standby
RUN python -m venv /srv/venv
COPY requirements.txt .
RUN /srv/venv/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY manage.py ./
COPY config config
COPY tickets tickets
COPY agents agents
COPY dispatch dispatch
COPY templates templates
COPY static static
COPY locale locale
# Settings want addresses even to collect files; nothing is reached.
RUN DATABASE_URL=postgres:///none REDIS_URL=redis://none SECRET_KEY=none STANDBY_DEV_TOOLS=no \
    /srv/venv/bin/python -m config.catalogues \
 && DATABASE_URL=postgres:///none REDIS_URL=redis://none SECRET_KEY=none STANDBY_DEV_TOOLS=no \
    /srv/venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home standby \
 && install -d -o standby -g standby /var/lib/standby/media
COPY --from=build /srv /srv
WORKDIR /srv/standby
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STANDBY_DEV_TOOLS=no MEDIA_ROOT=/var/lib/standby/media
USER standby
EXPOSE 8000
VOLUME /var/lib/standby/media
# web by default; matcher: celery -A config worker -n matcher@%h -Q match -P solo; worker: the same with -Q default -P threads;
# simulator: with -Q simulate -P solo; beat: celery -A config beat
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--ws", "websockets-sansio", "--lifespan", "off", "--no-access-log", \
     "--ws-per-message-deflate", "false", "--ws-ping-interval", "60"]
