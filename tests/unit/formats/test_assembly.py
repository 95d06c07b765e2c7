"""From raw items to files: nothing lost, nothing twice, nothing invented, every rule of the format kept."""

import io
import time
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.formats.raw_forge import StandIn
from tests.unit.formats.strategies import trees
from tests.unit.formats.takes import SERVER_MS, START, SYMBOLS, Take, el, feed, page, path, picture
from understudy.formats.elements import ElementTree
from understudy.formats.raw.events import (
    ButtonPress,
    ButtonRelease,
    Focus,
    KeyPress,
    KeyRelease,
    Lost,
    Motion,
    SecureBegin,
    SecureEnd,
    TreeComplete,
    Wheel,
    Window,
)
from understudy.formats.raw.reader import Item, RawReader
from understudy.formats.raw.writer import RawWriter
from understudy.formats.recording.actions import Action, Click, Type, act_of
from understudy.formats.recording.assembly import Assembler
from understudy.formats.recording.check import check
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.writer import RecordingWriter


def field(value: str = "", *, states: str = "focused") -> ElementTree:
    return page(
        el("button", "Go", (20, 20, 60, 20), states="focusable"),
        el("textbox", "Name", (20, 60, 200, 20), value=value, states=f"editable focusable {states}"),
    )


def gaps_of(take: Take, grid_ms: int = 1_000, until: int = 60_000) -> list[tuple[int, int]]:
    gaps = take.play(grid_ms=grid_ms, until=until).stretch.gaps
    return [(gap.from_ms, gap.to_ms) for gap in gaps]


def test_nothing_is_made_of_events_out_of_scope() -> None:
    take = Take().window(1).shows(field()).at(2_500).window(7, in_scope=False).wait(100)
    take.type("private").wait(100).click(30, 30).wheel(30, 30, 1).wait(100).shows(field("private"))
    take.at(7_200).window(1).wait(300).type("ok")
    played = take.play(grid_ms=1_000)
    assert [act_of(action) for action in played.acts] == ["type"]
    assert played.before(played.only()) == field(), "what was read out of scope is not shown either"
    assert gaps_of(take) == [(2_000, 8_000)]


def test_a_click_into_a_window_out_of_scope_is_not_made_a_click_on_what_lay_below() -> None:
    take = Take().window(1).shows(field()).at(1_000).type("ok").wait(1_500).click(30, 30).wait(40)
    acts = take.window(7, in_scope=False).play().acts
    assert [act_of(action) for action in acts] == ["type"]
    assert gaps_of(take, until=5_000)[0][0] <= 2_600
    slow = Take().window(1).shows(field()).at(1_000).click(30, 30).wait(400).window(7, in_scope=False)
    assert [act_of(action) for action in slow.play().acts] == ["click"]


def test_typing_does_not_go_on_over_another_window() -> None:
    take = Take().window(1).shows(field()).at(1_000).type("a").wait(50).window(2).wait(50)
    take.shows(field("x")).wait(50).type("b")
    assert len(take.play().acts) == 2


def test_out_of_scope_until_the_end_is_a_gap_in_every_stretch() -> None:
    assembler = Assembler(START)
    feed(assembler, Take().window(1).at(3_000).window(7, in_scope=False).items)
    assembler.settle(10_000)
    found = [[(g.from_ms, g.to_ms) for g in assembler.stretch(at, at + 10_000).gaps] for at in (0, 10_000)]
    assert found == [[(3_000, 10_000)], [(0, 10_000)]]
    feed(assembler, Take().at(14_200).window(1).items)
    assert [(g.from_ms, g.to_ms) for g in assembler.stretch(20_000, 30_000).gaps] == []


def test_lost_events_are_a_gap_back_to_the_event_before() -> None:
    take = Take().shows(field()).at(1_200).move((5, 5)).at(4_700).lost().wait(10).move((6, 6))
    assert gaps_of(take) == [(1_000, 5_000)]
    assert gaps_of(Take().shows(field()).at(1_200).lost(), grid_ms=250) == [(0, 1_250)]


