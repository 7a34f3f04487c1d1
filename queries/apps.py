"""Django's registration of this room."""

from django.apps import AppConfig


class QueriesConfig(AppConfig):
    name = "queries"
