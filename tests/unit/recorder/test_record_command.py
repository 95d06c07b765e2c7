"""``understudy record`` as a person runs it: a process of its own, and what is left when that is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.desktop import desktop, private_desktop
from tests.machine import Machine
from tests.unit.recorder.stage import Stage, at
from understudy.consent.purposes import Purpose, Stream
from understudy.demo.desktop import Desktop
from understudy.formats.recording.actions import Type, act_of
from understudy.recorder.control import ControlClient
from understudy.recorder.held import HeldStore
from understudy.recorder.payload import stretch_of

__all__ = ["desktop", "private_desktop"]

STREAMS = (Stream.ELEMENTS, Stream.FRAMES, Stream.INPUT, Stream.TEXT_VALUES)


@pytest.fixture(scope="module")
def stage(desktop: Desktop) -> Iterator[Stage]:
    """Return a browser on the desktop, showing a form."""
    with at(desktop), Stage(desktop) as made:
        yield made


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Return a whole programme in processes, with a participant who agreed to everything offered."""
    with Machine.started() as made:
        made.device.enrol(made.server, made.clock)
        group = made.document.terms.application_groups[0].name
        made.device.give_consent(
            made.server, made.clock, purposes=(Purpose.TRAIN,), streams=STREAMS, groups=(group,)
        )
        yield made