def test_gaps_that_touch_are_one_and_none_leaves_the_stretch() -> None:
    take = Take().at(1_000).lost().at(9_990).lost()
    stretch = take.play(until=10_000).stretch
    assert [(gap.from_ms, gap.to_ms) for gap in stretch.gaps] == [(0, 10_000)]


def test_what_is_decided_late_comes_with_the_next_stretch_and_its_state_with_it() -> None:
    take = Take().shows(field(), picture(9)).at(9_500).type("Ann").wait(300).shows(field("Ann"))
    assembler = Assembler(START)
    feed(assembler, take.items)
    assert assembler.settle(10_000) == 9_500, "a good place to cut"
    assert assembler.stretch(0, 10_000) == Stretch()
    feed(assembler, Take().at(11_000).move((1, 1)).items)
    assembler.settle(None)
    stretch = assembler.stretch(10_000, 20_000)
    (action,) = stretch.actions
    assert isinstance(action, Type)
    assert (action.at_ms, action.before, action.value) == (0, 0, "Ann")
    assert stretch.tree_before(action) == field()
    assert (stretch.versions[0].at_ms, stretch.versions[0].frame) == (0, 0)
    assert stretch.frames == (picture(9),)
    assert assembler.stretch(20_000, 30_000) == Stretch()


def test_a_stretch_holds_the_versions_that_its_actions_name_and_no_others() -> None:
    take = Take().shows(field(), picture(1))
    for shade in range(2, 20):
        take.wait(300).shows(field(str(shade)), picture(shade))
    take.wait(300).key("Enter").wait(400).key("Escape").wait(300).shows(field("after"), picture(99))
    stretch = take.play().stretch
    assert len(stretch.actions) == 2
    assert (len(stretch.versions), len(stretch.trees), len(stretch.frames)) == (1, 1, 1)


def test_equal_trees_and_frames_are_there_once() -> None:
    take = Take().shows(field("a"), picture(1)).wait(500).key("Enter").wait(400)
    take.shows(field("b"), picture(2)).wait(400).key("Escape").wait(400)
    stretch = take.shows(field("a"), picture(1)).wait(400).key("Enter").play().stretch
    assert [(version.tree, version.frame) for version in stretch.versions] == [(0, 0), (1, 1), (0, 0)]


def test_the_next_raw_file_of_a_run_goes_on_where_the_last_ended() -> None:
    assembler = Assembler(START)
    feed(assembler, Take().window(1).shows(field()).at(9_800).type("Ann").items)
    assembler.turn()
    again = Take().at(10_000).window(1).shows(field()).wait(50).type(" Lee").wait(200)
    feed(assembler, again.shows(field("Ann Lee")).items)
    assembler.settle(None)
    (action,) = assembler.stretch(0, 60_000).actions
    assert isinstance(action, Type)
    assert (action.text, action.value) == ("Ann Lee", "Ann Lee")


def test_times_are_on_the_grid_and_the_servers_clock_may_run_over() -> None:
    late = 400_000
    assert (SERVER_MS + late) % 2**32 < SERVER_MS
    take = Take().shows(field()).at(late + 380).click(30, 30)
    assert take.play(grid_ms=250).only().at_ms == late + 250
    assert take.play(grid_ms=1_000).only().at_ms == late


def test_an_event_that_names_what_is_forgotten_says_nothing() -> None:
    assembler = Assembler(START)
    for number in range(70):
        feed(assembler, [field(str(number))])
    assembler.feed((TreeComplete(time=SERVER_MS, tree=3), Focus(time=SERVER_MS, tree=3, element=1)))
    assembler.feed((TreeComplete(time=SERVER_MS, tree=69),))
    feed(assembler, Take().at(100).key("Enter").items)
    assembler.settle(None)
    stretch = assembler.stretch(0, 1_000)
    assert stretch.trees == (field("69"),)


