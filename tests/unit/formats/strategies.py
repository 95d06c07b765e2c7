"""Hypothesis strategies for the values of the formats; whatever they draw keeps every rule."""

from hypothesis import strategies as st

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import Picture
from understudy.formats.raw.events import (
    ButtonPress,
    Event,
    KeyPress,
    KeyRelease,
    Lost,
    Motion,
    SecureBegin,
    SecureEnd,
    Wheel,
    Window,
)
from understudy.formats.recording.actions import (
    NAMED_KEYS,
    Action,
    Click,
    Drag,
    FillSecret,
    Hover,
    Key,
    Mark,
    Modifier,
    Point,
    RightClick,
    Scroll,
    Select,
    Type,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
small = st.integers(-50, 5_000)
side = st.integers(0, 300)
boxes = st.builds(Box, small, small, side, side)
points = st.none() | st.builds(Point, small, small)
modifiers = st.sets(st.sampled_from(Modifier)).map(lambda held: tuple(sorted(held)))
marks = st.sets(st.sampled_from(Mark)).map(lambda held: tuple(sorted(held)))
values = st.none() | text


@st.composite
def trees(draw: st.DrawFn, max_size: int = 12) -> ElementTree:
    """Draw a tree in document order, secure fields without value or children."""
    elements: list[Element] = []
    path: list[int] = []
    for number in range(draw(st.integers(1, max_size))):
        if path:
            del path[draw(st.integers(1, len(path))) :]
            while elements[path[-1]].is_secure:
                path.pop()
        states = draw(st.sets(st.sampled_from(ElementState), max_size=4))
        if number == 0:
            states.discard(ElementState.SECURE)
        elements.append(
            Element(
                role=draw(st.sampled_from(Role)),
                name=draw(text),
                value=None if ElementState.SECURE in states else draw(values),
                states=tuple(sorted(states)),
                box=draw(st.none() | boxes),
                parent=path[-1] if path else None,
                tag=draw(values),
                id=draw(values),
                classes=tuple(draw(st.lists(text, max_size=2))),
            )
        )
        path.append(number)
    return ElementTree(elements=tuple(elements), application=draw(values))


@st.composite
def pictures(draw: st.DrawFn, max_side: int = 12) -> Picture:
    """Draw a small picture of any pixels."""
    width, height = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    size = width * height * 3
    return Picture(width=width, height=height, rgb=draw(st.binary(min_size=size, max_size=size)))


def acts(at_ms: int, before: int | None, targets: st.SearchStrategy[int | None]) -> st.SearchStrategy[Action]:
    """Return a strategy for actions at a time, on elements that ``targets`` draws: none of them secure."""
    said = {"at_ms": st.just(at_ms), "before": st.just(before), "target": targets, "marks": marks}
    pointed = {**said, "point": points, "modifiers": modifiers, "value": values}
    one_of: st.SearchStrategy[Action] = st.one_of(
        st.builds(Click, **pointed),
        st.builds(RightClick, **pointed),
        st.builds(Drag, **pointed, to=points, drop=targets),
        st.builds(Hover, **said, point=points),
        st.builds(Scroll, **said, dx=st.integers(-9, 9), dy=st.integers(1, 9), modifiers=modifiers),
        st.builds(Type, **said, text=values, value=values),
        st.builds(Select, **said, option=values, option_element=targets, value=values),
        st.builds(
            Key, **said, key=st.sampled_from(sorted(NAMED_KEYS)), modifiers=modifiers, times=st.integers(1, 9)
        ),
    )
    return one_of


def secrets(at_ms: int, before: int, target: int) -> FillSecret:
    """Return the one thing that can be said of a secure element."""
    return FillSecret(at_ms=at_ms, before=before, target=target)


@st.composite
def events(draw: st.DrawFn, max_size: int = 40) -> tuple[Event, ...]:
    """Draw input events in order, without trees and frames; secure spans hold no key."""
    time = draw(st.integers(0, 2**32 - 1))
    drawn: list[Event] = []
    is_secure = False
    screen = st.integers(0, 65_535)
    for _ in range(draw(st.integers(1, max_size))):
        time = (time + draw(st.integers(0, 700))) % 2**32
        stamp = {"time": time, "late": draw(st.integers(0, 255))}
        byte = st.integers(0, 255)
        key = {"keycode": draw(byte), "keysym": draw(st.integers(0, 2**32 - 1)), "modifiers": draw(byte)}
        at = {"x": draw(screen), "y": draw(screen)}
        choice = draw(st.integers(0, 6))
        if choice == 0:
            is_secure = not is_secure
            drawn.append(SecureBegin(**stamp) if is_secure else SecureEnd(**stamp))
        elif choice == 1 and not is_secure:
            drawn.append(KeyPress(**stamp, **key) if draw(st.booleans()) else KeyRelease(**stamp, **key))
        elif choice == 2:
            drawn.append(ButtonPress(**stamp, **at, button=draw(byte), modifiers=draw(byte)))
        elif choice == 3:
            steps = st.integers(-128, 127)
            drawn.append(Wheel(**stamp, **at, dx=draw(steps), dy=draw(steps)))
        elif choice == 4:
            drawn.append(
                Window(**stamp, window=draw(st.integers(0, 2**32 - 1)), in_scope=draw(st.booleans()))
            )
        elif choice == 5:
            drawn.append(Lost(**stamp, count=draw(st.integers(0, 2**32 - 1))))
        else:
            drawn.append(Motion(**stamp, **at))
    return tuple(drawn)
