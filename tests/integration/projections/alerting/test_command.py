"""`manage.py alerts`: what operators see, its exit codes, and the test of the channels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pymongo.database import Database

from acme.alert_settings import AlertSettings, read_alerts
from acme.env import env
from projections.alerting import snapshot
from projections.alerting.channels import configured
from projections.alerting.check import run_check
from projections.alerting.snapshot import take_snapshot
from projections.management.commands import alerts as command
from tests.integration.projections.alerting.standing import Standing
from tests.sinks import HttpSink, SmtpSink

Use = Callable[[AlertSettings], None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes the command run with these settings."""
    return lambda settings: monkeypatch.setattr(command, "env", replace(env, alerts=settings))


def alerts(*arguments: str) -> tuple[int, str]:
    """The exit code and what was said on stdout."""
    said = StringIO()
    try:
        call_command("alerts", *arguments, stdout=said, stderr=StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), said.getvalue()
    except CommandError as error:
        return error.returncode, f"{said.getvalue()}{error}"
    raise AssertionError("it ended without a code")


@pytest.mark.usefixtures("shop_database", "redis")
def test_what_is_wrong_and_who_was_told(read_store: Database[Any], smtp: SmtpSink, hook: HttpSink, use: Use) -> None:
    settings = read_alerts({**smtp.environment, **hook.environment})
    use(settings)
    now = datetime.now(UTC)
    Standing(read_store).well(now + timedelta(minutes=5))
    assert alerts() == (0, "nothing is wrong\n")
    Standing(read_store).letters(now)
    code, said = alerts("--json")
    (found,) = json.loads(said)["alerts"]
    assert (code, found["key"], found["told"]) == (1, "dead-letters:products", {})
    hook.answer = 500
    run_check(take_snapshot(now), configured(settings), settings)
    code, said = alerts("--json")
    (found,) = json.loads(said)["alerts"]
    assert (list(found["told"]), found["failures"]["webhook"]["reason"]) == (["email"], "127.0.0.1 answered 500")
    code, said = alerts()
    assert code == 1
    assert "manage.py projector dlq list products" in said
    read_store["projection_dead_letters"].delete_many({})
    run_check(take_snapshot(now + timedelta(seconds=10)), configured(settings), settings)
    assert [row["state"] for row in json.loads(alerts("--json")[1])["alerts"]] == ["ending"]


@pytest.mark.usefixtures("shop_database")
def test_an_engine_that_is_away_ends_with_3(
    point_mongodb: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, use: Use
) -> None:
    monkeypatch.setattr(snapshot, "READ_SECONDS", 0.3)
    use(AlertSettings())
    point_mongodb("mongodb://127.0.0.1:1/acme")
    code, said = alerts("--json")
    assert code == 3
    assert [row["key"] for row in json.loads(said)["alerts"]] == ["read-store:unreachable"]


def test_test_messages_go_over_every_channel(smtp: SmtpSink, hook: HttpSink, use: Use) -> None:
    use(read_alerts({**smtp.environment, **hook.environment}))
    assert alerts("--test") == (0, "email: accepted\nwebhook: accepted\n")
    assert smtp.mails[0].fact("Cause") == "test"
    assert (hook.posts[0].json["kind"], hook.posts[0].json["id"]) == ("test", smtp.mails[0].id)
    smtp.refuse = "550 no"
    code, said = alerts("--test", "--json")
    assert code == 1
    outcomes = json.loads(said)["channels"]
    assert outcomes == {"email": "failed: the mail server did not take it: SMTPDataError 550", "webhook": "accepted"}


def test_without_a_channel_there_is_nothing_to_test(use: Use) -> None:
    use(AlertSettings())
    code, said = alerts("--test")
    assert code == 2
    assert "ACME_ALERT_EMAILS" in said


def test_limits_of_projections_that_do_not_exist_are_named(use: Use) -> None:
    use(AlertSettings(lag_of={"ordres": 30.0}))
    assert alerts() == (2, "ACME_ALERT_LAG_SECONDS_OF: no projection ordres")
