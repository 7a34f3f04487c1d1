"""The alert check as Celery runs it, again and again and twice at once, with a real mail server and a real web server.

Times are scaled: a check every 0.3 s instead of 10 s, so what is over is over after 1 s instead of 20 s.
"""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Self

import pytest
from django.db import connections

from acme.alert_settings import read_alerts
from acme.env import env
from projections.alerting import tasks
from tests.sinks import HttpSink, SmtpSink, wait_for

BEATS, EVERY = 2, 0.3
SCALED = {"ACME_ALERT_QUIET_SECONDS": "1"}


class Alerted:
    """``smtp`` and ``hook`` keep what was sent; ``checks`` counts the checks that ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, django_settings: Any) -> None:
        self._patch, self._django = monkeypatch, django_settings
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sinks = ExitStack()
        self.smtp, self.hook = SmtpSink(), HttpSink()
        self.checks, self._every = 0, EVERY
        self.errors: list[BaseException] = []

    def begin(self, every: float = EVERY, **variables: str) -> None:
        """Checks from now on, with these variables of alerting besides those of the sinks."""
        self._every = every
        found = {**self.smtp.environment, **self.hook.environment, **SCALED, **variables}
        self._patch.setattr(tasks, "env", replace(env, alerts=read_alerts(found)))
        for number in range(BEATS):
            thread = threading.Thread(target=self._run, name=f"beat-{number}")
            thread.start()
            self._threads.append(thread)

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._every):
                tasks.check.apply().get()
                self.checks += 1
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def told(self, key: str) -> dict[str, list[str]]:
        """Channel → the states that were said of a cause, in order."""
        mails = [mail.fact("State") for mail in self.smtp.about(key)]
        return {"email": mails, "webhook": [body["state"] for body in self.hook.about(key)]}

    @property
    def causes(self) -> set[str]:
        """Everything that anybody was told about."""
        return {mail.fact("Cause") for mail in list(self.smtp.mails)} | {post.json["key"] for post in self.hook.posts}

    def some_checks(self, number: int = 6) -> None:
        """Returns when so many more checks have ended."""
        target = self.checks + number
        wait_for(lambda: self.checks >= target or self.errors, 60, f"{number} checks")
        assert not self.errors, self.errors

    def __enter__(self) -> Self:
        for name in ("mail.log", "celery.app.trace", "projections.alerting.check"):
            self._patch.setattr(logging.getLogger(name), "disabled", True)  # several lines a second
        self._sinks.enter_context(self.smtp)
        self._sinks.enter_context(self.hook)
        # As acme.settings makes them from ACME_SMTP_URL.
        self._django.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        self._django.EMAIL_HOST, self._django.EMAIL_PORT = "127.0.0.1", self.smtp.port
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        self._sinks.close()


def told_once(alerted: Alerted, key: str, *states: str) -> None:
    """The check: many checks later, each channel has had exactly these messages about the cause."""
    wait_for(lambda: all(len(said) >= len(states) for said in alerted.told(key).values()), 30, f"{key}: {states}")
    alerted.some_checks()
    told = alerted.told(key)
    assert told == {"email": list(states), "webhook": list(states)}, f"{key}: {told}"
