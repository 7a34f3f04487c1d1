"""`python -m tests.faults.campaign.clock SECONDS FILE.py|-m MODULE [arguments]`: that program in another time.

time_machine moves what `datetime.now` and `time.time` say in C, for all threads and forks of the process; monotonic
clocks stay as they are, which is what a machine with a wrong clock has.
"""

from __future__ import annotations

import datetime as dt
import runpy
import sys

from pymongo import MongoClient

from tests.faults.campaign.shop import OpenShop


def later(shop: OpenShop, name: str, seconds: int) -> None:
    """Kills that process and starts it in a time that is so much later, or earlier."""
    argv = shop.own_argv(name)  # python …
    shop.exchange(name, (sys.executable, "-m", "tests.faults.campaign.clock", str(seconds), *argv[1:]))


def in_our_time(shop: OpenShop, name: str) -> None:
    """Kills that process, if its clock is wrong, and starts it with ours."""
    if shop.one(name).service.program.argv != shop.own_argv(name):
        shop.exchange(name)


def without_ghosts(shop: OpenShop) -> None:
    """Takes away heartbeats of workers that were killed while their clock was ahead.

    A known limit: whether a worker lives is told by wall clocks, so these count as alive for as long as their clock was
    ahead, and a rebuild waits in vain for them to rest.
    """
    with MongoClient(shop.urls["MONGODB_URL"]) as client:
        ahead = {"lease_until": {"$gt": dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20)}}
        client.get_default_database()["projection_workers"].delete_many(ahead)


def main() -> None:
    import time_machine  # in that process only

    offset, program, *arguments = sys.argv[1:]
    time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=int(offset)), tick=True).start()
    if program == "-m":
        module, *arguments = arguments
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [program, *arguments]
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
