"""The demonstration's recorder: ``understudy record --wait --json``, which keeps a control.

Rules

* Everything is the product's; only the class of the raw files differs (``demo.kept``).
* It prints what the command prints: a line when it is ready, a line with the figures at its end.

``python -m understudy.demo.recorded DEVICE SERVER KEPT``, on the display of the environment.
"""

import sys
from pathlib import Path

import msgspec

from understudy.client.server import ServerClient
from understudy.consent.errors import UnderstudyError
from understudy.demo.kept import KeptRawFiles
from understudy.recorder.app import figures_of, group_of, run
from understudy.recorder.control import State
from understudy.recorder.device import Device
from understudy.recorder.session import Settings


def main(device: Path, server: str, kept: Path) -> None:
    """Record until told to stop."""
    here = Device(device)

    def report(state: State, recording: str | None) -> None:
        _say({"state": state, "recording": recording})

    run(
        here,
        ServerClient(server),
        Settings(group=group_of(here), waits=True),
        raw=lambda: KeptRawFiles(here.home / "raw", kept),
        report=report,
        done=lambda summary: _say(figures_of(summary)),
    )


def _say(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    except UnderstudyError as error:
        sys.stderr.write(f"understudy: error: {error}\n")
        sys.exit(1)
