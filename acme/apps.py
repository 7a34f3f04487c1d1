"""Django's registration of this room."""

from django.apps import AppConfig


class AcmeConfig(AppConfig):
    name = "acme"
