"""Which fields have ever been fields for a secret.

Rules

* A mark is for good: "show password" makes an ordinary field of it that holds the same secret.
* It is by node, by place in the page (its address, tag, and id or name), and by parent and box: some browsers
  put a new node where the old one was.
* Memory is bounded: when very many marks were made, the oldest are forgotten.

Example

>>> marks = Marks()
>>> field = Field(peer=Peer(":1.7", "/5"), address="http://a.example/", tag="input", key="pw")
>>> marks.add(field)
>>> marks.has(Field(peer=Peer(":1.7", "/9"), address="http://a.example/", tag="input", key="pw"))
True
>>> marks.has(Field(peer=Peer(":1.7", "/9"), address="http://a.example/", tag="input", key="name"))
False
"""

from typing import Final

import msgspec

from understudy.recorder.capture.atspi.bus import Peer

MAX_MARKS: Final = 20_000

_Box = tuple[int, int, int, int]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What a field is recognised by; ``key`` is its id, or its name where it has none."""

    peer: Peer
    address: str = ""
    tag: str = ""
    key: str = ""
    parent: str = ""
    box: _Box | None = None

    def __repr__(self) -> str:
        return f"Field({self.peer.path})"


class Marks:
    """The fields that were secure at some time while the recorder ran."""

    def __init__(self) -> None:
        self._marks: dict[tuple[object, ...], None] = {}

    def add(self, field: Field) -> None:
        """Remember that ``field`` is secure."""
        for mark in _marks_of(field):
            self._marks.pop(mark, None)
            self._marks[mark] = None
        while len(self._marks) > MAX_MARKS:
            del self._marks[next(iter(self._marks))]

    def has(self, field: Field) -> bool:
        """Return whether ``field`` is, or stands in the place of, one that was secure."""
        return any(mark in self._marks for mark in _marks_of(field))

    def has_node(self, peer: Peer) -> bool:
        """Return whether this very node was secure."""
        return ("node", peer) in self._marks


def _marks_of(field: Field) -> list[tuple[object, ...]]:
    marks: list[tuple[object, ...]] = [("node", field.peer)]
    sender = field.peer.sender
    if field.tag and field.key:
        marks.append(("place", sender, field.address, field.tag, field.key))
    if field.parent and field.box is not None:
        marks.append(("spot", sender, field.parent, field.box))
    return marks
