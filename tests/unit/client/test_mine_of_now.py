"""``log mine`` believes answers of now, to its own question, that go on from what it was shown before."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.simulator import Participant, Simulator
from understudy.client.errors import EntryError
from understudy.client.mine import AGAIN_SECONDS, LogSource, Mine, OpeningsSource, reads_of_mine
from understudy.consent.enrolment import EnrolmentRecord
from understudy.contract.messages import OpeningsAnswer
from understudy.custody.head import Head
from understudy.custody.openings import OpeningsRequest
from understudy.sealing.signing import Signed, sign


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "world") as made:
        yield made


@pytest.fixture
def ana(world: Simulator) -> Participant:
    ana = world.participant("ana")
    ana.share()
    return ana


class Custodian:
    """Asks the real one; ``change`` is what a dishonest line makes of the answer."""

    def __init__(
        self, world: Simulator, change: Callable[[OpeningsAnswer], OpeningsAnswer] | None = None
    ) -> None:
        self._world = world
        self._change = change
        self.asked: list[Signed] = []
        self.answers: list[OpeningsAnswer] = []

    def openings(self, request: Signed) -> OpeningsAnswer:
        self.asked.append(request)
        answer = self._world.custodian.openings(request)
        if self._change is not None:
            answer = self._change(answer)
        self.answers.append(answer)
        return answer


class Kept:
    """Whatever is asked, gives the answer kept from before: genuine, signed, and old."""

    def __init__(self, answer: OpeningsAnswer) -> None:
        self._answer = answer

    def openings(self, _request: Signed, /) -> OpeningsAnswer:
        return self._answer


class OldLog:
    """The log with a checkpoint of before; ``then`` is what asking again brings."""

    def __init__(self, world: Simulator, note: bytes, then: bytes | None = None) -> None:
        self._world = world
        self._notes = [note] if then is None else [note, then]
        self.times_asked = 0

    def checkpoint(self) -> bytes:
        self.times_asked += 1
        return self._notes[min(self.times_asked, len(self._notes)) - 1]

    def read(self, path: str) -> bytes:
        return self._world.server.read(path)


def mine(
    world: Simulator,
    ana: Participant,
    source: Any = None,
    log: LogSource | None = None,
    *,
    seen: Sequence[Signed] = (),
    pause: Callable[[float], None] = lambda _: None,
) -> Mine:
    asked: OpeningsSource = source or world.custodian
    return reads_of_mine(
        ana.device.personal,
        world.programme,
        ana.device.enrolment.hash(EnrolmentRecord),
        [asked],
        log or world.server,
        world.clock,
        seen=seen,
        pause=pause,
    )


def resigned(world: Simulator, **changes: Any) -> Callable[[OpeningsAnswer], OpeningsAnswer]:
    """Return what changes the head of an answer and signs it with the custodian's own key."""

    def change(answer: OpeningsAnswer) -> OpeningsAnswer:
        head = msgspec.structs.replace(answer.head.verify(Head), **changes)
        return msgspec.structs.replace(answer, head=sign(head, world.cast.custodian.signing))

    return change


def test_a_genuine_answer_of_before_the_read_cannot_hide_the_read(world: Simulator, ana: Participant) -> None:
    """The attack: keep an answer and a checkpoint of before the read, show both after it."""
    custodian = Custodian(world)
    assert mine(world, ana, custodian).reads == ()
    kept, note = custodian.answers[0], world.server.checkpoint()
    world.read(world.grant())
    with pytest.raises(EntryError, match="another question"):
        mine(world, ana, Kept(kept), OldLog(world, note))
    assert len(mine(world, ana, custodian).reads) == 1


