"""Raw files: sealed chunk by chunk, no key inside a secure span, readable while they grow."""

import io
import secrets

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.formats.forge import FILLED, SECRET, TREE
from tests.unit.formats.raw_forge import (
    EVENTS,
    FRAME,
    START,
    Chunk,
    StandIn,
    assemble,
    end,
    events,
    frame,
    small_file,
    start,
    tree,
)
from tests.unit.formats.strategies import events as drawn_events
from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw import writer as writer_module
from understudy.formats.raw.body import HEADER, LENGTH
from understudy.formats.raw.bounds import MAX_EVENTS_IN_CHUNK
from understudy.formats.raw.check import check
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import (
    Event,
    Focus,
    FrameComplete,
    KeyPress,
    KeyRelease,
    Lost,
    Motion,
    SecureBegin,
    SecureEnd,
    TreeComplete,
)
from understudy.formats.raw.reader import RawReader
from understudy.formats.raw.writer import RawWriter
from understudy.sealing.errors import SealError


class Aead:
    """A real cipher under a key in memory: the number is the nonce."""

    def __init__(self) -> None:
        self._key = AESGCM(secrets.token_bytes(16))

    def seal(self, chunk_number: int, content: bytes, /) -> bytes:
        return self._key.encrypt(chunk_number.to_bytes(12), content, None)

    def open(self, chunk_number: int, sealed: bytes, /) -> bytes:
        try:
            return self._key.decrypt(chunk_number.to_bytes(12), sealed, None)
        except InvalidTag as error:
            raise SealError("a chunk does not open") from error


class Forgetful:
    """A sealer that binds nothing: what the format itself must still catch."""

    def seal(self, _chunk_number: int, content: bytes, /) -> bytes:
        return content

    def open(self, _chunk_number: int, sealed: bytes, /) -> bytes:
        return sealed


def flat(reader: RawReader) -> list[Event]:
    """Return the events of a file, without trees and frames."""
    chunks = [item for item in reader.items() if isinstance(item, tuple)]
    return [event for chunk in chunks for event in chunk]


def chunks_of(data: bytes) -> list[bytes]:
    """Return the sealed chunks with their lengths."""
    found, at = [], HEADER.size
    while at < len(data):
        (length,) = LENGTH.unpack_from(data, at)
        found.append(data[at : at + LENGTH.size + length])
        at += LENGTH.size + length
    return found


def test_what_was_written_is_read_back() -> None:
    reader = RawReader(io.BytesIO(small_file()), StandIn())
    items = list(reader.items())
    assert reader.start == START
    assert reader.is_finished
    assert [item for item in items if isinstance(item, ElementTree)] == [TREE]
    assert [item for item in items if isinstance(item, PlacedPicture)] == [FRAME]
    assert tuple(flat(RawReader(io.BytesIO(small_file()), StandIn()))) == EVENTS
    assert reader.totals.lost == 70_000


@given(drawn=drawn_events())
def test_any_events_come_back_in_order_and_the_file_is_valid(drawn: tuple[Event, ...]) -> None:
    file = io.BytesIO()
    writer = RawWriter(file, StandIn(), replace(START, server_ms=drawn[0].time))
    for event in drawn:
        writer.add(event)
    writer.finish()
    assert tuple(flat(RawReader(file, StandIn()))) == drawn
    assert check(file, StandIn()).is_valid


def test_a_file_is_sealed_throughout() -> None:
    file = io.BytesIO()
    sealer = Aead()
    writer = RawWriter(file, sealer, START)
    writer.add_tree(replace(TREE, elements=(replace(TREE.elements[0], name="quartz-4411"),)), 5_000)
    writer.finish()
    assert check(file, sealer).is_valid
    assert b"quartz" not in file.getvalue()
    assert START.recording.encode() not in file.getvalue()
    assert check(file, Aead()).codes == {RawCode.BAD_SEAL}


def test_a_chunk_is_closed_when_it_is_full_or_a_second_long() -> None:
    file = io.BytesIO()
    writer = RawWriter(file, StandIn(), START)
    for _ in range(MAX_EVENTS_IN_CHUNK + 1):
        writer.add(Motion(time=5_000, x=1, y=1))
    writer.add(Motion(time=6_000, x=1, y=1))
    writer.add(Motion(time=6_001, x=1, y=1))
    writer.finish()
    sizes = [len(item) for item in RawReader(file, StandIn()).items() if isinstance(item, tuple)]
    assert sizes == [MAX_EVENTS_IN_CHUNK, 2, 1]


