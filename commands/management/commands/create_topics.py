"""`manage.py create_topics`: the topics of the contracts, with their partition counts."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from acme.bus import BusError, TopicMismatch, Topics
from acme.contracts.topics import DEAD_LETTERS, TOPICS
from acme.env import EngineNotConfigured, env

EPILOG = """examples:
  manage.py create_topics          create what is missing; changes nothing that exists
  manage.py create_topics --json   {"created": ["acme.carts", …]}

exit codes: 0 done; 1 a topic exists with another partition count; 2 usage; 3 Kafka cannot be reached"""


class Command(BaseCommand):
    help = "Creates the Kafka topics that are missing and checks the partition counts of the others."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            topics = Topics(env.require("kafka_bootstrap_servers"))
            try:
                created = topics.ensure((*TOPICS, DEAD_LETTERS))
            finally:
                topics.close()
        except TopicMismatch as error:
            raise CommandError(str(error), returncode=1) from error
        except (BusError, EngineNotConfigured) as error:
            raise CommandError(str(error), returncode=3) from error
        if options["json"]:
            self.stdout.write(json.dumps({"created": created}))
        else:
            self.stdout.write(f"created {', '.join(created)}" if created else "all topics are there")
