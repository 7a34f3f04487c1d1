"""`manage.py relay`: the operator's entry to the publisher."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acme.bus import BusError
from acme.collector import tune_collector
from acme.contracts.topics import BY_NAME
from acme.env import EngineNotConfigured, env
from acme.exposition import start_exposition
from commands.outbox import relay
from commands.outbox.link import Halted
from commands.outbox.metrics import OUTBOX_STATE

EPILOG = """examples:
  manage.py relay                              publish until SIGTERM or Ctrl-C
  manage.py relay --once                       publish what there is, and end
  manage.py relay --replay acme.orders --yes   send one topic again from the beginning
  manage.py relay --new-epoch                  after PostgreSQL was restored: go on in a new log epoch

exit codes: 0 done; 1 a finding (the publisher is halted, or you said no); 2 usage; 3 an engine cannot be reached"""
ALL = "all"


class Command(BaseCommand):
    help = (
        "Publishes the event log to Kafka. Without options it is a daemon that needs nobody's attention: it waits out "
        "engines that are down, and fills an emptied Kafka again."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--once", action="store_true", help="publish what there is, and end")
        what.add_argument(
            "--replay",
            nargs="?",
            const=ALL,
            metavar="TOPIC",
            choices=[ALL, *BY_NAME],
            help="send again from the beginning: one topic, or all (consumers skip what they know); asks first",
        )
        what.add_argument(
            "--new-epoch",
            action="store_true",
            help="DESTRUCTIVE for read models: declares the log to be a new one and sends it all; projections of the "
            "old epoch stop and want a rebuild; asks first",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="one JSON object at the end instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            env.require("database_url")
            bootstrap = env.require("kafka_bootstrap_servers")
            tune_collector()
            said = self._chosen(bootstrap, options)
        except Halted as error:
            raise CommandError(f"halted until `manage.py relay --new-epoch`: {error}", returncode=1) from error
        except (EngineNotConfigured, BusError) as error:
            raise CommandError(str(error), returncode=3) from error
        except psycopg.OperationalError as error:
            raise CommandError(f"PostgreSQL cannot be reached: {error}", returncode=3) from error
        self._say(said, options)

    def _chosen(self, bootstrap: str, options: dict[str, Any]) -> dict[str, Any]:
        if options["once"]:
            return {"sent": relay.publish_all(bootstrap)}
        if options["replay"]:
            topics = list(BY_NAME) if options["replay"] == ALL else [options["replay"]]
            self._ask(f"Send everything of {', '.join(topics)} to Kafka again?", options)
            return {"sent": _replay(bootstrap, topics, quiet=options["json"])}
        if options["new_epoch"]:
            self._ask("Start a new log epoch? Every projection stops until it is rebuilt.", options)
            return {"epoch": relay.new_epoch(bootstrap)}
        return {"sent": _run(bootstrap)}

    def _ask(self, question: str, options: dict[str, Any]) -> None:
        if options["yes"]:
            return
        if not sys.stdin.isatty():
            raise CommandError("nobody is there to ask: say --yes", returncode=2)
        if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
            raise CommandError("nothing was done", returncode=1)

    def _say(self, said: dict[str, Any], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(said))
        elif "epoch" in said:
            self.stdout.write(f"log epoch {said['epoch']} has started; run `manage.py relay --once` or the daemon")
        else:
            self.stdout.write(f"{said['sent']} events were sent")


def _run(bootstrap: str) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    start_exposition(OUTBOX_STATE)
    daemon = relay.Relay(bootstrap, stop)
    daemon.run()
    return daemon.sent


def _replay(bootstrap: str, topics: list[str], *, quiet: bool) -> int:
    columns = (TextColumn("events"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("replay", total=None)
        return relay.replay(
            bootstrap, topics, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
