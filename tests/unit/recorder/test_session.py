"""A whole recorder on a real desktop: what it takes, what it refuses, what is left when something breaks."""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.desktop import desktop
from tests.lines import between
from tests.simulator import Participant, Simulator
from tests.unit.recorder.stage import Recorder, Stage, at, participant, programme
from tests.unit.vault.full_disk import full_disk
from understudy.consent.errors import ConflictError, RefusedError, UnavailableError
from understudy.demo.desktop import Desktop
from understudy.formats.elements import Box
from understudy.formats.raw.events import KEYS, KeyPress
from understudy.formats.recording.actions import Type, act_of
from understudy.formats.recording.manifest import Outcome
from understudy.formats.recording.stretch import Stretch
from understudy.recorder.errors import CaptureError, ControlError, FailedRedactionError
from understudy.recorder.held import HeldStore
from understudy.recorder.indicator import MARGIN
from understudy.redaction.errors import RedactionError, SpecialCategory
from understudy.redaction.redactor import Redacted, Redactor
from understudy.sealing.errors import DurabilityError

__all__ = ["desktop"]

TEXT = "Twelve chairs"
PASSWORD = "hunter2-Zebra"


@pytest.fixture(scope="module")
def stage(desktop: Desktop) -> Iterator[Stage]:
    """Return a browser on the desktop, showing a form."""
    with at(desktop), Stage(desktop) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Return a programme for all participants of this module."""
    with programme(tmp_path_factory.mktemp("programme") / "world") as made:
        yield made


@pytest.fixture
def ana(shared: Simulator, request: pytest.FixtureRequest) -> Participant:
    """Return a participant for one test."""
    return participant(shared, f"p{abs(hash(request.node.name))}")


@pytest.fixture
def recorder(stage: Stage, shared: Simulator, ana: Participant) -> Iterator[Recorder]:
    """Return a recorder that is recording a fresh page."""
    stage.reload()
    with Recorder(shared, ana, display=stage.desktop.display) as running:
        running.wait_for("recording")
        yield running


def nothing_written(who: Participant) -> bool:
    """Whether no raw file and nothing held lies on the device."""
    folders = [who.device.home / name for name in ("raw", "held")]
    return not any(
        path
        for folder in folders
        if folder.exists()
        for path in folder.rglob("*")
        if path.is_file() and path.name[0] != "."
    )


class TestRecording:
    def test_what_is_done_on_the_page_is_what_is_held(self, stage: Stage, recorder: Recorder) -> None:
        time.sleep(0.5)
        stage.fill("article", TEXT)
        stage.click("send")
        time.sleep(0.6)
        summary = recorder.stop()
        taken = [
            (act_of(action), tree and tree.elements[action.target or 0].name)
            for action, tree in recorder.actions()
        ]
        assert taken == [("click", "Article"), ("type", "Article"), ("click", "Send order")]
        typed = next(action for action, _ in recorder.actions() if isinstance(action, Type))
        assert (typed.text, typed.value) == (TEXT, TEXT)
        assert summary.tally.actions == 3
        assert summary.tally.pointer_before == summary.tally.pointer_actions == 2
        assert recorder.stretches()[-1].frames
        assert not recorder.held[-1].is_open

    def test_a_password_is_one_act_and_no_part_of_it_is_anywhere(
        self, stage: Stage, recorder: Recorder
    ) -> None:
        time.sleep(0.5)
        stage.fill("secret", PASSWORD)
        stage.hands.press("Enter")
        time.sleep(0.6)
        recorder.stop()
        acts = [action for action, _ in recorder.actions()]
        assert [act_of(action) for action in acts] == ["click", "fill_secret", "key"]
        assert recorder.raw is not None
        items = recorder.raw.items()
        typed = "".join(
            chr(item.keysym) for item in items if isinstance(item, KeyPress) and item.keysym < 0x100
        )
        store = HeldStore(recorder.who.device)
        told = repr([recorder.stretches(), items, [stretch.trees for stretch in recorder.stretches()]])
        payloads = b"".join(store.payloads(recorder.held[-1].recording).values())
        for place in range(len(PASSWORD) - 3):
            gram = PASSWORD[place : place + 4]
            assert gram not in typed
            assert gram not in told
            assert gram.encode() not in payloads

    def test_the_search_above_finds_what_is_there(self, stage: Stage, recorder: Recorder) -> None:
        """The control: the same search over a text that is no secret."""
        time.sleep(0.5)
        stage.fill("article", PASSWORD)
        time.sleep(0.6)
        recorder.stop()
        assert recorder.raw is not None
        items = recorder.raw.items()
        typed = "".join(
            chr(item.keysym) for item in items if isinstance(item, KeyPress) and item.keysym < 0x100
        )
        assert PASSWORD[:4] in typed
        assert PASSWORD[:4] in repr(items)

    def test_a_site_that_is_not_listed_leaves_no_event(self, stage: Stage, recorder: Recorder) -> None:
        stage.reload(stage.address.replace("127.0.0.1", "localhost"))
        recorder.wait_for("outside")
        assert recorder.raw is not None
        before = [item for item in recorder.raw.items() if isinstance(item, KEYS)]
        stage.fill("article", TEXT)
        stage.click("send")
        time.sleep(0.4)
        recorder.stop()
        assert [item for item in recorder.raw.items() if isinstance(item, KEYS)] == before
        assert recorder.actions() == []
        assert TEXT not in repr(recorder.raw.items())
        assert any(stretch.gaps for stretch in recorder.stretches())

    def test_a_task_is_a_recording_from_begin_to_end(
        self, stage: Stage, shared: Simulator, ana: Participant
    ) -> None:
        stage.reload()
        with Recorder(shared, ana, display=stage.desktop.display, waits=True) as running:
            assert running.said == [("ready", None)]
            stage.fill("article", "before")
            assert nothing_written(ana)
            with pytest.raises(ControlError):
                running.control.end()
            begun = running.control.begin(title="A task", task="order", instruction="Order twelve chairs")
            with pytest.raises(ControlError):
                running.control.begin()
            running.wait_for("recording")
            time.sleep(0.4)
            stage.click("send")
            ended = running.control.end(Outcome.SUCCEEDED)
            assert ended.recording == begun.recording
            assert (ended.actions, ended.segments, ended.state) == (1, 1, "ready")
            held = HeldStore(ana.device)
            (recording,) = held.recordings()
            assert (recording.recording, recording.title, recording.is_open) == (
                begun.recording,
                "A task",
                False,
            )
            stage.fill("article", "between")
            second = running.control.begin(task="order").recording
            assert running.control.end().recording == second
            summary = running.stop()
        assert summary.recordings == (begun.recording, second)
        assert "before" not in repr(running.stretches(0))
        assert "between" not in repr(running.actions(1))


class TestHoldingUp:
    def test_a_pause_records_nothing_and_leaves_a_gap(self, stage: Stage, recorder: Recorder) -> None:
        time.sleep(0.4)
        stage.click("article")
        time.sleep(0.7)
        assert recorder.control.pause().state == "paused"
        assert recorder.raw is not None
        assert recorder.session is not None
        assert recorder.session._children.doing == "paused"  # noqa: SLF001
        before = len(recorder.raw.items())
        stage.fill("article", "unseen")
        assert len(recorder.raw.items()) == before
        time.sleep(1.0)
        recorder.control.resume()
        recorder.wait_for("recording")
        time.sleep(0.4)
        stage.click("send")
        time.sleep(0.6)
        recorder.stop()
        assert [act_of(action) for action, _ in recorder.actions()] == ["click", "click"]
        first, second = recorder.held[-1].segments
        assert second.started_at >= first.ended_at
        length = (first.ended_at - first.started_at) * 1_000
        assert recorder.stretches()[0].gaps[-1].to_ms == length

    def test_the_indicators_button_pauses_and_resumes(self, stage: Stage, recorder: Recorder) -> None:
        button = Box(stage.desktop.screen.width - MARGIN - 60, MARGIN + 6, 40, 14)
        stage.hands.click(button)
        recorder.wait_for("paused", seconds=3)
        stage.hands.click(button)
        recorder.wait_for("recording", seconds=3)
        recorder.stop()
        assert recorder.actions() == []

    def test_forgetting_takes_back_what_was_held_and_goes_on(self, stage: Stage, recorder: Recorder) -> None:
        time.sleep(0.4)
        stage.fill("article", TEXT)
        time.sleep(0.6)
        recorder.control.forget(1)
        assert recorder.wait_for("recording") < 5
        time.sleep(1.5)
        stage.click("send")
        time.sleep(0.6)
        recorder.stop()
        assert [act_of(action) for action, _ in recorder.actions()] == ["click"]
        assert TEXT not in repr([action for action, _ in recorder.actions()])

    def test_without_a_server_it_ends_with_the_lease_and_goes_on_with_the_next(
        self, stage: Stage, shared: Simulator, ana: Participant
    ) -> None:
        cut = False

        def lease(request: Any) -> Any:
            if cut:
                raise UnavailableError("no server")
            return shared.port.lease(request)

        stage.reload()
        server = between(shared.port, lease=lease)
        with Recorder(shared, ana, display=stage.desktop.display, server=server) as running:
            assert running.session is not None
            running.wait_for("recording")
            cut = True
            stage.click("article")
            running.wait_for("waiting", seconds=12)
            assert running.raw is not None
            before = len(running.raw.items())
            stage.fill("article", "unseen")
            assert len(running.raw.items()) == before
            cut = False
            running.wait_for("recording", seconds=15)
            time.sleep(0.5)
            stage.click("send")
            time.sleep(0.6)
            running.stop()
            assert running.error is None
            assert [act_of(action) for action, _ in running.actions()] == ["click", "click"]
            assert len(running.held[-1].segments) == 2


class TestBreaking:
    def test_without_the_indicator_nothing_more_is_recorded(self, stage: Stage, recorder: Recorder) -> None:
        time.sleep(0.4)
        stage.click("article")
        time.sleep(1.0)
        assert recorder.session is not None
        assert recorder.raw is not None
        os.kill(recorder.session._children.indicator.child.pid, signal.SIGKILL)  # noqa: SLF001
        stage.fill("article", TEXT)
        recorder.join()
        assert isinstance(recorder.error, CaptureError)
        assert "indicator" in str(recorder.error)
        assert TEXT not in repr(recorder.raw.items())
        assert not [item for item in recorder.raw.items() if isinstance(item, KEYS)]
        assert [act_of(action) for action, _ in recorder.actions()] == ["click"]
        assert not recorder.held[-1].is_open

    def test_an_indicator_that_hangs_holds_it_up_until_it_beats_again(
        self, stage: Stage, recorder: Recorder
    ) -> None:
        assert recorder.session is not None
        assert recorder.raw is not None
        pid = recorder.session._children.indicator.child.pid  # noqa: SLF001
        os.kill(pid, signal.SIGSTOP)
        try:
            recorder.wait_for("waiting", seconds=6)
            before = len(recorder.raw.items())
            stage.fill("article", "unseen")
            assert len(recorder.raw.items()) == before
        finally:
            os.kill(pid, signal.SIGCONT)
        recorder.wait_for("recording", seconds=6)

    def test_without_capture_what_was_written_is_held_and_the_rest_is_a_gap(
        self, stage: Stage, recorder: Recorder
    ) -> None:
        time.sleep(0.4)
        stage.click("article")
        time.sleep(1.5)
        assert recorder.session is not None
        os.kill(recorder.session._children.capture.child.pid, signal.SIGKILL)  # noqa: SLF001
        recorder.join()
        assert isinstance(recorder.error, CaptureError)
        assert [act_of(action) for action, _ in recorder.actions()] == ["click"]
        last, segment = recorder.stretches()[-1], recorder.held[-1].segments[-1]
        assert last.gaps[-1].to_ms == (segment.ended_at - segment.started_at) * 1_000
        assert not recorder.held[-1].is_open

    def test_a_disk_that_is_full_while_holding_ends_it_and_leaves_what_was_held(
        self, stage: Stage, shared: Simulator, recorder: Recorder
    ) -> None:
        time.sleep(0.4)
        stage.click("article")
        time.sleep(0.8)
        recorder.control.pause()  # holds what there is
        recorder.control.resume()
        recorder.wait_for("recording")
        before = recorder.stretches()
        time.sleep(0.5)
        stage.click("send")
        time.sleep(0.8)
        with full_disk():
            with pytest.raises(ControlError, match="not written"):
                recorder.control.end()
            recorder.join()
        assert isinstance(recorder.error, DurabilityError)
        assert recorder.stretches() == before
        assert [act_of(action) for action, _ in recorder.actions()] == ["click"]
        with Recorder(shared, recorder.who, display=stage.desktop.display) as again:
            again.wait_for("recording")
            assert again.raw is not None
            assert [path.name for path in again.raw.folder.iterdir()] == again.raw.names

    def test_a_disk_that_is_full_for_capture_ends_it_and_what_was_written_is_held(
        self, stage: Stage, recorder: Recorder
    ) -> None:
        time.sleep(0.4)
        stage.click("article")
        time.sleep(1.5)
        assert recorder.session is not None
        assert recorder.raw is not None
        pid = recorder.session._children.capture.child.pid  # noqa: SLF001
        size = recorder.raw.path(recorder.raw.names[-1]).stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 10, size + 10))
        stage.click("send")
        recorder.join()
        assert isinstance(recorder.error, CaptureError)
        assert recorder.error.hint
        assert [act_of(action) for action, _ in recorder.actions()] == ["click"]
        last, segment = recorder.stretches()[-1], recorder.held[-1].segments[-1]
        assert last.gaps[-1].to_ms == (segment.ended_at - segment.started_at) * 1_000
        assert not recorder.held[-1].is_open

    def test_a_capture_that_hangs_is_ended(self, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("understudy.recorder.link.ANSWER_SECONDS", 1.0)
        assert recorder.session is not None
        pid = recorder.session._children.capture.child.pid  # noqa: SLF001
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(ControlError):
                recorder.control.pause()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        recorder.join()
        assert isinstance(recorder.error, CaptureError)

    @pytest.mark.parametrize("how", ["raises", "defect", "special"])
    def test_what_cannot_be_redacted_is_not_held(
        self, stage: Stage, shared: Simulator, ana: Participant, how: str
    ) -> None:
        class Broken(Redactor):
            def redact(self, stretch: Stretch) -> Redacted:
                if not stretch.actions:
                    return super().redact(stretch)
                if how == "raises":
                    raise RedactionError("the redactor is broken")
                if how == "special":
                    raise SpecialCategory
                raise ZeroDivisionError

        stage.reload()
        with Recorder(shared, ana, display=stage.desktop.display, redactor=Broken) as running:
            running.wait_for("recording")
            time.sleep(0.4)
            stage.fill("article", TEXT)
            time.sleep(0.5)
            running.stop()
        assert running.actions() == []
        assert TEXT not in repr(running.stretches())
        assert all(stretch.gaps for stretch in running.stretches())

    def test_a_redactor_that_keeps_failing_ends_the_session(
        self, stage: Stage, shared: Simulator, ana: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Broken(Redactor):
            def learn(self, stretch: Stretch, **_: str | None) -> bool:
                raise RedactionError(f"the redactor is broken for {len(stretch.actions)} actions")

        monkeypatch.setattr("understudy.recorder.running.TOO_MANY_FAILURES", 1)
        stage.reload()
        with Recorder(shared, ana, display=stage.desktop.display, redactor=Broken) as running:
            running.wait_for("recording")
            time.sleep(0.4)
            stage.click("send")
            time.sleep(0.8)
            with pytest.raises(ControlError, match="redaction fails"):
                running.control.pause()
            running.join()
        assert isinstance(running.error, FailedRedactionError)
        assert running.actions() == []

    def test_a_window_that_is_destroyed_between_press_and_release_is_no_end(
        self, stage: Stage, shared: Simulator, ana: Participant
    ) -> None:
        with Recorder(shared, ana, display=stage.desktop.display) as running:
            running.wait_for("recording", "outside")
            with Stage(stage.desktop) as other:
                running.wait_for("recording")
                time.sleep(0.5)
                other.hands.move(other.box("send"))
                other.display.fake(4, 1)
                other.browser.close()
            stage.display.fake(5, 1)
            time.sleep(0.5)
            running.stop()
        assert running.error is None
        assert not running.held[-1].is_open


class TestNoStart:
    def test_a_second_recorder_on_one_device_is_refused(
        self, stage: Stage, shared: Simulator, recorder: Recorder
    ) -> None:
        second = Recorder(shared, recorder.who, display=stage.desktop.display).start()
        second.join()
        assert isinstance(second.error, ConflictError)
        assert recorder.control.status().state == "recording"

    @pytest.mark.parametrize("missing", ["display", "bus"])
    def test_without_display_or_accessibility_nothing_begins(
        self, stage: Stage, shared: Simulator, ana: Participant, monkeypatch: pytest.MonkeyPatch, missing: str
    ) -> None:
        display = ":77" if missing == "display" else stage.desktop.display
        if missing == "bus":
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        running = Recorder(shared, ana, display=display).start()
        running.join()
        assert isinstance(running.error, CaptureError)
        said = f"{running.error} {running.error.hint}"
        assert ("display" if missing == "display" else "accessibility") in said
        assert nothing_written(ana)

    def test_without_a_lease_nothing_begins(self, stage: Stage, shared: Simulator, ana: Participant) -> None:
        def lease(_request: Any) -> Any:
            raise RefusedError("switch-off")

        server = between(shared.port, lease=lease)
        running = Recorder(shared, ana, display=stage.desktop.display, server=server).start()
        running.join()
        assert isinstance(running.error, RefusedError)
        assert running.raw is None
        assert nothing_written(ana)
