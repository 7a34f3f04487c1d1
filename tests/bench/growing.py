"""`python -m tests.bench.growing CARTS NEW`: engines of its own with so many carts, and a worker that has caught up.

At each line of standard input NEW more carts are published and projected, and a line more in as many old ones; what
both took is the answer, a line of JSON. It ends with its standard input.
"""

from __future__ import annotations

import argparse
import importlib

from tests.bench.engines import running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("carts", type=int)
    parser.add_argument("new", type=int)
    given = parser.parse_args()
    with running():
        shop = importlib.import_module("tests.bench.growing_shop")  # which wants Django to be set up
        shop.run(given.carts, given.new)


if __name__ == "__main__":
    main()
