"""The sink: every rule that forbids writing holds at the moment of writing."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.consent.programme import ApplicationGroup
from understudy.consent.purposes import Stream
from understudy.formats.elements import Element, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.events import (
    CLOCK,
    Event,
    FrameComplete,
    KeyPress,
    Lost,
    Motion,
    SecureBegin,
    SecureEnd,
    TreeComplete,
    Window,
)
from understudy.formats.raw.reader import RawReader
from understudy.formats.screen import Screen
from understudy.recorder.boot import boot_ms
from understudy.recorder.capture.channel import Begin
from understudy.recorder.capture.observed import Snapshot
from understudy.recorder.capture.sink import Sink
from understudy.recorder.rawfiles import RawFiles

SCREEN = Screen(width=64, height=48)
TREE = ElementTree(elements=(Element(role=Role.DOCUMENT),))
FRAME = PlacedPicture(x=0, y=0, picture=Picture(width=2, height=2, rgb=bytes(12)))
HOUR_MS = 3_600_000
BASE = 10_000


class Bench:
    """A sink on real files."""

    def __init__(self, folder: Path, *, base: int = BASE) -> None:
        self.raw = RawFiles(folder / "raw")
        self.base = base
        self.sink = Sink(self.raw.key, self.raw.folder, SCREEN)
        self.names: list[str] = []

    def begin(self, at: int = 0, *, streams: Iterable[Stream] = tuple(Stream)) -> None:
        self.names.append(self.raw.create())
        self.sink.begin(
            Begin(
                recording="rec_" + "A" * 22,
                name=self.names[-1],
                started_at=1_800_000_000,
                server_ms=(self.base + at) % CLOCK,
                group=ApplicationGroup(name="web", sites=("forms.example",)),
                streams=tuple(streams),
            )
        )

    def permit(self, milliseconds: int = HOUR_MS) -> None:
        self.sink.permit(boot_ms() + milliseconds)

    def key(self, at: int) -> KeyPress:
        return KeyPress(time=(self.base + at) % CLOCK, keycode=38, keysym=0x61)

    def read(self, number: int = -1) -> list[Any]:
        """Return the items of a file, events by themselves."""
        name = self.names[number]
        with self.raw.open(name) as source:
            found: list[Any] = []
            for item in RawReader(source, self.raw.key.sealer(name)).items():
                found.extend(item if isinstance(item, tuple) else [item])
            return found

    def events(self, number: int = -1) -> list[Event]:
        return [item for item in self.read(number) if hasattr(item, "KIND")]

    def keys(self, number: int = -1) -> list[int]:
        return [(e.time - self.base) % CLOCK for e in self.events(number) if isinstance(e, KeyPress)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Return a sink that has begun and may write for an hour."""
    made = Bench(tmp_path)
    made.permit()
    made.begin()
    return made


def test_what_may_be_written_is_written(bench: Bench) -> None:
    bench.sink.write(bench.key(5))
    bench.sink.write(Snapshot(time=BASE + 6, tree=TREE, frame=FRAME))
    bench.sink.finish()
    kinds = [type(item) for item in bench.read()]
    assert kinds == [ElementTree, PlacedPicture, Window, KeyPress, TreeComplete, FrameComplete]
    assert (bench.sink.totals.events, bench.sink.totals.trees, bench.sink.totals.frames) == (2, 1, 1)


