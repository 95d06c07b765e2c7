"""What was entered into a field: from the values before and after, or else from the keys.

Rules

* Corrections inside a run belong to it: the text is what was left, not what was pressed.
* Where the values before and after are known, they decide. The keys are believed if the values bear them
  out: the value after is the value before with the text put in somewhere. Otherwise the text is what the two
  values differ by.
* Keys alone give no text where they cannot: an unknown character, a selection, a jump of the caret.

Example

>>> run = [Typed("a"), Typed("m"), Typed("v"), Pressed("Backspace"), Typed("b")]
>>> text_of(run)
'amb'
>>> entered("1120A", before="", after="11:20 AM"), entered("s", before="cat", after="cats")
('11:20 AM', 's')
"""

from collections.abc import Iterable
from typing import Final

from understudy.formats.recording.actions import MAX_TEXT
from understudy.formats.recording.keysyms import Pressed, Typed

Stroke = Typed | Pressed

ERASING: Final = frozenset({"Backspace", "Delete"})
CARET: Final = frozenset({"ArrowLeft", "ArrowRight", "Home", "End"})
LINES: Final = frozenset({"ArrowUp", "ArrowDown", "PageUp", "PageDown"})
"""Keys that move the caret too, in a field of several lines."""


def text_of(strokes: Iterable[Stroke]) -> str | None:
    """Return the text that the keys of one run left, or None where keys cannot tell."""
    text: list[str] = []
    caret = 0
    has_jumped = False
    for stroke in strokes:
        step = _STEPS.get(stroke.name) if isinstance(stroke, Pressed) and not stroke.modifiers else None
        if isinstance(stroke, Pressed) and stroke.name not in ERASING:
            caret += step or 0
            has_jumped = has_jumped or step is None or not 0 <= caret <= len(text)
        elif has_jumped or (isinstance(stroke, Typed) and stroke.character is None):
            return None
        elif isinstance(stroke, Typed):
            text.insert(caret, stroke.character or "")
            caret += 1
        elif step is None:
            return None  # with a modifier, a whole word goes
        elif 0 <= caret + step < len(text):
            caret += step
            del text[caret]
    return "".join(text) if len(text) <= MAX_TEXT else None


def entered(text: str | None, *, before: str | None, after: str | None) -> str | None:
    """Return what was entered.

    Args:
        text: what the keys left, if they can tell.
        before: what the field held, if that is known.
        after: what it holds now, if that is known.
    """
    if before is None or after is None or before == after or bears_out(text, before=before, after=after):
        return text
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    return after[start : len(after) - end]


def bears_out(text: str | None, *, before: str | None, after: str | None) -> bool:
    """Return whether the value after is the value before with the text in place of some part, or of none."""
    if text is None or before is None or after is None:
        return False
    start = _shared(before, after)
    kept = _shared(before[::-1], after[::-1])
    at = after.find(text)
    while 0 <= at <= start:
        rest = len(after) - at - len(text)
        if rest <= kept and at + rest <= len(before):
            return True
        at = after.find(text, at + 1)
    return False


def _shared(first: str, second: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


_STEPS: Final = {"ArrowLeft": -1, "ArrowRight": 1, "Backspace": -1, "Delete": 0}
