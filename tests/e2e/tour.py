"""The README's tour as a program: its shell blocks, run one after the other in one bash, and the output it shows.

The tour stands between ``<!-- tour:begin -->`` and ``<!-- tour:end -->``. Every ``bash`` block there is run; a ``text``
block that follows directly is what it must print, apart from ids, times and tokens (`masked`). After a change of the
tour, its true output is written into the README by

    python -m tests.e2e.tour URL PASSWORD       (of a shop that `make run` has just filled)
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- tour:begin -->", "<!-- tour:end -->"
_STEP = re.compile(r"^```bash\n(?P<script>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_BORDER = "--- end of step ---"
#: What differs from run to run, in this order: (pattern, what stands for it).
_CHANGING = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r'(?<=")[A-Z]*-?\d{4}-\w+(?=")'), "NUMBER"),
    (re.compile(r'(?<=cursor=)[\w-]+|(?<="token":")[\w-]+|(?<=Consistency-Token: )[\w-]+'), "TOKEN"),
    (re.compile(r'(?<=ETag: ")(\d+)-[0-9a-f]+'), r"\1-DIGEST"),
)


@dataclass(frozen=True)
class Step:
    """One shell block; ``shown`` is None where the README shows no output."""

    script: str
    shown: str | None


def tour(readme: str) -> str:
    """The part of the README between the markers."""
    return readme.partition(BEGIN)[2].partition(END)[0]


def steps(readme: str) -> list[Step]:
    return [Step(found["script"], found["shown"]) for found in _STEP.finditer(tour(readme))]


def run(scripts: Sequence[str], *, shop: str, password: str) -> list[str]:
    """What each block prints, on both channels. Raises `CalledProcessError` when the bash that runs them fails."""
    program = "".join(f"{script}\nprintf '%s\\n' '{_BORDER}'\n" for script in scripts)
    done = subprocess.run(
        ["bash", "-u", "-o", "pipefail"],
        input=program,
        env={**os.environ, "SHOP": shop, "ACME_ADMIN_PASSWORD": password},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split(f"{_BORDER}\n")[:-1]


def masked(text: str) -> str:
    """The text with a word for everything that is another one in every run."""
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text


def with_output(readme: str, printed: Sequence[str]) -> str:
    """The README with every shown output replaced by what was printed."""
    outputs = iter(printed)

    def block(found: re.Match[str]) -> str:
        output = next(outputs)
        shown = "" if found["shown"] is None else f"\n```text\n{output}```\n"
        return f"```bash\n{found['script']}```\n{shown}"

    return readme.replace(tour(readme), _STEP.sub(block, tour(readme)))


if __name__ == "__main__":
    text = README.read_text()
    README.write_text(
        with_output(text, run([step.script for step in steps(text)], shop=sys.argv[1], password=sys.argv[2]))
    )
