import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.unit.transparency.samples import OpenDraft, RawDraft, World, fill, numbered_leaves
from understudy.transparency.cosigning import Cosigner, WitnessLink
from understudy.transparency.errors import NotCosignedError, RolledBackError, SizeConflictError
from understudy.transparency.sequencer import Sequencer


@pytest.fixture
def three(tmp_path: Path) -> Iterator[World]:
    """A log whose entries need two of three witnesses."""
    world = World(tmp_path, witnesses=3, quorum=2)
    world.create()
    world.start_witnesses()
    yield world
    world.stop()


class Answering:
    """Stands in for a dishonest or broken witness with one fixed answer."""

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Answer."""
        del note, old_size, path
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Held:
    """Holds every call to a witness until it is let go."""

    def __init__(self, cosigner: Cosigner) -> None:
        self.cosigner = cosigner
        self.free = threading.Event()
        self.free.set()

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Wait, then ask."""
        self.free.wait(20)
        return self.cosigner.cosign(note, old_size, path)


def test_all_three_cosign_and_the_log_waits_for_two(three: World) -> None:
    with three.sequencer() as sequencer:
        entry = sequencer.append(OpenDraft("r1"))
        assert len(three.trust.verify(entry.checkpoint.note).cosignatures) >= 2


def test_one_witness_of_three_may_be_away(three: World) -> None:
    with three.sequencer() as sequencer:
        three.lines[1].is_cut = True
        entry = sequencer.append(OpenDraft("r1"))
        assert sorted(three.trust.verify(entry.checkpoint.note).cosignatures) == [
            three.names[0],
            three.names[2],
        ]
        three.lines[0].is_cut = True
        with pytest.raises(NotCosignedError, match="the line is cut"):
            sequencer.append(OpenDraft("r2"))
        three.lines[1].is_cut = False
        entry = sequencer.append(OpenDraft("r2"))
        assert sorted(three.trust.verify(entry.checkpoint.note).cosignatures) == list(three.names[1:])


def test_a_slow_witness_holds_nobody_up_and_catches_up(three: World) -> None:
    held = Held(three.lines[2].cosigner)
    three.lines[2].cosigner = held
    with three.sequencer() as sequencer:
        held.free.clear()
        for number in range(5):
            sequencer.append(OpenDraft(f"r{number}"), timeout=5)
        held.free.set()
        sequencer.recosign()
        sequencer.append(OpenDraft("last"))
    latest = three.witnesses[2].latest(three.log_key.name)
    assert latest is not None
    assert b"\n6\n" in latest


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\n",
        "— witness.example/a AAAAAAAA\n".encode(),
        RuntimeError("a transport that fails in its own way"),
        SizeConflictError(0),
    ],
)
def test_an_answer_that_is_no_cosignature_counts_as_none(world: World, answer: bytes | Exception) -> None:
    world.start_witnesses()
    link = WitnessLink(world.witnesses[0].key, Answering(answer))
    with world.sequencer(witnesses=[link], start_seconds=1.0) as sequencer:
        fill(sequencer, numbered_leaves(3))
        with pytest.raises(NotCosignedError):
            sequencer.append(RawDraft(b"one"))


def test_another_witnesses_cosignature_does_not_count(three: World) -> None:
    three.lines[1].cosigner = three.lines[0].cosigner
    three.lines[2].is_cut = True
    with three.sequencer() as sequencer, pytest.raises(NotCosignedError, match="expected key"):
        sequencer.append(OpenDraft("r1"))


def test_one_lying_witness_of_three_cannot_stop_the_log(three: World) -> None:
    links = [
        WitnessLink(three.witnesses[0].key, Answering(SizeConflictError(1_000_000))),
        *(WitnessLink(three.witnesses[place].key, three.lines[place]) for place in (1, 2)),
    ]
    with three.sequencer(witnesses=links) as sequencer:
        assert sequencer.append(OpenDraft("r1")).index == 0


def test_two_witnesses_of_three_that_know_more_do_stop_it(three: World) -> None:
    lying = Answering(SizeConflictError(1_000_000))
    links = [
        *(WitnessLink(three.witnesses[place].key, lying) for place in (0, 1)),
        WitnessLink(three.witnesses[2].key, three.lines[2]),
    ]
    with pytest.raises(RolledBackError):
        three.sequencer(witnesses=links)


def test_a_witness_that_missed_many_checkpoints_is_led_from_its_own_size(three: World) -> None:
    with three.sequencer() as sequencer:
        sequencer.append(RawDraft(b"first"))
        sequencer.recosign()
        three.lines[0].is_cut = True
        fill(sequencer, numbered_leaves(20_000))
        sequencer.append(RawDraft(b"more"))
    three.lines[0].is_cut = False
    three.lines[1].is_cut = True
    with three.sequencer() as sequencer:
        entry = sequencer.append(RawDraft(b"last"))
        assert sorted(three.trust.verify(entry.checkpoint.note).cosignatures) == [
            three.names[0],
            three.names[2],
        ]


def run(sequencer: Sequencer, count: int) -> None:
    for number in range(count):
        sequencer.append(RawDraft(b"%d" % number))


def test_every_entry_is_covered_while_rounds_and_commits_overlap(three: World) -> None:
    with three.sequencer() as sequencer:
        threads = [threading.Thread(target=run, args=(sequencer, 20)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sequencer.recosign().checkpoint.size == 160
