"""One dead letter, whole, for people: `projector dlq show`."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from projections.cli.tables import text
from projections.cli.words import ago, plain

Row = dict[str, Any]


def letter_page(letter: Row) -> Group:
    """What happened first, then the traceback, then the event as it travelled."""
    parts: list[RenderableType] = [_grid(_facts(letter))]
    if letter.get("traceback"):
        parts += [_title("traceback"), text(letter["traceback"].rstrip())]
    parts += [_title("headers"), _grid(letter["headers"].items()), _title(_content(letter)), _data(letter)]
    return Group(*parts)


def _facts(letter: Row) -> list[tuple[str, str]]:
    facts = [
        ("letter", letter["id"]),
        ("state", _state(letter)),
        ("event", _event(letter)),
        ("aggregate", letter.get("aggregate") or "unknown"),
        ("error", letter["error"]),
        ("fingerprint", letter["fingerprint"]),
        ("attempts", str(letter["attempts"])),
        ("first", _when(letter["first_at"])),
        ("last", _when(letter["last_at"])),
        ("recorded", _when(letter.get("recorded_at"))),
        ("occurred", _when(letter.get("occurred_at"))),
    ]
    outcome = letter.get("outcome") or {}
    if outcome:
        error = f": {outcome['error']}" if outcome.get("error") else ""
        facts.append(("last retry", f"{outcome['result']}{error}"))
    if letter.get("request"):
        facts.append(("in request", letter["request"]))
    return [(name, value) for name, value in facts if value]


def _state(letter: Row) -> str:
    if letter["state"] == "discarded":
        when = _when(letter["discarded_at"])
        return f"discarded by {letter['discarded_by']}, {when}: {letter['discarded_reason']}"
    return f"parked, held behind sequence {letter['held_by']}" if letter["held"] else "parked: it failed itself"


def _event(letter: Row) -> str:
    """A letter of a record that cannot be decoded says nothing of an event: it has not even the names."""
    if not letter.get("event_type"):
        return "none: the record cannot be decoded"
    version, schema = letter.get("aggregate_version"), letter.get("schema_version")
    return f"{letter['event_type']}, version {version} of its aggregate, schema version {schema}"


def _when(moment: str | None) -> str:
    return f"{ago(moment)} ({moment})" if moment else ""


def _content(letter: Row) -> str:
    what = "event" if letter.get("event_type") else "record"
    return f"{what}, key {letter['key']}" if letter["key"] is not None else f"{what}, without a key"


def _data(letter: Row) -> Text:
    if letter["raw"] is not None:
        return text(f"no JSON; its bytes in hexadecimal:\n{letter['raw']}")
    return Text(plain(json.dumps(letter["data"], indent=2, ensure_ascii=False)))


def _grid(facts: Any) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        grid.add_row(text(name), text(value))
    return grid


def _title(words: str) -> Text:
    return Text(f"\n{plain(words)}", style="bold underline")
