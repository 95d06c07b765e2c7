"""docs/start.md is what a newcomer types: every command in it runs, in its order, with its exit code."""

import re
import socket
from pathlib import Path

import pytest

from tests.scripts.shell import Typed, console_lines, run_typed

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_every_command_of_the_start_document_does_what_it_says(tmp_path: Path) -> None:
    lines = console_lines(ROOT / "docs" / "start.md")
    assert len(lines) > 20
    (tmp_path / "build" / "start").mkdir(parents=True, mode=0o700)
    port = _free_ports()
    moved = [Typed(text=_move(line.text, port), code=line.code) for line in lines]
    done = run_typed(moved, tmp_path)
    try:
        assert done.returncode == 0, done.stderr[-3_000:] + done.stdout[-1_000:]
        assert "complete: 1 of 1" in done.stderr
        assert "complete: 2 of 2" in done.stderr
        assert "understudy: error: refused: switch-off" in done.stderr
        assert "signed by the log" in done.stdout
    finally:
        run_typed([Typed(text="understudy down --home build/start/home || true", code=0)], tmp_path)


def _move(text: str, port: int) -> str:
    return re.sub(r"857([0-2])", lambda found: str(port + int(found[1])), text)


def _free_ports() -> int:
    """Return a port with two free ones after it."""
    for base in range(20_500, 30_000, 7):
        taken = []
        try:
            for offset in range(3):
                held = socket.socket()
                taken.append(held)
                held.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        finally:
            for held in taken:
                held.close()
        return base
    pytest.fail("no three free ports in a row")
