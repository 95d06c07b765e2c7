import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.unit.transparency.samples import (
    START,
    OpenDraft,
    RawDraft,
    World,
    digest,
    participants,
    segment,
    tag,
)
from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.consent.purposes import Purpose
from understudy.transparency.draft import CommittedOpening, DraftParticipant
from understudy.transparency.errors import (
    AppendTimeoutError,
    DraftError,
    NotCosignedError,
    QuorumError,
    RequestConflictError,
    RolledBackError,
    SequencerClosedError,
    StorageError,
    UntrustedCheckpointError,
)
from understudy.transparency.fsck import check_store
from understudy.transparency.leaves import MAX_LEAF_BYTES, OpenLeaf, commitment_of, decode_leaf
from understudy.transparency.merkle import leaf_hash, verify_inclusion
from understudy.transparency.proofs import TileTree
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.verify import verify_log


def check_opening(committed: CommittedOpening, leaf: bytes) -> None:
    """Follow an opening to its commitment, and the commitment to the root in the leaf."""
    opened = decode_leaf(leaf)
    assert isinstance(opened, OpenLeaf)
    commitment = commitment_of(committed.opening)
    assert committed.commitment == encode_bytes(commitment)
    path = [decode_bytes(node) for node in committed.path]
    root = decode_bytes(opened.root)
    verify_inclusion(leaf_hash(commitment), committed.place, committed.count, path, root)


def test_an_entry_comes_back_durable_numbered_and_cosigned(world: World, sequencer: Sequencer) -> None:
    entry = sequencer.append(OpenDraft("r1", participants(3, 1, 2, segments=4)))
    believed = world.trust.verify(entry.checkpoint.note)
    assert believed == entry.checkpoint
    assert believed.newest_quorum_time == START
    tree = TileTree(sequencer.store.tiles, believed.checkpoint.size)
    path = tree.inclusion(entry.index)
    verify_inclusion(entry.leaf_hash, entry.index, tree.size, path, believed.checkpoint.root)
    assert [opening.opening.tag for opening in entry.openings] == sorted(tag(n) for n in (1, 2, 3))
    for committed in entry.openings:
        check_opening(committed, entry.leaf)
        assert (committed.opening.n, len(committed.opening.segments)) == (1, 4)


def test_numbers_go_up_by_one_and_name_the_commitment_before(sequencer: Sequencer) -> None:
    first = sequencer.append(OpenDraft("r1", participants(1)))
    second = sequencer.append(OpenDraft("r2", participants(1, 2)))
    third = sequencer.append(OpenDraft("r3", participants(2)))
    opening = {
        (entry.index, committed.opening.tag): committed
        for entry in (first, second, third)
        for committed in entry.openings
    }
    assert opening[0, tag(1)].opening.prev == digest("enrolment 1")
    assert opening[1, tag(1)].opening.prev == opening[0, tag(1)].commitment
    assert (opening[1, tag(2)].opening.n, opening[2, tag(2)].opening.n) == (1, 2)
    assert opening[2, tag(2)].opening.prev == opening[1, tag(2)].commitment


def test_salts_are_never_the_same(sequencer: Sequencer) -> None:
    entries = [sequencer.append(OpenDraft(f"r{n}", participants(1, 2)), durable_only=True) for n in range(5)]
    salts = {committed.opening.salt for entry in entries for committed in entry.openings}
    assert len(salts) == 10


def test_the_same_request_again_is_the_same_entry(sequencer: Sequencer) -> None:
    first = sequencer.append(OpenDraft("r1"))
    sequencer.append(OpenDraft("r2"))
    again = sequencer.append(OpenDraft("r1"))
    assert (again.index, again.leaf, again.openings) == (first.index, first.leaf, first.openings)
    assert again.checkpoint.checkpoint.size == 2
    assert sequencer.store.size == 2


def test_the_same_request_in_one_batch_is_one_entry(sequencer: Sequencer) -> None:
    futures = [sequencer.submit(OpenDraft("r1")) for _ in range(50)]
    assert len({future.result(10).leaf for future in futures}) == 1
    assert sequencer.store.size == 1


def test_the_same_request_survives_a_restart(world: World) -> None:
    with world.sequencer() as sequencer:
        first = sequencer.append(OpenDraft("r1"))
    world.clock.advance(100)
    with world.sequencer() as sequencer:
        again = sequencer.append(OpenDraft("r1"))
        assert (again.index, again.leaf, again.openings) == (first.index, first.leaf, first.openings)
        assert sequencer.find("r1") == again
        assert sequencer.find("r2") is None


