"""What an operator names: projections, letters, aggregates. A wrong name is answered with the nearest right ones."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from uuid import UUID

from django.core.management.base import CommandError

from projections.registry import PROJECTIONS
from projections.runtime.letterbox import LETTERS, Selection, Store
from projections.runtime.projection import Projection
from queries.documents.connection import live_collection, live_generation

ALL_NAMES = ", ".join(PROJECTIONS)


def projections(names: Iterable[str], *, everything: bool = True) -> list[Projection]:
    """Those named; all of them when none is and ``everything``. Raises CommandError 2 for a wrong name."""
    chosen = list(dict.fromkeys(names))
    unknown = sorted(set(chosen) - set(PROJECTIONS))
    if unknown:
        near = [name for wrong in unknown for name in get_close_matches(wrong, PROJECTIONS, n=2)]
        meant = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else "."
        raise CommandError(f"no projection {', '.join(unknown)}{meant} There are {ALL_NAMES}", returncode=2)
    return [PROJECTIONS[name] for name in chosen or (PROJECTIONS if everything else ())]


def some_or_all(names: list[str], everything: bool, verb: str) -> list[Projection]:
    """For ``NAME… | --all``. Raises CommandError 2 unless exactly one of the two is said."""
    if bool(names) == everything:
        raise CommandError(f"either name the projections to {verb}, or say --all", returncode=2)
    return projections(names)


def add_selection(parser: argparse.ArgumentParser, *, needed: bool, everything: bool) -> None:
    """``--letter | --aggregate | --fingerprint | --all``; without ``everything`` only the middle two."""
    which = parser.add_mutually_exclusive_group(required=needed)
    which.add_argument("--aggregate", metavar="A", help="those of one aggregate: type:id, or its bare id")
    which.add_argument("--fingerprint", metavar="F", help="those that failed alike, see dlq stats")
    if everything:
        which.add_argument("--letter", metavar="ID", help="one letter, as dlq list shows it: topic/partition/sequence")
        which.add_argument("--all", action="store_true", help="every parked letter of the projection; asks first")


def selection(store: Store, projection: Projection, options: dict[str, object]) -> Selection:
    """The letters that were chosen with `add_selection`; all of them when nothing was said."""
    if options.get("letter"):
        return Selection(letter=letter_id(projection, str(options["letter"])))
    if options.get("aggregate"):
        return Selection(aggregate=aggregate(store, projection, str(options["aggregate"])))
    if options.get("fingerprint"):
        return Selection(fingerprint=str(options["fingerprint"]))
    return Selection(everything=True)


def letter_id(projection: Projection, text: str) -> str:
    """The key of a letter of the live generation, from ``topic/partition/sequence`` or from the key itself."""
    if "|" in text:
        if not text.startswith(f"{projection.name}|"):
            raise CommandError(f"{text!r} is no letter of {projection.name}", returncode=2)
        return text
    parts = text.split("/", 2)
    if len(parts) != 3 or not parts[1].isdecimal():
        raise CommandError(f"{text!r} is no letter: topic/partition/sequence, as dlq list shows it", returncode=2)
    return "|".join((projection.name, str(live_generation(projection.name, fresh=True)), *parts))


def letter_name(key: str) -> str:
    """``topic/partition/sequence``: short, and without what a shell would take for a pipe."""
    return "/".join(key.split("|")[2:])


def aggregate(store: Store, projection: Projection, text: str) -> str:
    """``type:id`` from itself or from a bare id, whose type is looked up when the projection keeps several types."""
    kinds = sorted({*projection.sections, *projection.counted})
    kind, colon, key = text.rpartition(":")
    if colon and kind not in kinds:
        near = get_close_matches(kind, kinds, n=1)
        meant = f"; did you mean {near[0]}?" if near else "."
        raise CommandError(
            f"{projection.name} keeps nothing of {kind!r}{meant} It has {', '.join(kinds)}", returncode=2
        )
    try:
        identity = UUID(key)
    except ValueError as error:
        raise CommandError(f"{key!r} is no aggregate id: type:UUID, or a bare UUID", returncode=2) from error
    if colon or len(kinds) == 1:
        return f"{kind or kinds[0]}:{identity}"
    found = _look_up(store, projection, [f"{kind}:{identity}" for kind in kinds])
    if len(found) != 1:
        possible = ", ".join(f"{kind}:…" for kind in kinds)
        raise CommandError(
            f"which aggregate {identity} is cannot be looked up: say its type ({possible})", returncode=2
        )
    return found.pop()


def _look_up(store: Store, projection: Projection, candidates: list[str]) -> set[str]:
    """Which of them have letters; else which were seen within a day; else which own a document by their id."""
    mine = {"projection": projection.name, "generation": live_generation(projection.name, fresh=True)}
    letters = set(store[LETTERS].distinct("aggregate", {**mine, "aggregate": {"$in": candidates}}))
    if letters:
        return letters
    seen = {row["_id"] for row in live_collection("positions").find({"_id": {"$in": candidates}}, {"_id": 1})}
    return seen or {name for name in candidates if _owns_document(projection, name)}


def _owns_document(projection: Projection, name: str) -> bool:
    kind, _, key = name.partition(":")
    section = projection.sections.get(kind)
    if section is None or section.key != "{aggregate_id}":
        return False
    return live_collection(projection.name).find_one({"_id": key}, {"_id": 1}) is not None
