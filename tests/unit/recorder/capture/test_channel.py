"""The channel: whole messages of the known kinds, whatever way the bytes arrive, and nothing else."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.consent.programme import ApplicationGroup
from understudy.consent.purposes import Stream
from understudy.formats.elements import Box
from understudy.formats.screen import Screen
from understudy.recorder.capture.channel import (
    MAX_MESSAGE_BYTES,
    Begin,
    Bye,
    Does,
    End,
    Flush,
    Flushed,
    Forget,
    Frames,
    Key,
    Message,
    Pause,
    Ready,
    Resume,
    Stop,
    ToCapture,
    ToSession,
    Trouble,
    Until,
    describe,
    frame,
)
from understudy.recorder.errors import ChannelError

TO_CAPTURE: tuple[Message, ...] = (
    Key(key="A" * 43, folder="/raw"),
    Begin(
        recording="rec_" + "A" * 22,
        name="a",
        started_at=1,
        server_ms=2,
        group=ApplicationGroup(name="web", sites=("forms.example",)),
        streams=(Stream.INPUT,),
        shield=Box(1, 2, 3, 4),
    ),
    Until(boot_ms=5),
    Pause(number=1),
    Resume(),
    Flush(number=2),
    End(number=3),
    Forget(number=4),
    Stop(),
)
TO_SESSION: tuple[Message, ...] = (
    Ready(screen=Screen(width=8, height=6)),
    Flushed(number=1, until_ms=2),
    Trouble(problem="disk", detail="full"),
    Does(what="outside"),
    Bye(events=1),
)


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_messages_arrive_however_the_bytes_are_cut(sizes: list[int]) -> None:
    for messages, kinds in ((TO_CAPTURE, ToCapture), (TO_SESSION, ToSession)):
        data = b"".join(map(frame, messages))
        frames, found, at = Frames(), [], 0
        while at < len(data):
            size = sizes[at % len(sizes)]
            found += frames.feed(data[at : at + size], kinds)
            at += size
        assert tuple(found) == messages


@given(place=st.integers(0, 400), bit=st.integers(0, 7))
def test_a_flipped_bit_is_another_message_or_an_error_and_never_a_crash(place: int, bit: int) -> None:
    data = bytearray(b"".join(map(frame, TO_CAPTURE)))
    data[place % len(data)] ^= 1 << bit
    try:
        found = Frames().feed(bytes(data), ToCapture)
    except ChannelError:
        return
    assert all(isinstance(message, Message) for message in found)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"type":"Erase"}', b'{"type":"Stop","more":1}', b"\xff"]
)
def test_what_is_no_message_ends_the_channel(content: bytes) -> None:
    with pytest.raises(ChannelError):
        Frames().feed(struct.pack(">I", len(content)) + content, ToCapture)


def test_a_message_of_the_other_direction_ends_the_channel() -> None:
    with pytest.raises(ChannelError):
        Frames().feed(frame(Does(what="recording")), ToCapture)
    with pytest.raises(ChannelError):
        Frames().feed(frame(Stop()), ToSession)


def test_a_length_beyond_the_bound_is_refused_before_anything_is_kept() -> None:
    with pytest.raises(ChannelError):
        Frames().feed(struct.pack(">I", MAX_MESSAGE_BYTES + 1), ToCapture)


def test_the_key_shows_in_no_traceback() -> None:
    assert "A" not in repr(TO_CAPTURE[0])


def test_an_error_of_another_library_is_told_by_its_class_alone() -> None:
    assert describe(ValueError("typed text")) == "ValueError"
    assert describe(ChannelError("a sentence of ours")) == "a sentence of ours"