@pytest.mark.parametrize(
    "other", [OpenDraft("r1", participants(1, 2)), OpenDraft("r1", participants(1), Purpose.DEBUG)]
)
def test_a_request_key_for_other_content_is_a_conflict(sequencer: Sequencer, other: OpenDraft) -> None:
    first = sequencer.append(OpenDraft("r1"))
    with pytest.raises(RequestConflictError):
        sequencer.append(other)
    assert sequencer.append(OpenDraft("r1")).index == first.index
    assert sequencer.store.size == 1


@pytest.mark.parametrize(
    "draft",
    [
        RawDraft(b""),
        RawDraft(bytes(MAX_LEAF_BYTES + 1)),
        RawDraft(b"leaf", request_key=""),
        RawDraft(b"leaf", request_key="x" * 201),
        OpenDraft("a", {tag(1): DraftParticipant(segments=(), first_prev=digest("e"))}),
        OpenDraft("b", {tag(1): DraftParticipant(segments=(segment(2), segment(1)), first_prev=digest("e"))}),
        OpenDraft("c", {tag(1): DraftParticipant(segments=(segment(1),) * 2, first_prev=digest("e"))}),
        OpenDraft("d", participants(1, 2, segments=501)),
        OpenDraft("e", {"not a tag": DraftParticipant(segments=(segment(1),), first_prev=digest("e"))}),
        OpenDraft("f", {tag(1): DraftParticipant(segments=("seg_1",), first_prev=digest("e"))}),
        OpenDraft("g", {tag(9): DraftParticipant(segments=(segment(1),), first_prev="nothing")}),
    ],
)
def test_a_draft_out_of_bounds_is_refused_and_harms_no_neighbour(
    sequencer: Sequencer, draft: RawDraft | OpenDraft
) -> None:
    futures = [sequencer.submit(OpenDraft("x")), sequencer.submit(draft), sequencer.submit(OpenDraft("y"))]
    assert [futures[0].result(10).openings[0].opening.n, futures[2].result(10).openings[0].opening.n] == [
        1,
        2,
    ]
    with pytest.raises(DraftError):
        futures[1].result(10)
    assert sequencer.store.size == 2


@pytest.mark.parametrize("content", [b"no leaf at all", b'{"kind":"open"}', b'{"kind":"unheard-of"}'])
def test_what_is_no_leaf_never_enters_the_log(world: World, content: bytes) -> None:
    with world.sequencer(check_leaf=decode_leaf) as sequencer:
        with pytest.raises(DraftError):
            sequencer.append(RawDraft(content))
        assert sequencer.append(OpenDraft("r1")).index == 0


def test_the_largest_entry_fits(sequencer: Sequencer) -> None:
    assert sequencer.append(RawDraft(bytes(MAX_LEAF_BYTES))).index == 0
    entry = sequencer.append(OpenDraft("r1", participants(1, 2, segments=500)))
    assert sum(len(committed.opening.segments) for committed in entry.openings) == 1_000


def test_a_drafts_own_failure_comes_back_to_its_owner_alone(sequencer: Sequencer) -> None:
    class BrokenDraft(RawDraft):
        def leaf(self, index: int, time: int, root: bytes | None) -> bytes:  # noqa: ARG002
            raise ZeroDivisionError

    futures = [sequencer.submit(BrokenDraft(b"")), sequencer.submit(RawDraft(b"fine"))]
    with pytest.raises(ZeroDivisionError):
        futures[0].result(10)
    assert futures[1].result(10).index == 0


def test_two_hundred_threads_lose_nothing_and_number_without_gaps(world: World) -> None:
    with world.sequencer() as sequencer:

        def one(worker: int) -> list[tuple[int, int, str, int]]:
            rows = []
            for turn in range(5):
                people = {1 + worker % 7, 20 + turn}
                entry = sequencer.append(OpenDraft(f"w{worker}-{turn}", participants(*people)), timeout=60)
                assert entry.checkpoint.checkpoint.size > entry.index
                rows += [(worker, entry.index, c.opening.tag, c.opening.n) for c in entry.openings]
            return rows

        with ThreadPoolExecutor(200) as pool:
            rows = [row for rows in pool.map(one, range(200)) for row in rows]
        assert sequencer.store.size == 1_000
        assert len({index for _, index, _, _ in rows}) == 1_000
        assert world.lines[0].calls < 1_000, "drafts were not committed together"
        numbers: dict[str, list[tuple[int, int]]] = {}
        for _, index, whose, n in rows:
            numbers.setdefault(whose, []).append((index, n))
        for places in numbers.values():
            assert [n for _, n in sorted(places)] == list(range(1, len(places) + 1))
        newest = sequencer.recosign()
        report = verify_log(sequencer.store.tiles, world.trust, checkpoint=newest.note)
        assert report.problems == ()
    assert check_store(world.path).problems == ()