def written(stretch: Stretch, seconds: int, grid_ms: int = 1_000) -> bytes:
    """Return the recording file of a stretch; the writer refuses what breaks a rule."""
    file = io.BytesIO()
    writer = RecordingWriter(file)
    tree_numbers = [writer.add_tree(tree) for tree in stretch.trees]
    frame_numbers = [writer.add_frame(one.picture, one.x, one.y) for one in stretch.frames]
    assert tree_numbers == list(range(len(tree_numbers)))
    assert frame_numbers == list(range(len(frame_numbers)))
    for version in stretch.versions:
        writer.add_version(version)
    for action in stretch.actions:
        writer.add_action(action)
    for gap in stretch.gaps:
        writer.add_gap(gap)
    writer.finish(
        Manifest(
            recording=START.recording,
            ordinal=0,
            title="",
            task="test",
            application_group="synthetic",
            started_at=START.started_at,
            ended_at=START.started_at + seconds,
            screen=START.screen,
            source="synthetic",
            redaction=None,
            time_grid_ms=grid_ms,
        )
    )
    return file.getvalue()


def region(selected: str, *, is_open: bool = False, extra: str = "") -> ElementTree:
    options = (
        el(
            "option",
            name,
            (20, 130 + 20 * at, 100, 20) if is_open else (20, 100, 100, 20),
            states=("selected " if name == selected else "") + ("" if is_open else "hidden"),
            tag="option",
        )
        for at, name in enumerate(("North", "South", "West"))
    )
    return page(
        el(
            "listitem",
            "Menu",
            (20, 20, 60, 20),
            *([el("menuitem", "Sub", (20, 40, 60, 20))] if extra else []),
        ),
        el("combobox", "Region", (20, 100, 100, 20), *options, states="focusable " + extra, tag="select"),
        el("textbox", "Password", (140, 60, 80, 20), states="secure focusable " + extra * (not is_open)),
        el("checkbox", "News", (140, 100, 20, 20), states="focusable checked" if extra else "focusable"),
    )


POOL = [
    field(),
    field("Ann"),
    field("Ann Lee", states=""),
    field("x", states="focused multiline"),
    page(el("textbox", "Name", (20, 60, 200, 20), states="secure focused focusable")),
    region("North"),
    region("South"),
    region("North", is_open=True),
    region("South", extra="focused"),
    region("West", is_open=True, extra="focused"),
    page(),
]
KEYS = [*SYMBOLS.values(), *map(ord, "aAeS 1"), 0, 0xFE51, 0xFFC1, 0x1008FF11, 0x100044F]
SPOTS = [(30, 30), (30, 50), (30, 70), (30, 110), (35, 140), (30, 160), (150, 70), (150, 110), (600, 500)]
WAITS = (0, 5, 5, 40, 90, 90, 200, 400, 1_200, 6_000)


