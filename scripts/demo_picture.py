"""Draws docs/pictures/demo.svg from what a real demonstration printed.

Usage::

    make demo DEMO_ARGS=--no-serve 2>&1 | .venv/bin/python scripts/demo_picture.py
"""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 132
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Read the demonstration's output from standard input and write the picture."""
    said = sys.stdin.read().splitlines()
    lines = [line for line in said if line.startswith(("understudy: ", "all stages"))]
    console = Console(record=True, width=WIDTH, file=Path("/dev/null").open("w"))  # noqa: SIM115 - until exit
    console.print(Text("$ make demo DEMO_ARGS=--no-serve", style="bold"))
    for line in lines:
        console.print(Text(line))
    target = Path(__file__).parents[1] / "docs" / "pictures" / "demo.svg"
    # Nothing is loaded from elsewhere: the picture does without the fonts that rich would fetch.
    picture = _FONT_FACE.sub("", console.export_svg(title="understudy demo"))
    target.write_text(picture.replace("Fira Code, monospace", "monospace"))


main()