def test_without_the_witness_an_entry_is_durable_but_not_acknowledged(world: World) -> None:
    with world.sequencer() as sequencer:
        world.lines[0].is_cut = True
        with pytest.raises(NotCosignedError) as caught:
            sequencer.append(OpenDraft("r1"))
        assert caught.value.index == 0
        assert caught.value.hint
        with pytest.raises(NotCosignedError):
            sequencer.find("r1")
        with pytest.raises(NotCosignedError):
            sequencer.append(OpenDraft("r1"))
        world.lines[0].is_cut = False
        entry = sequencer.append(OpenDraft("r1"))
        assert (entry.index, sequencer.store.size) == (0, 1)
        world.trust.verify(entry.checkpoint.note)


def test_stopping_does_not_wait_for_the_witness(world: World) -> None:
    with world.sequencer() as sequencer:
        world.lines[0].is_cut = True
        entry = sequencer.append(RawDraft(b"stop"), durable_only=True)
        assert (entry.index, dict(entry.checkpoint.cosignatures)) == (0, {})
        assert entry.checkpoint.newest_quorum_time == 0
    with world.sequencer() as sequencer:
        assert sequencer.store.entry(0) == b"stop"


def test_an_unchanged_checkpoint_is_cosigned_again_on_demand(world: World, sequencer: Sequencer) -> None:
    first = sequencer.append(OpenDraft("r1")).checkpoint
    world.clock.advance(50)
    assert sequencer.fresh(60) == first
    world.clock.advance(50)
    again = sequencer.fresh(60)
    assert (again.checkpoint, again.newest_quorum_time) == (first.checkpoint, START + 100)
    assert world.trust.verify(again.note) == again
    assert sequencer.newest == again


def test_an_empty_log_has_a_cosigned_checkpoint(world: World, sequencer: Sequencer) -> None:
    assert sequencer.newest is not None
    assert sequencer.newest.checkpoint.size == 0
    world.trust.verify(sequencer.newest.note)


def test_freshness_cannot_be_had_without_the_witness(world: World, sequencer: Sequencer) -> None:
    sequencer.append(OpenDraft("r1"))
    world.lines[0].is_cut = True
    world.clock.advance(61)
    with pytest.raises(NotCosignedError):
        sequencer.fresh(60)


def test_cosignatures_are_there_again_after_a_restart_without_the_witness(world: World) -> None:
    with world.sequencer() as sequencer:
        entry = sequencer.append(OpenDraft("r1"))
        world.lines[0].is_cut = True
    with world.sequencer() as sequencer:
        assert sequencer.newest == entry.checkpoint
        assert sequencer.append(OpenDraft("r1")).checkpoint == entry.checkpoint


def test_a_clock_that_goes_back_is_noted(world: World) -> None:
    with world.sequencer() as sequencer:
        sequencer.append(RawDraft(b"one"))
        world.clock.advance(-30)
        sequencer.append(RawDraft(b"two"))
        world.clock.advance(10)
        sequencer.append(RawDraft(b"three"))
        assert sequencer.store.clock_steps() == ((1, START, START - 30),)
    report = check_store(world.path)
    assert [(problem.code, problem.index) for problem in report.problems] == [("clock-backwards", 1)]
    assert report.is_sound


def test_a_log_that_lost_entries_does_not_start(world: World) -> None:
    with world.sequencer() as sequencer:
        sequencer.append(OpenDraft("r1"))
    backup = world.path.read_bytes()
    with world.sequencer() as sequencer:
        sequencer.append(OpenDraft("r2"))
    world.path.write_bytes(backup)
    with pytest.raises(RolledBackError) as caught:
        world.sequencer()
    assert "mirror" in caught.value.hint


def test_a_log_that_lost_entries_signs_nothing_more_even_if_it_started(world: World) -> None:
    with world.sequencer() as sequencer:
        sequencer.append(OpenDraft("r1"))
    backup = world.path.read_bytes()
    with world.sequencer() as sequencer:
        sequencer.append(OpenDraft("r2"))
        sequencer.append(OpenDraft("r3"))
    world.path.write_bytes(backup)
    world.lines[0].is_cut = True
    with world.sequencer() as sequencer:
        world.lines[0].is_cut = False
        with pytest.raises(NotCosignedError):
            sequencer.recosign()
        with pytest.raises(RolledBackError):
            sequencer.append(OpenDraft("r4"))
        assert sequencer.store.size == 1


