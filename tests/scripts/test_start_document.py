"""docs/start.md is what a newcomer types: every command in it runs, in its order, with its exit code."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.hands import PASSWORD
from tests.scripts.shell import Typed, console_lines, run_typed
from understudy.demo.desktop import Desktop

ROOT = Path(__file__).parents[2]
HANDS = Path(__file__).with_name("hands.py")
DEVICE = "build/start/device"
CANARIES = "build/start/canaries.txt"


@pytest.mark.timeout(300)
def test_every_command_of_the_start_document_does_what_it_says(tmp_path: Path) -> None:
    lines = console_lines(ROOT / "docs" / "start.md")
    assert len(lines) > 20
    (tmp_path / "build" / "start").mkdir(parents=True, mode=0o700)
    port = _free_ports()
    moved = [Typed(text=_move(line.text, port), code=line.code) for line in _with_hands(lines)]
    try:
        with Desktop(tmp_path / "desktop") as desktop:
            wanted = ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE")
            done = run_typed(moved, tmp_path, **{name: desktop.environment[name] for name in wanted})
        assert done.returncode == 0, done.stderr[-3_000:] + done.stdout[-1_000:]
        assert "complete: 1 of 1" in done.stderr
        assert "complete: 2 of 2" in done.stderr
        assert "understudy: error: refused: switch-off" in done.stderr
        assert "signed by the log" in done.stdout
        shown = done.stdout[done.stdout.index("Trying it") :]
        assert "entered a secret" in shown
        canary = (tmp_path / CANARIES).read_text().strip()
        assert done.stdout.count(canary) == 1, "only the line that shows the file"
        assert PASSWORD not in done.stdout
        assert (tmp_path / "build/start/mine.png").stat().st_size
    finally:
        run_typed([Typed(text="understudy down --home build/start/home || true", code=0)], tmp_path)


def _with_hands(lines: list[Typed]) -> Iterator[Typed]:
    """Yield the lines, and after the browser's what the document asks its reader to do there."""
    for line in lines:
        yield line
        if line.text.startswith("chromium "):
            yield Typed(text=f'python3 "{HANDS}" {DEVICE} {CANARIES}', code=0)


def _move(text: str, port: int) -> str:
    text = text.replace("8580", str(port + 3))
    return re.sub(r"857([0-2])", lambda found: str(port + int(found[1])), text)


def _free_ports() -> int:
    """Return a port with three free ones after it."""
    for base in range(20_500, 30_000, 7):
        taken = []
        try:
            for offset in range(4):
                held = socket.socket()
                taken.append(held)
                held.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        finally:
            for held in taken:
                held.close()
        return base
    pytest.fail("no four free ports in a row")