class Command:
    """A running ``understudy record --json``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said


@contextmanager
def record(machine: Machine, display: str, *options: str, **place: str) -> Iterator[Command]:
    """Run the command, and end it however the test ends."""
    options += ("--device", place.get("device", str(machine.device.home)))
    options += ("--server", place.get("server", machine.server_address))
    command = (sys.executable, "-m", "understudy", "record", "--display", display, "--json", *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Command(process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def children_of(pid: int) -> list[int]:
    """Return the process ids of all children."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def are_gone(pids: list[int], seconds: float = 5) -> bool:
    """Return whether all processes end within some seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
            return True
        time.sleep(0.05)
    return False


def test_it_says_when_it_records_and_what_it_did(stage: Stage, machine: Machine) -> None:
    stage.reload()
    with record(machine, stage.desktop.display, "--title", "An order", "--task", "order") as command:
        begun = command.line()
        assert begun["state"] == "recording"
        time.sleep(1.2)
        stage.fill("article", "Twelve chairs")
        time.sleep(0.5)
        status = subprocess.run(
            (
                sys.executable,
                "-m",
                "understudy",
                "recorder",
                "status",
                "--json",
                "--device",
                str(machine.device.home),
            ),
            check=True,
            capture_output=True,
            text=True,
        )
        assert json.loads(status.stdout)["recording"] == begun["recording"]
        command.process.send_signal(signal.SIGTERM)
        done = command.line()
        assert command.process.wait(20) == 0
    assert done["recordings"] == [begun["recording"]]
    assert (done["state"], done["actions"], done["segments"]) == ("stopped", 2, 1)
    assert done["pointer_before"] == done["pointer_actions"] == 1
    assert done["events"] > 20
    assert 0 < done["cpu_seconds"] < 30
    held = HeldStore(machine.device).recording(begun["recording"])
    assert (held.title, held.task_label, held.is_open) == ("An order", "order", False)
    assert not list((machine.device.home / "raw").iterdir())
    assert not (machine.device.home / "record.sock").exists()


def test_killed_at_any_moment_it_leaves_a_recording_that_ends_in_a_gap(
    stage: Stage, machine: Machine
) -> None:
    stage.reload()
    with record(machine, stage.desktop.display, "--wait") as command:
        assert command.line()["state"] == "ready"
        control = ControlClient(machine.device.home)
        begun = control.begin(title="To be killed", task="order").recording
        assert begun is not None
        time.sleep(1.0)
        stage.click("send")
        until = time.monotonic() + 15
        while not control.status().segments and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(1.0)
        stage.click("article")
        children = children_of(command.process.pid)
        os.kill(command.process.pid, signal.SIGKILL)
        command.process.wait(5)
        killed_at = time.time()
    assert len(children) == 2
    assert are_gone(children)
    held = HeldStore(machine.device)
    assert held.close_abandoned() == [begun]
    recording = held.recording(begun)
    (segment,) = recording.segments
    stretch = stretch_of(held.payload(begun, segment.segment))
    assert [act_of(action) for action in stretch.actions] == ["click"]
    last = stretch.gaps[-1]
    assert last.to_ms == (segment.ended_at - segment.started_at) * 1_000
    assert last.to_ms - last.from_ms <= machine.document.delays.redact_seconds * 1_000
    assert segment.started_at + last.from_ms // 1_000 <= killed_at <= segment.ended_at + 1
    assert not list(held_leftovers(machine.device.home))


def test_killed_in_the_middle_of_a_long_text_it_has_lost_ten_seconds_at_most(
    stage: Stage, machine: Machine
) -> None:
    """Typing that is not over is held as far as it has come."""
    stage.reload()
    typed: list[tuple[float, str]] = [(0.0, "")]
    with record(machine, stage.desktop.display, "--wait") as command:
        assert command.line()["state"] == "ready"
        begun = ControlClient(machine.device.home).begin(title="A long text", task="order").recording
        began_at = time.time()
        assert begun is not None
        time.sleep(1.0)
        stage.click("article")
        while time.time() < began_at + 23.5:  # the third round is about to begin
            stage.hands.write("chairs and tables ", slips=False)
            typed.append((time.time(), typed[-1][1] + "chairs and tables "))
        os.kill(command.process.pid, signal.SIGKILL)
        killed_at = time.time()
        command.process.wait(5)
    held = HeldStore(machine.device)
    assert held.close_abandoned() == [begun]
    recording = held.recording(begun)
    stretches = [stretch_of(held.payload(begun, segment.segment)) for segment in recording.segments]
    actions = [action for stretch in stretches for action in stretch.actions]
    texts = "".join(action.text or "" for action in actions if isinstance(action, Type))
    segment, last = recording.segments[-1], stretches[-1].gaps[-1]
    known_until = began_at + segment.started_at - recording.started_at + last.from_ms / 1_000
    assert killed_at - known_until <= machine.document.delays.redact_seconds
    assert segment.ended_at + 1 >= killed_at
    due = next(text for at, text in reversed(typed) if at < known_until)
    assert len(due) > 50
    assert texts.startswith(due)
    assert typed[-1][1].startswith(texts)


def test_when_the_display_dies_it_says_so_and_what_was_done_is_held(
    private_desktop: Desktop, machine: Machine
) -> None:
    with at(private_desktop), Stage(private_desktop) as stage:
        with record(machine, private_desktop.display, "--title", "An order") as command:
            begun = command.line()["recording"]
            time.sleep(1.2)
            stage.click("send")
            time.sleep(1.5)
            children = children_of(command.process.pid)
            os.kill(private_desktop.pids["Xvfb"], signal.SIGKILL)
            died_at = time.time()
            assert command.process.wait(20) == 1
            assert command.process.stderr is not None
            said = command.process.stderr.read()
        assert "display" in said
        assert "Traceback" not in said
        assert are_gone(children)
    held = HeldStore(machine.device)
    recording = held.recording(begun)
    assert not recording.is_open
    (segment,) = recording.segments
    stretch = stretch_of(held.payload(begun, segment.segment))
    assert [act_of(action) for action in stretch.actions] == ["click"]
    assert segment.ended_at <= died_at + 5
    assert not list((machine.device.home / "raw").iterdir())


def held_leftovers(home: Path) -> Iterator[Path]:
    """Yield what a dead run left of its raw files once the next one starts; its key is gone already."""
    from understudy.recorder.rawfiles import RawFiles  # noqa: PLC0415

    raw = RawFiles(home / "raw")
    yield from raw.folder.iterdir()


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ({"group": "payroll"}, 3, "you have not consented"),
        ({"device": "/nonexistent"}, 1, "not set up"),
        ({"server": "http://127.0.0.1:9"}, 1, "cannot be reached"),
    ],
)
def test_it_says_why_it_does_not_start(
    stage: Stage, machine: Machine, place: dict[str, str], code: int, said: str
) -> None:
    group = ("--group", place["group"]) if "group" in place else ()
    with record(machine, stage.desktop.display, *group, **place) as command:
        assert command.process.wait(20) == code
        assert command.process.stderr is not None
        assert said in command.process.stderr.read()
