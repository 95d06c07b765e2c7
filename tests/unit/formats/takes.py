"""Small hand-made scenes, and takes: what a person does on them, as a raw file would hold it.

A take says when and what; ``play`` feeds it to an assembler and returns what came of it. Times are in
milliseconds.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from msgspec.structs import replace

from tests.unit.formats.forge import RECORDING
from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.raw.body import Start
from understudy.formats.raw.events import (
    ButtonPress,
    ButtonRelease,
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
    Wheel,
    Window,
)
from understudy.formats.raw.reader import Item
from understudy.formats.recording.actions import Action
from understudy.formats.recording.assembly import Assembler
from understudy.formats.recording.stretch import Stretch
from understudy.formats.screen import Screen

SERVER_MS = 2**32 - 300_000
"""Near the end of the server's clock: takes longer than 300 s run over it."""
START = Start(
    recording=RECORDING,
    started_at=1_700_000_000,
    server_ms=SERVER_MS,
    screen=Screen(width=800, height=600),
)
SYMBOLS = {
    "ArrowDown": 0xFF54,
    "ArrowLeft": 0xFF51,
    "ArrowRight": 0xFF53,
    "ArrowUp": 0xFF52,
    "Backspace": 0xFF08,
    "Delete": 0xFFFF,
    "End": 0xFF57,
    "Enter": 0xFF0D,
    "Escape": 0xFF1B,
    "Home": 0xFF50,
    "Tab": 0xFF09,
    "alt": 0xFFE9,
    "control": 0xFFE3,
    "shift": 0xFFE1,
}


class Spec(NamedTuple):
    """An element and what is below it."""

    element: Element
    below: tuple["Spec", ...]


def el(
    role: Role | str,
    name: str = "",
    box: tuple[int, int, int, int] = (0, 0, 0, 0),
    *below: Spec,
    states: str = "",
    value: str | None = None,
    tag: str | None = None,
) -> Spec:
    """Return an element; it shows unless its states say ``hidden``."""
    words = {ElementState(word) for word in states.split() if word != "hidden"}
    if "hidden" not in states:
        words.add(ElementState.SHOWING)
    element = Element(
        role=Role(role), name=name, value=value, states=tuple(sorted(words)), box=Box(*box), tag=tag
    )
    return Spec(element, below)


def page(*below: Spec, box: tuple[int, int, int, int] = (0, 0, 800, 600)) -> ElementTree:
    """Return a page with these elements."""
    elements: list[Element] = []

    def write(spec: Spec, parent: int | None) -> None:
        number = len(elements)
        elements.append(replace(spec.element, parent=parent))
        for one in spec.below:
            write(one, number)

    write(Spec(el("document", "Synthetic page", box).element, below), None)
    return ElementTree(elements=tuple(elements), host="synthetic.example")


def number_of(tree: ElementTree, name: str) -> int:
    """Return the first element of a name."""
    return next(number for number, element in enumerate(tree.elements) if element.name == name)


