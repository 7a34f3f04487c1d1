"""`manage.py alerts`: what is wrong now and who was told, and a test message over every channel."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pymongo.errors import PyMongoError

from acme.env import env
from projections.alerting import report
from projections.alerting.channels import Channel, ChannelFailed, configured
from projections.alerting.message import Message
from projections.alerting.snapshot import said, take_snapshot
from projections.cli.alert_tables import alerts_table
from projections.cli.output import Output
from projections.registry import PROJECTIONS

EPILOG = """examples:
  manage.py alerts           what is wrong now, since when, who was told, and what to do
  manage.py alerts --json    the same for machines
  manage.py alerts --test    sends a test message over every configured channel

It only looks: messages are sent by the Celery task, every ten seconds. Channels and thresholds are
environment variables (ACME_ALERT_…, ACME_SMTP_URL), see README.md; receivers are described in docs/alerts.md.

exit codes: 0 nothing is wrong; 1 something is (--test: a channel failed); 2 usage (--test: no channel is
            configured); 3 an engine cannot be reached"""


class Command(BaseCommand):
    help = "Shows what is wrong with the stream and who was told; tests the channels."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object for machines")
        parser.add_argument("--test", action="store_true", help="send a test message over every configured channel")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = sorted(set(env.alerts.lag_of) - set(PROJECTIONS))
        if unknown:
            raise CommandError(f"ACME_ALERT_LAG_SECONDS_OF: no projection {', '.join(unknown)}", returncode=2)
        sys.exit(self._test(options) if options["test"] else self._show(options))

    def _show(self, options: dict[str, Any]) -> int:
        snapshot = take_snapshot()
        try:
            found = report.rows(snapshot, env.alerts)
        except PyMongoError as error:
            raise CommandError(f"MongoDB cannot be reached: {said(error)}", returncode=3) from error
        channels = [channel.name for channel in configured(env.alerts)]
        if options["json"]:
            self.stdout.write(json.dumps({"channels": channels, "alerts": found}))
        elif found:
            output = Output(self.stdout, as_json=False)
            output.show(alerts_table(found, wide=output.wide))
        else:
            self.stdout.write("nothing is wrong")
        if not channels and not options["json"]:
            self.stderr.write("nobody is told: no channel is configured (ACME_ALERT_EMAILS, ACME_ALERT_WEBHOOK_URL)")
        if snapshot.projections is None or snapshot.publisher is None:
            return 3
        return 1 if found else 0

    def _test(self, options: dict[str, Any]) -> int:
        channels = configured(env.alerts)
        if not channels:
            raise CommandError("no channel: set ACME_ALERT_EMAILS or ACME_ALERT_WEBHOOK_URL", returncode=2)
        message = _test_message()
        outcomes = {channel.name: _outcome(channel, message) for channel in channels}
        if options["json"]:
            self.stdout.write(json.dumps({"id": message.id, "channels": outcomes}))
        else:
            for name, outcome in outcomes.items():
                self.stdout.write(f"{name}: {outcome}")
        return 0 if all(outcome == "accepted" for outcome in outcomes.values()) else 1


def _outcome(channel: Channel, message: Message) -> str:
    try:
        channel.send(message)
    except ChannelFailed as error:
        return f"failed: {error}"
    return "accepted"


def _test_message() -> Message:
    now = datetime.now(UTC)
    return Message(
        id=str(uuid4()),
        key="test",
        kind="test",
        state="open",
        severity="info",
        summary="a test message: alerts of this shop arrive",
        details="Somebody ran `manage.py alerts --test`. There is nothing to do.",
        projection="",
        opened_at=now,
        at=now,
        shop=env.alerts.shop,
    )
