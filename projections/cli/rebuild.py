"""`projector rebuild`: another generation of a read model is filled and goes live, while queries and workers go on."""

from __future__ import annotations

import argparse
import signal
from typing import Any

from django.core.management.base import CommandError

from acme.bus import Topics
from acme.env import env
from acme.ports import aggregate_states, event_log, subject_keys
from projections.cli.arguments import positive
from projections.cli.choices import ALL_NAMES, projections
from projections.cli.control import add_by
from projections.cli.differences import in_words, plain_difference
from projections.cli.output import Output
from projections.cli.store import open_store
from projections.cli.subcommand import FINDING, UNREACHABLE, Options, Subcommand
from projections.cli.words import counted
from projections.rebuilding.children import UNREACHABLE as CHILD_UNREACHABLE
from projections.rebuilding.children import ChildFailed
from projections.rebuilding.fillers import KAFKA, LOG
from projections.rebuilding.parity import Parity
from projections.rebuilding.plan import LeaseLost, abandon
from projections.rebuilding.rebuild import Objected, Rebuilt, rebuild, roll_back
from projections.rebuilding.swap import drop_previous
from projections.runtime.control import NotDone
from projections.runtime.intake import StreamBlocked
from projections.runtime.projection import Projection
from projections.verification.verify import Oracles

SHOWN = 20  # differences in words; --json has all
AGAIN = "What has been filled stays: the same command goes on from there (--abandon drops it)"


def _rebuild(options: Options, output: Output) -> int:
    (projection,) = projections([options["name"]])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: workers do not rest for nothing
    fills = not (options["rollback"] or options["drop_old"] or options["abandon"])
    try:
        if options["drop_old"]:
            return _drop(projection, options, output)
        if options["abandon"]:
            return _abandon(projection, options, output)
        return _make(projection, options, output)
    except KeyboardInterrupt as error:
        again = AGAIN if fills else "The same command goes on from there"
        raise CommandError(f"ended. {again}", returncode=FINDING) from error
    except (StreamBlocked, LeaseLost) as error:
        raise CommandError(f"{error}. {AGAIN}" if fills else str(error), returncode=FINDING) from error
    except ChildFailed as error:
        code = UNREACHABLE if error.kind == CHILD_UNREACHABLE else FINDING
        raise CommandError(f"{error}. {AGAIN}", returncode=code) from error


def _make(projection: Projection, options: Options, output: Output) -> int:
    store = open_store()
    oracles = Oracles(log=event_log(), states=aggregate_states(), keys=subject_keys())

    def before_swap() -> None:
        _refuse_without_kafka(projection)

    if options["rollback"]:
        with output.bar(f"rollback {projection.name}") as move:
            move("brings it up to date and swaps", 0, 0)
            accept = options["accept_differences"]
            rolled_back = roll_back(store, oracles, projection, accept=accept, before_swap=before_swap)
        return _tell(rolled_back, output)
    bootstrap = env.require("kafka_bootstrap_servers") if options["source"] == KAFKA else ""
    try:
        with output.bar(f"rebuild {projection.name}") as move:
            rebuilt = rebuild(
                store,
                oracles,
                projection,
                source=options["source"],
                workers=options["workers"],
                by=options["by"],
                bootstrap=bootstrap,
                accept=options["accept_differences"],
                before_swap=before_swap,
                on_progress=move,
            )
    except Objected as error:
        output.show(*_report(error.parity))
        output.show(f"{projection.name}: not swapped: {error}")
        if error.parity.objections:
            output.show("When the code is mended, drop what it has filled, and rebuild again:")
            output.show(f"  manage.py projector rebuild {projection.name} --abandon")
        else:
            output.show("When the new generation is right:")
            output.show(f"  manage.py projector rebuild {projection.name} --accept-differences")
        output.emit({"projection": projection.name, "swapped": False, "why": str(error), **_plain(error.parity)})
        return FINDING
    return _tell(rebuilt, output)


def _refuse_without_kafka(projection: Projection) -> None:
    """Workers of a generation that has just gone live have to join a group: without Kafka it would stand still, while
    the live one goes on from the log. Raises `NotDone` and `acme.bus.BusUnavailable`."""
    if not env.kafka_bootstrap_servers:
        return
    topics = Topics(env.kafka_bootstrap_servers)
    try:
        missing = sorted(set(projection.topics) - set(topics.identities(projection.topics)))
    finally:
        topics.close()
    if missing:
        raise NotDone(f"not swapped: Kafka has no topics {', '.join(missing)} (manage.py create_topics). {AGAIN}")


