"""Messages as a real mail server and a real web server get them, and what is said when they refuse."""

from __future__ import annotations

import base64
import logging
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acme.alert_settings import AlertSettings, read_alerts
from projections.alerting import channels
from projections.alerting.channels import ChannelFailed, EmailChannel, WebhookChannel, configured
from projections.alerting.message import Message, message_id, signature
from tests.composition import PROJECT
from tests.sinks import HttpSink, SmtpSink

SECRET = "a-secret-of-the-sink"
AT = datetime(2026, 1, 1, 3, 12, tzinfo=UTC)
MESSAGE = Message(
    id=message_id("acme", "lag:orders", AT, "open", 0),
    key="lag:orders",
    kind="lag",
    state="open",
    severity="warning",
    summary="orders is 2 min 5 s behind — “héhé”",
    details="Look: manage.py projector lag orders\n.\nFrom here",
    projection="orders",
    opened_at=AT,
    at=AT,
    shop="acme",
)


@pytest.fixture
def smtp(settings: Any) -> Any:
    """A mail server, and Django's settings for it as the environment would make them."""
    with SmtpSink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


def verify(header: str, body: bytes, secret: str, now: float) -> bool:
    """The receiver's code of docs/alerts.md, as it stands there."""
    text = (PROJECT / "docs" / "alerts.md").read_text()
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    scope: dict[str, Any] = {}
    exec(found[1], scope)  # noqa: S102 (our own document)
    return bool(scope["is_from_acme"](header, body, secret, now))


def test_a_signed_webhook() -> None:
    with HttpSink() as sink:
        WebhookChannel(url=sink.url, secret=SECRET, clock=lambda: 1_700_000_000.9).send(MESSAGE)
    (post,) = sink.posts
    assert post.json == {
        "id": MESSAGE.id,
        "key": "lag:orders",
        "kind": "lag",
        "state": "open",
        "severity": "warning",
        "summary": MESSAGE.summary,
        "details": MESSAGE.details,
        "projection": "orders",
        "opened_at": "2026-01-01T03:12:00Z",
        "at": "2026-01-01T03:12:00Z",
        "shop": "acme",
    }
    assert post.headers["content-type"] == "application/json"
    header = post.headers["acme-signature"]
    assert header.startswith("t=1700000000,v1=")
    assert verify(header, post.body, SECRET, 1_700_000_100)


@pytest.mark.parametrize(
    ("header", "body", "secret", "now"),
    [
        (signature(SECRET, 1000, b"{}"), b"{ }", SECRET, 1000),
        (signature(SECRET, 1000, b"{}"), b"{}", "another", 1000),
        (signature(SECRET, 1000, b"{}").replace("t=1000", "t=1001"), b"{}", SECRET, 1000),
        (signature(SECRET, 1000, b"{}"), b"{}", SECRET, 1301),
        (signature(SECRET, 1000, b"{}"), b"{}", SECRET, 699),
        ("t=1000", b"{}", SECRET, 1000),
        ("", b"{}", SECRET, 1000),
    ],
)
def test_the_receiver_refuses_what_is_not_ours(header: str, body: bytes, secret: str, now: float) -> None:
    assert not verify(header, body, secret, now)


def test_defect_a_signature_without_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(secret: str, seconds: int, body: bytes) -> str:
        return signature(secret, 0, body).replace("t=0", f"t={seconds}")

    monkeypatch.setattr(channels, "signature", careless)
    with pytest.raises(AssertionError):
        test_a_signed_webhook()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 429, 500, 503])
def test_a_webhook_that_answers_anything_but_2xx_has_not_accepted(status: int) -> None:
    with HttpSink() as other, HttpSink(answer=status) as sink:
        sink.location = other.url
        with pytest.raises(ChannelFailed, match=f"127.0.0.1 answered {status}"):
            WebhookChannel(url=sink.url, secret=SECRET).send(MESSAGE)
    assert (len(sink.refused), other.posts) == (1, []), "a redirect is not followed"


def test_defect_redirects_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = channels.httpx.Client
    monkeypatch.setattr(channels.httpx, "Client", lambda **more: made(**{**more, "follow_redirects": True}))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test_a_webhook_that_answers_anything_but_2xx_has_not_accepted(307)


def test_a_webhook_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/word-of-path"
        with pytest.raises(ChannelFailed, match="ReadTimeout") as raised:
            WebhookChannel(url=url, secret=SECRET).send(MESSAGE)
    assert "word-of-path" not in str(raised.value)


def test_an_email(smtp: SmtpSink) -> None:
    channel = EmailChannel(sender="shop@acme.test", recipients=("ops@acme.test", "night@acme.test"))
    channel.send(MESSAGE)
    channel.send(replace(MESSAGE, state="over", id=message_id("acme", "lag:orders", AT, "over", 1)))
    first, second = smtp.mails
    assert first.subject == "[acme] warning: orders is 2 min 5 s behind — “héhé”"
    assert second.subject.startswith("[acme] over: orders is")
    assert (first.sender, first.recipients) == ("shop@acme.test", ("ops@acme.test", "night@acme.test"))
    assert first.id == MESSAGE.id != second.id
    assert first.message["References"] == second.message["References"]
    assert first.message["Auto-Submitted"] == "auto-generated"
    assert "manage.py projector lag orders" in first.text
    assert [first.fact(name) for name in ("Cause", "State", "Since")] == ["lag:orders", "open", "2026-01-01T03:12:00Z"]


def test_a_summary_cannot_add_headers(smtp: SmtpSink) -> None:
    forged = replace(MESSAGE, summary="bad\r\nBcc: all@acme.test", details="text\r\n.\r\nMAIL FROM:<x@y.test>")
    EmailChannel(sender="shop@acme.test", recipients=("ops@acme.test",)).send(forged)
    (mail,) = smtp.mails
    assert mail.recipients == ("ops@acme.test",)
    assert mail.message["Bcc"] is None


def test_a_mail_server_that_refuses(smtp: SmtpSink) -> None:
    smtp.refuse = "451 not now, says word-of-server"
    with pytest.raises(ChannelFailed, match="SMTPDataError 451") as raised:
        EmailChannel(sender="shop@acme.test", recipients=("ops@acme.test",)).send(MESSAGE)
    assert "word-of-server" not in str(raised.value)
    assert smtp.mails == []


def test_a_mail_server_that_is_gone(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    with pytest.raises(ChannelFailed, match="ConnectionRefusedError"):
        EmailChannel(sender="shop@acme.test", recipients=("ops@acme.test",)).send(MESSAGE)


def test_channels_are_those_of_the_environment(tmp_path: Path) -> None:
    assert configured(AlertSettings()) == ()
    with SmtpSink() as mail, HttpSink() as hook:
        found = configured(read_alerts({**mail.environment, **hook.environment}))
    assert [channel.name for channel in found] == ["email", "webhook"]


def test_no_secret_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    with HttpSink(answer=500, secret="word-of-webhook-0") as sink:
        channel = WebhookChannel(url=f"{sink.url}/word-of-path", secret=sink.secret)
        with caplog.at_level(logging.INFO), pytest.raises(ChannelFailed) as raised:
            channel.send(MESSAGE)
    shown = f"{channel!r} {raised.value} {caplog.text}"
    assert "word-of" not in shown
    assert base64.b64encode(b"word-of").decode()[:8] not in shown
