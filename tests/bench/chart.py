"""`python chart.py bench.json chart.png`: how far each measure is from its goal. Runs in the peers' environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

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
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(names) + 1.6), layout="constrained")
    for place, name in enumerate(names):
        one = found[name]
        value, low, high = fulfilled(one)
        axes.barh(place, value, color=MET if one["ok"] else MISSED, height=0.6)
        axes.plot([low, high], [place, place], color="black", linewidth=1.2)
        sign = "≥" if one["better"] == "higher" else "≤"
        axes.text(max(value, high) * 1.06, place, f"{one['ratio']:.2f} ({sign} {one['goal']:g})", va="center", size=9)
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 2)
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(names)), [f"{name}: {found[name]['against']}" for name in names], size=9)
    axes.set_xlabel("part of the goal that is reached (log scale; dashed: the goal; line: lowest to highest round)")
    machine = run["machine"]
    axes.set_title(f"{run['at'][:10]}, {machine['cores']} cores {machine['cpu']}", size=10)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