def test_a_busy_minute_costs_under_eight_bytes_an_event() -> None:
    dice = __import__("random").Random(1)
    file, sealer, count = io.BytesIO(), Aead(), 4_000
    writer = RawWriter(file, sealer, START)
    time, x, y = 5_000, 600, 400
    for number in range(count):
        time += 2
        if number % 5:
            x, y = max(0, x + dice.randint(-9, 9)), max(0, y + dice.randint(-9, 9))
            writer.add(Motion(time=time, late=dice.randint(0, 3), x=x, y=y))
        else:
            code = dice.randint(10, 60)
            kind = KeyPress if number % 2 else KeyRelease
            writer.add(kind(time=time, late=dice.randint(0, 3), keycode=code, keysym=0x60 + code))
    writer.finish()
    assert len(file.getvalue()) / count < 8


@pytest.mark.parametrize("key", [KeyPress, KeyRelease])
def test_a_key_inside_a_secure_span_never_reaches_the_sealer(key: type[KeyPress] | type[KeyRelease]) -> None:
    class Watching(StandIn):
        seen = b""

        def seal(self, chunk_number: int, content: bytes, /) -> bytes:
            self.seen += content
            return super().seal(chunk_number, content)

    sealer, file = Watching(), io.BytesIO()
    writer = RawWriter(file, sealer, START)
    writer.add(SecureBegin(time=5_000))
    with pytest.raises(RawError) as caught:
        writer.add(key(time=5_001, keycode=38, keysym=0x61))
    assert caught.value.code is RawCode.SECURE_KEY
    writer.add(SecureEnd(time=5_002))
    writer.add(key(time=5_003, keycode=39, keysym=0x62))
    writer.finish()
    assert [event for event in flat(RawReader(file, sealer)) if isinstance(event, key)] == [
        key(time=5_003, keycode=39, keysym=0x62)
    ]


def test_a_key_that_got_into_a_secure_span_is_refused_by_the_reader() -> None:
    leaky = assemble(
        start(),
        events(SecureBegin(time=5_000)),
        events(KeyPress(time=5_001, keycode=38, keysym=0x61)),
        end(events=2),
    )
    with pytest.raises(RawError) as caught:
        flat(RawReader(io.BytesIO(leaky), StandIn()))
    assert caught.value.code is RawCode.SECURE_KEY


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (SecureEnd(time=9_000), RawCode.SECURE_SPAN),
        (Motion(time=4_000, x=0, y=0), RawCode.TIME_ORDER),
        (Focus(time=9_000, tree=1, element=0), RawCode.DANGLING),
        (Focus(time=9_000, tree=0, element=3), RawCode.DANGLING),
        (TreeComplete(time=9_000, tree=7), RawCode.DANGLING),
        (Motion(time=9_000, x=-1, y=0), RawCode.MALFORMED),
    ],
    ids=["no-span", "backwards", "no-tree", "no-element", "no-version", "off-field"],
)
def test_what_the_rules_forbid_is_refused_and_leaves_no_trace(event: Event, code: RawCode) -> None:
    file = io.BytesIO()
    writer = RawWriter(file, StandIn(), START)
    writer.add_tree(TREE, 5_000)
    writer.add(Motion(time=5_000, x=1, y=1))
    with pytest.raises(RawError) as caught:
        writer.add(event)
    assert caught.value.code is code
    writer.finish()
    assert check(file, StandIn()).is_valid
    assert event not in flat(RawReader(file, StandIn()))


def test_a_tree_with_a_secret_and_a_frame_off_the_screen_are_refused() -> None:
    writer = RawWriter(io.BytesIO(), StandIn(), START)
    leaky = replace(TREE, elements=(*TREE.elements[:2], replace(SECRET, value="x")))
    with pytest.raises(RawError) as caught:
        writer.add_tree(leaky, 5_000)
    assert caught.value.code is RawCode.SECURE_CONTENT
    for bad in (replace(FRAME, x=61), replace(FRAME, x=-1)):
        with pytest.raises(RawError) as caught:
            writer.add_frame(bad, 5_000)
        assert caught.value.code is RawCode.FRAME_MALFORMED


