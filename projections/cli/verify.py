"""`projector verify`: whether the read models say what the log and the state tables say; with ``--repair`` they do."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from rich.console import RenderableType

from acme.ports import aggregate_states, event_log, subject_keys
from projections.cli.arguments import positive
from projections.cli.choices import ALL_NAMES, projections
from projections.cli.differences import in_words, plain_difference
from projections.cli.follow import add_waiting, follow
from projections.cli.output import Output
from projections.cli.store import open_store
from projections.cli.subcommand import FINDING, Options, Subcommand
from projections.cli.tables import table, text
from projections.cli.words import number
from projections.registry import PROJECTIONS
from projections.runtime.letterbox import Store
from projections.runtime.projection import Projection
from projections.runtime.requests import Asked, ask_resync
from projections.verification.counts_against_tables import MISCOUNTED
from projections.verification.record import remember, to_look_at
from projections.verification.verify import Oracles, Verification, verify

ASKED_AT_ONCE = 100  # resyncs; workers look through all that are open, again and again
SHOWN = 20  # differences in words; --json has all


def _verify(options: Options, output: Output) -> int:
    chosen = projections(options["names"])
    store = open_store()
    oracles = Oracles(log=event_log(), states=aggregate_states(), keys=subject_keys())
    found = [_one(store, oracles, projection, options, output) for projection in chosen]
    repaired: dict[str, list[str]] = {}
    if options["repair"] and any(one.aggregates for one in found):
        total = sum(len(one.aggregates) for one in found)
        output.show(_summary(found, wide=output.wide), *_words(found))
        output.confirm(f"Resync {total:,} aggregates from the log?", yes=options["yes"])
        for place, one in enumerate(found):
            if one.aggregates:
                repaired[one.projection] = one.aggregates
                found[place] = _repaired(store, oracles, one, options, output)
    elif options["repair"] and any(one.differences for one in found):
        output.show("Nothing of what differs can be mended by a resync; see below.")
    for one in found:
        remember(store, one, by=options["by"])
    output.show(_summary(found, wide=output.wide), *_words(found))
    output.emit({"projections": [_plain(one, repaired.get(one.projection, [])) for one in found]})
    return FINDING if any(one.differences for one in found) else 0


def _one(
    store: Store,
    oracles: Oracles,
    projection: Projection,
    options: Options,
    output: Output,
    only: set[str] | None = None,
) -> Verification:
    sample = options["sample"] if only is None else None
    also = to_look_at(store, projection.name) if sample else ()
    with output.bar(f"verify {projection.name}") as move:
        return verify(store, oracles, projection, sample=sample, only=only, also=also, on_progress=move)


def _repaired(store: Store, oracles: Oracles, one: Verification, options: Options, output: Output) -> Verification:
    """The same once more, after every aggregate that differs was made anew."""
    projection = PROJECTIONS[one.projection]
    for start in range(0, len(one.aggregates), ASKED_AT_ONCE):
        some = one.aggregates[start : start + ASKED_AT_ONCE]
        asked = {name: ask_resync(store, projection, name, by=options["by"]) for name in some}
        if not _followed(store, projection, asked, options, output):
            left = len(one.aggregates) - start - len(some)
            if left:
                output.show(f"{number(left)} more in {one.projection} were not asked for")
            break
    documents = {difference.document for _, difference in one.differences}
    again = _one(store, oracles, projection, options, output, only=documents)
    again.tables.differences += [d for d in one.tables.differences if d.kind == MISCOUNTED]  # no resync mends these
    again.tables.counted = one.tables.counted
    return replace(again, sampled=one.sampled)


def _followed(store: Store, projection: Projection, asked: dict[str, Asked], options: Options, output: Output) -> bool:
    """Waits for them one by one; False when one does not come to its end, or nobody wants to wait any longer: the
    others would be no better."""
    for aggregate, one in asked.items():
        outcome = follow(store, projection, one, options, output)
        if outcome.code:
            output.show(f"{aggregate} in {projection.name}: {outcome.words}")
        if not outcome.progress.finished and not options["no_wait"]:
            return False
    return True


def _summary(found: list[Verification], *, wide: bool) -> RenderableType:
    columns = ("projection", "gen.", "documents", "events", "states of|tables", "behind|tables", "parked", "differ")
    made = table("Read models against the log and the state tables", *columns, right=columns[1:], wide=wide)
    for one in found:
        projection = PROJECTIONS[one.projection]
        mirrored = projection.from_state or any(section.mirrors_state for section in projection.sections.values())
        differ = len({(d.document, d.path) for _, d in one.differences})
        made.add_row(
            one.projection + (" (sample)" if one.sampled else ""),
            str(one.generation),
            number(one.log.documents),
            number(one.log.events),
            *((number(one.tables.compared), number(one.tables.behind)) if mirrored else ("–", "–")),
            number(one.log.parked),
            text(number(differ), "bold red" if differ else ""),
        )
    return made


def _words(found: list[Verification]) -> list[str]:
    said = []
    for one in found:
        rows = one.differences
        said += [f"{one.projection}, against the {oracle}: {in_words(d)}" for oracle, d in rows[:SHOWN]]
        if len(rows) > SHOWN:
            said.append(f"{one.projection}: {len(rows) - SHOWN:,} more differences: --json lists all")
        if any(not d.aggregate for _, d in rows):
            said.append(
                f"{one.projection}: documents without an aggregate of their own need: "
                f"manage.py projector rebuild {one.projection} --accept-differences"
            )
        if any(d.kind == MISCOUNTED for _, d in rows):
            said.append(
                f"{one.projection}: its code counts otherwise than the state tables say; once it is mended, with a "
                f"higher version: manage.py projector rebuild {one.projection}"
            )
    return said


def _plain(one: Verification, repaired: list[str]) -> dict[str, Any]:
    return {
        "projection": one.projection,
        "generation": one.generation,
        "sampled": one.sampled,
        "documents": one.log.documents,
        "events": one.log.events,
        "sections_of_tables": one.tables.sections,
        "counted_of_tables": one.tables.counted,
        "behind_tables": one.tables.behind,
        "parked_aggregates": one.log.parked,
        "repaired": repaired,
        "differences": [plain_difference(oracle, d) for oracle, d in one.differences],
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {ALL_NAMES} (all)")
    parser.add_argument("--sample", type=positive, metavar="N", help="so many documents of each, at random")
    parser.add_argument("--repair", action="store_true", help="resync the aggregates that differ; asks first")
    parser.add_argument("--yes", action="store_true", help="with --repair: do not ask")
    add_waiting(parser)


VERIFY = Subcommand(
    name="verify",
    help="compares documents field by field with a replay of the log and with the state tables, counters too",
    examples="""  manage.py projector verify
  manage.py projector verify orders --sample 1000
  manage.py projector verify products --repair --yes --json
workers may go on meanwhile; it ends with 1 where something differs (after a repair: still differs)""",
    add_arguments=_arguments,
    run=_verify,
    seconds=None,
)
