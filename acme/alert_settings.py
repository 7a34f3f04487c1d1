"""The variables of alerting, each declared once with its meaning: thresholds, and where messages go.

Part of `acme.env`, which reads them at start; in a file of its own because they are many and belong together.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

SECRET_LENGTH = 16
#: Scheme of ACME_SMTP_URL → how the connection is encrypted, and the usual port.
SMTP_SCHEMES = {"smtp": ("", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """The mail server. ``encryption``: empty, starttls or tls (from the first byte)."""

    host: str
    port: int
    encryption: str = ""
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class AlertSettings:
    """When something is worth a message, and where it goes. Times are in seconds."""

    lag: float = 60  # a projection may be behind, or its lag unknown, for so long
    lag_of: Mapping[str, float] = field(default_factory=dict)  # … other limits for single projections
    heartbeat: float = 30  # a projection may be without a living worker for so long (a deployment)
    publisher: float = 30  # an event may wait for its number or for Kafka for so long
    unreachable: float = 20  # an engine may be away for so long (a fail-over)
    paused: float = 24 * 3600  # a projection may be paused for so long
    repeat: float = 3600  # what goes on is said again
    quiet: float = 20  # what was said is over when it has not been seen for so long: two checks
    shop: str = "acme"  # how messages call this installation

    smtp: Smtp | None = None
    sender: str = "acme@localhost"
    emails: tuple[str, ...] = ()
    webhook_url: str = field(default="", repr=False)  # its path may be a secret of the receiver's
    webhook_secret: str = field(default="", repr=False)

    def lag_limit(self, projection: str) -> float:
        """Seconds that this projection may be behind."""
        return self.lag_of.get(projection, self.lag)


def read_alerts(found: Mapping[str, str]) -> AlertSettings:
    """The settings from the environment. Raises ValueError naming the variable at fault, never its secret."""
    settings = AlertSettings(
        lag=_seconds(found, "ACME_ALERT_LAG_SECONDS", AlertSettings.lag),
        lag_of=_lag_of(found.get("ACME_ALERT_LAG_SECONDS_OF", "")),
        heartbeat=_seconds(found, "ACME_ALERT_HEARTBEAT_SECONDS", AlertSettings.heartbeat),
        publisher=_seconds(found, "ACME_ALERT_PUBLISHER_SECONDS", AlertSettings.publisher),
        unreachable=_seconds(found, "ACME_ALERT_UNREACHABLE_SECONDS", AlertSettings.unreachable),
        paused=_seconds(found, "ACME_ALERT_PAUSED_SECONDS", AlertSettings.paused),
        repeat=_seconds(found, "ACME_ALERT_REPEAT_SECONDS", AlertSettings.repeat),
        quiet=_seconds(found, "ACME_ALERT_QUIET_SECONDS", AlertSettings.quiet),
        shop=_shop(found.get("ACME_ALERT_SHOP", AlertSettings.shop)),
        smtp=_smtp(found.get("ACME_SMTP_URL", "")),
        sender=_address("ACME_ALERT_FROM", found.get("ACME_ALERT_FROM", AlertSettings.sender)),
        emails=_emails(found.get("ACME_ALERT_EMAILS", "")),
        webhook_url=_webhook_url(found.get("ACME_ALERT_WEBHOOK_URL", "")),
        webhook_secret=found.get("ACME_ALERT_WEBHOOK_SECRET", ""),
    )
    if settings.emails and settings.smtp is None:
        raise _wrong("ACME_ALERT_EMAILS", "needs ACME_SMTP_URL, the server that takes the messages")
    if settings.webhook_url and len(settings.webhook_secret) < SECRET_LENGTH:
        raise _wrong("ACME_ALERT_WEBHOOK_SECRET", f"must have {SECRET_LENGTH} characters or more with a webhook")
    return settings


def _wrong(name: str, why: str) -> ValueError:
    return ValueError(f"environment: {name} {why}")


def _number(name: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,3})?", text) or float(text) <= 0:
        raise _wrong(name, f"must be seconds above 0, not {text!r}")
    return float(text)


def _seconds(found: Mapping[str, str], name: str, default: float) -> float:
    return _number(name, found[name]) if name in found else default


def _lag_of(text: str) -> dict[str, float]:
    """``orders=30,sales_by_day=600``."""
    limits: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, seconds = part.partition("=")
        if not equals or not re.fullmatch(r"[a-z][a-z0-9_]*", name.strip()):
            raise _wrong("ACME_ALERT_LAG_SECONDS_OF", f"must be PROJECTION=SECONDS,…, not {part!r}")
        limits[name.strip()] = _number("ACME_ALERT_LAG_SECONDS_OF", seconds.strip())
    return limits


def _shop(text: str) -> str:
    if not text.isprintable() or not 0 < len(text) <= 60:
        raise _wrong("ACME_ALERT_SHOP", "must be 1 to 60 printable characters")
    return text


def _address(name: str, text: str) -> str:
    try:
        # "localhost" is a place where mail of a machine's own goes.
        validate_email(text if not text.endswith("@localhost") else f"{text}.test")
    except ValidationError as error:
        raise _wrong(name, f"has no e-mail address in {text!r}") from error
    return text


def _emails(text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",")]
    return tuple(dict.fromkeys(_address("ACME_ALERT_EMAILS", part) for part in parts if part))


def _smtp(text: str) -> Smtp | None:
    """``smtp://host:25``, ``smtp+starttls://user:password@host:587`` or ``smtps://user:password@host:465``."""
    if not text:
        return None
    name = "ACME_SMTP_URL"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(name, "is no URL") from error
    if parts.scheme not in SMTP_SCHEMES or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong(name, f"must be {', '.join(SMTP_SCHEMES)}://[user:password@]host[:port]")
    encryption, usual = SMTP_SCHEMES[parts.scheme]
    if parts.password and not encryption and not is_loopback(host):
        raise _wrong(name, "would send a password unencrypted: use smtp+starttls:// or smtps://")
    return Smtp(
        host=host,
        port=port or usual,
        encryption=encryption,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _webhook_url(text: str) -> str:
    """Always encrypted, unless it stays on this machine."""
    if not text:
        return ""
    name = "ACME_ALERT_WEBHOOK_URL"
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise _wrong(name, "is no URL") from error
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise _wrong(name, "must begin with https:// (http:// only for this machine itself)")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _wrong(name, "must have no user, password or fragment: receivers check the signature")
    return text


def is_loopback(host: str) -> bool:
    """Whether this name or address is the machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
