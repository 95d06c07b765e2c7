import hashlib
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.clock import FixedClock
from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from understudy.transparency.cosigning import MAX_REQUEST_BYTES, AddCheckpoint, parse_add_checkpoint
from understudy.transparency.errors import (
    BadRequestError,
    MalformedError,
    NotConsistentError,
    SizeConflictError,
    StoreDamagedError,
    StoreError,
    StoreMissingError,
    TransparencyError,
    UnknownLogError,
    UntrustedCheckpointError,
)
from understudy.transparency.merkle import EMPTY_ROOT, MemoryTree, leaf_hash
from understudy.transparency.note import Note, NoteSignature, VerifierKey, parse_note, parse_signatures
from understudy.transparency.witness import Witness

ORIGIN = "log.example/one"
NAME = "witness.example/w"
LOG = SigningKey.from_seed(bytes([1]) * 32)
LOG_KEY = VerifierKey.log(ORIGIN, LOG.public)
KEY = SigningKey.from_seed(bytes([2]) * 32)
TREE = MemoryTree([leaf_hash(b"%d" % number) for number in range(64)])
FORK = MemoryTree([leaf_hash(b"%d" % (number if number < 5 else -number)) for number in range(64)])


def checkpoint(size: int, tree: MemoryTree = TREE) -> Checkpoint:
    root = MemoryTree([tree.node(0, index) for index in range(size)]).root
    return Checkpoint(ORIGIN, size, root)


def body(size: int, old: int, tree: MemoryTree = TREE, *, proved: bool = True) -> bytes:
    path = tree.consistency(old, size) if proved and 0 < old < size else ()
    return AddCheckpoint(old, path, sign_checkpoint(checkpoint(size, tree), LOG)).to_bytes()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_700_000_000)


