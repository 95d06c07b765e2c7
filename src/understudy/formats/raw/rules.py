"""The rules between the events of a raw file: one small state machine for writer, reader and ``check``.

Rules

* Between ``SecureBegin`` and ``SecureEnd`` no key event is admitted, whatever its time.
* An event names trees, frames and elements that are there already.
* What was admitted is counted, and the end must say the same.
"""

from understudy.formats.elements import ElementTree
from understudy.formats.raw.body import Totals
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import (
    KEYS,
    Event,
    Focus,
    FrameComplete,
    Lost,
    SecureBegin,
    SecureEnd,
    TreeComplete,
    elapsed,
)


class Progress:
    """What has been in the file so far."""

    def __init__(self) -> None:
        self._tree_sizes: list[int] = []
        self._frames = 0
        self._events = 0
        self._lost = 0
        self._time: int | None = None
        self._is_secure = False

    @property
    def totals(self) -> Totals:
        """The counts up to here."""
        return Totals(events=self._events, trees=len(self._tree_sizes), frames=self._frames, lost=self._lost)

    def add_tree(self, tree: ElementTree) -> int:
        """Count a tree and return its number."""
        self._tree_sizes.append(len(tree.elements))
        return len(self._tree_sizes) - 1

    def add_frame(self) -> int:
        """Count a frame and return its number."""
        self._frames += 1
        return self._frames - 1

    def admit(self, event: Event) -> None:
        """Count an event, if it keeps the rules.

        Raises:
            RawError: ``time-order``, ``secure-key``, ``secure-span`` or ``dangling``.
        """
        if self._time is not None:
            elapsed(self._time, event.time)
        if self._is_secure and isinstance(event, KEYS):
            raise RawError(
                RawCode.SECURE_KEY,
                "a key inside a secure span",
                hint="the hold-back must drop the keys of a secure field before they are written",
            )
        match event:
            case SecureBegin() | SecureEnd():
                begins = isinstance(event, SecureBegin)
                if begins == self._is_secure:
                    raise RawError(RawCode.SECURE_SPAN, "a secure span that nests, or ends without beginning")
                self._is_secure = begins
            case Focus(tree=tree, element=element):
                if tree >= len(self._tree_sizes) or element >= self._tree_sizes[tree]:
                    raise RawError(RawCode.DANGLING, "the focus is on an element that is not there")
            case TreeComplete(tree=tree) if tree >= len(self._tree_sizes):
                raise RawError(RawCode.DANGLING, "a tree that is not there")
            case FrameComplete(frame=frame) if frame >= self._frames:
                raise RawError(RawCode.DANGLING, "a frame that is not there")
            case Lost(count=count):
                self._lost += count
            case _:
                pass
        self._time = event.time
        self._events += 1