class Scribe:
    """Writes what is drawn as a real raw file; ``items`` reads it back by the real reader."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.file = io.BytesIO()
        self.writer = RawWriter(self.file, StandIn(), START)
        self.now = SERVER_MS
        self.is_secret = False
        self.sizes: list[int] = []

    def items(self) -> list[Item]:
        self.writer.finish()
        return list(RawReader(self.file, StandIn()).items())

    def one_of(self, *choices: object) -> Any:
        return self.draw(st.sampled_from(choices))

    def wait(self, *choices: int) -> int:
        self.now += self.one_of(*choices)
        return self.now % 2**32

    def shows(self, tree: ElementTree) -> None:
        self.writer.add_tree(tree, self.now % 2**32)
        self.sizes.append(len(tree.elements))

    def draws(self) -> None:
        self.shows(self.draw(st.sampled_from(POOL) | trees(8)))
        if self.one_of(True, False, False):
            self.writer.add_frame(picture(self.one_of(0, 1, 2)), self.now % 2**32)

    def spot(self) -> tuple[int, int]:
        near = st.tuples(st.integers(0, 250), st.integers(0, 220))
        x, y = self.draw(st.sampled_from(SPOTS) | near)
        return x, y

    def move(self) -> None:
        x, y = self.spot()
        self.writer.add(Motion(time=self.wait(5, 15), x=x, y=y))

    def button(self) -> None:
        x, y = self.spot()
        kind = self.one_of(ButtonPress, ButtonRelease)
        button, bits = self.one_of(1, 1, 1, 2, 3, 9), self.one_of(0, 0, 4, 9)
        self.writer.add(kind(time=self.now % 2**32, x=x, y=y, button=button, modifiers=bits))

    def click(self, x: int | None = None, y: int | None = None) -> None:
        at = self.spot() if x is None or y is None else (x, y)
        button = self.one_of(1, 1, 1, 1, 2, 3)
        self.writer.add(Motion(time=self.wait(15, 200), x=at[0], y=at[1]))
        for _ in range(self.one_of(1, 1, 1, 2, 3)):
            said = {"x": at[0], "y": at[1], "button": button}
            self.writer.add(ButtonPress(time=self.wait(60, 120), **said))
            self.writer.add(ButtonRelease(time=self.wait(40), **said))

    def key(self) -> None:
        if self.is_secret:
            return
        bits, kind = self.one_of(0, 0, 0, 1, 4, 8), self.one_of(KeyPress, KeyPress, KeyPress, KeyRelease)
        for _ in range(self.one_of(1, 1, 3)):
            keysym = self.one_of(*KEYS)
            self.writer.add(kind(time=self.wait(40, 90), keycode=9, keysym=keysym, modifiers=bits))

    def secret(self) -> None:
        kind = SecureEnd if self.is_secret else SecureBegin
        self.writer.add(kind(time=self.now % 2**32))
        self.is_secret = not self.is_secret

    def wheel(self) -> None:
        x, y = self.spot()
        dx, dy = self.one_of(0, 0, 1), self.one_of(-128, -1, 0, 1, 127)
        self.writer.add(Wheel(time=self.now % 2**32, x=x, y=y, dx=dx, dy=dy))

    def world(self) -> None:
        window = Window(
            time=self.now % 2**32, window=self.one_of(1, 2), in_scope=self.one_of(True, True, False)
        )
        self.writer.add(self.one_of(window, Lost(time=self.now % 2**32)))

    def focus(self) -> None:
        if self.sizes:
            number = self.draw(st.integers(0, len(self.sizes) - 1))
            element = self.draw(st.integers(0, self.sizes[number] - 1))
            self.writer.add(Focus(time=self.now % 2**32, tree=number, element=element))

    def choose(self) -> None:
        self.shows(region("North"))
        self.click(30, 110)
        self.wait(90, 150)
        self.shows(region("North", is_open=True, extra=self.one_of("", "focused")))
        self.wait(200, 400, 6_000)
        self.one_of(lambda: self.click(30, 160), self.key)()
        self.wait(90, 150)
        self.shows(region(self.one_of("South", "North")))

    def hover(self) -> None:
        self.shows(region("North"))
        for x, y in ((600, 500), (30, 30)):
            self.writer.add(Motion(time=self.wait(200, 400, 1_200), x=x, y=y))
        self.wait(200, 350)
        self.shows(region("North", extra="focusable"))
        self.wait(200, 350)
        self.click(30, 50)


@st.composite
def items(draw: st.DrawFn, max_size: int = 40) -> list[Item]:
    """Draw what a raw file could hold."""
    scribe = Scribe(draw)
    often = (scribe.draws, scribe.draws, scribe.move, scribe.click, scribe.key, scribe.key)
    seldom = (
        scribe.button,
        scribe.secret,
        scribe.wheel,
        scribe.world,
        scribe.focus,
        scribe.choose,
        scribe.hover,
    )
    for _ in range(draw(st.integers(1, max_size))):
        scribe.wait(*WAITS)
        scribe.one_of(*often, *seldom)()
    return scribe.items()


def seconds_of(drawn: list[Item]) -> int:
    last = max((event.time for item in drawn if isinstance(item, tuple) for event in item), default=SERVER_MS)
    return (last - SERVER_MS) % 2**32 // 1_000 + 1


def whole(drawn: list[Item], grid_ms: int = 1_000) -> tuple[Assembler, Stretch]:
    assembler = Assembler(START, grid_ms=grid_ms)
    feed(assembler, drawn)
    assembler.settle(None)
    return assembler, assembler.stretch(0, seconds_of(drawn) * 1_000)


def said(stretches: Sequence[Stretch]) -> list[tuple[Action, ElementTree | None]]:
    """Return what was done, without times and numbers of versions."""
    return [
        (replace(action, at_ms=0, before=None), stretch.tree_before(action))
        for stretch in stretches
        for action in stretch.actions
    ]


@settings(max_examples=100, deadline=None)
@given(drawn=items(), grid_ms=st.sampled_from((250, 1_000, 10_000)))
def test_whatever_happened_the_file_keeps_every_rule(drawn: list[Item], grid_ms: int) -> None:
    assembler, stretch = whole(drawn, grid_ms)
    assert check(io.BytesIO(written(stretch, seconds_of(drawn), grid_ms))).problems == ()
    assert assembler.actions == len(stretch.actions)
    assert assembler.pointer_inside <= assembler.pointer_actions <= assembler.actions
    assert assembler.events == sum(len(item) for item in drawn if isinstance(item, tuple))


@settings(max_examples=100, deadline=None)
@given(drawn=items(), cuts=st.lists(st.integers(1, 120), max_size=6), asks=st.integers(1, 4))
def test_cutting_anywhere_loses_nothing_and_doubles_nothing(
    drawn: list[Item], cuts: list[int], asks: int
) -> None:
    _, uncut = whole(drawn)
    assembler = Assembler(START)
    stretches, taken, now = [], 0, 0
    waiting = sorted({cut * 500 for cut in cuts})
    for number, item in enumerate(drawn):
        if isinstance(item, tuple):
            for event in item:
                at = (event.time - SERVER_MS) % 2**32
                while waiting and waiting[0] <= at:
                    assembler.settle(now)
                    to_ms = waiting.pop(0)
                    stretches.append(assembler.stretch(taken, to_ms))
                    check_cut(stretches[-1], taken, to_ms)
                    taken = to_ms
                assembler.feed((event,))
                now = max(now, at)
        else:
            assembler.feed(item)
        if number % asks == 0:
            assembler.settle(now)
    assembler.settle(None)
    end = max(seconds_of(drawn) * 1_000, taken + 500)
    stretches.append(assembler.stretch(taken, end))
    assert said(stretches) == said([uncut])
    assert any(stretch.gaps for stretch in stretches) == bool(uncut.gaps)


def check_cut(stretch: Stretch, from_ms: int, to_ms: int) -> None:
    seconds = -(-(to_ms - from_ms) // 1_000)
    assert check(io.BytesIO(written(stretch, seconds))).problems == ()


@settings(max_examples=40, deadline=None)
@given(drawn=items())
def test_without_presses_keys_and_wheel_nothing_is_made_up(drawn: list[Item]) -> None:
    quiet = (Motion, Focus, TreeComplete, Window, KeyRelease, ButtonRelease)
    calm: list[Item] = [
        tuple(event for event in item if isinstance(event, quiet)) if isinstance(item, tuple) else item
        for item in drawn
    ]
    assembler, stretch = whole(calm)
    assert (assembler.actions, stretch.actions, stretch.versions) == (0, (), ())


def test_a_busy_minute_is_assembled_in_well_under_half_a_second() -> None:
    def busy(shade: int) -> ElementTree:
        rows = (
            el("button", f"{n} {shade}", (10 + 60 * (n % 10), 10 + 25 * (n // 10), 50, 20), tag="button")
            for n in range(98)
        )
        return page(
            *rows, el("textbox", "Name", (10, 400, 200, 20), value=str(shade), states="focused editable")
        )

    take = Take()
    for tenth in range(100):
        take.at(tenth * 600).shows(busy(tenth))
        start, end = (5 + 60 * (tenth % 10), 3), (35 + 60 * ((tenth * 7) % 10), 20 + 25 * (tenth % 10))
        take.wait(5).move(*path(start, end, 20), every=10).wait(15).click(*end).wait(20)
        take.type("ab", every=35).wait(5).wheel(*end, dy=1)
        take.wait(20).move(*path(end, (700, 590), 20), every=10)
    events = sum(len(item) for item in take.items if isinstance(item, tuple))
    assert events >= 4_500
    began = time.process_time()
    played = take.play()
    spent = time.process_time() - began
    assert len(played.acts) == 300
    assert any(isinstance(action, Click) for action in played.acts)
    assert spent < 0.5, f"{spent:.3f} s for {events} events"