def test_every_question_has_its_own_nonce(world: Simulator, ana: Participant) -> None:
    custodian = Custodian(world)
    mine(world, ana, custodian)
    mine(world, ana, custodian)
    questions = [request.verify(OpeningsRequest) for request in custodian.asked]
    assert len({question.nonce for question in questions}) == len(questions) == 2
    assert questions[0].time == questions[1].time


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"asked": None}, "another question"),
        ({"asked": "A" * 43}, "another question"),
        ({"epoch": 2}, "not the custodian's"),
        ({"custodian": "second"}, "not the custodian's"),
    ],
    ids=["no question", "another question", "another epoch", "another custodian"],
)
def test_a_head_must_answer_this_question_under_the_key_of_its_epoch(
    world: Simulator, ana: Participant, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(EntryError, match=says):
        mine(world, ana, Custodian(world, resigned(world, **changes)))


@pytest.mark.parametrize(("seconds", "is_of_now"), [(65, True), (66, False), (-65, True), (-66, False)])
def test_a_head_must_be_of_now(world: Simulator, ana: Participant, seconds: int, *, is_of_now: bool) -> None:
    custodian = Custodian(world, resigned(world, time=world.clock.now() - seconds))
    if is_of_now:
        mine(world, ana, custodian)
        return
    with pytest.raises(EntryError, match="not of now"):
        mine(world, ana, custodian)


def test_a_checkpoint_that_stays_stale_proves_nothing(world: Simulator, ana: Participant) -> None:
    log = OldLog(world, world.server.checkpoint())
    world.clock.advance(66)
    pauses: list[float] = []
    with pytest.raises(EntryError, match="not cosigned just now"):
        mine(world, ana, log=log, pause=pauses.append)
    assert (log.times_asked, pauses) == (2, [AGAIN_SECONDS])


def test_an_idle_log_is_asked_once_more_and_then_believed(world: Simulator, ana: Participant) -> None:
    stale = world.server.checkpoint()
    world.clock.advance(3_600)
    log = OldLog(world, stale, then=world.server.checkpoint())
    assert mine(world, ana, log=log).reads == ()
    assert log.times_asked == 2


def test_a_fresh_checkpoint_is_asked_for_once(world: Simulator, ana: Participant) -> None:
    log = OldLog(world, world.server.checkpoint())
    world.clock.advance(30)
    mine(world, ana, log=log, pause=lambda _: pytest.fail("nothing to wait for"))
    assert log.times_asked == 1


def test_a_list_that_became_shorter_is_an_error(world: Simulator, ana: Participant) -> None:
    """Log, server and custodian forgot a read together; this device did not."""
    before = ana.device.enrolment.hash(EnrolmentRecord)
    world.read(world.grant())
    heads = mine(world, ana).heads

    def forget(answer: OpeningsAnswer) -> OpeningsAnswer:
        shorter = resigned(world, n=0, commitment=before)(answer)
        return msgspec.structs.replace(shorter, openings=())

    assert mine(world, ana, Custodian(world, forget)).reads == ()
    with pytest.raises(EntryError, match="went backwards, to 0") as caught:
        mine(world, ana, Custodian(world, forget), seen=heads)
    assert "auditor" in caught.value.hint


def test_a_list_that_tells_another_story_is_an_error(world: Simulator, ana: Participant) -> None:
    world.read(world.grant())
    (head,) = mine(world, ana).heads
    other = msgspec.structs.replace(head.verify(Head), commitment="A" * 43)
    with pytest.raises(EntryError, match="contradicts the list"):
        mine(world, ana, seen=[sign(other, world.cast.custodian.signing)])


def test_a_list_that_grew_goes_on_from_what_was_seen(world: Simulator, ana: Participant) -> None:
    grant = world.grant()
    heads = mine(world, ana).heads
    world.read(grant)
    assert len(mine(world, ana, seen=heads).reads) == 1


def test_a_log_that_lost_entries_since_is_an_error(world: Simulator, ana: Participant) -> None:
    (head,) = mine(world, ana).heads
    larger = msgspec.structs.replace(head.verify(Head), tree_size=10_000)
    with pytest.raises(EntryError, match="older"):
        mine(world, ana, seen=[sign(larger, world.cast.custodian.signing)])
