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


def main() -> int:
    options = _options()
    results, failed = {}, 0
    for name in options.only or MEASURES:
        print(f"{name} …", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "tests.bench.one", name, "--rounds", str(options.rounds)]
        done = subprocess.run(
            [*command, "--scale", str(options.scale)], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode == 3:
            return 3
        if done.returncode:
            failed += 1
            print(f"{name} could not be measured (exit code {done.returncode})", file=sys.stderr)
            continue
        results[name] = json.loads(done.stdout.splitlines()[-1])
    written = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "scale": options.scale}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({**results, "_run": written}, indent=2, ensure_ascii=False) + "\n")
    show(results)
    print(f"written to {options.out}")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", type=_names, default=[], help=f"some of {', '.join(MEASURES)}, with commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"that count (default {ROUNDS}); one goes before")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size, for a quick look (default 1)")
    parser.add_argument("--out", type=Path, default=PROJECT / "build" / "bench.json")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - MEASURES.keys())
    if unknown:
        raise argparse.ArgumentTypeError(f"no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return names


def machine() -> dict[str, Any]:
    """What it ran on."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
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
    for name, one in results.items():
        if one["notes"]:
            console.print(f"{name}: {one['notes']}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
