"""`python -m tests.bench.one P1 …`: one measure with engines of its own; its result as JSON on standard output."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from tests.bench.engines import CannotMeasure, TooSlow, running
from tests.bench.measures import MEASURES
from tests.bench.options import Options


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MEASURES)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    given = parser.parse_args()
    try:
        with running() as engines:
            measured = importlib.import_module(MEASURES[given.name]).measure(
                Options(rounds=given.rounds, scale=given.scale)
            )
    except TooSlow as error:
        print(error, file=sys.stderr)
        return 3
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({**measured.as_json(), "engines": engines}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
