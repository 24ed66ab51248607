"""Settings of a test run: the servers are started first, then these are the product's settings with a few of their own.

A settings module and not a plugin, because pytest-django reads settings before any conftest; and so that a bare `pytest`
works as well as `make test`.
"""

from config import catalogues
from tests import ground

ground.prepare()
catalogues.compile_catalogues()  # what is out of date only; a bare `pytest` speaks German too

from config.settings import *  # noqa: E402, F403

# Log-ins in tests are many and guard nothing. The processes of tests/stack.py keep the real one.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Files of tests leave nothing on the disk.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Each client of a test has a chain of middleware of its own; WhiteNoise would look through all static files for each.
WHITENOISE_AUTOREFRESH = True
