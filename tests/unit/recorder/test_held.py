"""Held recordings: the old state or the new one, never a mixture, and for the participant's eyes only."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.simulator import Participant, Simulator
from tests.unit.vault.full_disk import full_disk
from understudy.recorder.device import Device
from understudy.recorder.errors import HeldError
from understudy.recorder.held import HeldRecording, HeldStore
from understudy.sealing.errors import DurabilityError, SealError

CANARY = "zq-held-canary-7f3a"
LOCKS = {".lock", ".running"}

_CLAIM = """
import sys, time
from pathlib import Path
from msgspec.structs import replace
from understudy.recorder.device import Device
from understudy.recorder.held import HeldStore

held = HeldStore(Device(Path(sys.argv[1])))
held.put(held.recording(sys.argv[2]), {})
print("claimed", flush=True)
time.sleep(60)
"""

replace = msgspec.structs.replace


def files(participant: Participant, recording: HeldRecording) -> dict[str, Path]:
    """Return the files of one held recording by name."""
    folder = participant.device.home / "held" / recording.recording
    return {path.name: path for path in folder.iterdir() if path.name not in LOCKS}


def state(store: HeldStore, name: str) -> tuple[HeldRecording, dict[str, bytes]]:
    return store.recording(name), store.payloads(name)


class TestKeeping:
    def test_what_is_kept_is_what_comes_back(self, ana: Participant) -> None:
        recording, payloads = ana.record(2)
        again = HeldStore(ana.device)
        assert again.recordings() == [recording]
        assert again.names() == [recording.recording]
        assert again.payloads(recording.recording) == payloads
        last = recording.segments[1].segment
        assert again.payload(recording.recording, last) == payloads[last]

    def test_a_payload_is_read_at_random(self, ana: Participant) -> None:
        recording, payloads = ana.record()
        ((segment, payload),) = payloads.items()
        with ana.held.opened(recording.recording, segment) as source:
            assert source.seek(0, 2) == len(payload)
            assert source.seek(100) == 100
            assert source.read(50) == payload[100:150]
            assert source.read() == payload[150:]
            assert source.seek(-7, 2) == len(payload) - 7

    def test_the_disk_shows_random_ids_and_sizes(self, ana: Participant) -> None:
        """Title, times, contents and leases are under the personal key."""
        recording, _ = ana.record(2, canaries=(CANARY,))
        assert CANARY in recording.title
        stored = files(ana, recording)
        assert len(stored) == 3
        for path in stored.values():
            for needle in (CANARY, recording.application_group, recording.task_label, "lease"):
                assert needle.encode() not in path.read_bytes()
            assert path.stat().st_mode & 0o777 == 0o600

    def test_what_is_not_there_is_an_error(self, ana: Participant) -> None:
        recording, _ = ana.record()
        for name in ("rec_" + "A" * 22, "../held", "", ".", recording.recording + "/"):
            for call in (ana.held.recording, ana.held.payloads, ana.held.delete):
                with pytest.raises(HeldError):
                    call(name)
        with pytest.raises(HeldError), ana.held.opened(recording.recording, "seg_" + "A" * 22):
            pass

    def test_what_was_deleted_never_appears_upstream(self, ana: Participant) -> None:
        """R-22: deleting is one step."""
        recording, _ = ana.record()
        ana.held.delete(recording.recording)
        assert not (ana.device.home / "held" / recording.recording).exists()
        for again in (
            lambda: ana.outbox.seal(ana.held, recording),
            lambda: ana.held.delete(recording.recording),
        ):
            with pytest.raises(HeldError):
                again()
        assert ana.outbox.entries() == []
        assert ana.send() == 0


class TestChanging:
    def test_only_what_changed_is_written(self, ana: Participant) -> None:
        recording, payloads = ana.record(3)
        before = {name: path.stat().st_ino for name, path in files(ana, recording).items()}
        last = recording.segments[2]
        changed = ana.held.put(recording, {last.segment: b"longer"})
        after = {name: path.stat().st_ino for name, path in files(ana, recording).items()}
        untouched = {f"{segment.segment}.1" for segment in recording.segments[:2]}
        assert {name for name in after if before.get(name) == after[name]} == untouched
        assert set(after) == untouched | {"manifest.2", f"{last.segment}.2"}
        assert [segment.revision for segment in changed.segments] == [1, 1, 2]
        assert state(HeldStore(ana.device), recording.recording) == (
            changed,
            {**payloads, last.segment: b"longer"},
        )

    def test_segments_that_are_not_named_any_more_are_gone(self, ana: Participant) -> None:
        recording, payloads = ana.record(2)
        kept = recording.segments[1]
        trimmed = ana.held.put(replace(recording, segments=(kept,), title="trimmed"), {})
        assert state(ana.held, recording.recording) == (trimmed, {kept.segment: payloads[kept.segment]})
        assert set(files(ana, recording)) == {"manifest.2", f"{kept.segment}.1"}

    def test_a_recording_can_grow(self, ana: Participant) -> None:
        first, payloads = ana.record(2)
        one, two = first.segments
        name = first.recording
        ana.held.delete(name)
        made = ana.held.put(
            replace(first, revision=0, is_open=True, segments=(one,)), {one.segment: payloads[one.segment]}
        )
        made = ana.held.put(replace(made, segments=(one, two)), {two.segment: payloads[two.segment]})
        made = ana.held.put(replace(made, is_open=False), {})
        assert state(HeldStore(ana.device), name) == (made, payloads)
        assert made.revision == 3

    def test_a_change_of_another_state_than_the_held_one_is_refused(self, ana: Participant) -> None:
        """Two programs read, both change: the second has to look again."""
        recording, payloads = ana.record(2)
        ana.held.put(replace(recording, title="first"), {})
        with pytest.raises(HeldError, match="meanwhile"):
            HeldStore(ana.device).put(replace(recording, title="second"), {})
        ana.held.delete(recording.recording)
        with pytest.raises(HeldError, match="meanwhile"):
            ana.held.put(recording, payloads)
        assert ana.held.recordings() == []

    def test_payloads_that_do_not_fit_are_refused_and_nothing_changes(self, ana: Participant) -> None:
        recording, payloads = ana.record(2)
        before = state(ana.held, recording.recording)
        strange = replace(recording.segments[0], segment="seg_" + "A" * 22)
        moved = replace(recording.segments[0], ended_at=recording.segments[0].ended_at + 1)
        one, two = recording.segments
        for segments, changed in (
            ((one, two), {**payloads, "seg_" + "A" * 22: b""}),
            ((one, one), {}),
            ((one, one), payloads),
            ((one, two, strange), {}),
            ((moved, two), {}),
        ):
            with pytest.raises(HeldError, match="do not match"):
                ana.held.put(replace(recording, segments=segments), changed)
        with pytest.raises(HeldError):
            ana.held.keep(recording, {one.segment: b""} | {"seg_" + "B" * 22: b""})
        assert state(ana.held, recording.recording) == before

    def test_keeping_again_replaces_whatever_was_held(self, ana: Participant) -> None:
        recording, payloads = ana.record(2)
        again = ana.held.keep(replace(recording, revision=0, title="again"), payloads)
        assert again.revision == 2
        assert ana.held.recordings() == [again]


class TestOpenRecordings:
    @pytest.fixture
    def running(self, ana: Participant) -> HeldRecording:
        recording, _ = ana.record()
        return ana.held.put(replace(recording, is_open=True), {})

    def test_belong_to_who_records_them(self, ana: Participant, running: HeldRecording) -> None:
        other = HeldStore(ana.device)
        assert other.is_running(running.recording)
        assert ana.held.is_running(running.recording)
        assert other.recordings() == [running]
        for change in (
            lambda: other.put(replace(running, title="mine"), {}),
            lambda: other.keep(running, other.payloads(running.recording)),
            lambda: other.delete(running.recording),
        ):
            with pytest.raises(HeldError, match="recording or sealing"):
                change()
        assert other.close_abandoned() == []
        assert other.recordings() == [running]

    def test_are_everybodys_once_they_are_closed(self, ana: Participant, running: HeldRecording) -> None:
        closed = ana.held.put(replace(running, is_open=False), {})
        other = HeldStore(ana.device)
        assert not other.is_running(running.recording)
        other.put(replace(closed, title="looked at"), {})
        other.delete(running.recording)

    def test_of_a_process_that_is_gone_are_closed_by_whoever_looks(
        self, ana: Participant, running: HeldRecording
    ) -> None:
        ana.held.release()
        other = HeldStore(ana.device)
        assert not other.is_running(running.recording)
        assert other.close_abandoned() == [running.recording]
        (closed,) = other.recordings()
        assert (closed.is_open, closed.segments) == (False, running.segments)
        assert other.close_abandoned() == []

    def test_are_claimed_while_they_are_sealed_too(self, ana: Participant) -> None:
        recording, _ = ana.record()
        other = HeldStore(ana.device)
        with ana.held.claimed(recording.recording):
            with pytest.raises(HeldError, match="recording or sealing"):
                other.put(recording, {})
            with pytest.raises(HeldError, match="recording or sealing"), other.claimed(recording.recording):
                pass
        changed = other.put(recording, {})
        with pytest.raises(HeldError, match="changed meanwhile"):
            ana.outbox.seal(ana.held, recording)
        with pytest.raises(HeldError), ana.held.claimed("rec_" + "A" * 22):
            pass
        assert ana.outbox.seal(ana.held, changed)

    def test_are_not_sealed(self, ana: Participant, running: HeldRecording) -> None:
        with pytest.raises(HeldError, match="being recorded"):
            ana.outbox.seal(ana.held, running)

    def test_end_with_the_process_that_records_them(self, ana: Participant) -> None:
        """Killed, not closed: the kernel gives the claim back."""
        recording, _ = ana.record()
        ana.held.put(replace(recording, is_open=True), {})
        ana.held.release()
        child = subprocess.Popen(
            [sys.executable, "-c", _CLAIM, str(ana.device.home), recording.recording],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        with child:
            assert child.stdout.readline() == b"claimed\n"
            store = HeldStore(ana.device)
            assert store.is_running(recording.recording)
            assert store.close_abandoned() == []
            child.kill()
        assert store.close_abandoned() == [recording.recording]

    def test_can_be_deleted_by_who_records_them(self, ana: Participant, running: HeldRecording) -> None:
        ana.held.delete(running.recording)
        assert list((ana.device.home / "held").glob("rec_*")) == []


class TestDamage:
    """What a thief or a failing disk does to the files is found out, by name of file or by seal."""

    def test_an_older_revision_cannot_stand_in_for_a_newer_one(self, ana: Participant) -> None:
        """Nobody without the key brings back what was trimmed by renaming a file."""
        recording, payloads = ana.record()
        old = {name.partition(".")[0]: path.read_bytes() for name, path in files(ana, recording).items()}
        ana.held.put(recording, dict.fromkeys(payloads, b"trimmed"))
        for name, path in files(ana, recording).items():
            good = path.read_bytes()
            path.write_bytes(old[name.partition(".")[0]])
            with pytest.raises(SealError):
                ana.held.payloads(recording.recording)
            path.write_bytes(good)
        assert ana.held.payloads(recording.recording) == dict.fromkeys(payloads, b"trimmed")

    def test_no_file_passes_for_another(self, ana: Participant) -> None:
        recording, _ = ana.record(2)
        stored = files(ana, recording)
        for here in stored.values():
            good = here.read_bytes()
            for there in stored.values():
                if there != here:
                    here.write_bytes(there.read_bytes())
                    with pytest.raises(SealError):
                        ana.held.payloads(recording.recording)
            here.write_bytes(good)

    def test_another_participants_files_open_nothing(self, world: Simulator, ana: Participant) -> None:
        recording, _ = ana.record()
        ben = world.participant("ben")
        shutil.copytree(
            ana.device.home / "held" / recording.recording, ben.device.home / "held" / recording.recording
        )
        for call in (ben.held.recording, ben.held.payloads):
            with pytest.raises(SealError):
                call(recording.recording)
        # What cannot be judged is not tidied away, and can be deleted.
        HeldStore(ben.device)
        assert len(files(ben, recording)) == 2
        ben.held.delete(recording.recording)
        assert ben.held.names() == []

    @pytest.mark.parametrize("cut", [0, 10, 1_200, -1])
    def test_a_truncated_file_is_an_error(self, ana: Participant, cut: int) -> None:
        recording, _ = ana.record()
        for path in files(ana, recording).values():
            good = path.read_bytes()
            path.write_bytes(good[:cut])
            with pytest.raises(SealError):
                ana.held.payloads(recording.recording)
            path.write_bytes(good)

    def test_a_missing_segment_is_an_error(self, ana: Participant) -> None:
        recording, _ = ana.record(2)
        files(ana, recording)[f"{recording.segments[1].segment}.1"].unlink()
        with pytest.raises(SealError):
            ana.held.payloads(recording.recording)
        ana.held.delete(recording.recording)


class TestCrashes:
    """Killed before any step that touches the disk: the next opening finds the old state or the new one."""

    def test_killed_anywhere_a_change_is_whole_or_not_there(
        self, ana: Participant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, payloads = ana.record(3)
        before = state(ana.held, recording.recording)
        grown = replace(recording, segments=recording.segments[1:], title="changed")
        names = [segment.segment for segment in grown.segments]
        contents = dict.fromkeys(names, b"after")
        copies = _copied_at_every_step(ana, tmp_path, monkeypatch, lambda: ana.held.put(grown, contents))
        after = state(ana.held, recording.recording)
        assert after[1] == contents
        assert after[1] != payloads
        found = [_found(copy, recording.recording) for copy in copies]
        assert len(found) > 15
        turn = found.index(after)
        assert found[:turn] == [before] * turn
        assert found[turn:] == [after] * (len(found) - turn)
        assert 0 < turn < len(found) - 1

    def test_killed_anywhere_a_new_recording_is_whole_or_not_there(
        self, ana: Participant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, payloads = ana.record(2)
        ana.held.delete(recording.recording)
        fresh = replace(recording, revision=0, is_open=True)
        copies = _copied_at_every_step(ana, tmp_path, monkeypatch, lambda: ana.held.put(fresh, payloads))
        found = [_found(copy, recording.recording) for copy in copies]
        whole = [item for item in found if item is not None]
        assert 0 < len(whole) < len(found)
        assert found[: -len(whole)] == [None] * (len(found) - len(whole))
        assert all(item[1] == payloads for item in whole)

    def test_killed_anywhere_a_deleted_recording_is_whole_or_gone(
        self, ana: Participant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, payloads = ana.record(2)
        copies = _copied_at_every_step(
            ana, tmp_path, monkeypatch, lambda: ana.held.delete(recording.recording)
        )
        found = [_found(copy, recording.recording) for copy in copies]
        assert found[0] == (recording, payloads)
        assert found[-1] is None
        gone = found.index(None)
        assert found[gone:] == [None] * (len(found) - gone)

    @pytest.mark.parametrize("after", [0, 700, 2_000, 40_000])
    def test_a_full_disk_leaves_what_was_held(self, ana: Participant, after: int) -> None:
        recording, payloads = ana.record(2)
        before = state(ana.held, recording.recording)
        longer = {name: payload * 40 for name, payload in payloads.items()}
        assert min(map(len, longer.values())) > 40_000
        with full_disk(after), pytest.raises(DurabilityError):
            ana.held.put(recording, longer)
        assert state(ana.held, recording.recording) == before
        assert state(HeldStore(ana.device), recording.recording) == before
        assert len(files(ana, recording)) == 3
        ana.held.put(recording, longer)
        assert ana.held.payloads(recording.recording) == longer

    def test_what_cannot_be_removed_now_is_removed_at_the_next_opening(
        self, ana: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, payloads = ana.record()
        real, stuck = os.unlink, f"{recording.segments[0].segment}.1"

        def unlink(path: Any, *rest: Any, **named: Any) -> None:
            if Path(path).name == stuck:
                raise PermissionError(1, "no")
            real(path, *rest, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", unlink)
            with pytest.raises(DurabilityError):
                ana.held.put(recording, dict.fromkeys(payloads, b"new"))
        assert stuck in files(ana, recording)
        assert HeldStore(ana.device).payloads(recording.recording) == dict.fromkeys(payloads, b"new")
        assert stuck not in files(ana, recording)


def _copied_at_every_step(
    ana: Participant, folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]
) -> list[Path]:
    """Return copies of the device's folder from before each step of ``change``, and one from after it."""
    copies: list[Path] = []

    def copy() -> None:
        copies.append(folder / f"copy-{len(copies)}")
        shutil.copytree(ana.device.home, copies[-1])

    def stepped(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **named: Any) -> Any:
            copy()
            return call(*args, **named)

        return step

    with monkeypatch.context() as patch:
        for name in ("fsync", "link", "unlink", "replace", "rmdir"):
            patch.setattr(os, name, stepped(getattr(os, name)))
        change()
    copy()
    return copies


def _found(home: Path, name: str) -> tuple[HeldRecording, dict[str, bytes]] | None:
    """Return what a device finds that starts with these files, after checking that nothing else is there."""
    store = HeldStore(Device(home))
    if name not in store.names():
        assert not (home / "held" / name).exists()
        return None
    found = state(store, name)
    named = {f"manifest.{found[0].revision}"}
    named |= {f"{segment.segment}.{segment.revision}" for segment in found[0].segments}
    assert {path.name for path in (home / "held" / name).iterdir()} - LOCKS == named
    return found
