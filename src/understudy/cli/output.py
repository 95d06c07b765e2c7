"""How commands speak: values to standard output, remarks and progress to standard error.

Rules

* ``emit`` prints one value: as JSON with ``--json``, else as the text given beside it.
* Remarks begin with ``understudy:`` so that they are told from results when both go to a terminal.
* What is written in clear is written for its owner alone, also over a file that others could read.
* Progress bars appear on a terminal only; in a pipe there is silence until the result.
"""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

SHORT: Final = 14

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print the result as one JSON document.")]
"""The ``--json`` switch every command has."""


def emit(value: Any, text: str | Table, *, as_json: bool) -> None:
    """Print ``value`` as JSON, or ``text`` for a person."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(value, order="deterministic").decode() + "\n")
    elif isinstance(text, str):
        sys.stdout.write(text.rstrip("\n") + "\n")
    else:
        Console(file=sys.stdout).print(text)


def remark(text: str) -> None:
    """Say something on standard error that is not a result."""
    sys.stderr.write(f"understudy: {text}\n")


def write_clear(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in place of whatever stood there; a link is not followed.

    Raises:
        OSError: it cannot be written, or a link stands there.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.truncate(0)
        file.write(content)


def table(title: str, *columns: str) -> Table:
    """Return an empty table with a title."""
    made = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def moment(seconds: int) -> str:
    """Return a time as people read it, in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%a %-d %b %Y, %H:%M:%S UTC")


def short(digest: str) -> str:
    """Return the first characters of a digest or id, enough to tell two apart on a screen."""
    return digest[:SHORT] + "…" if len(digest) > SHORT + 1 else digest


@contextmanager
def progress_bar(label: str) -> Iterator["Bar"]:
    """Show a progress bar on standard error while the block runs."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(progress, progress.add_task(label, total=None))


class Bar:
    """One progress bar: ``bar(done, total)``."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total)
