"""Held recordings: whole or not at all, and for the participant's eyes only."""

import msgspec
import pytest

from tests.simulator import Participant, Simulator
from understudy.recorder.errors import HeldError
from understudy.recorder.held import HeldStore
from understudy.sealing.errors import SealError

CANARY = "zq-held-canary-7f3a"


def test_what_is_kept_is_what_comes_back(ana: Participant) -> None:
    recording, payloads = ana.record(2)
    again = HeldStore(ana.device)
    assert again.recordings() == [recording]
    assert again.payloads(recording.recording) == payloads


def test_the_disk_shows_random_ids_and_sizes(ana: Participant) -> None:
    """Title, times, contents and leases are under the personal key."""
    recording, _ = ana.record(canaries=(CANARY,))
    assert CANARY in recording.title
    files = [path for path in (ana.device.home / "held").iterdir() if path.is_file()]
    assert len(files) == 1
    stored = files[0].read_bytes()
    for needle in (CANARY, recording.application_group, recording.task_label, recording.segments[0].segment):
        assert needle.encode() not in stored
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_a_new_revision_replaces_the_old_one_as_a_whole(ana: Participant) -> None:
    recording, payloads = ana.record(2)
    kept = recording.segments[0]
    trimmed = msgspec.structs.replace(recording, segments=(kept,))
    ana.held.keep(trimmed, {kept.segment: payloads[kept.segment]})
    assert ana.held.recordings() == [trimmed]
    assert len(list((ana.device.home / "held").iterdir())) == 1


def test_a_crash_between_two_revisions_leaves_the_newer_one(ana: Participant) -> None:
    recording, payloads = ana.record(2)
    (old,) = (ana.device.home / "held").iterdir()
    before = old.read_bytes()
    kept = recording.segments[1]
    trimmed = msgspec.structs.replace(recording, segments=(kept,))
    ana.held.keep(trimmed, {kept.segment: payloads[kept.segment]})
    old.write_bytes(before)
    assert HeldStore(ana.device).recording(recording.recording) == trimmed
    ana.held.delete(recording.recording)
    assert HeldStore(ana.device).recordings() == []


def test_an_older_revision_cannot_stand_in_for_a_newer_one(ana: Participant) -> None:
    """A thief of the disk cannot bring back what was trimmed by renaming a file."""
    recording, payloads = ana.record()
    (old,) = (ana.device.home / "held").iterdir()
    before = old.read_bytes()
    ana.held.keep(recording, payloads)
    (new,) = (ana.device.home / "held").iterdir()
    new.write_bytes(before)
    with pytest.raises(SealError):
        ana.held.recording(recording.recording)


def test_another_participants_file_opens_nothing(world: Simulator, ana: Participant) -> None:
    recording, _ = ana.record()
    (mine,) = (ana.device.home / "held").iterdir()
    ben = world.participant("ben")
    (ben.device.home / "held" / mine.name).write_bytes(mine.read_bytes())
    with pytest.raises(SealError):
        ben.held.recording(recording.recording)


@pytest.mark.parametrize("cut", [0, 10, 1_200, -1])
def test_a_truncated_file_is_an_error(ana: Participant, cut: int) -> None:
    recording, _ = ana.record()
    (path,) = (ana.device.home / "held").iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SealError):
        ana.held.payloads(recording.recording)


def test_payloads_that_do_not_fit_are_refused_and_nothing_changes(ana: Participant) -> None:
    recording, payloads = ana.record(2)
    names = list(payloads)
    for wrong in ({}, {names[0]: b""}, {**payloads, "seg_" + "A" * 22: b""}):
        with pytest.raises(HeldError):
            ana.held.keep(recording, wrong)
    twice = msgspec.structs.replace(recording, segments=(recording.segments[0],) * 2)
    with pytest.raises(HeldError):
        ana.held.keep(twice, {names[0]: b""})
    assert ana.held.payloads(recording.recording) == payloads


def test_what_was_deleted_never_appears_upstream(ana: Participant) -> None:
    """R-22: deleting is one step."""
    recording, _ = ana.record()
    ana.held.delete(recording.recording)
    for again in (lambda: ana.outbox.seal(ana.held, recording), lambda: ana.held.delete(recording.recording)):
        with pytest.raises(HeldError):
            again()
    assert ana.outbox.entries() == []
    assert ana.send() == 0
