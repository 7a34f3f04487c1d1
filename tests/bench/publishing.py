"""`python -m tests.bench.publishing`: a publisher in a process of its own, which publishes all there is at each line of
standard input and answers with a line when it is done."""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    django.setup()
    from commands.outbox.publisher import Publisher

    with Publisher(os.environ["KAFKA_BOOTSTRAP_SERVERS"]) as publisher:
        publisher.drain()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(publisher.drain(), flush=True)


if __name__ == "__main__":
    main()
