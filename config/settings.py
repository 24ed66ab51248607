"""Settings of Standby, all from the environment (config/env.py), with defaults that suit a trial on one machine."""

from importlib.util import find_spec
from pathlib import Path

import django_stubs_ext
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Queue
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from config import env, logs, schedule
from config.addresses import broker, database, origin
from config.api import DOCUMENT
from tickets import redaction

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Who we are -----------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False)
TRIAL = env.flag("STANDBY_TRIAL", False)  # set by config/embedded/: own servers, loopback only, example data
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")  # older ones: they only verify what they have signed
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_FAILURE_VIEW = "config.problems.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
BASE_URL = env.text("BASE_URL", "http://127.0.0.1:8000").rstrip("/")  # for links in mail
BRAND = env.text("BRAND", "Later & Co")

# --- What is in the house -------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "dispatch.backoffice.apps.StandbyAdminConfig",  # django.contrib.admin with our site: roles, own pools, history
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "django_htmx",
    "csp",
    "django_migration_linter",
    "tickets",
    "agents",
    "dispatch",
    "config",  # commands of operators: backup, restore, doctor
]
# requirements.txt is without it.
if not env.flag("STANDBY_DEV_TOOLS", True) or find_spec("django_migration_linter") is None:
    INSTALLED_APPS.remove("django_migration_linter")

MIDDLEWARE = [
    "config.observing.Observed",
    "config.warm.warm",  # works once, at the start of a web process
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.policy.Policy",
    "config.embedding.Embedding",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.problems.RefusalPages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.urls.brand",
                "agents.views.people.reader_zone",
                "agents.sso.pages.button",
            ],
        },
    },
    # The few that are drawn at each offer (dispatch/drawing.py).
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "NAME": "jinja2",
        "DIRS": [BASE_DIR / "templates" / "jinja2"],
        "OPTIONS": {"environment": "dispatch.drawing.environment"},
    },
]


