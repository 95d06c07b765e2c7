"""Makes a tree clean, and says which of its elements held something.

Rules

* Every text of a tree is looked at: names, values, ids, classes, tags, application and host.
* A field whose place ever held an entity is hidden whole, in every version.
* An entity that lies over neighbouring texts, as where a list marks the letters typed, goes from all of them.
* A text that grew too long for its field is cut; a host that is no host any more is left out.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

import msgspec
from msgspec.structs import replace

from understudy.formats.elements import Element, ElementTree, Role
from understudy.redaction.cleaning import Cleaner
from understudy.redaction.kinds import EntityClass
from understudy.redaction.structure import Structure

_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}")
_NAME: Final = 2_000
_VALUE: Final = 8_000
_ID: Final = 200
_CLASS: Final = 100
_TAG: Final = 64


class CleanTree(msgspec.Struct, frozen=True):
    """A clean tree, and the numbers of the elements whose pixels must be hidden."""

    tree: ElementTree
    dirty: frozenset[int]

    def __repr__(self) -> str:
        return f"CleanTree(dirty={len(self.dirty)})"


def cleaned_tree(
    tree: ElementTree, structure: Structure, fields: Mapping[int, EntityClass], cleaner: Cleaner
) -> CleanTree:
    """Return ``tree`` without entities.

    Args:
        tree: as it was captured.
        structure: what it tells.
        fields: class of each field that holds an entity, or stands where one was.
        cleaner: what is known of the recording.
    """
    dirty = set(fields)
    elements = []
    joined = _over_neighbours(tree.elements, cleaner)
    for number, element in enumerate(tree.elements):
        name, value = joined.get(number, element.name), element.value
        static = structure.statics.get(number)
        name = cleaner.whole(name, static).text if static is not None else cleaner.clean(name).text
        if value is not None:
            kind = fields.get(number) or static
            value = (cleaner.whole(value, kind) if kind is not None else cleaner.clean(value)).text
        if name != element.name or value != element.value:
            dirty.add(number)
        elements.append(_attributes(element, name, value, cleaner))
    host = None if tree.host is None else cleaner.clean(tree.host, attribute=True).text
    application = None if tree.application is None else cleaner.clean(tree.application).text[:_ID]
    clean = ElementTree(
        elements=tuple(elements),
        application=application,
        host=host if host is not None and _HOST.fullmatch(host) else None,
    )
    return CleanTree(clean, frozenset(dirty))


def _attributes(element: Element, name: str, value: str | None, cleaner: Cleaner) -> Element:
    def clean(text: str, limit: int) -> str:
        return cleaner.clean(text, attribute=True).text[:limit]

    return replace(
        element,
        name=name[:_NAME],
        value=None if value is None else value[:_VALUE],
        tag=None if element.tag is None else clean(element.tag, _TAG),
        id=None if element.id is None else clean(element.id, _ID),
        classes=tuple(clean(text, _CLASS) for text in element.classes),
    )


def _over_neighbours(elements: Sequence[Element], cleaner: Cleaner) -> dict[int, str]:
    """Return the new names of neighbouring texts that hold an entity only together."""
    changed: dict[int, str] = {}
    run: list[int] = []
    for number, element in enumerate([*elements, Element(role=Role.UNKNOWN)]):
        is_next = element.role is Role.TEXT and bool(element.name)
        if run and not (is_next and element.parent == elements[run[-1]].parent and number == run[-1] + 1):
            if len(run) > 1:
                changed |= _over_run(run, elements, cleaner)
            run = []
        if is_next:
            run.append(number)
    return changed


def _over_run(run: list[int], elements: Sequence[Element], cleaner: Cleaner) -> dict[int, str]:
    names = [elements[number].name for number in run]
    joined = "".join(names)
    edges = set(accumulate(map(len, names)))
    found = [one for one in cleaner.across(joined) if any(one.start < edge < one.end for edge in edges)]
    if not found:
        return {}
    changed: dict[int, str] = {}
    start = 0
    for number, name in zip(run, names, strict=True):
        written, last = "", start
        for one in found:
            if one.end <= start or one.start >= start + len(name):
                continue
            written += joined[last : max(last, one.start)]
            # The first of the texts has the whole surrogate, the others lose their share.
            written += one.render(joined) if one.start >= start else ""
            last = min(one.end, start + len(name))
        if last != start or written:
            changed[number] = written + joined[last : start + len(name)]
        start += len(name)
    return changed
