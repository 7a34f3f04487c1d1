"""`manage.py up`: the whole shop on this machine, in the foreground; see `acme.devstack`."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from acme.devstack.check import run_check
from acme.devstack.errors import CannotStart
from acme.devstack.home import Home
from acme.devstack.shop import Interrupted, Options, Shop
from acme.devstack.table import Display
from acme.env import env


class Command(BaseCommand):
    help = (
        "Starts the engines that are missing, migrates, seeds a demo shop when empty, and runs web, projectors, "
        "relay, Celery worker and beat until Ctrl-C. Exit codes: 0 stopped, or the check passed; 1 the check "
        "failed; 2 usage; 3 something could not be started or failed three times in a row."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty shop empty")
        parser.add_argument("--port", type=_port, default=8000, help="of the web server; 0: a free one (default 8000)")
        parser.add_argument("--workers", type=_positive, default=1, help="projector processes (default 1)")
        parser.add_argument(
            "--check", action="store_true", help="free ports, throw-away directory: buy a product over HTTP, then stop"
        )
        parser.add_argument("--json", action="store_true", help="with --check: one JSON object instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"] and not options["check"]:
            raise CommandError("--json needs --check.", returncode=2)
        try:
            if options["check"]:
                self._check(as_json=options["json"], projectors=options["workers"])
            else:
                self._up(options)
        except CannotStart as error:
            raise CommandError(str(error), returncode=3) from error

    def _up(self, options: dict[str, Any]) -> None:
        chosen = Options(port=options["port"], demo=not options["no_demo"], projectors=options["workers"])
        with Display() as display:
            try:
                with Shop(Home(env.home), chosen, display).opened() as shop:
                    shop.serve()
            except Interrupted:
                display.say("stopped")

    def _check(self, *, as_json: bool, projectors: int) -> None:
        try:
            passed = run_check(self.stdout, as_json=as_json, projectors=projectors)
        except Interrupted as error:
            raise CommandError("interrupted; everything is stopped and removed", returncode=1) from error
        if not passed:
            raise CommandError("the check failed", returncode=1)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number, at least 1")
    return int(text)