def start(path: Path, clock: FixedClock) -> Witness:
    return Witness(path, name=NAME, key=KEY, logs=[LOG_KEY], clock=clock)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The memory of a new witness."""
    made = tmp_path / "witness.db"
    Witness.create(made, name=NAME, key=KEY)
    return made


@pytest.fixture
def witness(path: Path, clock: FixedClock) -> Iterator[Witness]:
    """A running witness."""
    running = start(path, clock)
    yield running
    running.close()


def test_growth_is_cosigned_with_the_time(witness: Witness, clock: FixedClock) -> None:
    for old, size in ((0, 5), (5, 5), (5, 6), (6, 64)):
        clock.advance(10)
        answer = witness.add_checkpoint(body(size, old))
        (line,) = parse_signatures(answer)
        assert witness.key.verify(checkpoint(size).text, line.signature) == clock.now()


def test_the_latest_checkpoint_is_served_with_both_signatures(witness: Witness, clock: FixedClock) -> None:
    assert witness.latest(ORIGIN) is None
    witness.add_checkpoint(body(5, 0))
    clock.advance(30)
    witness.add_checkpoint(body(5, 5))
    served = witness.latest(ORIGIN)
    assert served is not None
    believed = verify_checkpoint(served, log_key=LOG_KEY, witnesses=[witness.key], quorum=1)
    assert (believed.checkpoint.size, believed.newest_quorum_time) == (5, clock.now())
    assert witness.latest_by_hash(hashlib.sha256(ORIGIN.encode()).hexdigest()) == served
    assert witness.latest_by_hash("00" * 32) is None


def test_signatures_of_strangers_are_not_served_on(witness: Witness) -> None:
    stranger = "— stranger.example AAAAAAAA\n".encode()
    witness.add_checkpoint(body(5, 0) + stranger)
    served = witness.latest(ORIGIN)
    assert served is not None
    assert [line.name for line in parse_note(served).signatures] == [ORIGIN, NAME]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        body(5, 0).replace(b"old 0", b"old 00"),
        body(5, 0).replace(b"old 0", b"old -1"),
        body(5, 0).replace(b"old 0", b"Old 0"),
        body(5, 0)[:-1],
        b"old 9" + body(5, 0)[5:],
        body(5, 0).replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"\n"),
        body(5, 0).replace(b"old 0\n", b"old 0\nAAAA\n"),
        body(5, 0).replace(b"old 0\n", b"old 0\n" + (b"A" * 43 + b"=\n") * 64),
        b"old 0\n\n" + b"x" * MAX_REQUEST_BYTES,
    ],
)
def test_a_malformed_request_is_400(witness: Witness, raw: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        witness.add_checkpoint(raw)
    assert caught.value.status == 400


def test_a_checkpoint_that_the_log_did_not_sign_is_403(witness: Witness) -> None:
    by_another = sign_checkpoint(checkpoint(5), SigningKey.from_seed(bytes([9]) * 32))
    text = checkpoint(5).text
    altered = Note(text, (NoteSignature(ORIGIN, LOG_KEY.key_id, bytes(64)),)).to_bytes()
    beside = sign_checkpoint(checkpoint(5), LOG) + altered[len(text) + 1 :]
    for note in (by_another, altered, beside):
        with pytest.raises(UntrustedCheckpointError) as caught:
            witness.add_checkpoint(AddCheckpoint(0, (), note).to_bytes())
        assert caught.value.status == 403
    assert witness.latest(ORIGIN) is None


def test_an_unknown_log_is_404(witness: Witness) -> None:
    note = sign_checkpoint(Checkpoint("log.example/other", 0, EMPTY_ROOT), LOG)
    with pytest.raises(UnknownLogError) as caught:
        witness.add_checkpoint(AddCheckpoint(0, (), note).to_bytes())
    assert caught.value.status == 404


def test_another_old_size_is_409_and_says_which(witness: Witness) -> None:
    witness.add_checkpoint(body(5, 0))
    for old in (0, 4, 6):
        with pytest.raises(SizeConflictError) as caught:
            witness.add_checkpoint(body(9, old))
        assert (caught.value.status, caught.value.size) == (409, 5)
    assert witness.evidence(ORIGIN) == ()


def test_an_old_size_above_the_checkpoints_is_400(witness: Witness) -> None:
    witness.add_checkpoint(body(5, 0))
    with pytest.raises(BadRequestError):
        witness.add_checkpoint(body(4, 5))


def test_a_fork_is_422_and_kept_as_evidence_with_what_it_contradicts(witness: Witness) -> None:
    witness.add_checkpoint(body(9, 0))
    with pytest.raises(NotConsistentError) as caught:
        witness.add_checkpoint(body(9, 9, FORK))
    assert caught.value.status == 422
    (evidence,) = witness.evidence(ORIGIN)
    assert evidence.reason == "forked"
    for note, tree in ((evidence.note, FORK), (evidence.latest, TREE)):
        believed = verify_checkpoint(note, log_key=LOG_KEY, witnesses=(), quorum=0)
        assert believed.checkpoint == checkpoint(9, tree)
    with pytest.raises(NotConsistentError):
        witness.add_checkpoint(body(9, 9, FORK))
    assert len(witness.evidence(ORIGIN)) == 1


def test_growth_on_a_fork_is_refused_whatever_proof_comes_with_it(witness: Witness) -> None:
    witness.add_checkpoint(body(9, 0))
    too_long = body(20, 9).replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1)
    for raw in (body(20, 9, FORK), body(20, 9, proved=False), too_long):
        with pytest.raises(NotConsistentError):
            witness.add_checkpoint(raw)
    assert {evidence.reason for evidence in witness.evidence(ORIGIN)} == {"unproved"}
    witness.add_checkpoint(body(20, 9))


def test_a_rolled_back_log_is_refused_and_its_new_history_kept(witness: Witness) -> None:
    for old, size in ((0, 5), (5, 7), (7, 9)):
        witness.add_checkpoint(body(size, old))
    with pytest.raises(SizeConflictError):
        witness.add_checkpoint(body(7, 5, FORK))
    with pytest.raises(SizeConflictError):
        witness.add_checkpoint(body(8, 5, FORK))
    assert {(item.reason, parse_note(item.note).text) for item in witness.evidence(ORIGIN)} == {
        ("forked", checkpoint(7, FORK).text),
        ("smaller", checkpoint(8, FORK).text),
    }


def test_an_old_checkpoint_sent_again_by_anybody_is_no_evidence(witness: Witness) -> None:
    for old, size in ((0, 5), (5, 7), (7, 9)):
        witness.add_checkpoint(body(size, old))
    for old in (0, 5):
        with pytest.raises(SizeConflictError):
            witness.add_checkpoint(body(7, old))
    assert witness.evidence(ORIGIN) == ()


def test_an_empty_log_must_have_the_empty_root(witness: Witness) -> None:
    wrong = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), LOG)
    with pytest.raises(NotConsistentError):
        witness.add_checkpoint(AddCheckpoint(0, (), wrong).to_bytes())
    witness.add_checkpoint(body(0, 0))
    witness.add_checkpoint(body(0, 0))
    witness.add_checkpoint(body(3, 0))


def test_a_proof_where_none_is_needed_is_422(witness: Witness) -> None:
    note = sign_checkpoint(checkpoint(5), LOG)
    with pytest.raises(NotConsistentError):
        witness.add_checkpoint(AddCheckpoint(0, (bytes(32),), note).to_bytes())
    witness.add_checkpoint(body(5, 0))
    with pytest.raises(NotConsistentError):
        witness.add_checkpoint(AddCheckpoint(5, (bytes(32),), note).to_bytes())


def test_a_restarted_witness_remembers(path: Path, clock: FixedClock) -> None:
    first = start(path, clock)
    first.add_checkpoint(body(9, 0))
    served = first.latest(ORIGIN)
    first.close()
    again = start(path, clock)
    assert again.latest(ORIGIN) == served
    with pytest.raises(SizeConflictError):
        again.add_checkpoint(body(9, 0, FORK))
    again.close()


def test_a_witness_that_lost_its_memory_does_not_start(tmp_path: Path, clock: FixedClock) -> None:
    with pytest.raises(StoreMissingError) as caught:
        start(tmp_path / "gone.db", clock)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_memory_is_never_made_anew_over_another_nor_used_under_another_key(
    path: Path, clock: FixedClock
) -> None:
    with pytest.raises(StoreError):
        Witness.create(path, name=NAME, key=KEY)
    for name, key in ((NAME, LOG), ("witness.example/other", KEY)):
        with pytest.raises(StoreDamagedError):
            Witness(path, name=name, key=key, logs=[LOG_KEY], clock=clock)


def test_cosigning_an_unchanged_checkpoint_writes_nothing(path: Path, witness: Witness) -> None:
    witness.add_checkpoint(body(5, 0))
    wal = path.with_name("witness.db-wal")
    before = wal.stat().st_size
    for _ in range(20):
        witness.add_checkpoint(body(5, 5))
    assert wal.stat().st_size == before
    witness.add_checkpoint(body(6, 5))
    assert wal.stat().st_size > before


def test_of_two_histories_raced_by_many_threads_one_is_cosigned(witness: Witness) -> None:
    witness.add_checkpoint(body(5, 0))
    cosigned: list[tuple[int, bytes]] = []
    barrier = threading.Barrier(16)

    def race(number: int) -> None:
        tree = TREE if number % 2 else FORK
        size = 6 + number
        barrier.wait(10)
        try:
            witness.add_checkpoint(body(size, 5, tree))
        except (SizeConflictError, NotConsistentError):
            return
        cosigned.append((size, checkpoint(size, tree).root))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cosigned) == 1
    served = witness.latest(ORIGIN)
    assert served is not None
    assert parse_checkpoint(parse_note(served).text) == Checkpoint(ORIGIN, *cosigned[0])


def test_two_processes_on_one_memory_cosign_one_history(path: Path, clock: FixedClock) -> None:
    one, other = start(path, clock), start(path, clock)
    one.add_checkpoint(body(9, 0))
    with pytest.raises(SizeConflictError):
        other.add_checkpoint(body(9, 0, FORK))
    one.close()
    other.close()


def test_a_memory_that_cannot_be_written_cosigns_nothing(path: Path, witness: Witness) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE latest")
    with pytest.raises(StoreError):
        witness.add_checkpoint(body(5, 0))
    assert witness.latest(ORIGIN) is None


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans(), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_asked_no_two_cosigned_checkpoints_contradict(
    calls: list[tuple[int, int, bool, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "witness.db"
        Witness.create(path, name=NAME, key=KEY)
        witness = start(path, FixedClock(5))
        cosigned: list[tuple[int, MemoryTree]] = []
        for size, old, is_fork, is_proved in calls:
            tree = FORK if is_fork else TREE
            try:
                witness.add_checkpoint(body(size, old, tree, proved=is_proved))
            except TransparencyError:
                continue
            cosigned.append((size, tree))
        witness.close()
    sizes = [size for size, _ in cosigned]
    assert sizes == sorted(sizes)
    histories = {id(tree) for size, tree in cosigned if size > 5}
    assert len(histories) <= 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_in_its_only_spelling_or_refused(raw: bytes) -> None:
    for candidate in (raw, b"old 0\n" + raw, b"old 3\n\n" + raw):
        try:
            call = parse_add_checkpoint(candidate)
        except MalformedError:
            continue
        assert call.to_bytes() == candidate
