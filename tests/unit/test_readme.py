"""The README's tables against the code: no variable, command or address is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from acme.api import COMMAND_MODULES, QUERY_MODULES, routes
from acme.http.routes import Route
from tests.composition import PROJECT

README = (PROJECT / "README.md").read_text()
DECLARED = "".join((PROJECT / "acme" / name).read_text() for name in ("env.py", "alert_settings.py"))
VARIABLES = set(re.findall(r'"(ACME_\w+|\w+_URL|KAFKA_\w+)"', DECLARED))
ROOMS = {"acme", "commands", "projections", "queries"}
COMMANDS = {name for name, app in get_commands().items() if app in ROOMS}
ROUTES = [route for module in (*COMMAND_MODULES, *QUERY_MODULES) for route in routes(module)]
ROLES = README.partition("## Who may call what")[2].partition("\n## ")[0]


def last_word(route: Route) -> str:
    """The verb, or the plural where the address ends in a parameter."""
    return [part for part in route.path.split("/") if not part.startswith("<")][-1]


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_every_variable_has_its_row(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}`", README, re.MULTILINE), f"{name} is missing in the table of variables"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_named(name: str) -> None:
    assert re.search(rf"^\|[^\n]*`{name}\b", README, re.MULTILINE), f"{name} is missing in the table of commands"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_address_has_its_row_among_the_roles(route: Route) -> None:
    word = re.escape(last_word(route))
    rows = [row for row in ROLES.splitlines() if row.startswith("|") and re.search(rf"[`/ ]{word}(`|/)", row)]
    assert any(route.method in row for row in rows), f"{route.method} {route.path} is missing in the table of roles"


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#]+)\)", README + (PROJECT / "ARCHITECTURE.md").read_text()))
def test_links_lead_somewhere(path: str) -> None:
    assert path.startswith("http") or Path(PROJECT / path).exists()
