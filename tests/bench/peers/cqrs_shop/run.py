"""`python -m cqrs_shop.run CARTS WORKERS`: so many carts created and changed, until the replica has both.

The master's rows are there before: on the watch are the messages, as `cqrs.bulk_create` and `cqrs.bulk_update` send
them, and the consumers.
"""

import json
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime

import django
import psutil
from lines import new_line

LONGEST = 120.0  # seconds without a change


def main() -> None:
    django.setup()
    from cqrs_shop.models import Cart, CartReplica
    from django.core.management import call_command

    carts, workers = int(sys.argv[1]), int(sys.argv[2])
    call_command("migrate", run_syncdb=True, verbosity=0)
    for model in (Cart, CartReplica):
        model.objects.all()._raw_delete("default")  # nobody is told
    consumers = subprocess.Popen([sys.executable, "-m", "django", "cqrs_consume", "--workers", str(workers)])
    try:
        _warm(Cart, CartReplica)
        made = [
            Cart(customer_id=uuid.uuid4(), status="open", created_at=_now(), updated_at=_now()) for _ in range(carts)
        ]
        Cart.objects.bulk_create(made)
        used, started = _cpu(consumers.pid), time.perf_counter()
        Cart.call_post_bulk_create(made, using="default")
        for cart in made:
            cart.lines, cart.updated_at, cart.cqrs_revision = [new_line()], _now(), 1
        Cart.call_post_update(made, using="default")
        _wait(lambda: CartReplica.objects.filter(cqrs_revision=1).count() >= carts)
        seconds = time.perf_counter() - started
        print(json.dumps({"units": 2 * carts, "seconds": seconds, "cpu": _cpu(consumers.pid) - used}))
    finally:
        consumers.terminate()
        consumers.wait(30)


def _warm(master, replica) -> None:
    """Consumers that have shown that they work: what is sent before they have made their queue is lost."""

    def seen() -> bool:
        cart = master.objects.create(status="open", created_at=_now(), updated_at=_now())
        time.sleep(0.5)
        return replica.objects.filter(id=cart.id).exists()

    _wait(seen)
    replica.objects.all()._raw_delete("default")


def _wait(done) -> None:
    ends = time.monotonic() + LONGEST
    while not done():
        if time.monotonic() > ends:
            raise SystemExit("the replica did not get there")
        time.sleep(0.02)


def _cpu(pid: int) -> float:
    """Seconds of this process, the consumers and the process that watches them."""
    consumers = psutil.Process(pid)
    processes = [psutil.Process(), consumers, *consumers.children(recursive=True)]
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