# --- Truth and bell -------------------------------------------------------------------------------------------------
# Statements that are planned once in a while (tickets/planned.py). Not behind a pooler of transactions.
DATABASE_PREPARE = env.flag("DATABASE_PREPARE", True)
DATABASES = {
    "default": database(
        env.text("DATABASE_URL"),
        # Plain HTTP runs in a fixed number of threads (config/asgi.py), so connections may persist: one a thread.
        keep=env.number("DATABASE_CONN_MAX_AGE", 600),
        prepare=DATABASE_PREPARE,
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
# Publishing knows no database numbers, so products that share one Redis need prefixes of their own.
REDIS_PREFIX = env.text("REDIS_PREFIX", "standby")

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # A connection that Redis or a proxy has closed meanwhile is opened once more: a process that nobody listened at for a
        # while would otherwise answer its next socket's handshake with 500.
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "retry": Retry(NoBackoff(), 1)}],
            "prefix": REDIS_PREFIX,
        },
    }
}
CACHES = {
    "default": {
        "BACKEND": "config.caches.ProcessCache",
        "LOCATION": REDIS_URL,
        # A Redis that hangs must not hang a customer: what it would have told is done without (seconds).
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = False  # a lost task is found by the tick; a task done twice would only waste time
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2, "max_retries": 1}
CELERY_TASK_PUBLISH_RETRY = (
    False  # whoever asks for a run and cannot, does it itself; waiting would stall a customer
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # what is printed, a trial's mails, is no line of the log
CELERY_TASK_ROUTES = {
    "dispatch.tasks.match": {"queue": "match"},
    "dispatch.tasks.tick": {"queue": "match"},
    "dispatch.tasks.simulate": {"queue": "simulate"},
    "dispatch.tasks.forecast": {"queue": "simulate"},  # some seconds of one core, once a day
    "tickets.tasks.triage_train": {"queue": "simulate"},  # a minute of one core: with the other long ones
}
CELERY_TASK_DEFAULT_QUEUE = "default"
# A run's message is not acknowledged: Redis would be told of it twice more, once while the customer waits. A run that is lost
# with its worker is found by the tick.
CELERY_TASK_QUEUES = [Queue("default"), Queue("match", no_ack=True), Queue("simulate")]
CELERY_BEAT_SCHEDULE = schedule.BEAT

# --- People ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "agents.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_REDIRECT_URL = "console"
LOGIN_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = (
    "none"  # nobody signs up by themselves; applying confirms the address (agents/onboarding.py)
)
ACCOUNT_ADAPTER = "agents.accounts.ClosedSignup"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"

# Single sign-on for staff (docs/single-sign-on.md): off without an issuer. SSO_ROLES: group=role, “admin” or a group here.
SSO_ISSUER = env.text("SSO_ISSUER", "").rstrip("/")
SSO_NAME = env.text("SSO_NAME", "single sign-on")
SSO_ROLES = env.pairs("SSO_ROLES")
SSO_GROUPS_CLAIM = env.text("SSO_GROUPS_CLAIM", "groups")
SSO_AGENTS = env.flag("SSO_AGENTS", False)  # whether accounts of agents may be linked too
# Where the provider asks people to log in, when that is another host than the issuer's.
SSO_LOGIN_HOSTS = env.words("SSO_LOGIN_HOSTS")
SOCIALACCOUNT_ADAPTER = "agents.sso.pages.Accounts"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "agents.sso.provider.Provider",
        "SCOPE": env.words("SSO_SCOPES", "openid,profile,email"),
        "APPS": [
            {
                "provider_id": "sso",
                "name": SSO_NAME,
                "client_id": env.text("SSO_CLIENT_ID"),
                "secret": env.text("SSO_CLIENT_SECRET"),
                "settings": {"server_url": SSO_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
        if SSO_ISSUER
        else [],
    }
}

# Else anybody could name any address.
PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.flag("BEHIND_PROXY", False) else 0

# --- Interfaces -----------------------------------------------------------------------------------------------------
# Of a client's address, if nothing else is said. On trial they hardly bind: all simulated people come from one address, and
# `python -m bench intake` opens some 400 tickets a second.
_RATES = {
    "ticket_open": "30/min",
    "ticket_open_address": "10/hour",  # an e-mail address
    "ticket_write": "30/min",  # a ticket: its customer's messages, closing and opening again; never asking for a person
    "links": "10/hour",
    "links_address": "3/hour",
    "token": "10/min",
    "token_guesses": "5/5min",  # wrong passwords for an address; as many as the log-in page takes
    "apply": "20/hour",
    "staff": "600/min",  # a token, or an account
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "agents.accounts.AgentTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["tickets.wire.JSONBody"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tickets.wire.AlwaysJSON",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "config.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["config.throttles.Scoped"],
    "DEFAULT_THROTTLE_RATES": dict.fromkeys(_RATES, "1000/s") if TRIAL else _RATES,
    "NUM_PROXIES": PROXIES,
    "EXCEPTION_HANDLER": "config.problems.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = DOCUMENT

# --- Language -------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "Europe/Berlin")

# --- Files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# `manage.py collectstatic` fills it; a trial serves them from where they lie.
STATIC_ROOT = None if TRIAL else env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = TRIAL or DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = Path(
    env.text("MEDIA_ROOT", str(BASE_DIR / ".standby" / "media"))
)  # one database's; never served by address
DATA_UPLOAD_MAX_MEMORY_SIZE = (
    1024 * 1024
)  # without files; files have their own limits in tickets/attachments.py
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# What messages lose beside cards and accounts: {"LC-########": "customer number"} (tickets/redaction.py).
REDACT_SHAPES = env.pairs("REDACT_SHAPES")
try:
    redaction.shapes(REDACT_SHAPES)
except redaction.BadShape as error:
    raise env.BadSetting(f"REDACT_SHAPES: {error}") from None
SCAN_COMMAND = env.command("SCAN_COMMAND")  # tickets/scanning.py

# --- Mail -----------------------------------------------------------------------------------------------------------
MAIL_FOLDER = env.text("MAIL_FOLDER", "")  # of a trial: its mails lie there as .eml files
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND",
    "config.postbox.Postbox" if MAIL_FOLDER else "django.core.mail.backends.console.EmailBackend",
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Later & Co <help@later.example>")
# What agents write to a customer who has read nothing for so long is mailed, at most one mail in so long (seconds).
MAIL_AWAY_SECONDS = env.number("MAIL_AWAY_SECONDS", 120)
MAIL_BUNDLE_SECONDS = env.number("MAIL_BUNDLE_SECONDS", 300)
# Mail of customers (docs/mail.md): from a mailbox, imaps://user:password@host/INBOX, whose handled mails are moved to a
# folder; or handed over at /api/v1/mail, signed with a secret that both sides know. The server must take help+x@ for help@.
MAIL_IN_URL = env.mailbox("MAIL_IN_URL")
MAIL_IN_DONE = env.text("MAIL_IN_DONE", "Handled")
MAIL_IN_SECRET = env.secret("MAIL_IN_SECRET")
MAIL_IN = bool(MAIL_IN_URL or MAIL_IN_SECRET)  # whether our mails can be answered
MAIL_IN_PER_HOUR = env.number("MAIL_IN_PER_HOUR", 20)  # of one sender; what comes above is held for a person

# A language model that puts the assistant's articles in other words (docs/assistant.md). Off without an address.
ASSISTANT_MODEL_URL = env.address(
    "ASSISTANT_MODEL_URL"
)  # of an interface like OpenAI's, https://models.example/v1
ASSISTANT_MODEL = env.text("ASSISTANT_MODEL", "")
ASSISTANT_MODEL_KEY = env.text("ASSISTANT_MODEL_KEY", "")
ASSISTANT_MODEL_SECONDS = env.number("ASSISTANT_MODEL_SECONDS", 3)
if bool(ASSISTANT_MODEL_URL) != bool(ASSISTANT_MODEL) or len(ASSISTANT_MODEL) > 80:
    raise env.BadSetting(
        "ASSISTANT_MODEL and ASSISTANT_MODEL_URL are set together or not at all; the name has 80 signs at most"
    )
if not 1 <= ASSISTANT_MODEL_SECONDS <= 5:
    raise env.BadSetting("ASSISTANT_MODEL_SECONDS wants 1 to 5: the assistant has ten seconds for an answer")

# Where people write whose address or network is on the block list.
CONTACT_EMAIL = env.text("CONTACT_EMAIL", "help@later.example")

# --- Safety ---------------------------------------------------------------------------------------------------------
HTTPS = env.flag("HTTPS", BASE_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# No page of ours is told to a foreign host. Not no-referrer: browsers then send `Origin: null` with a plain form, which the
# CSRF check must refuse. The private link's token is in the fragment, which is never part of a Referer.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Sites whose pages may show the widget, as sources of a policy: https://shop.example (config/embedding.py).
WIDGET_SITES = env.words("WIDGET_SITES", "http://localhost:*,http://127.0.0.1:*" if TRIAL else "")
if env.flag("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        # Browsers hold the redirect after a form to it too: the log-in page's button leads to the provider.
        "form-action": [SELF, *([origin(SSO_ISSUER), *SSO_LOGIN_HOSTS] if SSO_ISSUER else [])],
        "frame-ancestors": [NONE],
    }
}

# What customers said is deleted so many days after its ticket ended. 0: never by itself.
RETENTION_DAYS = env.number("RETENTION_DAYS", 730)

# --- Paying agents --------------------------------------------------------------------------------------------------
# Seal the account numbers of agents: the first key seals, all of them open. `manage.py payout_keys make` makes one,
# `reseal` seals anew what older ones have sealed. Without any, nobody can give their payout details.
PAYOUT_KEYS = env.keys("PAYOUT_KEYS")
# The account that pays. A trial pays from one that no bank has.
PAYOUT_DEBTOR_NAME = env.text("PAYOUT_DEBTOR_NAME", BRAND)
PAYOUT_DEBTOR_IBAN = env.text("PAYOUT_DEBTOR_IBAN", "DE02120300000000202051" if TRIAL else "")
PAYOUT_DEBTOR_BIC = env.text("PAYOUT_DEBTOR_BIC", "BYLADEM1001" if TRIAL else "")
PAYOUT_MINIMUM_CENTS = env.number("PAYOUT_MINIMUM_CENTS", 1000)  # less waits for the next run

# --- Calling agents -------------------------------------------------------------------------------------------------
# Web push: our private key (VAPID, P-256), as `manage.py push_key` makes one. Without it nobody can be called. Whoever changes
# it loses all devices: browsers bind their subscription to it.
PUSH_KEY = env.secret32("PUSH_KEY")
PUSH_CONTACT = env.text(
    "PUSH_CONTACT", BASE_URL if HTTPS else "mailto:help@later.example"
)  # for push services
PUSH_ANYWHERE = False  # tests only: whether an endpoint may be on this machine, and without TLS

# --- Telling other systems ------------------------------------------------------------------------------------------
# Webhooks (docs/webhooks.md) go to https addresses on the public internet only. With this also to plain http and inner ones:
# for a trial with a receiver on the same machine, or where all who may register one are trusted with the inner network.
WEBHOOK_ANYWHERE = env.flag("WEBHOOK_ANYWHERE", False)

# --- Watching -------------------------------------------------------------------------------------------------------
LOG_FORMAT = env.choice("LOG_FORMAT", ("json", "line"), "line" if TRIAL else "json")
LOG_REQUESTS = env.flag("LOG_REQUESTS", not TRIAL)  # a line a request: route, status, milliseconds
LOGGING = logs.logging_of(LOG_FORMAT, env.text("LOG_LEVEL", "INFO"))
# Who may read /metrics (config/metrics.py): nobody, unless one of these is set.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
METRICS_NETWORKS = env.networks("METRICS_NETWORKS")
