"""`python chart.py bench.json chart.png`: how far each measure is from its goal. Runs in the peers' environment."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.ticker import ScalarFormatter

MET, MISSED = "#2f7d5b", "#c2573a"


def fulfilled(one: dict[str, Any]) -> tuple[float, float, float]:
    """Ratio, lowest and highest as parts of the goal, more being better whichever way the measure goes."""
    low, high = one["spread"]
    if one["better"] == "higher":
        return one["ratio"] / one["goal"], low / one["goal"], high / one["goal"]
    return one["goal"] / one["ratio"], one["goal"] / high, one["goal"] / low


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    found = json.loads(source.read_text())
    run = found.pop("_run")
    names = list(reversed(found))
    figure, axes = pyplot.subplots(figsize=(11, 0.55 * len(names) + 1.8), layout="constrained")
    lowest, highest = 1.0, 1.0
    for place, name in enumerate(names):
        one = found[name]
        value, low, high = fulfilled(one)
        lowest, highest = min(lowest, value, low), max(highest, value, high)
        axes.barh(place, value, color=MET if one["ok"] else MISSED, height=0.6)
        axes.plot([low, high], [place, place], color="black", linewidth=1.2)
        sign = "≥" if one["better"] == "higher" else "≤"
        axes.text(max(value, high) * 1.06, place, f"{one['ratio']:.2f} ({sign} {one['goal']:g})", va="center", size=9)
    axes.set_xscale("log")
    axes.set_xlim(min(0.5, 0.8 * lowest), 2.2 * highest)
    for which in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
        which(ScalarFormatter())
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    labels = [textwrap.fill(f"{name}: {found[name]['against']}", 44) for name in names]
    axes.set_yticks(range(len(names)), labels, size=8)
    axes.set_xlabel(
        "part of the goal that is reached\nlog scale; dashed: the goal; line: lowest to highest round", size=9
    )
    machine = run["machine"]
    axes.set_title(f"{run['at'][:10]}, {machine['cores']} cores {machine['cpu']}", size=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
