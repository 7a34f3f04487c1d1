"""What the tests of importers share: files, runs of the commands, and what a shop has in the end."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command

from commands.states import StateTables

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def retail_file(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


def run(command: str, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Exit code and summary of an importer."""
    out = StringIO()
    code = 0
    try:
        call_command(command, str(path), "--json", *options, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(out.getvalue())


def rejected(path: Path) -> list[tuple[int, str]]:
    """Line and reason of every rejected row."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def content(*kinds: str) -> list[tuple[str, dict[str, Any]]]:
    """Everything that the shop has, with names in the place of ids and without the moments of the run."""
    tables = StateTables()
    found = [(kind, str(id_), tables.state(kind, id_)) for kind in kinds for id_ in tables.ids(kind)]
    names = {id_: _name(kind, state) for kind, id_, state in found if state}
    for _, _, state in found:
        for variant in (state or {}).get("variants", ()):
            names[variant["variant_id"]] = variant["sku"]
    return sorted(((kind, _named(state, names)) for kind, _, state in found), key=repr)


def state_of(kind: str, **fields: Any) -> dict[str, Any]:
    """The one aggregate whose state has these fields."""
    tables = StateTables()
    states = [state for id_ in tables.ids(kind) if (state := tables.state(kind, id_))]
    (found,) = [state for state in states if all(state[name] == value for name, value in fields.items())]
    return found


def id_of(kind: str, **fields: Any) -> UUID:
    """Its id."""
    tables = StateTables()
    (found,) = [
        id_
        for id_ in tables.ids(kind)
        if (state := tables.state(kind, id_)) and all(state[name] == value for name, value in fields.items())
    ]
    return found


def _name(kind: str, state: dict[str, Any]) -> str:
    return f"{kind} {state.get('number') or state.get('slug') or state.get('sku')}"


def _named(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
