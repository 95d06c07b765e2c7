"""Numbers for places: where a field stands, whatever it holds, over all versions of a recording.

Rules

* A place is what ``ElementTree.place`` says, of one application and host; here each costs constant time.
* Numbers are given in order of appearance and never change.

Example

>>> tree = ElementTree(elements=(Element(role=Role.DOCUMENT), Element(role=Role.TEXTBOX, id="q", parent=0)))
>>> places = Places()
>>> places.of(tree) == places.of(tree)
True
"""

from understudy.formats.elements import Element, ElementTree, Role

__all__ = ["Element", "Places", "Role"]


class Places:
    """The places seen so far."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}

    def __repr__(self) -> str:
        return f"Places({len(self._numbers)})"

    def of(self, tree: ElementTree) -> list[int]:
        """Return the number of the place of each element."""
        found: list[int] = []
        seen: dict[tuple[int, str, str], int] = {}
        root = self._number(("root", tree.application, tree.host))
        for element in tree.elements:
            above = root if element.parent is None else found[element.parent]
            kin = (above, element.role.value, element.id or element.tag or "")
            # Siblings share the place above them, so counting kin below it counts siblings.
            before = seen[kin] = seen.get(kin, -1) + 1
            found.append(self._number((*kin, before)))
        return found

    def _number(self, name: tuple[object, ...]) -> int:
        return self._numbers.setdefault(name, len(self._numbers))
