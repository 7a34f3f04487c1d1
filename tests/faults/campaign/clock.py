"""`python -m tests.faults.campaign.clock SECONDS FILE.py|-m MODULE [arguments]`: that program in another time.

time_machine moves what `datetime.now` and `time.time` say in C, for all threads and forks of the process; monotonic
clocks stay as they are, which is what a machine with a wrong clock has.
"""

from __future__ import annotations

import datetime as dt
import runpy
import sys

from tests.faults.campaign.shop import OpenShop


def later(shop: OpenShop, name: str, seconds: int) -> None:
    """Kills that process and starts it in a time that is so much later, or earlier."""
    argv = shop.own_argv(name)  # python …
    shop.exchange(name, (sys.executable, "-m", "tests.faults.campaign.clock", str(seconds), *argv[1:]))


def in_our_time(shop: OpenShop, name: str) -> None:
    """Kills that process, if its clock is wrong, and starts it with ours."""
    if shop.one(name).service.program.argv != shop.own_argv(name):
        shop.exchange(name)


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