def test_without_a_deadline_nothing_is_written(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.begin()
    bench.sink.write(bench.key(5))
    bench.sink.write(Snapshot(time=BASE + 6, tree=TREE, frame=FRAME))
    bench.sink.flush()
    assert bench.read() == []


def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.permit()
    bench.sink.write(bench.key(5))
    assert [*bench.raw.folder.iterdir()] == []
    assert not bench.sink.may_write


def test_the_deadline_is_asked_at_the_moment_of_writing(bench: Bench) -> None:
    bench.permit(30)
    bench.sink.write(bench.key(5))
    bench.sink.flush()
    time.sleep(0.05)
    assert not bench.sink.may_write
    bench.sink.write(bench.key(6))
    bench.sink.flush()
    bench.sink.finish()
    assert bench.keys() == [5]


def test_what_is_pending_at_the_deadline_is_not_written_after_it(bench: Bench) -> None:
    bench.permit(30)
    bench.sink.write(bench.key(5))
    time.sleep(0.05)
    bench.sink.flush()
    bench.sink.finish()
    assert bench.keys() == []


def test_a_new_lease_goes_on_behind_one_mark_of_what_was_lost(bench: Bench) -> None:
    bench.sink.write(bench.key(1))
    bench.sink.flush()
    bench.permit(-1)
    bench.sink.write(bench.key(2))
    bench.sink.write(bench.key(3))
    bench.permit()
    bench.sink.write(bench.key(4))
    bench.sink.write(bench.key(5))
    bench.sink.flush()
    assert [type(event) for event in bench.events()][1:] == [KeyPress, Lost, KeyPress, KeyPress]
    assert bench.keys() == [1, 4, 5]


def test_a_pause_writes_nothing_until_it_ends(bench: Bench) -> None:
    bench.sink.write(bench.key(1))
    bench.sink.pause()
    bench.sink.write(bench.key(2))
    bench.sink.flush()
    assert bench.keys() == [1]
    bench.sink.resume()
    bench.sink.write(bench.key(3))
    bench.sink.flush()
    assert bench.keys() == [1, 3]


def test_once_the_indicator_is_gone_nothing_brings_writing_back(bench: Bench) -> None:
    bench.sink.write(bench.key(1))
    bench.sink.flush()
    bench.sink.write(bench.key(2))
    bench.sink.stop()
    bench.sink.resume()
    bench.permit()
    bench.sink.write(bench.key(3))
    bench.sink.flush()
    bench.sink.finish()
    assert bench.keys() == [1]


def test_without_consent_to_frames_there_are_no_frames(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.permit()
    bench.begin(streams=(Stream.INPUT, Stream.ELEMENTS))
    assert not bench.sink.wants_frames
    bench.sink.write(Snapshot(time=BASE + 1, tree=TREE, frame=FRAME))
    bench.sink.finish()
    assert PlacedPicture not in {type(item) for item in bench.read()}


def test_a_late_item_gets_the_time_of_the_one_before_it(bench: Bench) -> None:
    bench.sink.write(bench.key(9))
    bench.sink.write(bench.key(4))
    bench.sink.finish()
    assert bench.keys() == [9, 9]


def test_a_key_inside_a_secure_span_is_dropped_by_the_file_itself(bench: Bench) -> None:
    """The gate has dropped it already; if it ever did not, this is the second lock."""
    bench.sink.write(SecureBegin(time=BASE + 1))
    bench.sink.write(bench.key(2))
    bench.sink.write(SecureEnd(time=BASE + 3))
    bench.sink.finish()
    assert bench.keys() == []
    assert bench.sink.totals.lost == 1


def test_secure_spans_stay_right_whatever_was_skipped(bench: Bench) -> None:
    bench.sink.write(SecureBegin(time=BASE + 1))
    bench.sink.pause()
    bench.sink.write(SecureEnd(time=BASE + 2))
    bench.sink.resume()
    bench.sink.write(bench.key(3))
    bench.sink.pause()
    bench.sink.write(SecureBegin(time=BASE + 4))
    bench.sink.resume()
    bench.sink.write(Motion(time=BASE + 5, x=1, y=1))
    bench.sink.finish()
    spans = [type(event) for event in bench.events() if isinstance(event, SecureBegin | SecureEnd)]
    assert spans == [SecureBegin, SecureEnd, SecureBegin, SecureEnd]
    assert bench.keys() == [3]


def test_a_file_that_begins_later_takes_over_exactly_then_and_knows_the_screen(bench: Bench) -> None:
    bench.sink.write(Window(time=BASE, window=7, in_scope=True))
    bench.sink.write(Snapshot(time=BASE + 1, tree=TREE, frame=FRAME))
    bench.begin(1_000)
    bench.sink.write(bench.key(999))
    bench.sink.write(bench.key(1_000))
    bench.sink.finish()
    assert bench.keys(0) == [999]
    assert bench.keys(1) == [1_000]
    assert [type(item) for item in bench.read(1)][:2] == [ElementTree, PlacedPicture]
    assert next(event for event in bench.events(1) if isinstance(event, Window)).in_scope


def test_a_file_that_begins_later_begins_without_any_item_too(bench: Bench) -> None:
    bench.begin(1_000)
    bench.sink.turn(BASE + 999)
    assert bench.raw.path(bench.names[1]).stat().st_size == 0
    bench.sink.turn(BASE + 1_000)
    assert bench.raw.path(bench.names[1]).stat().st_size > 0
    with bench.raw.open(bench.names[0]) as source:
        reader = RawReader(source, bench.raw.key.sealer(bench.names[0]))
        assert [*reader.items()]
        assert reader.is_finished


def test_what_the_screen_showed_before_a_pause_is_not_carried_over_it(bench: Bench) -> None:
    bench.sink.write(Window(time=BASE, window=7, in_scope=True))
    bench.sink.write(Snapshot(time=BASE + 1, tree=TREE, frame=FRAME))
    bench.sink.pause()
    bench.sink.resume()
    bench.begin(1_000)
    bench.sink.write(bench.key(1_500))
    bench.sink.finish()
    assert not [item for item in bench.read(1) if isinstance(item, ElementTree)]


def test_dropping_leaves_out_what_is_pending(bench: Bench) -> None:
    bench.sink.write(bench.key(1))
    bench.sink.drop()
    bench.sink.write(bench.key(2))
    assert bench.keys() == []


STEP = st.sampled_from(("key", "pause", "resume", "permit", "expire", "secure", "plain", "flush", "state"))


@given(steps=st.lists(STEP, max_size=40), base=st.sampled_from((BASE, CLOCK - 30)))
def test_any_sequence_gives_a_file_that_keeps_every_rule(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], base: int
) -> None:
    bench = Bench(tmp_path_factory.mktemp("sink"), base=base)
    bench.permit()
    bench.begin()
    allowed, is_paused, is_permitted, is_secure = [], False, True, False
    for at, step in enumerate(steps, start=1):
        when = (base + at) % CLOCK
        match step:
            case "key":
                bench.sink.write(bench.key(at))
                if not is_paused and is_permitted and not is_secure:
                    allowed.append(at)
            case "pause":
                bench.sink.pause()
                is_paused = True
            case "resume":
                bench.sink.resume()
                is_paused = False
            case "permit":
                bench.permit()
                is_permitted = True
            case "expire":
                bench.sink.flush()
                bench.permit(-1)
                is_permitted = False
            case "secure" if not is_secure:
                bench.sink.write(SecureBegin(time=when))
                is_secure = True
            case "plain" if is_secure:
                bench.sink.write(SecureEnd(time=when))
                is_secure = False
            case "state":
                bench.sink.write(Snapshot(time=when, tree=TREE, frame=None))
            case _:
                bench.sink.flush()
    bench.sink.flush()
    bench.sink.finish()
    assert bench.keys() == allowed