def test_a_growing_file_can_be_read_up_to_the_present() -> None:
    file, reading = io.BytesIO(), io.BytesIO()
    writer = RawWriter(file, StandIn(), START)

    def grown() -> io.BytesIO:
        reading.seek(0)
        reading.write(file.getvalue())
        return reading

    reader = RawReader(grown(), StandIn())
    assert list(reader.items()) == []
    writer.add_tree(FILLED, 5_000)
    writer.flush()
    grown()
    assert list(reader.items()) == [FILLED, (TreeComplete(time=5_000, tree=0),)]
    assert not reader.is_finished
    writer.add(Lost(time=5_001))
    writer.finish()
    grown()
    assert list(reader.items()) == [(Lost(time=5_001),)]
    assert reader.is_finished


def test_a_file_cut_at_any_byte_gives_the_whole_chunks_and_says_so() -> None:
    data = small_file()
    whole = flat(RawReader(io.BytesIO(data), StandIn()))
    for length in range(len(data)):
        assert check(io.BytesIO(data[:length]), StandIn()).codes == {RawCode.TRUNCATED}, length
        try:
            reader = RawReader(io.BytesIO(data[:length]), StandIn())
        except RawError:
            continue
        assert whole[: len(found := flat(reader))] == found
        assert not reader.is_finished


def test_a_flipped_bit_anywhere_is_detected() -> None:
    data = small_file()
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        assert check(io.BytesIO(flipped), StandIn()).codes, at


@pytest.mark.parametrize("sealer", [StandIn(), Forgetful()], ids=["binding", "forgetful"])
def test_chunks_exchanged_repeated_or_left_out_are_refused(sealer: StandIn | Forgetful) -> None:
    file = io.BytesIO()
    writer = RawWriter(file, sealer, START)
    for time in (5_000, 7_000, 9_000):
        writer.add(Motion(time=time, x=1, y=1))
    writer.finish()
    first, *middle, last = chunks_of(file.getvalue())
    header = file.getvalue()[: HEADER.size]
    assert check(file, sealer).is_valid
    for order in (middle[::-1], [middle[0], *middle], middle[1:]):
        spliced = header + first + b"".join(order) + last
        assert check(io.BytesIO(spliced), sealer).codes <= {RawCode.BAD_SEAL, RawCode.BAD_CHUNK}
        assert not check(io.BytesIO(spliced), sealer).is_valid


BROKEN: dict[str, tuple[RawCode, bytes]] = {
    "two-starts": (RawCode.BAD_CHUNK, assemble(start(), start(), end())),
    "no-start": (RawCode.BAD_CHUNK, assemble(end())),
    "kind": (RawCode.BAD_CHUNK, assemble(start(), Chunk(5, b"x"), end())),
    "count": (RawCode.BAD_CHUNK, assemble(start(), end()._replace(items=2))),
    "uncounted": (RawCode.BAD_CHUNK, assemble(start(), events(EVENTS[3])._replace(items=2), end())),
    "large": (RawCode.CHUNK_TOO_LARGE, assemble(start(), end()._replace(size=99), end())),
    "tree": (RawCode.MALFORMED, assemble(start(), tree()._replace(content=b"{}"), end(trees=1))),
    "boxless": (RawCode.FRAME_MALFORMED, assemble(start(), frame()._replace(content=b"1234567"), end())),
    "pixels": (RawCode.FRAME_MALFORMED, assemble(start(), frame()._replace(content=b"\xff" * 8), end())),
    "no-frame": (RawCode.DANGLING, assemble(start(), events(FrameComplete(time=0, frame=0)), end(events=1))),
    "headless": (RawCode.BAD_CHUNK, small_file()[: HEADER.size] + LENGTH.pack(17) + StandIn().seal(0, b"x")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_chunk_that_is_not_what_it_should_be_is_refused(name: str) -> None:
    code, data = BROKEN[name]
    assert check(io.BytesIO(data), StandIn()).codes == {code}


@given(junk=st.binary(max_size=200))
def test_junk_is_reported_never_raised(junk: bytes) -> None:
    header = small_file()[: HEADER.size]
    for data in (junk, header + junk, header + LENGTH.pack(len(junk)) + StandIn().seal(0, junk)):
        assert not check(io.BytesIO(data), StandIn()).is_valid
        assert not check(io.BytesIO(data), Forgetful()).is_valid


def test_a_start_out_of_bounds_is_not_written() -> None:
    file = io.BytesIO()
    with pytest.raises(RawError):
        RawWriter(file, StandIn(), replace(START, recording="rec_"))
    assert file.getvalue() == b""


def test_a_file_over_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_RAW_BYTES", 300)
    writer = RawWriter(io.BytesIO(), StandIn(), START)
    with pytest.raises(RawError) as caught:
        writer.add_tree(TREE, 5_000)
    assert caught.value.code is RawCode.TOO_LARGE
