"""`make bench`: each measure in a process with engines of its own; a table for people, build/bench.json for machines.

Exit code 0: all were measured (whether a goal is met is in the table); 1: one could not be; 2: wrong use; 3: no engine
fast enough.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.measure import ROUNDS
from tests.bench.measures import MEASURES

PROJECT = Path(__file__).resolve().parents[2]
TOO_SLOW = 3
ENDING = 60.0  # seconds


def main() -> int:
    options = _options()
    run = {"machine": machine(), "scale": options.scale, "rounds": options.rounds}
    results, failed = _before(options.out, run) if options.only else {}, 0
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for name in options.only or MEASURES:
        print(f"{name} …", file=sys.stderr, flush=True)
        code, output = _measured(name, options)
        if code == TOO_SLOW:
            return TOO_SLOW
        if code:
            failed += 1
            print(f"{name} could not be measured (exit code {code})", file=sys.stderr)
            continue
        results[name] = json.loads(output.splitlines()[-1])
        found = {one: results[one] for one in MEASURES if one in results}  # written at once: the rest may take long
        now = datetime.now(UTC).isoformat(timespec="seconds")
        options.out.write_text(json.dumps({**found, "_run": {"at": now, **run}}, indent=2, ensure_ascii=False) + "\n")
    show({name: results[name] for name in MEASURES if name in results})
    print(f"written to {options.out}")
    return 1 if failed else 0


def _before(written: Path, run: dict[str, Any]) -> dict[str, Any]:
    """What a run of the same size on the same machine has found, for measures that are not asked for now."""
    if not written.is_file():
        return {}
    found = json.loads(written.read_text())
    same = all(found.get("_run", {}).get(name) == value for name, value in run.items())
    return {name: one for name, one in found.items() if name in MEASURES} if same else {}


def _measured(name: str, options: argparse.Namespace) -> tuple[int, str]:
    """Exit code and output of one measure. At Ctrl-C it is given time to stop its engines."""
    command = [sys.executable, "-m", "tests.bench.one", name, "--rounds", str(options.rounds)]
    process = subprocess.Popen(
        [*command, "--scale", str(options.scale)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    try:
        output, _ = process.communicate()
    except KeyboardInterrupt:
        process.wait(ENDING)
        raise
    return process.returncode, output


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", type=_names, default=[], help=f"some of {', '.join(MEASURES)}, with commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"that count (default {ROUNDS}); one goes before")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size, for a quick look (default 1)")
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "bench.json")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    known = {name.upper(): name for name in MEASURES}
    asked = [name.strip().upper() for name in text.split(",") if name.strip()]
    unknown, names = sorted(set(asked) - known.keys()), [known[name] for name in asked if name in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return names


def machine() -> dict[str, Any]:
    """What it ran on."""
    processors = Path("/proc/cpuinfo")
    lines = processors.read_text().splitlines() if processors.is_file() else []
    models = [line for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else "unknown",
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
    }


def show(results: dict[str, dict[str, Any]]) -> None:
    """The table for people, and under it what is to be known of each line."""
    table = Table(title="ratios: medians of rounds run in turn")
    for column in ("", "measure", "against", "ratio", "lowest to highest", "goal", "", "µs CPU a unit"):
        table.add_column(column)
    for name, one in results.items():
        better = "≥" if one["better"] == "higher" else "≤"
        cpu = [f"{found['cpu_us_per_unit']:.0f} {who}" for who, found in one.get("contenders", {}).items()]
        low, high = one["spread"]
        table.add_row(
            name,
            one["what"],
            one["against"],
            f"{one['ratio']:.2f}",
            f"{low:.2f} to {high:.2f}",
            f"{better} {one['goal']:g}",
            "yes" if one["ok"] else "no",
            "\n".join(cpu),
        )
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for engines in {json.dumps(one["engines"], ensure_ascii=False) for one in results.values()}:
        console.print(f"engines: {engines}", highlight=False)
    for name, one in results.items():
        if one["notes"]:
            console.print(f"{name}: {one['notes']}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
