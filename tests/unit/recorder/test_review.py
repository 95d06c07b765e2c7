"""Review: plans say what would go, and only that goes."""

import msgspec
import pytest

from tests.simulator import Participant
from understudy.consent.errors import RefusedError
from understudy.recorder.errors import HeldError
from understudy.recorder.review import (
    forget_since,
    is_due,
    listed,
    plan_cut,
    plan_forget,
    require_closed,
    steps,
)
from understudy.sealing.errors import SealError

CANARY = "zq-review-canary-5d1c"
replace = msgspec.structs.replace


def test_a_list_says_how_long_it_is_held(ana: Participant) -> None:
    recording, _ = ana.record(2)
    shown = listed(ana.held, recording, 100)
    assert (shown.actions, shown.segments, shown.is_open) == (4, 2, False)
    assert shown.held_until == recording.ended_at + 100
    running = ana.held.put(replace(recording, is_open=True), {})
    assert listed(ana.held, running, 100).held_until is None


def test_a_recording_is_due_when_its_hold_has_passed(ana: Participant) -> None:
    recording, _ = ana.record()
    assert not is_due(recording, 100, recording.ended_at + 99)
    assert is_due(recording, 100, recording.ended_at + 100)
    assert not is_due(replace(recording, is_open=True), 100, recording.ended_at + 10_000)


def test_what_is_being_recorded_is_not_changed(ana: Participant) -> None:
    recording, _ = ana.record()
    running = ana.held.put(replace(recording, is_open=True), {})
    for change in (
        lambda: require_closed(running),
        lambda: plan_cut(ana.held, running, 0, 1),
        lambda: plan_forget(ana.held, running, 0),
    ):
        with pytest.raises(RefusedError) as caught:
            change()
        assert caught.value.reason == "still-recording"
        assert caught.value.hint
    assert forget_since(ana.held, 0) == []
    assert ana.held.recordings() == [running]


def test_a_plan_changes_nothing_until_it_is_applied(ana: Participant) -> None:
    recording, payloads = ana.record(3, canaries=(CANARY,))
    plan = plan_cut(ana.held, recording, 1.0, 3.0)
    assert ana.held.payloads(recording.recording) == payloads
    assert plan.removed.actions > 0
    after = plan.apply(ana.held)
    assert after == ana.held.recording(recording.recording)
    before = sum(1 for step in steps_of_payloads(ana, recording.recording) if step == "action")
    assert before == 9 - plan.removed.actions


def steps_of_payloads(ana: Participant, name: str) -> list[str]:
    return [step.kind for step in steps(ana.held, ana.held.recording(name))]


def test_a_plan_for_another_state_is_not_applied(ana: Participant) -> None:
    """Somebody cut the recording while the person looked at the plan."""
    recording, _ = ana.record(3)
    plan, other = plan_cut(ana.held, recording, 0, 1), plan_cut(ana.held, recording, 2, 3)
    held = other.apply(ana.held)
    with pytest.raises(HeldError, match="meanwhile"):
        plan.apply(ana.held)
    assert ana.held.recordings() == [held]


def test_cutting_all_of_it_deletes_it(ana: Participant) -> None:
    recording, _ = ana.record(2)
    plan = plan_cut(ana.held, recording, 0, 4)
    assert plan.leaves_nothing
    assert plan.apply(ana.held) is None
    assert ana.held.names() == []


def test_cutting_nothing_changes_nothing(ana: Participant) -> None:
    recording, _ = ana.record()
    plan = plan_cut(ana.held, recording, 100, 200)
    assert not plan.edits
    assert plan.apply(ana.held) == recording
    assert ana.held.recordings() == [recording]


def test_steps_run_on_over_segments_and_name_what_is_missing(ana: Participant) -> None:
    recording, _ = ana.record(3)
    held = plan_cut(ana.held, recording, 2, 4).apply(ana.held)
    assert held is not None
    told = list(steps(ana.held, held))
    assert [(step.at_ms, step.to_ms) for step in told if step.kind == "gap"] == [(2_000, 4_000)]
    times = [step.at_ms for step in told]
    assert times == sorted(times)
    assert {step.segment for step in told} == {segment.segment for segment in held.segments}
    assert max(times) >= 4_000


def test_forgetting_takes_the_newest_and_leaves_the_rest(ana: Participant) -> None:
    first, payloads = ana.record(2)
    second, _ = ana.record(2)
    gone = forget_since(ana.held, second.segments[1].started_at)
    assert [plan.recording for plan in gone] == [second]
    assert ana.held.recording(first.recording) == first
    assert [segment.segment for segment in ana.held.recording(second.recording).segments] == [
        second.segments[0].segment
    ]
    assert ana.held.payloads(first.recording) == payloads
    gone = forget_since(ana.held, 0)
    assert len(gone) == 2
    assert ana.held.names() == []


def test_a_damaged_recording_does_not_keep_the_others_from_being_forgotten(ana: Participant) -> None:
    names = sorted(ana.record()[0].recording for _ in range(3))
    (path,) = (ana.device.home / "held" / names[0]).glob("manifest.*")
    path.write_bytes(b"x" * 4_000)
    with pytest.raises(SealError):
        forget_since(ana.held, 0)
    assert ana.held.names() == names[:1]


def test_what_was_cut_is_shared_nowhere(ana: Participant) -> None:
    """R-22: what was trimmed before release never appears upstream."""
    recording, _ = ana.record(3, canaries=(CANARY,))
    held = plan_cut(ana.held, recording, 0, 2).apply(ana.held)
    assert held is not None
    shared = ana.outbox.seal(ana.held, held)
    assert ana.send() == len(shared) == 2
    assert recording.segments[0].segment not in shared
