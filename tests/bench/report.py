"""`make bench-report`: build/bench.json as a section of README.md (between its two marks) and a chart in docs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.measure import ROUNDS
from tests.bench.measures import MEASURES
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
        f"![how far each measure is from its goal](docs/{CHART.name})",
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
    lines += ["", f"Engines: {_engines(found)}.", ""]
    lines += [f"- {name}: {found[name]['notes']}" if name in found else f"- {name}: not measured" for name in MEASURES]
    return "\n".join(lines)


def _engines(found: dict[str, dict[str, Any]]) -> str:
    """Those of any measure: they all start the same."""
    engines = next(one["engines"] for name, one in found.items() if not name.startswith("_"))
    servers = (("PostgreSQL", "DATABASE_URL"), ("Kafka", "KAFKA_BOOTSTRAP_SERVERS"), ("MongoDB", "MONGODB_URL"))
    versions = [f"{name} {what}" for name, what in engines.items() if name.islower()]
    return "; ".join([f"{name}: {Path(engines[key]).name}" for name, key in servers if key in engines] + versions)


def check(found: dict[str, dict[str, Any]]) -> None:
    """Raises SystemExit for what is no run to be shown: a part of the size, too few rounds, nothing measured."""
    run = found.get("_run", {})
    if run.get("scale") != 1 or run.get("rounds", 0) < ROUNDS:
        raise SystemExit(f"a run of the full size and at least {ROUNDS} rounds is shown, not {run}")
    if not found.keys() & MEASURES.keys():
        raise SystemExit("nothing was measured")


def main() -> None:
    if not RESULTS.is_file():
        raise SystemExit(f"{RESULTS} is not there: make bench")
    found = json.loads(RESULTS.read_text())
    check(found)
    text = README.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"README.md needs both marks once: {BEGIN} and {END}")
    before, rest = text.split(BEGIN)
    subprocess.run([python(), PROJECT / "tests" / "bench" / "chart.py", RESULTS, CHART], check=True)
    README.write_text(f"{before}{BEGIN}\n{markdown(found)}\n{END}{rest.split(END)[1]}")
    print(f"written to {README.name} and {CHART.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
