"""Runs public commands as a person would: a process each, its output read back.

Rules

* The demonstration has no way in that a user lacks: everything it does is ``understudy NOUN VERB``.
* A command that fails stops the demonstration with that command's own error and hint.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from understudy.consent.errors import UnderstudyError


class StageError(UnderstudyError):
    """A command of the demonstration did not do what it should."""


def run_command(*arguments: str, expect: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run one ``understudy`` command and return what it printed.

    Raises:
        StageError: another exit code than expected.
    """
    command = (sys.executable, "-m", "understudy", *arguments)
    # The program is this interpreter and the words are the script's own.
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode not in expect:
        said = done.stderr.strip() or done.stdout.strip()
        shown = " ".join(("understudy", *arguments[:2]))
        raise StageError(f"{shown} exited with {done.returncode}: {said}")
    return done


def ask(*arguments: str, expect: Sequence[int] = (0,)) -> Any:
    """Run one command with ``--json`` and return the decoded answer."""
    return json.loads(run_command(*arguments, "--json", expect=expect).stdout)
