"""From raw files to held segments, without a display: cutting, late entities, dropping, forgetting."""

import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cast import STARTED_AT
from tests.simulator import Participant, Simulator
from understudy.consent.programme import ApplicationGroup, Delays
from understudy.consent.purposes import Stream
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.events import ButtonPress, ButtonRelease, KeyPress, KeyRelease, Motion, Window
from understudy.formats.recording.actions import Type, act_of
from understudy.formats.recording.check import check
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.manifest import Outcome
from understudy.formats.recording.stretch import Stretch
from understudy.formats.screen import Screen
from understudy.recorder import running as module
from understudy.recorder.boot import boot_ms
from understudy.recorder.capture.channel import Begin
from understudy.recorder.capture.observed import Snapshot
from understudy.recorder.capture.sink import Sink
from understudy.recorder.errors import FailedRedactionError
from understudy.recorder.held import HeldRecording, HeldStore
from understudy.recorder.payload import manifest_of, stretch_of
from understudy.recorder.pieces import About, Tally
from understudy.recorder.rawfiles import RawFiles
from understudy.recorder.running import RunningRecording
from understudy.redaction.errors import RedactionError, SpecialCategory
from understudy.redaction.redactor import Redacted, Redactor

SCREEN = Screen(width=640, height=480)
BASE = 1_000_000
RECORDING = "rec_" + "A" * 22
DELAYS = Delays(segment_seconds=20, redact_seconds=10)
UNTIL = STARTED_AT + 3_600
STREAMS = (Stream.ELEMENTS, Stream.FRAMES, Stream.INPUT, Stream.TEXT_VALUES)
SHOWN = (ElementState.SHOWING,)
NAME = "Wexcombe"


def page(text: str = "", *, label: str = "Article", value: str | None = None) -> ElementTree:
    """Return a page with a heading, a labelled field and a button."""
    focused = (ElementState.EDITABLE, ElementState.FOCUSABLE, ElementState.FOCUSED, ElementState.SHOWING)
    return ElementTree(
        elements=(
            Element(role=Role.DOCUMENT, name="Order", box=Box(0, 0, 640, 480), states=SHOWN),
            Element(role=Role.TEXT, name=text or "Nothing", box=Box(10, 10, 300, 20), states=SHOWN, parent=0),
            Element(
                role=Role.TEXTBOX, name=label, value=value, box=Box(10, 50, 200, 20), states=focused, parent=0
            ),
            Element(
                role=Role.BUTTON,
                name="Send",
                box=Box(10, 100, 80, 24),
                states=(ElementState.FOCUSABLE, ElementState.SHOWING),
                parent=0,
            ),
        ),
        application="chromium",
        host="127.0.0.1",
    )


def pixels(shade: int) -> PlacedPicture:
    return PlacedPicture(x=0, y=0, picture=Picture(width=100, height=130, rgb=bytes([shade]) * 39_000))


def text_of(stretches: list[Stretch]) -> str:
    """Return everything that was typed."""
    actions = [action for stretch in stretches for action in stretch.actions]
    return "".join(action.text or "" for action in actions if isinstance(action, Type))


