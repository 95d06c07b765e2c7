"""What was acknowledged of an upload is there; it grows in order, and never beyond its header."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.unit.vault.full_disk import full_disk
from understudy.consent.clock import FixedClock
from understudy.consent.errors import ConflictError, RefusedError
from understudy.programme.errors import StorageError
from understudy.sealing.header import SealedHalf
from understudy.sealing.signing import Signed
from understudy.vault.errors import ObjectKeyError, OffsetError
from understudy.vault.uploads import MAX_PIECE_BYTES, UNFINISHED_SECONDS, Bundle, Uploads

SEGMENT = "seg_" + "A" * 22
LIMIT = 1_000
HALVES = (SealedHalf(role="p", sealed="AAAA"), SealedHalf(role="c", sealed="AAAA"))


def bundle(body: str = "AAAA") -> Bundle:
    return Bundle(header=Signed(body=body, signatures=()), halves=HALVES)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_800_000_000)


@pytest.fixture
def uploads(tmp_path: Path, clock: FixedClock) -> Uploads:
    return Uploads(tmp_path / "uploads", clock)


class Resumed(RuleBasedStateMachine):
    """An upload against a plain list of bytes, with restarts and torn writes in between."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock(0)
        self.acknowledged = b""
        self.open()

    def open(self) -> None:
        self.uploads = Uploads(Path(self.folder.name), self.clock)

    @rule(piece=st.binary(max_size=400), slip=st.sampled_from([0, 0, 0, -1, 1, 7]))
    def append(self, piece: bytes, slip: int) -> None:
        offset = max(0, len(self.acknowledged) + slip)
        if offset != len(self.acknowledged):
            with pytest.raises(OffsetError) as caught:
                self.uploads.append(SEGMENT, offset, piece, limit=LIMIT)
            assert caught.value.offset == len(self.acknowledged)
        elif offset + len(piece) > LIMIT:
            with pytest.raises(RefusedError, match="too-long"):
                self.uploads.append(SEGMENT, offset, piece, limit=LIMIT)
        else:
            self.acknowledged += piece
            reached = self.uploads.append(SEGMENT, offset, piece, limit=LIMIT)
            assert reached == len(self.acknowledged)

    @rule(torn=st.binary(max_size=50))
    def crash(self, torn: bytes) -> None:
        """Lose an answer: the bytes are there, and count, because they are the beginning of what was sent."""
        path = Path(self.folder.name) / f"{SEGMENT}.part"
        if len(self.acknowledged) + len(torn) <= LIMIT and path.exists():
            with path.open("ab") as file:
                file.write(torn)
            self.acknowledged += torn
        self.open()

    @rule()
    def fill(self) -> None:
        if len(self.acknowledged) + 20 <= LIMIT:
            with full_disk(after=len(self.acknowledged) + 10), pytest.raises(StorageError):
                self.uploads.append(SEGMENT, len(self.acknowledged), bytes(20), limit=LIMIT)

    @rule()
    def restart(self) -> None:
        self.uploads.restart(SEGMENT)
        self.acknowledged = b""

    @invariant()
    def holds_what_was_acknowledged(self) -> None:
        assert self.uploads.offset(SEGMENT) == len(self.acknowledged)
        if self.acknowledged:
            with self.uploads.open(SEGMENT) as file:
                assert file.read() == self.acknowledged

    def teardown(self) -> None:
        self.folder.cleanup()


TestResumed = Resumed.TestCase
TestResumed.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)


def test_a_bundle_is_written_once(uploads: Uploads) -> None:
    assert uploads.bundle(SEGMENT) is None
    assert uploads.begin(SEGMENT, bundle()) == 0
    uploads.append(SEGMENT, 0, b"abc", limit=LIMIT)
    assert uploads.begin(SEGMENT, bundle()) == 3
    with pytest.raises(ConflictError):
        uploads.begin(SEGMENT, bundle("BBBB"))
    assert uploads.bundle(SEGMENT) == bundle()


def test_a_bundle_on_a_full_disk_was_not_begun(uploads: Uploads) -> None:
    with full_disk(after=10), pytest.raises(StorageError):
        uploads.begin(SEGMENT, bundle())
    assert uploads.bundle(SEGMENT) is None


def test_a_piece_has_a_bound(uploads: Uploads) -> None:
    with pytest.raises(RefusedError) as caught:
        uploads.append(SEGMENT, 0, bytes(MAX_PIECE_BYTES + 1), limit=1 << 30)
    assert caught.value.reason == "too-long"


def test_a_segments_name_is_checked(uploads: Uploads) -> None:
    with pytest.raises(ObjectKeyError):
        uploads.append("../x", 0, b"x", limit=LIMIT)


def test_what_is_touched_is_not_abandoned(uploads: Uploads, clock: FixedClock, tmp_path: Path) -> None:
    uploads.begin(SEGMENT, bundle())
    (tmp_path / "uploads" / ".seg.0123.tmp").write_bytes(b"a crash")
    clock.advance(UNFINISHED_SECONDS)
    uploads.append(SEGMENT, 0, b"x", limit=LIMIT)
    clock.advance(UNFINISHED_SECONDS)
    assert uploads.abandoned() == []
    clock.advance(1)
    assert uploads.abandoned() == [SEGMENT]
    uploads.forget(SEGMENT)
    assert uploads.abandoned() == []
    assert uploads.bundle(SEGMENT) is None
    Uploads(tmp_path / "uploads", clock)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_there_is_nothing_to_open_before_a_piece(uploads: Uploads) -> None:
    uploads.begin(SEGMENT, bundle())
    with pytest.raises(StorageError), uploads.open(SEGMENT):
        pass