def _tell(rebuilt: Rebuilt, output: Output) -> int:
    name = rebuilt.projection
    if rebuilt.parity is not None:
        output.show(*_report(rebuilt.parity))
    output.show(f"{name}: generation {rebuilt.live} is live, with {counted(rebuilt.events, 'event')}")
    kept = "is kept up to date" if rebuilt.followed else "is kept as it is (its log is of another epoch)"
    output.show(
        f"generation {rebuilt.previous} {kept}:",
        f"  manage.py projector rebuild {name} --rollback",
        f"  manage.py projector rebuild {name} --drop-old",
    )
    if not rebuilt.taken_over:
        output.show("no worker has all of its partitions yet:", f"  manage.py projector status {name}")
    output.emit(
        {
            "projection": name,
            "swapped": True,
            "live": rebuilt.live,
            "previous": rebuilt.previous,
            "events": rebuilt.events,
            "resumed": rebuilt.resumed,
            "followed": rebuilt.followed,
            "taken_over": rebuilt.taken_over,
            **(_plain(rebuilt.parity) if rebuilt.parity else {}),
        }
    )
    return 0


def _report(parity: Parity) -> list[str]:
    """The parity report in words."""
    new = parity.new
    documents, events = counted(new.log.documents, "document"), counted(new.log.events, "event")
    states, parked = counted(new.tables.compared, "state"), counted(len(parity.parked), "parked aggregate")
    differences = counted(len(new.differences), "difference")
    lines = [
        f"generation {new.generation}: {documents} against {events} of the log and {states} of the tables: "
        f"{differences}, {parked}"
    ]
    lines += [f"  against the {oracle}: {in_words(difference)}" for oracle, difference in new.differences[:SHOWN]]
    if parity.old:
        why = f" ({parity.reason})" if parity.reason else ""
        differing = counted(len({difference.document for difference in parity.old}), "document")
        lines.append(f"the live generation has {differing} that differ{why}; said is what it has, and should have:")
        lines += [f"  {in_words(difference)}" for difference in parity.old[:SHOWN]]
    lines += [f"  newly parked: {name}" for name in parity.newly_parked[:SHOWN]]
    hidden = max(0, len(new.differences) - SHOWN) + max(0, len(parity.old) - SHOWN)
    return [*lines, f"  {hidden:,} more differences: --json lists all"] if hidden else lines


def _plain(parity: Parity) -> dict[str, Any]:
    return {
        "generation": parity.new.generation,
        "documents": parity.new.log.documents,
        "sections_of_tables": parity.new.tables.sections,
        "counted_of_tables": parity.new.tables.counted,
        "differences": [plain_difference(oracle, d) for oracle, d in parity.new.differences],
        "differences_from_live": [plain_difference("live", d) for d in parity.old],
        "differences_expected": parity.reason or None,
        "parked_aggregates": list(parity.parked),
        "newly_parked": list(parity.newly_parked),
    }


def _drop(projection: Projection, options: Options, output: Output) -> int:
    output.confirm(
        f"Drop the generation before the live one of {projection.name}? A rollback is not possible afterwards.",
        yes=options["yes"],
    )
    with output.bar(f"drop {projection.name}") as move:
        move("waits for readers and followers", 0, 0)
        dropped = drop_previous(open_store(), projection)
    output.show(f"{projection.name}: dropped generation {', '.join(map(str, dropped))}")
    output.emit({"projection": projection.name, "dropped": dropped})
    return 0


def _abandon(projection: Projection, options: Options, output: Output) -> int:
    output.confirm(f"Drop the unfinished generation of {projection.name}?", yes=options["yes"])
    dropped = abandon(open_store(), projection)
    output.show(f"{projection.name}: the unfinished generation {dropped} is dropped")
    output.emit({"projection": projection.name, "dropped": [dropped]})
    return 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"of: {ALL_NAMES}")
    parser.add_argument("--source", choices=(LOG, KAFKA), default=LOG, help="where the events are read from (log)")
    parser.add_argument("--workers", type=positive, default=2, metavar="N", help="processes that fill it (2)")
    parser.add_argument(
        "--accept-differences",
        action="store_true",
        help="go live although it differs from the live generation or parks more; never where it differs from the log",
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--rollback", action="store_true", help="the generation before goes live again")
    other.add_argument("--drop-old", action="store_true", help="DESTRUCTIVE: drops the generation before; asks first")
    other.add_argument("--abandon", action="store_true", help="DESTRUCTIVE: drops an unfinished rebuild; asks first")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_by(parser)


REBUILD = Subcommand(
    name="rebuild",
    help="fills another generation while the live one goes on, compares it and lets it go live",
    examples="""  manage.py projector rebuild products
  manage.py projector rebuild sales_by_day --source kafka --workers 4 --json
  manage.py projector rebuild products --rollback      the generation before goes live again
  manage.py projector rebuild products --drop-old      when nobody wants to go back any more
after a kill or Ctrl-C the same command goes on. It ends with 1 where the new generation was not swapped in: it
differs from log or state tables, or, without a change of the projection's version, from the live generation""",
    add_arguments=_arguments,
    run=_rebuild,
    seconds=None,
)