class Take:
    """What happened, in order. ``at`` sets the time; everything else happens then."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.now = 0
        self._trees = self._frames = 0
        self._held = 0

    def at(self, milliseconds: int) -> Self:
        assert milliseconds >= self.now, "a take runs forward"
        self.now = milliseconds
        return self

    def wait(self, milliseconds: int) -> Self:
        return self.at(self.now + milliseconds)

    def add(self, event: Event) -> Self:
        self.items.append((replace(event, time=(SERVER_MS + self.now) % 2**32),))
        return self

    def shows(self, tree: ElementTree, frame: PlacedPicture | None = None) -> Self:
        self.items.append(tree)
        self.add(TreeComplete(time=0, tree=self._trees))
        self._trees += 1
        return self if frame is None else self.frame(frame)

    def frame(self, frame: PlacedPicture) -> Self:
        self.items.append(frame)
        self.add(FrameComplete(time=0, frame=self._frames))
        self._frames += 1
        return self

    def move(self, *points: tuple[int, int], every: int = 15) -> Self:
        for number, (x, y) in enumerate(points):
            self.wait(every if number else 0).add(Motion(time=0, x=x, y=y))
        return self

    def press(self, x: int, y: int, button: int = 1) -> Self:
        return self.add(ButtonPress(time=0, x=x, y=y, button=button, modifiers=self._held))

    def release(self, x: int, y: int, button: int = 1) -> Self:
        return self.add(ButtonRelease(time=0, x=x, y=y, button=button, modifiers=self._held))

    def click(self, x: int, y: int, button: int = 1, times: int = 1) -> Self:
        for number in range(times):
            self.wait(70 if number else 0).press(x, y, button).wait(60).release(x, y, button)
        return self

    def wheel(self, x: int, y: int, dy: int, dx: int = 0) -> Self:
        return self.add(Wheel(time=0, x=x, y=y, dx=dx, dy=dy))

    def down(self, keysym: int) -> Self:
        return self.add(KeyPress(time=0, keycode=9, keysym=keysym, modifiers=self._held))

    def up(self, keysym: int) -> Self:
        return self.add(KeyRelease(time=0, keycode=9, keysym=keysym, modifiers=self._held))

    def key(self, *names: str, modifiers: int = 0, every: int = 100) -> Self:
        """Press keys by name or character, each released after 30 ms."""
        self._held = modifiers
        for number, name in enumerate(names):
            keysym = SYMBOLS.get(name) or ord(name)
            self.wait(every - 30 if number else 0).down(keysym).wait(30).up(keysym)
        self._held = 0
        return self

    def type(self, text: str, every: int = 100) -> Self:
        return self.key(*text, every=every)

    def focus(self, element: int, tree: int | None = None) -> Self:
        return self.add(Focus(time=0, tree=self._trees - 1 if tree is None else tree, element=element))

    def window(self, window: int = 1, *, in_scope: bool = True) -> Self:
        return self.add(Window(time=0, window=window, in_scope=in_scope))

    def secret(self, milliseconds: int = 800) -> Self:
        return self.veil().wait(milliseconds).unveil()

    def veil(self) -> Self:
        return self.add(SecureBegin(time=0))

    def unveil(self) -> Self:
        return self.add(SecureEnd(time=0))

    def hold(self, modifiers: int) -> Self:
        """Hold modifiers from here on: bits of the server's state."""
        self._held = modifiers
        return self

    def lost(self) -> Self:
        return self.add(Lost(time=0))

    def play(self, *, until: int = 600_000, grid_ms: int = 250) -> "Played":
        """Return everything that happened, as one stretch."""
        assembler = Assembler(START, grid_ms=grid_ms)
        feed(assembler, self.items)
        assembler.settle(None)
        return Played(assembler.stretch(0, until), assembler)


class Played(NamedTuple):
    """What a take became."""

    stretch: Stretch
    assembler: Assembler

    @property
    def acts(self) -> list[Action]:
        return list(self.stretch.actions)

    def only(self) -> Action:
        (action,) = self.stretch.actions
        return action

    def before(self, action: Action) -> ElementTree:
        """Return the state before an action."""
        tree = self.stretch.tree_before(action)
        assert tree is not None
        return tree

    def target(self, action: Action) -> Element:
        """Return the target in the state before it."""
        assert action.target is not None
        return self.before(action).elements[action.target]

    def names(self) -> list[str | None]:
        """Return the names of the targets."""
        return [None if action.target is None else self.target(action).name for action in self.acts]


def feed(assembler: Assembler, items: Iterable[Item]) -> None:
    for item in items:
        assembler.feed(item)


def picture(shade: int, side: int = 4) -> PlacedPicture:
    """Return a small square of one shade."""
    return PlacedPicture(x=0, y=0, picture=Picture(width=side, height=side, rgb=bytes([shade]) * side**2 * 3))


def path(start: tuple[int, int], end: tuple[int, int], steps: int = 10) -> Iterator[tuple[int, int]]:
    """Yield places on a straight line, both ends included."""
    for step in range(steps + 1):
        yield (
            start[0] + (end[0] - start[0]) * step // steps,
            start[1] + (end[1] - start[1]) * step // steps,
        )