def test_a_broken_connection_is_opened_again(world: World, sequencer: Sequencer) -> None:
    sequencer.append(OpenDraft("r1"))
    sequencer._log._store.close()  # noqa: SLF001  no outside way to break it in this process
    with pytest.raises(StorageError) as caught:
        sequencer.append(OpenDraft("r2"))
    assert caught.value.hint
    assert sequencer.append(OpenDraft("r2")).openings[0].opening.n == 2


@pytest.mark.parametrize("quorum", [0, 2])
def test_a_quorum_that_means_nothing_is_refused(world: World, quorum: int) -> None:
    with pytest.raises(QuorumError):
        world.sequencer(quorum=quorum)
    world.sequencer().close()


def test_erasing_a_person_deletes_openings_and_salts_and_keeps_every_proof(world: World) -> None:
    with world.sequencer() as sequencer:
        mixed = sequencer.append(OpenDraft("r1", participants(1, 2)))
        alone = sequencer.append(OpenDraft("r2", participants(1)))
        salts = [
            c.opening.salt for entry in (mixed, alone) for c in entry.openings if c.opening.tag == tag(1)
        ]
        assert sequencer.erase(tag(1)) == 2
        assert sequencer.erase(tag(1)) == 0
        store = sequencer.store
        assert store.openings_of(tag(1)) == ()
        (left,) = store.openings_at(0)
        check_opening(left, mixed.leaf)
        assert sequencer.append(OpenDraft("r1", participants(1, 2))).openings == (left,)
        assert sequencer.append(OpenDraft("r3", participants(1))).openings[0].opening.n == 3
        report = verify_log(store.tiles, world.trust, checkpoint=sequencer.recosign().note)
        assert report.problems == ()
        on_disk = b"".join(file.read_bytes() for file in world.folder.iterdir() if "log.db" in file.name)
        assert not any(salt.encode() in on_disk for salt in salts)
    assert check_store(world.path).problems == ()


def test_a_closed_sequencer_takes_nothing_and_closing_twice_is_fine(world: World) -> None:
    sequencer = world.sequencer()
    futures = [sequencer.submit(RawDraft(b"%d" % number)) for number in range(100)]
    sequencer.close()
    sequencer.close()
    assert sorted(future.result(0).index for future in futures) == list(range(100))
    with pytest.raises(SequencerClosedError):
        sequencer.submit(RawDraft(b"late"))


def test_closing_while_the_witness_is_away_tells_who_waits(world: World) -> None:
    sequencer = world.sequencer()
    world.lines[0].is_cut = True
    future = sequencer.submit(RawDraft(b"one"))
    sequencer.close()
    with pytest.raises(NotCosignedError):
        future.result(0)


def test_a_cancelled_draft_is_not_appended(world: World, sequencer: Sequencer) -> None:
    entered, release = threading.Event(), threading.Event()

    class SlowDraft(RawDraft):
        def leaf(self, index: int, time: int, root: bytes | None) -> bytes:  # noqa: ARG002
            entered.set()
            release.wait(10)
            return b"slow"

    slow = sequencer.submit(SlowDraft(b""))
    entered.wait(10)
    cancelled = sequencer.submit(RawDraft(b"never"))
    assert cancelled.cancel()
    release.set()
    wait([slow])
    assert sequencer.append(RawDraft(b"next")).index == 1


def test_waiting_too_long_is_an_error_that_says_what_to_do(sequencer: Sequencer) -> None:
    release = threading.Event()

    class SlowDraft(RawDraft):
        def leaf(self, index: int, time: int, root: bytes | None) -> bytes:  # noqa: ARG002
            release.wait(10)
            return b"slow"

    with pytest.raises(AppendTimeoutError) as caught:
        sequencer.append(SlowDraft(b""), timeout=0.05)
    release.set()
    assert "same request" in caught.value.hint


def test_an_entry_acknowledged_as_durable_only_is_signed_by_the_log(
    world: World, sequencer: Sequencer
) -> None:
    entry = sequencer.append(RawDraft(b"one"), durable_only=True)
    with pytest.raises((UntrustedCheckpointError, QuorumError)):
        world.trust.verify(entry.checkpoint.note)
    assert entry.checkpoint.checkpoint.size == 1
