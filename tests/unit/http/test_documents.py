"""The OpenAPI document is one for both sides and every role; its page needs nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from django.contrib.staticfiles import finders

from acme.api import COMMAND_MODULES, QUERY_MODULES, routes

ALL = [route for module in (*COMMAND_MODULES, *QUERY_MODULES) for route in routes(module)]


@pytest.fixture(scope="module")
def documents() -> dict[str, Any]:
    """The document as each role makes it, each in a process of its own."""
    made = {}
    for role in ("all", "command", "query"):
        command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn"]
        environment = {**os.environ, "ACME_ROLE": role}
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        made[role] = yaml.safe_load(result.stdout)
    return made


def test_every_role_makes_the_same_valid_document(documents: dict[str, Any]) -> None:
    assert documents["all"] == documents["command"] == documents["query"]


def test_every_route_is_in_it(documents: dict[str, Any]) -> None:
    paths = documents["all"]["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(route.method, "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)) for route in ALL}
    operations = [operation for methods in paths.values() for operation in methods.values()]
    for operation in operations:
        said = " ".join(operation["description"].split())
        assert operation["summary"] and said.startswith(operation["summary"]) and len(operation["summary"]) < 120


def test_every_operation_says_what_it_refuses(documents: dict[str, Any]) -> None:
    for path, methods in documents["all"]["paths"].items():
        for method, operation in methods.items():
            problems = {status for status in operation["responses"] if status[0] in "45"}
            assert {"400", "503"} <= problems, (method, path)
    assert {"401", "429"} <= set(documents["all"]["paths"]["/api/v1/auth/login"]["post"]["responses"])


def test_amounts_have_a_believable_example(documents: dict[str, Any]) -> None:
    money = documents["all"]["components"]["schemas"]["MoneyInput"]["properties"]
    assert {name: shape["example"] for name, shape in money.items()} == {"amount_minor": 1299, "currency": "GBP"}


def test_commands_say_which_headers_they_need(documents: dict[str, Any]) -> None:
    paths = documents["all"]["paths"]
    place = {item["name"]: item.get("required", False) for item in paths["/api/v1/orders"]["post"]["parameters"]}
    change = {
        item["name"]: item.get("required", False) for item in paths["/api/v1/products/{id}"]["patch"]["parameters"]
    }
    assert (place["Idempotency-Key"], place["If-Match"]) == (True, False)
    assert (change["Idempotency-Key"], change["If-Match"]) == (False, True)


def test_the_page_takes_its_assets_from_here(client: Any) -> None:
    page = client.get("/api/docs").content.decode()
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert assets
    for asset in assets:
        assert asset.startswith("/static/"), asset
        assert finders.find(asset.removeprefix("/static/")), asset


def test_the_first_page_leads_to_it(client: Any) -> None:
    assert client.get("/")["Location"] == "/api/docs"


@pytest.mark.parametrize("side", ["command", "query"])
def test_a_role_mounts_its_side_alone(side: str) -> None:
    """In a process of its own, since URLs are built once; the query side must not even load the write side."""
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'acme.settings'; django.setup();"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "from acme.api import mounted;"
        "print(sorted({route.method for route in mounted()}),"
        "'commands.http' in sys.modules, 'queries.tree' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "ACME_ROLE": side}, capture_output=True, text=True, check=False
    )
    expected = {"command": "['PATCH', 'POST'] True False", "query": "['GET'] False True"}[side]
    assert result.stdout.strip() == expected, result.stderr
