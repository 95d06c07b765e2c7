"""What a person does next: one step, as an oracle decides it.

Rules

* A step names what is acted on and nothing about how a hand moves.
* Text to type is what shall stand in the field in the end.
"""

import msgspec

from understudy.demo.oracles.look import Seen


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all steps: they act on an element."""

    target: Seen


class Click(Step, frozen=True, kw_only=True):
    """Click it."""


class Hover(Step, frozen=True, kw_only=True):
    """Rest on it until something opens."""


class Fill(Step, frozen=True, kw_only=True):
    """Type into it. ``keys`` is what to type where that is not the text: digits of a date field.

    ``adds`` leaves what stands there and types after it.
    """

    text: str
    keys: str = ""
    adds: bool = False


class Secret(Step, frozen=True, kw_only=True):
    """Type a secret into it; ``shown`` where the page itself shows it in clear."""

    text: str
    shown: bool = False


class Choose(Step, frozen=True, kw_only=True):
    """Choose an option of a native list."""

    option: str


class Press(Step, frozen=True, kw_only=True):
    """Press a named key while it has the focus."""

    key: str


class Scroll(Step, frozen=True, kw_only=True):
    """Turn the wheel over it; positive is down."""

    notches: int
