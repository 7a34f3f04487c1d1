"""`python -m tests.model`: many runs, one after the other; the first that fails is made shorter and shown."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--steps", help="numbers of the steps that are taken, with commas (default: all)")
    parser.add_argument("--defect", help="turn this guard off (tests.model.defects)")
    parser.add_argument("--keep-going", action="store_true", help="show every run that fails, and none of their steps")
    options = parser.parse_args()
    # The order of sets is part of a schedule.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.model", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )  # noqa: S606
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from tests.model.defects import turned_off
    from tests.model.schedule import STEPS, Failed, Run, shortest

    steps = [int(number) for number in options.steps.split(",")] if options.steps else range(STEPS)
    started, failed = time.monotonic(), 0
    with turned_off(options.defect):
        for seed in range(options.seed, options.seed + options.runs):
            run = Run(seed, steps)
            try:
                run.take()
            except Failed as error:
                failed += 1
                print(f"seed {seed}: {str(error)[:1500]}", flush=True)
                if not options.keep_going:
                    show(shortest(run))
                    return 1
    print(f"{options.runs} runs from seed {options.seed}, {failed} failed, {time.monotonic() - started:.1f} s")
    return 1 if failed else 0


def show(run) -> None:  # type: ignore[no-untyped-def]
    """Prints what happens, call by call, and how to see it again."""
    from tests.model.schedule import Failed, Run

    print(f"the schedule, {len(run.steps)} steps:")
    try:
        Run(run.seed, run.steps, tell=print).take()
    except Failed as error:
        print(f"→ {error}")
    print(f"again: python -m tests.model --seed {run.seed} --steps {','.join(map(str, run.steps))}")


if __name__ == "__main__":
    sys.exit(main())
