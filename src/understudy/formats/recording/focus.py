"""Which element has the keyboard focus: from what trees and focus events say, and from what was clicked.

Rules

* The newest word counts, whether a tree said it or an event. A word from before the last act that may have
  moved the focus (a press, Tab, Enter, a shortcut) is old.
* While there is only an old word, a clicked field that can be focused has the focus.
* The focus on an option is the focus on its list, and that on a part of a date field is the focus on the
  field, where these are native ones.

Example

>>> FocusLog().at(100)
(None, False)
"""

from collections import deque
from typing import Final, NamedTuple

from understudy.formats.elements import ElementState
from understudy.formats.recording.choice import field_of
from understudy.formats.recording.sights import Place, Scene

KEPT: Final = 64
_CAN: Final = frozenset({ElementState.FOCUSABLE, ElementState.EDITABLE})


class Word(NamedTuple):
    """At a time, something said that the focus is here."""

    time: int
    place: Place


class FocusLog:
    """What is known of the focus in the active window."""

    def __init__(self) -> None:
        self._words: deque[Word] = deque(maxlen=KEPT)
        self._moved = -1
        self._clicked: Place | None = None

    def tell(self, time: int, scene: Scene, number: int | None) -> None:
        """Take the word of a tree or of an event; no word if ``number`` is None."""
        if number is None:
            return
        self._words.append(Word(time, _place(scene, number)))

    def may_move(self, time: int, scene: Scene | None = None, number: int | None = None) -> None:
        """Note an act that may have moved the focus: a click on ``number``, or a key."""
        self._moved, self._clicked = time, None
        if scene is not None and number is not None:
            element = scene.element(number)
            if not _CAN.isdisjoint(element.states):
                self._clicked = _place(scene, number)

    def forget(self) -> None:
        """Forget everything: another window is active."""
        self._words.clear()
        self._moved, self._clicked = -1, None

    def at(self, time: int) -> tuple[Place | None, bool]:
        """Return where the focus was at a time, as far as is known, and whether the word for it is fresh."""
        word = next((word for word in reversed(self._words) if word.time <= time), None)
        if word is not None and word.time > self._moved:
            return word.place, True
        if self._clicked is not None:
            return self._clicked, False
        return (None if word is None else word.place), False

    def first(self, since: int, until: int) -> Place | None:
        """Return the first word after a time, up to another."""
        found = (word.place for word in self._words if since < word.time <= until)
        return next(found, None)


def _place(scene: Scene, number: int) -> Place:
    return scene.place(field_of(scene.tree, number))
