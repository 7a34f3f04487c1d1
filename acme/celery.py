"""The Celery application: `celery -A acme worker` and `celery -A acme beat`."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
app = Celery("acme")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["commands.outbox", "projections.alerting", "projections.history", "projections.verification"])


# Celery's own hooks; they are how it says that a process starts. The imports wait for Django's settings.
@signals.worker_init.connect
def show_worker_metrics(**_: Any) -> None:
    """What a worker counts is counted in its own process: use the pool ``solo`` or ``threads``."""
    from acme.exposition import WRITE_SIDE, source, start_exposition

    start_exposition(source(WRITE_SIDE))


@signals.beat_init.connect
def show_beat_metrics(**_: Any) -> None:
    """Beat knows no engine but the broker; that it can be scraped says that it lives."""
    from acme.exposition import start_exposition

    start_exposition()
