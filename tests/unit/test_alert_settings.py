"""Variables of alerting: what cannot be used is named at start, and no secret is shown in doing so."""

from __future__ import annotations

from pathlib import Path

import pytest

from acme.alert_settings import AlertSettings
from acme.env import EnvironmentInvalid, read

WEBHOOK = {"ACME_ALERT_WEBHOOK_URL": "https://hooks.test/acme", "ACME_ALERT_WEBHOOK_SECRET": "sixteen-letters!"}
MAIL = {"ACME_SMTP_URL": "smtp://127.0.0.1:2525", "ACME_ALERT_EMAILS": "ops@acme.test"}


def settings(tmp_path: Path, **given: str) -> AlertSettings:
    return read({"ACME_HOME": str(tmp_path), **given}).alerts


def test_without_variables_there_are_defaults_and_no_channel(tmp_path: Path) -> None:
    assert settings(tmp_path) == AlertSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACME_ALERT_LAG_SECONDS", "0"),
        ("ACME_ALERT_LAG_SECONDS", "-5"),
        ("ACME_ALERT_QUIET_SECONDS", "soon"),
        ("ACME_ALERT_HEARTBEAT_SECONDS", "1e3"),
        ("ACME_ALERT_LAG_SECONDS_OF", "orders"),
        ("ACME_ALERT_LAG_SECONDS_OF", "orders=30,=4"),
        ("ACME_ALERT_LAG_SECONDS_OF", "orders=none"),
        ("ACME_ALERT_EMAILS", "ops@acme.test, somebody"),
        ("ACME_ALERT_EMAILS", "ops@acme.test\nBcc: all@acme.test"),
        ("ACME_ALERT_FROM", "shop"),
        ("ACME_ALERT_SHOP", "two\nlines"),
        ("ACME_SMTP_URL", "http://mail.test"),
        ("ACME_SMTP_URL", "smtp://"),
        ("ACME_SMTP_URL", "smtp://mail.test:port"),
        ("ACME_SMTP_URL", "smtp://ops:secret-word@mail.test"),
        ("ACME_ALERT_WEBHOOK_URL", "http://hooks.test/acme"),
        ("ACME_ALERT_WEBHOOK_URL", "ftp://127.0.0.1/"),
        ("ACME_ALERT_WEBHOOK_URL", "https:///acme"),
        ("ACME_ALERT_WEBHOOK_URL", "https://ops:secret-word@hooks.test/"),
    ],
)
def test_an_unusable_value_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=name) as raised:
        settings(tmp_path, **{**WEBHOOK, **MAIL, name: value})
    assert "secret-word" not in str(raised.value)


def test_addresses_want_a_mail_server(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentInvalid, match="ACME_SMTP_URL"):
        settings(tmp_path, ACME_ALERT_EMAILS="ops@acme.test")


@pytest.mark.parametrize("secret", ["", "too-short"])
def test_a_webhook_wants_a_secret(tmp_path: Path, secret: str) -> None:
    with pytest.raises(EnvironmentInvalid, match="ACME_ALERT_WEBHOOK_SECRET") as raised:
        settings(tmp_path, **{**WEBHOOK, "ACME_ALERT_WEBHOOK_SECRET": secret})
    assert "too-short" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://[::1]:9/x", "http://localhost:9/x", "https://h.test/x"]
)
def test_webhooks_are_encrypted_unless_they_stay_on_this_machine(tmp_path: Path, url: str) -> None:
    assert settings(tmp_path, **{**WEBHOOK, "ACME_ALERT_WEBHOOK_URL": url}).webhook_url == url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, "", "", "")),
        ("smtp://mail.test", ("mail.test", 25, "", "", "")),
        ("smtp+starttls://ops:a%40b@mail.test", ("mail.test", 587, "starttls", "ops", "a@b")),
        ("smtps://ops:pass@mail.test:4650", ("mail.test", 4650, "tls", "ops", "pass")),
        ("smtp://ops:pass@127.0.0.1", ("127.0.0.1", 25, "", "ops", "pass")),
    ],
)
def test_mail_servers(tmp_path: Path, url: str, server: tuple[object, ...]) -> None:
    found = settings(tmp_path, **{**MAIL, "ACME_SMTP_URL": url}).smtp
    assert found is not None
    assert (found.host, found.port, found.encryption, found.user, found.password) == server


def test_limits_of_single_projections(tmp_path: Path) -> None:
    found = settings(tmp_path, ACME_ALERT_LAG_SECONDS="45", ACME_ALERT_LAG_SECONDS_OF="orders=30, sales_by_day=600.5")
    assert [found.lag_limit(name) for name in ("orders", "sales_by_day", "carts")] == [30, 600.5, 45]


def test_no_secret_is_shown(tmp_path: Path) -> None:
    environment = read(
        {
            "ACME_HOME": str(tmp_path),
            "ACME_SMTP_URL": "smtps://ops:word-of-mail@mail.test",
            "ACME_ALERT_EMAILS": "ops@acme.test",
            "ACME_ALERT_WEBHOOK_URL": "https://hooks.test/word-of-path",
            "ACME_ALERT_WEBHOOK_SECRET": "word-of-webhook-0",
        }
    )
    assert environment.alerts.webhook_secret == "word-of-webhook-0"
    assert "word-of" not in repr(environment)
