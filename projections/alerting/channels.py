"""Where messages go: e-mail through Django's backend, and a signed webhook. What fails is said without any secret."""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import httpx
from django.core.mail import EmailMessage

from acme.alert_settings import AlertSettings
from projections.alerting.message import Message, signature

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0


class ChannelFailed(Exception):
    """The message was not accepted, or nobody knows; it is sent again. The text names neither URL nor secret."""


class Channel(Protocol):
    """One way to people. ``name`` is the key under which the book keeps what was told."""

    @property
    def name(self) -> str: ...

    def send(self, message: Message) -> None:
        """Returns when the receiver has accepted it. Raises `ChannelFailed`."""


def configured(settings: AlertSettings) -> tuple[Channel, ...]:
    """The channels that the environment names; none is fine."""
    channels: list[Channel] = []
    if settings.emails:
        channels.append(EmailChannel(sender=settings.sender, recipients=settings.emails))
    if settings.webhook_url:
        channels.append(WebhookChannel(url=settings.webhook_url, secret=settings.webhook_secret))
    return tuple(channels)


@dataclass(frozen=True, kw_only=True)
class EmailChannel:
    """One e-mail to all addresses; all about one occurrence are one thread in a mail program."""

    sender: str
    recipients: tuple[str, ...]
    name: str = "email"

    def send(self, message: Message) -> None:
        try:
            self._email(message).send()
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelFailed(f"the mail server did not take it: {_code(error)}") from error

    def _email(self, message: Message) -> EmailMessage:
        state = "over" if message.state == "over" else message.severity
        lines = {
            "Shop": message.shop,
            "Cause": message.key,
            "State": message.state,
            "Severity": message.severity,
            "Since": message.body()["opened_at"],
            "At": message.body()["at"],
            "Id": message.id,
        }
        facts = "\n".join(f"{name + ':':<10}{value}" for name, value in lines.items())
        return EmailMessage(
            subject=" ".join(f"[{message.shop}] {state}: {message.summary}".split())[:200],
            body=f"{message.summary}\n\n{message.details}\n\n{facts}\n",
            from_email=self.sender,
            to=list(self.recipients),
            headers={
                "Message-ID": f"<{message.id}@acme-alerts>",
                "References": f"<{message.thread}@acme-alerts>",
                "Auto-Submitted": "auto-generated",
            },
        )


def _code(error: OSError | smtplib.SMTPException) -> str:
    """The kind of failure and the server's number: its words may repeat an address."""
    number = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {number}" if number else type(error).__name__


@dataclass(frozen=True, kw_only=True)
class WebhookChannel:
    """A POST of the message as JSON with ``Acme-Signature``; any answer of 2xx accepts it, redirects do not."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    clock: Callable[[], float] = field(default=time.time, repr=False)
    name: str = "webhook"

    def send(self, message: Message) -> None:
        body = json.dumps(message.body(), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "Acme-Signature": signature(self.secret, int(self.clock()), body),
            "User-Agent": "acme-alerts",
        }
        limits = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        try:
            with (
                httpx.Client(timeout=limits, follow_redirects=False) as client,
                client.stream("POST", self.url, content=body, headers=headers) as answer,  # its body is nobody's need
            ):
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ChannelFailed(f"{urlsplit(self.url).hostname} did not answer: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise ChannelFailed(f"{urlsplit(self.url).hostname} answered {status}")
