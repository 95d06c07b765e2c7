"""Where the MiniWoB++ pages lie, and the style that they are served with.

Rules

* The folder is found through the import system's records; the package's code is never run.
* The style goes right before the end of the head, so it is the last word on what it names, and it names only
  what ``core.js`` adds around a task. A page without a head is served unchanged.
"""

import importlib.util
import re
from pathlib import Path
from typing import Final

from understudy.learning.miniwob.errors import PagesMissingError

PACKAGE: Final = "miniwob"
FOLDERS: Final = ("miniwob", "core", "common", "flight")
"""What of the package's ``html`` folder is served, each under its own name."""

SURROUNDINGS: Final = ("#reward-display", "#sync-task-cover", "#click-canvas", "#attention-canvas")
"""Made by ``core.createDisplay``, ``core.startEpisode`` and ``core.visualizeAttention``."""
STYLE: Final = b"<style>" + ", ".join(SURROUNDINGS).encode() + b" { display: none !important; }</style>"

_END_OF_HEAD: Final = re.compile(rb"</head\s*>", re.IGNORECASE)


def find_pages() -> Path:
    """Return the ``html`` folder of the installed package.

    Raises:
        PagesMissingError: it is not installed, or not whole.
    """
    try:
        found = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        found = None
    for place in (found.submodule_search_locations or ()) if found is not None else ():
        html = Path(place) / "html"
        if (html / "core" / "core.js").is_file() and (html / "miniwob").is_dir():
            return html
    raise PagesMissingError("there are no MiniWoB++ pages on this machine")


def hide_surroundings(page: bytes) -> bytes:
    """Return an HTML page with the style in it.

    >>> hide_surroundings(b"<head></head>").count(b"#click-canvas")
    1
    """
    return _END_OF_HEAD.sub(lambda end: STYLE + end[0], page, count=1)