class Bench:
    """A running recording, and a sink that writes what it reads. Times are milliseconds since it began."""

    def __init__(
        self,
        who: Participant,
        *,
        delays: Delays = DELAYS,
        redactor: type[Redactor] = Redactor,
        streams: tuple[Stream, ...] = STREAMS,
        **about: Any,
    ) -> None:
        who.keeper.renew()
        self.raw = RawFiles(who.device.home / "raw")
        self.held = HeldStore(who.device)
        self.sink = Sink(self.raw.key, self.raw.folder, SCREEN)
        self.sink.permit(boot_ms() + 600_000)
        facts = {
            "recording": RECORDING,
            "title": "An order",
            "task": "order",
            "instruction": None,
            "group": "forms",
            "streams": streams,
            "screen": SCREEN,
            "started_at": STARTED_AT,
        }
        self.running = RunningRecording(
            About(**{**facts, **about}),
            server_ms=BASE,
            raw=self.raw,
            redactor=redactor(bytes(32)),
            held=self.held,
            keeper=who.keeper,
            delays=delays,
        )
        self.file(0)
        self.sink.write(Window(time=BASE, window=1, in_scope=True))

    def file(self, begins: int) -> str:
        name = self.raw.create()
        self.running.attach(name)
        self.sink.begin(
            Begin(
                recording=RECORDING,
                name=name,
                started_at=STARTED_AT + begins // 1_000,
                server_ms=BASE + begins,
                group=ApplicationGroup(name="forms", sites=("127.0.0.1",)),
                streams=STREAMS,
            )
        )
        return name

    def show(self, at: int, tree: ElementTree, shade: int | None = None) -> None:
        self.sink.write(
            Snapshot(time=BASE + at, tree=tree, frame=pixels(at // 1_000 if shade is None else shade))
        )

    def click(self, at: int, x: int = 20, y: int = 110) -> None:
        self.sink.write(Motion(time=BASE + at - 200, x=500, y=400))
        self.sink.write(Motion(time=BASE + at - 50, x=x, y=y))
        self.sink.write(ButtonPress(time=BASE + at, x=x, y=y, button=1))
        self.sink.write(ButtonRelease(time=BASE + at + 60, x=x, y=y, button=1))

    def write(self, at: int, text: str, *, pace: int = 60) -> None:
        for number, character in enumerate(text):
            when = BASE + at + number * pace
            self.sink.write(KeyPress(time=when, keycode=38, keysym=ord(character)))
            self.sink.write(KeyRelease(time=when + 30, keycode=38, keysym=ord(character)))

    def take(self, until: int, permitted: int = UNTIL) -> None:
        self.sink.flush()
        self.running.take(until, permitted_until=permitted)

    def finish(self, until: int, outcome: Outcome = Outcome.UNKNOWN) -> None:
        self.sink.finish()
        self.running.finish(until, outcome)
        self.running.retire()

    @property
    def recording(self) -> HeldRecording:
        return self.held.recording(RECORDING)

    @property
    def payloads(self) -> list[bytes]:
        payloads = self.held.payloads(RECORDING)
        for payload in payloads.values():
            assert not check(io.BytesIO(payload)).problems
        return [payloads[segment.segment] for segment in self.recording.segments]

    @property
    def stretches(self) -> list[Stretch]:
        return [stretch_of(payload) for payload in self.payloads]

    @property
    def acts(self) -> list[list[str]]:
        return [[act_of(action) for action in stretch.actions] for stretch in self.stretches]


@pytest.fixture
def bench(world: Simulator) -> Iterator[Callable[..., Bench]]:
    """Return a maker of running recordings of one participant."""
    who = world.participant("ana")
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(who, **options))
        return made[-1]

    yield make
    for one in made:
        one.running.retire()


class TestHolding:
    def test_the_running_segment_ends_in_a_gap_until_the_next_round(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench()
        made.show(100, page())
        made.click(2_000)
        made.take(8_000)
        assert made.recording.is_open
        assert made.acts == [["click"]]
        (stretch,), (segment,) = made.stretches, made.recording.segments
        assert stretch.gaps[-1] == Gap(from_ms=8_000, to_ms=18_000)
        assert (segment.started_at, segment.ended_at) == (STARTED_AT, STARTED_AT + 18)
        made.finish(9_400)
        (stretch,), (segment,) = made.stretches, made.recording.segments
        assert not made.recording.is_open
        assert Gap(from_ms=8_000, to_ms=18_000) not in stretch.gaps
        assert segment.ended_at == STARTED_AT + 10

    def test_the_gap_does_not_reach_beyond_the_lease(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.take(8_000, permitted=STARTED_AT + 12)
        assert made.recording.ended_at == STARTED_AT + 12

    def test_segments_are_cut_by_time_and_number_on(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.show(100, page())
        for at in (2_000, 22_000, 43_000):
            made.click(at)
        made.take(30_000)
        assert len(made.recording.segments) == 2
        made.finish(50_000)
        assert made.acts == [["click"], ["click"], ["click"]]
        assert [manifest_of(payload).ordinal for payload in made.payloads] == [0, 1, 2]
        bounds = [(s.started_at - STARTED_AT, s.ended_at - STARTED_AT) for s in made.recording.segments]
        assert bounds == [(0, 20), (20, 40), (40, 50)]

    def test_typing_across_a_border_is_one_act(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.show(100, page())
        made.write(19_000, "twelve chairs and a table")
        made.take(21_000)
        assert made.acts == [["type"]]  # as far as it is known; what is decided later stands in its place
        made.show(21_500, page(value="twelve chairs and a table"))
        made.take(29_000)
        made.finish(30_000)
        assert [act for acts in made.acts for act in acts] == ["type"]

    @pytest.mark.parametrize("pace", [60, 170, 900])
    def test_a_long_text_is_held_as_far_as_it_was_typed(self, bench: Callable[..., Bench], pace: int) -> None:
        """Whenever the recorder is killed in 40 s of typing without a pause, at most 10 s are missing."""
        made = bench()
        made.show(100, page())
        text = "".join("abcdefghij "[number % 11] for number in range(40_000 // pace))
        made.write(1_000, text, pace=pace)
        for until in range(8_000, 41_000, 8_000):
            made.take(until)
            before_next_take = until + 8_000
            last = made.stretches[-1].gaps[-1]
            begins = (made.recording.segments[-1].started_at - STARTED_AT) * 1_000
            assert before_next_take - (begins + last.from_ms) <= 10_000
            assert last.to_ms - last.from_ms <= 10_000
            assert begins + last.to_ms >= before_next_take
            typed = text_of(made.stretches)
            due = len([at for at in range(len(text)) if 1_000 + at * pace < begins + last.from_ms])
            assert text.startswith(typed)
            assert len(typed) >= due - 1
        made.show(41_500, page(value=text))
        made.finish(50_000)
        assert text_of(made.stretches) == text

    def test_what_is_held_ahead_is_redacted_and_not_learned(self, bench: Callable[..., Bench]) -> None:
        """A name half typed is hidden where it stands, and does not become a word to be looked for."""
        made = bench()
        made.show(100, page(label="Last name"))
        made.write(6_000, "Wexcombe", pace=400)
        made.take(8_000)
        assert made.acts == [["type"]]
        assert "Wexco" not in repr(made.stretches)
        known = repr(made.running._redactor)  # noqa: SLF001
        assert known == "Redactor(entities=0)"
        made.show(9_500, page(label="Last name", value=NAME))
        made.click(11_000)
        made.finish(13_000)
        assert made.acts == [["type", "click"]]
        assert NAME not in repr(made.stretches)

    def test_without_a_preview_the_gap_is_longer(
        self, bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The seeded fault, and what is left where looking ahead fails: the gap begins with the typing."""
        monkeypatch.setattr(Redactor, "fork", None)
        made = bench()
        made.show(100, page())
        made.write(1_000, "x" * 300)
        made.take(8_000)
        made.take(16_000)
        assert made.acts == [[]]
        assert made.stretches[0].gaps[-1] == Gap(from_ms=1_000, to_ms=25_000)

    def test_an_interruption_ends_the_segment_in_a_gap_and_the_next_begins_behind_it(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench()
        made.show(100, page())
        made.click(2_000)
        made.sink.flush()
        made.running.interrupt(3_200)
        assert made.stretches[0].gaps[-1] == Gap(from_ms=4_000, to_ms=5_000)
        assert made.recording.is_open
        assert not list(made.raw.folder.iterdir())
        made.take(6_000)
        assert len(made.recording.segments) == 1
        made.sink.finish()
        made.file(7_000)
        made.running.go_on(7_700)
        made.show(7_800, page())
        made.click(9_000)
        made.finish(10_500)
        assert made.acts == [["click"], ["click"]]
        assert [s.started_at - STARTED_AT for s in made.recording.segments] == [0, 7]

    def test_outcome_and_instruction_are_in_the_manifest_and_redacted(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench(
            title="Mail to jane.doe@synthetic-firm.de", instruction="Write to jane.doe@synthetic-firm.de"
        )
        made.show(100, page())
        made.click(2_000)
        made.finish(4_000, Outcome.SUCCEEDED)
        manifest = manifest_of(made.payloads[0])
        assert manifest.outcome is Outcome.SUCCEEDED
        assert manifest.source == "recorder"
        for text in (manifest.title, manifest.instruction or "", made.recording.title):
            assert "Mail" in text or "Write" in text
            assert "jane.doe@synthetic-firm.de" not in text

    def test_each_stream_is_consented_to_by_itself(self, bench: Callable[..., Bench]) -> None:
        made = bench(streams=(Stream.ELEMENTS, Stream.INPUT))
        made.show(100, page(value="secretive"))
        made.click(2_000)
        made.finish(4_000)
        (stretch,) = made.stretches
        assert not stretch.frames
        assert stretch.trees
        assert "secretive" not in repr(stretch.trees)
        assert made.acts == [["click"]]

    def test_frames_stay_under_the_hourly_bound(
        self, bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """R-16: one frame an action at most, and so many an hour."""
        monkeypatch.setattr(module, "FRAMES_AN_HOUR", 5)
        made = bench()
        for number in range(12):
            made.show(1_000 + number * 3_000, page(f"step {number}"), shade=number)
            made.click(2_000 + number * 3_000)
            if number % 3 == 2:
                made.take(3_000 + number * 3_000)
        made.finish(40_000)
        stretches = made.stretches
        assert sum(len(stretch.frames) for stretch in stretches) == 5
        assert sum(len(stretch.actions) for stretch in stretches) == 12
        assert made.running.tally.frames == 5


class TestRawFiles:
    def test_a_new_raw_file_goes_on_where_the_old_one_ended(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.show(100, page())
        made.click(2_000)
        made.take(3_000)
        second = made.file(5_000)
        assert made.raw.path(second).stat().st_size == 0
        made.click(4_000)
        made.take(4_900)
        made.click(6_000)
        made.take(7_000)
        assert [path.name for path in made.raw.folder.iterdir()] == [second]
        made.finish(9_000)
        assert made.acts == [["click", "click", "click"]]
        assert not list(made.raw.folder.iterdir())
        assert all(action.before is not None for action in made.stretches[0].actions)

    def test_what_a_dead_capture_wrote_is_held_and_the_rest_is_a_gap(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench()
        made.show(100, page())
        made.click(2_000)
        made.sink.flush()
        made.click(4_000)  # pending in the process that dies
        made.running.lose(6_300)
        assert made.acts == [["click"]]
        assert made.stretches[0].gaps[-1] == Gap(from_ms=3_000, to_ms=7_000)
        assert not made.recording.is_open

    def test_without_a_single_event_there_is_still_a_recording_of_nothing(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench()
        made.finish(300)
        assert made.acts == [[]]
        assert made.recording.ended_at == STARTED_AT + 1


class TestRedaction:
    def test_what_is_found_late_is_taken_out_of_what_is_held_already(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench()
        made.show(100, page(f"Order of {NAME}"))
        made.click(2_000)
        made.take(26_000)
        assert len(made.recording.segments) == 2
        assert NAME in repr(made.stretches[0].trees)
        made.show(27_000, page(f"Order of {NAME}", label="Last name", value=NAME))
        made.click(28_000)
        made.take(34_000)
        assert NAME not in repr(made.stretches)
        made.finish(36_000)
        assert NAME not in repr([made.stretches, made.recording.title])
        assert made.running.tally.spans > 0
        assert made.acts == [["click"], ["click"]]

    def test_what_cannot_be_redacted_is_a_gap_and_the_rest_is_held(self, bench: Callable[..., Bench]) -> None:
        class Picky(Redactor):
            def redact(self, stretch: Stretch) -> Redacted:
                if any("bad" in repr(tree) for tree in stretch.trees):
                    raise RedactionError("it cannot be judged")
                return super().redact(stretch)

        made = bench(redactor=Picky)
        made.show(100, page("good"))
        made.click(2_000)
        made.take(5_000)
        made.show(5_500, page("bad"))
        made.click(7_000)
        made.take(10_000)
        made.show(10_500, page("fine"))
        made.click(12_000)
        made.take(15_000)
        made.finish(16_000)
        assert made.acts == [["click", "click"]]
        assert "bad" not in repr(made.stretches)
        assert Gap(from_ms=5_000, to_ms=10_000) in made.stretches[0].gaps

    def test_three_failures_in_a_row_end_the_session_and_hold_nothing_of_it(
        self, bench: Callable[..., Bench]
    ) -> None:
        class Broken(Redactor):
            def redact(self, stretch: Stretch) -> Redacted:
                raise ZeroDivisionError(len(stretch.actions))

        made = bench(redactor=Broken)
        made.show(100, page())
        for at in (2_000, 6_000):
            made.click(at)
            made.take(at + 2_000)
        made.click(10_000)
        with pytest.raises(FailedRedactionError, match="ZeroDivisionError"):
            made.take(12_000)
        assert made.acts == [[]]
        assert made.stretches[0].gaps

    def test_a_special_category_drops_its_whole_segment_and_no_other(
        self, bench: Callable[..., Bench]
    ) -> None:
        """R-19; dropping it is no failure, however often it happens."""

        class Strict(Redactor):
            def redact(self, stretch: Stretch) -> Redacted:
                if any("special" in repr(tree) for tree in stretch.trees):
                    raise SpecialCategory
                return super().redact(stretch)

        made = bench(redactor=Strict)
        for number, text in enumerate(("good", "special", "good", "fine")):
            at = number * 8_000
            made.show(at + 100, page(text))
            made.click(at + 2_000)
            made.take(at + 6_000)
        made.finish(32_000)
        assert made.acts == [[], ["click"]]
        assert manifest_of(made.payloads[0]).title == ""
        assert Gap(from_ms=0, to_ms=20_000) in made.stretches[0].gaps

    def test_a_broken_redactor_takes_what_is_held_already_along_only_where_it_fails(
        self, bench: Callable[..., Bench]
    ) -> None:
        made = bench()
        made.show(100, page())
        made.click(2_000)
        made.take(26_000)
        before = made.payloads[0]
        made.show(27_000, page("again"))
        made.click(28_000)
        made.finish(30_000)
        assert made.payloads[0] == before


class TestForgetting:
    def forget(self, made: Bench, from_ms: int, at_ms: int) -> None:
        made.sink.drop()
        made.running.forget(from_ms, at_ms)
        begins = at_ms // 1_000 * 1_000 + 1_000
        made.file(begins)
        made.running.go_on(begins)

    def test_the_last_minutes_are_gone_and_it_goes_on(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.show(100, page())
        made.click(2_000)
        made.take(24_000)
        made.show(24_500, page("to forget"))
        made.click(25_000)
        made.take(30_000)
        made.click(31_000)
        made.sink.flush()
        self.forget(made, 22_000, 32_500)
        assert "to forget" not in repr(made.stretches)
        assert made.acts[0] == ["click"]
        assert len(list(made.raw.folder.iterdir())) == 1
        made.sink.write(Window(time=BASE + 33_100, window=1, in_scope=True))
        made.show(33_200, page("new"))
        made.click(34_000)
        made.finish(36_000)
        assert [act for acts in made.acts for act in acts] == ["click", "click"]
        assert "to forget" not in repr(made.stretches)
        bounds = [(s.started_at - STARTED_AT, s.ended_at - STARTED_AT) for s in made.recording.segments]
        assert all(first[1] <= then[0] for first, then in pairwise(bounds))

    def test_everything_can_be_forgotten(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.show(100, page("to forget"))
        made.click(2_000)
        made.take(6_000)
        self.forget(made, -1, 7_000)
        assert made.held.names() == []
        made.sink.write(Window(time=BASE + 8_100, window=1, in_scope=True))
        made.show(8_200, page("new"))
        made.click(9_000)
        made.finish(11_000)
        assert made.acts == [["click"]]
        assert "to forget" not in repr(made.stretches)

    def test_what_was_never_held_is_forgotten_too(self, bench: Callable[..., Bench]) -> None:
        made = bench()
        made.show(100, page("to forget"))
        made.click(2_000)
        made.sink.flush()
        self.forget(made, 0, 3_000)
        made.finish(6_000)
        assert "to forget" not in repr(made.stretches)
        assert [act for acts in made.acts for act in acts] == []


def test_tallies_add_up() -> None:
    one = Tally(events=1, actions=2, pointer_actions=3, pointer_before=4, segments=5, frames=6, spans=7)
    assert one + one == replace(
        one, events=2, actions=4, pointer_actions=6, pointer_before=8, segments=10, frames=12, spans=14
    )
