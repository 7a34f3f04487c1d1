"""`python -m tests.model`: many runs, one after the other; the first that fails is made shorter and shown.

Exit code 0: none failed; with ``--defects``: each guard that was turned off made one fail.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.model.schedule import Run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--steps", help="numbers of the steps that are taken, with commas (default: all)")
    parser.add_argument("--trace", action="store_true", help="show each step and call of every run")
    parser.add_argument("--keep-going", action="store_true", help="all runs, also after one that fails; no schedules")
    parser.add_argument("--defects", action="store_true", help="turn guards off, one after the other")
    parser.add_argument("--rare", action="store_true", help="those, and what takes long to find (20,000 runs and more)")
    options = parser.parse_args()
    _set_up()
    if options.defects or options.rare:
        return try_defects(options.seed, options.runs, rare=options.rare)
    steps = [int(number) for number in options.steps.split(",")] if options.steps else None
    started, failed = time.monotonic(), 0
    for run, error in failing(options.seed, options.runs, steps, print if options.trace else None):
        failed += 1
        print(f"seed {run.seed}: {error[:1500]}", flush=True)
        if not options.keep_going:
            show(run)
            break
    print(f"model: {options.runs} runs from seed {options.seed}, {failed} failed, {time.monotonic() - started:.1f} s")
    return 1 if failed else 0


def _set_up() -> None:
    """The order of sets is part of a schedule, so the interpreter must be one that keeps it."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        again = [sys.executable, "-m", "tests.model", *sys.argv[1:]]
        os.execve(sys.executable, again, {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)


def failing(
    seed: int, runs: int, steps: list[int] | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[tuple[Run, str]]:
    """The runs that fail, each with what does not hold."""
    from tests.model.schedule import STEPS, Failed, Run

    for number in range(seed, seed + runs):
        run = Run(number, range(STEPS) if steps is None else steps, tell)
        try:
            run.take()
        except Failed as error:
            yield run, str(error)


def show(run: Run) -> None:
    """Prints the shortest schedule that fails, call by call, and how to see it again."""
    from tests.model.schedule import Run, shortest, what_fails

    found = shortest(run)
    print(f"the schedule, {len(found.steps)} steps:")
    print(f"→ {what_fails(Run(found.seed, found.steps, tell=print))}")
    print(f"again: python -m tests.model --seed {found.seed} --steps {','.join(map(str, found.steps))}")


def try_defects(seed: int, runs: int, *, rare: bool) -> int:
    """Says for each defect in which run it was found; 1 when one is not found in so many."""
    from tests.model.defects import DEFECTS, HINTS, RARE, turned_off

    names, missed = [*DEFECTS, *(RARE if rare else ())], 0
    for name in names:
        started = time.monotonic()
        first = seed + HINTS.get(name, 0)
        with turned_off(name):
            run, error = next(failing(first, runs), (None, ""))
        seconds = time.monotonic() - started
        if run is None:
            missed += 1
            print(f"NOT FOUND in {runs} runs ({seconds:.1f} s): {name}", flush=True)
        else:
            print(f"found with seed {run.seed} ({seconds:.1f} s): {name}: {error[:120]!r}", flush=True)
    print(f"model: {len(names)} guards turned off, {missed} of them not found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
