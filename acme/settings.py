"""Django settings of every process; what differs between processes comes from `acme.env`."""

from __future__ import annotations

import warnings
from datetime import timedelta

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from acme.env import PROJECT, env

BASE_DIR = PROJECT
DEBUG = env.debug
ALLOWED_HOSTS = env.allowed_hosts
# A key of its own per process start is safe (nothing signed outlives it) and lets checks run without secrets.
SECRET_KEY = env.secret_key or ""
if not SECRET_KEY:
    from django.core.management.utils import get_random_secret_key

    SECRET_KEY = get_random_secret_key()

ROLE = env.role
SERVES_COMMANDS = ROLE in {"all", "command"}
SERVES_QUERIES = ROLE in {"all", "query"}

INSTALLED_APPS = [
    *(["django.contrib.admin", "django.contrib.sessions", "django.contrib.messages"] if SERVES_COMMANDS else []),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "acme",
    "commands",
    "projections",
    "queries",
]
MIDDLEWARE = [
    "acme.http.metrics.Measured",
    "acme.http.middleware.RequestId",
    "acme.http.metrics.MetricsPage",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    *(
        [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ]
        if SERVES_COMMANDS
        else ["django.middleware.common.CommonMiddleware"]
    ),
]
ROOT_URLCONF = "acme.urls"
WSGI_APPLICATION = "acme.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database(url: str | None) -> dict[str, object]:
    """A Django connection from a libpq URL; without one the dummy backend, which refuses every use."""
    if not url or not SERVES_COMMANDS:
        return {"ENGINE": "django.db.backends.dummy"}
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    if "dbname" not in parts:
        raise ImproperlyConfigured("DATABASE_URL names no database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**parts, "pool": {"min_size": 0, "max_size": 20, "timeout": 5}},
    }


DATABASES = {"default": _database(env.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "commands.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.time_zone
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True  # no collectstatic step is needed before the first start
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)  # … so STATIC_ROOT may be missing
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes of one request body
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG and "localhost" not in ALLOWED_HOSTS
# What a client says of itself counts only where a proxy of ours stands before us and sets it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.proxies else None

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["acme.http.authentication.AccessToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["acme.http.rendering.JSON"],
    "DEFAULT_PARSER_CLASSES": ["acme.http.rendering.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "acme.http.openapi.ShopSchema",
    "EXCEPTION_HANDLER": "acme.http.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": env.proxies,  # how much of X-Forwarded-For the brake on logins believes
    "URL_FORMAT_OVERRIDE": None,  # ?format= is an unknown parameter like any other
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ACME shop",
    "DESCRIPTION": "GET and HEAD are answered by the read side, every other method by the write side.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "PREPROCESSING_HOOKS": ["acme.api.schema_endpoints"],
    "ENUM_NAME_OVERRIDES": {
        "CartStatus": "queries.api.serializers.selling.CART_STATUSES",
        "OrderStatus": "queries.api.serializers.selling.ORDER_STATUSES",
        "ProductStatus": "queries.api.serializers.catalog.STATUSES",
    },
    "COMPONENT_SPLIT_PATCH": False,  # bodies of PATCH say themselves what may be missing
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
}
SIMPLE_JWT = {
    "ALGORITHM": "EdDSA",
    "SIGNING_KEY": env.jwt_private_key if SERVES_COMMANDS else "",
    "VERIFYING_KEY": env.jwt_public_key,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "USER_ID_CLAIM": "sub",
    "ISSUER": "acme",
    "AUDIENCE": "acme-api",
}

CELERY_BROKER_URL = env.celery_broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {"task": "commands.outbox.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "check-alerts": {"task": "projections.alerting.check", "schedule": 10.0, "options": {"expires": 10}},
    "verify": {"task": "projections.verification.nightly", "schedule": crontab(hour="3", minute="30")},
    "sample-lag": {"task": "projections.history.sample", "schedule": 15.0, "options": {"expires": 15}},
}

DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.alerts.sender
EMAIL_TIMEOUT = 10  # seconds of every step
if env.alerts.smtp is not None:
    EMAIL_HOST = env.alerts.smtp.host
    EMAIL_PORT = env.alerts.smtp.port
    EMAIL_HOST_USER = env.alerts.smtp.user
    EMAIL_HOST_PASSWORD = env.alerts.smtp.password
    EMAIL_USE_TLS = env.alerts.smtp.encryption == "starttls"
    EMAIL_USE_SSL = env.alerts.smtp.encryption == "tls"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "kafka": {"level": "CRITICAL"}, "django.request": {"level": "ERROR"}},
}
