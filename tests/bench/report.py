"""`make bench-report`: build/bench.json as a section of README.md (between its two marks) and a chart in docs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.peers.environment import python

PROJECT = Path(__file__).resolve().parents[2]
RESULTS, README, CHART = PROJECT / "build" / "bench.json", PROJECT / "README.md", PROJECT / "docs" / "benchmarks.png"
BEGIN, END = "<!-- benchmarks: made by `make bench-report` -->", "<!-- end of benchmarks -->"


def markdown(found: dict[str, dict[str, Any]]) -> str:
    """One line per measure, the machine and the day above."""
    run = found["_run"]
    machine = run["machine"]
    lines = [
        f"{run['at'][:10]}, {machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB; medians of "
        "rounds run in turn, lowest and highest in brackets.",
        "",
        "| | measure | against | ratio | goal | |",
        "|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        if name.startswith("_"):
            continue
        low, high = one["spread"]
        sign = "≥" if one["better"] == "higher" else "≤"
        lines.append(
            f"| {name} | {one['what']} | {one['against']} | {one['ratio']:.2f} ({low:.2f} to {high:.2f}) "
            f"| {sign} {one['goal']:g} | {'reached' if one['ok'] else '**not reached**'} |"
        )
    return "\n".join(lines)


def main() -> None:
    found = json.loads(RESULTS.read_text())
    text = README.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"README.md needs both marks once: {BEGIN} and {END}")
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{markdown(found)}\n{END}{rest.split(END)[1]}")
    subprocess.run([python(), PROJECT / "tests" / "bench" / "chart.py", RESULTS, CHART], check=True)
    print(f"written to {README.name} and {CHART.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
