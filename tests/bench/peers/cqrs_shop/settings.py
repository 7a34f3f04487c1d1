"""Django's settings of the peer; DATABASE_URL's parts and RabbitMQ's port come from the environment."""

import os
import secrets
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ["PEER_DATABASE_URL"])

SECRET_KEY = secrets.token_hex(16)
INSTALLED_APPS = ["django.contrib.contenttypes", "dj_cqrs", "cqrs_shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname,
        "PORT": _database.port,
        "CONN_MAX_AGE": None,  # else the consumer connects anew for each message
    }
}
CQRS = {
    "transport": "dj_cqrs.transport.rabbit_mq.RabbitMQTransport",
    "host": "127.0.0.1",
    "port": int(os.environ["PEER_RABBITMQ_PORT"]),
    "user": "guest",
    "password": "guest",
    "queue": "replica",
}
LOGGING = {"version": 1, "disable_existing_loggers": True}  # the peer logs two lines a message
