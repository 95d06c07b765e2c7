"""``understudy review``: looking changes nothing, changing asks first, and what is shared was meant to be."""

import asyncio
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from tests.lines import between
from tests.simulator import Participant, Simulator
from understudy.cli import FAILED, OK, REFUSED, review, run
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.formats.recording.check import check
from understudy.formats.synthetic import synthetic_segment
from understudy.recorder.control import Answer, ControlServer, Request
from understudy.recorder.held import HeldRecording, HeldStore
from understudy.sealing.canonical import canonical

replace = msgspec.structs.replace
ESCAPE = "\x1b[31m\u202ered"


class Desk:
    """A participant at the command line."""

    def __init__(self, world: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self.server: object = world.server
        self.ana = world.participant("ana")
        self._capsys = capsys

    def ask(self, *arguments: str, code: int = OK) -> Any:
        """Run ``understudy review ...`` and return what it printed as JSON."""
        assert self.type(*arguments, "--json") == code
        return json.loads(self.out)

    def type(self, *arguments: str) -> int:
        """Run ``understudy review ...``; what it says is in ``out`` and ``said``."""
        code = run(["review", *arguments, "--device", str(self.ana.device.home)])
        printed = self._capsys.readouterr()
        self.out, self.said = printed.out, printed.err
        return code

    @property
    def held(self) -> HeldStore:
        return HeldStore(self.ana.device)


@pytest.fixture
def desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    """A world of now; the command's connections lead to its server without HTTP."""
    with Simulator(tmp_path / "world", at=int(time.time())) as world:
        made = Desk(world, capsys)
        monkeypatch.setattr(review, "connect", lambda _address: made.server)
        yield made


@pytest.fixture
def running(desk: Desk) -> Iterator[HeldRecording]:
    """A recording that another process, here another store, is recording."""
    recording, _ = desk.ana.record()
    yield desk.ana.held.put(replace(recording, is_open=True), {})
    desk.ana.held.release()


class TestLooking:
    def test_the_list_says_what_is_held_and_until_when(self, desk: Desk) -> None:
        recording, payloads = desk.ana.record(2)
        shared = desk.ana.share()
        listed = desk.ask("list")
        (held,) = listed["held"]
        assert (held["recording"], held["actions"], held["segments"]) == (recording.recording, 4, 2)
        hold = desk.ana.device.document.delays.hold_seconds
        assert held["held_until"] == recording.ended_at + hold
        assert [entry["segment"] for entry in listed["outbox"]] == list(shared)
        assert desk.type("list") == OK
        assert recording.recording in desk.out
        assert "held until" in desk.out
        assert "1 segment(s) shared, 0 waiting" in desk.out
        assert desk.held.payloads(recording.recording) == payloads

    def test_nothing_held_is_said_too(self, desk: Desk) -> None:
        assert desk.type("list") == OK
        assert "nothing is held" in desk.out

    def test_a_damaged_recording_does_not_hide_the_others(self, desk: Desk) -> None:
        good, _ = desk.ana.record()
        bad, _ = desk.ana.record()
        folder = desk.ana.device.home / "held" / bad.recording
        for path in folder.glob("manifest.*"):
            path.write_bytes(b"x" * 4_000)
        listed = desk.ask("list")
        assert [item["recording"] for item in listed["held"]] == [good.recording]
        assert listed["damaged"] == [bad.recording]
        assert desk.type("delete", bad.recording, "--yes") == OK
        assert not folder.exists()

    def test_actions_are_shown_in_plain_words(self, desk: Desk) -> None:
        recording, _ = desk.ana.record(2)
        shown = desk.ask("show", recording.recording)
        said = [step["said"] for step in shown["steps"]]
        assert said[0] == "clicked field “Reference”"
        assert any(text.startswith("typed “") and "into field “Reference”" in text for text in said)
        assert [step["kind"] for step in shown["steps"]] == ["action"] * 4
        assert desk.type("show", recording.recording) == OK
        assert "0:00  clicked field “Reference”" in desk.out

    def test_recorded_names_cannot_steer_the_terminal(self, desk: Desk) -> None:
        """Titles and names come from pages; a page must not be able to write over what is shown."""
        recording, payloads = desk.ana.record(canaries=(ESCAPE,))
        desk.ana.held.keep(replace(recording, title=ESCAPE), payloads)
        for arguments in (("list",), ("show", recording.recording)):
            assert desk.type(*arguments) == OK
            assert "red" in desk.out
            assert "\x1b" not in desk.out
            assert "\u202e" not in desk.out

    def test_a_sheet_can_be_drawn(self, desk: Desk, tmp_path: Path) -> None:
        recording, _ = desk.ana.record(2)
        out = tmp_path / "sheet.png"
        assert desk.type("show", recording.recording, "--sheet", str(out)) == OK
        assert "in clear" in desk.said
        assert out.stat().st_mode & 0o777 == 0o600
        with Image.open(out) as drawn:
            assert drawn.format == "PNG"

    def test_a_gap_is_shown_where_it_is(self, desk: Desk) -> None:
        recording, _ = desk.ana.record(3)
        desk.ask("cut", recording.recording, "--from", "2", "--to", "5", "--yes")
        gaps = [
            (step["at_ms"], step["to_ms"])
            for step in desk.ask("show", recording.recording)["steps"]
            if step["kind"] == "gap"
        ]
        assert gaps == [(2_000, 4_000), (4_000, 5_000)]


class TestCutting:
    def test_without_yes_nothing_changes(self, desk: Desk) -> None:
        recording, payloads = desk.ana.record(2)
        told = desk.ask("cut", recording.recording, "--from", "0", "--to", "1.5")
        assert told["done"] is False
        assert told["removed"]["actions"] > 0
        assert desk.type("cut", recording.recording, "--from", "0", "--to", "1.5") == OK
        assert "repeat with --yes" in desk.out
        assert desk.held.payloads(recording.recording) == payloads

    def test_with_yes_the_stretch_is_gone(self, desk: Desk) -> None:
        recording, payloads = desk.ana.record(3)
        planned = desk.ask("cut", recording.recording, "--from", "1", "--to", "5")
        done = desk.ask("cut", recording.recording, "--from", "1", "--to", "5", "--yes")
        assert done == {**planned, "done": True}
        first, middle, last = (segment.segment for segment in recording.segments)
        after = desk.held.payloads(recording.recording)
        assert set(after) == {first, last}
        assert after[first] != payloads[first]
        assert after[last] != payloads[last]
        for payload in after.values():
            assert check(io.BytesIO(payload)).is_valid
        left = [path.name for path in (desk.ana.device.home / "held").rglob("*")]
        assert not [name for name in left if name.startswith(middle)]
        assert f"{first}.1" not in left
        assert desk.type("cut", recording.recording, "--from", "50", "--to", "60", "--yes") == OK
        assert "nothing of the recording lies there" in desk.out

    def test_cutting_everything_deletes_the_recording(self, desk: Desk) -> None:
        recording, _ = desk.ana.record()
        assert desk.ask("cut", recording.recording, "--from", "0", "--to", "999", "--yes")["deleted"]
        assert desk.held.names() == []

    @pytest.mark.parametrize(("begin", "end"), [("5", "5"), ("6", "5"), ("-1", "5"), ("nan", "5")])
    def test_a_stretch_that_is_none_is_refused(self, desk: Desk, begin: str, end: str) -> None:
        recording, _ = desk.ana.record()
        code = desk.type("cut", recording.recording, f"--from={begin}", f"--to={end}", "--yes")
        assert code == FAILED
        assert "understudy: error: a stretch begins" in desk.said

    def test_a_running_recording_is_not_cut(self, desk: Desk, running: HeldRecording) -> None:
        assert desk.type("cut", running.recording, "--from", "0", "--to", "1", "--yes") == REFUSED
        assert "still-recording" in desk.said


class TestDeleting:
    def test_without_yes_nothing_goes(self, desk: Desk) -> None:
        recording, _ = desk.ana.record()
        assert desk.ask("delete", recording.recording) == {"recordings": [recording.recording], "done": False}
        assert desk.held.names() == [recording.recording]

    def test_several_go_at_once_or_all(self, desk: Desk) -> None:
        names = [desk.ana.record()[0].recording for _ in range(4)]
        desk.ask("delete", *names[:2], "--yes")
        assert desk.held.names() == sorted(names[2:])
        assert sorted(desk.ask("delete", "--all", "--yes")["recordings"]) == sorted(names[2:])
        assert desk.held.names() == []

    def test_an_unknown_one_keeps_the_others(self, desk: Desk) -> None:
        recording, _ = desk.ana.record()
        assert desk.type("delete", recording.recording, "rec_" + "A" * 22, "--yes") == FAILED
        assert desk.type("delete", "--yes") == FAILED
        assert desk.type("delete", recording.recording, "--all", "--yes") == FAILED
        assert desk.held.names() == [recording.recording]

    def test_a_running_recording_stays(self, desk: Desk, running: HeldRecording) -> None:
        other, _ = desk.ana.record()
        assert desk.type("delete", running.recording, other.recording, "--yes") == REFUSED
        assert len(desk.held.names()) == 2
        assert desk.type("delete", "--all", "--yes") == OK
        assert f"left out {running.recording}" in desk.said
        assert desk.held.names() == [running.recording]


class TestSharing:
    def test_an_explicit_share_ends_the_hold(self, desk: Desk) -> None:
        recording, payloads = desk.ana.record(2)
        told = desk.ask("share", recording.recording, "--now")
        assert told == {"shared": list(payloads), "receipts": 2, "waiting": []}
        assert desk.held.names() == []
        assert set(desk.world.server.vault.headers(list(payloads))) == set(payloads)

    def test_what_is_not_due_waits(self, desk: Desk) -> None:
        """R-22: the hold window is the programme's."""
        hold = desk.ana.device.document.delays.hold_seconds
        assert hold >= 60
        recording, _ = desk.ana.record()
        assert desk.ask("share", "--due", "--now")["shared"] == []
        assert desk.held.names() == [recording.recording]
        old = replace(
            recording,
            segments=tuple(
                replace(
                    segment,
                    started_at=segment.started_at - hold - 60,
                    ended_at=segment.ended_at - hold - 60,
                )
                for segment in recording.segments
            ),
        )
        desk.ana.held.keep(old, desk.ana.held.payloads(recording.recording))
        assert desk.type("share", "--due", "--now") == REFUSED  # the leases do not cover that day
        assert desk.held.names() == []

    def test_all_leaves_out_what_is_being_recorded(self, desk: Desk, running: HeldRecording) -> None:
        _, payloads = desk.ana.record()
        assert desk.ask("share", "--all", "--now")["shared"] == list(payloads)
        assert f"left out {running.recording}" in desk.said
        assert desk.held.names() == [running.recording]

    def test_a_running_recording_is_not_shared_and_nothing_with_it(
        self, desk: Desk, running: HeldRecording
    ) -> None:
        other, _ = desk.ana.record()
        assert desk.type("share", other.recording, running.recording, "--now") == REFUSED
        assert "still-recording" in desk.said
        assert "understudy: hint: stop the recorder first" in desk.said
        assert set(desk.held.names()) == {other.recording, running.recording}
        assert desk.ana.outbox.entries() == []

    def test_one_whose_recorder_is_gone_is_closed_and_can_be_shared(
        self, desk: Desk, running: HeldRecording
    ) -> None:
        desk.ana.held.release()
        assert desk.type("share", running.recording, "--now") == OK
        assert f"closed {running.recording}" in desk.said
        assert desk.held.names() == []

    def test_an_interrupted_share_goes_on(self, desk: Desk) -> None:
        recording, payloads = desk.ana.record()

        def cut(*_: object) -> Any:
            raise UnavailableError("the line is cut")

        desk.server = between(desk.world.port, append_upload=cut)
        assert desk.type("share", recording.recording, "--now") == FAILED
        assert "1 segment(s) still wait" in desk.out
        desk.server = desk.world.server
        assert desk.ask("share", recording.recording, "--now")["shared"] == list(payloads)
        assert desk.ask("send")["shared"] == []

    def test_a_refused_segment_is_named_and_can_be_discarded(self, desk: Desk) -> None:
        recording, payloads = desk.ana.record()
        (segment,) = payloads

        def refuse(_: object) -> Any:
            raise RefusedError("lease-expired")

        desk.server = between(desk.world.port, begin_upload=refuse)
        assert desk.type("share", recording.recording, "--now") == REFUSED
        assert f"{segment}  refused: lease-expired" in desk.out
        assert segment in desk.said
        assert f"understudy review discard {segment}" in desk.said
        assert desk.ask("discard", segment) == {"segment": segment, "done": False}
        assert desk.ask("list")["outbox"][0]["state"] == "refused"
        assert desk.ask("discard", segment, "--yes") == {"segment": segment, "done": True}
        assert desk.ask("list")["outbox"] == []
        assert desk.type("discard", segment, "--yes") == FAILED

    @pytest.mark.parametrize(
        "arguments", [(), ("--all", "--due"), ("rec_" + "A" * 22, "--all"), ("rec_" + "A" * 22,)]
    )
    def test_sharing_needs_to_know_what(self, desk: Desk, arguments: tuple[str, ...]) -> None:
        desk.ana.record()
        assert desk.type("share", *arguments, "--now") == FAILED
        assert desk.ana.outbox.entries() == []


class TestForgetting:
    def test_the_last_minutes_go_from_everything_held(self, desk: Desk) -> None:
        now = int(time.time())
        old = _moved(desk.ana, now - 3_600)
        new = _moved(desk.ana, now - 30)
        both = _moved(desk.ana, now - 61, now - 30)
        told = desk.ask("forget", "--minutes", "1")
        assert set(told["recordings"]) == {new.recording, both.recording}
        assert set(desk.held.names()) == {old.recording, both.recording}
        (kept,) = desk.held.recording(both.recording).segments
        assert kept == replace(both.segments[0], revision=kept.revision)
        assert desk.held.recording(old.recording) == old

    def test_what_is_sealed_cannot_be_cut_and_is_named(self, desk: Desk) -> None:
        recording, _ = desk.ana.record()
        desk.ana.outbox.seal(desk.ana.held, recording)
        assert desk.type("forget", "--minutes", "5") == OK
        assert "1 sealed segment(s) wait" in desk.said

    @pytest.mark.usefixtures("running")
    def test_a_recorder_that_cannot_be_told_is_an_error(self, desk: Desk) -> None:
        other = _moved(desk.ana, int(time.time()) - 10)
        assert desk.type("forget", "--minutes", "5") == FAILED
        assert "a recording goes on" in desk.said
        assert other.recording not in desk.held.names()

    def test_a_recorder_is_told_before_anything_is_cut(self, desk: Desk, running: HeldRecording) -> None:
        other = _moved(desk.ana, int(time.time()) - 10)
        with _recorder(desk.ana.device.home) as asked:
            assert desk.type("forget", "--minutes", "5") == OK
        assert [(request.verb, request.minutes) for request in asked] == [("forget", 5)]
        assert desk.held.names() == [running.recording]
        assert other.recording not in desk.held.names()

    def test_no_time_is_no_order(self, desk: Desk) -> None:
        desk.ana.record()
        assert desk.type("forget", "--minutes", "0") == FAILED
        assert len(desk.held.names()) == 1


@contextmanager
def _recorder(home: Path) -> Iterator[list[Request]]:
    """Let the recorder's own socket answer, with nothing recorded behind it; yield what it was asked."""
    asked: list[Request] = []
    is_up, done = threading.Event(), threading.Event()

    async def handle(request: Request) -> Answer:
        asked.append(request)
        return Answer(state="recording")

    async def serve() -> None:
        server = ControlServer(home, handle, lambda: "recording")
        await server.start()
        is_up.set()
        await asyncio.to_thread(done.wait)
        await server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert is_up.wait(10)
        yield asked
    finally:
        done.set()
        thread.join()


def _moved(ana: Participant, *starts: int) -> HeldRecording:
    """Return a held recording whose segments begin at these times."""
    recording, _ = ana.record(len(starts))
    segments, payloads = [], {}
    for ordinal, (segment, start) in enumerate(zip(recording.segments, starts, strict=True)):
        segments.append(replace(segment, started_at=start, ended_at=start + 2))
        payloads[segment.segment] = synthetic_segment(
            1,
            recording=recording.recording,
            ordinal=ordinal,
            started_at=start,
            ended_at=start + 2,
            actions=2,
        )
    return ana.held.keep(replace(recording, segments=tuple(segments)), payloads)


def test_what_is_printed_of_a_recording_is_all_there_is(desk: Desk) -> None:
    """The list holds no lease and no salt: those are for ingest alone."""
    recording, _ = desk.ana.record()
    shown = json.dumps(desk.ask("list")).encode()
    assert recording.segments[0].salt.encode() not in shown
    assert canonical(recording.segments[0].coverage)[:60] not in shown
