"""One walk over everything below a page: all calls pipelined, each node a small machine of two steps.

Rules

* First what every node is asked: all when it is new, then what can change. A role stays, but for fields;
  classes do not. Of a node that did not show last time only states and children are asked at first; its name
  is the one it had, for a label that was scrolled away still names what it labels.
* Then, where it is called for: text and number of a field that is no secret, the action of a plain element,
  the address of an inner page. The text of a secret is never asked for; nothing below a secret is visited.
* A page inside the page is read only where it has the same host, or none.
* No node is visited twice, so a tree that is none does not keep us.
* A walk ends: at ``MAX_ELEMENTS`` nodes, ``MAX_LEVELS`` levels, or after ``LIMIT_SECONDS``.
"""

import asyncio
from functools import partial
from typing import Any, Final

import msgspec

from understudy.formats.accessibility.atspi import CLICK, Node, is_password
from understudy.formats.accessibility.atspi_roles import (
    COMBO_BOX,
    DOCUMENT_WEB,
    EDITABLE,
    INTERNAL_FRAME,
    SHOWING,
    SPIN_BUTTON,
    is_field,
    is_leaf,
    is_plain,
)
from understudy.formats.elements import MAX_ELEMENTS
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import Call, Connection, Peer
from understudy.recorder.capture.atspi.marks import Field, Marks
from understudy.recorder.capture.atspi.pages import Page, host_of, state_bits

__all__ = ["Facts", "Reading", "Walk", "is_hidden"]

MAX_LEVELS: Final = 250
LIMIT_SECONDS: Final = 0.5
_NOTHING: Final = "/org/a11y/atspi/null"
_BULLETS: Final = frozenset("\u2022\u25cf")


class Reading(msgspec.Struct, kw_only=True):
    """What was read of a page, and its nodes by where they are; ``is_whole``: nothing of it was missing."""

    page: Page
    root: Node
    nodes: dict[Peer, Node]
    fields: dict[Peer, Field]
    is_whole: bool


class Facts(msgspec.Struct, kw_only=True):
    """What is remembered of a node from walk to walk."""

    role: int
    interfaces: frozenset[str]
    attributes: dict[str, str]
    action: str | None = None
    is_foreign: bool | None = None
    did_show: bool = True
    name: str = ""


class _Visit(msgspec.Struct, kw_only=True):
    """A node under way: what it answered so far. ``kids`` are the nodes of its children, in their order."""

    peer: Peer
    parent: "_Visit | None" = None
    place: int = 0
    level: int = 0
    is_inner: bool = False
    is_listed: bool = False
    missing: int = 0
    step: int = 0
    facts: Facts | None = None
    answers: dict[str, Any] = msgspec.field(default_factory=dict)
    node: Node | None = None
    kids: list[Node | None] = msgspec.field(default_factory=list)


_Question = tuple[str, Call]
_STATES: Final[_Question] = ("states", spi.GET_STATE)
_CHILDREN: Final[_Question] = ("children", spi.GET_CHILDREN)
_NAME: Final[_Question] = ("name", spi.GET_NAME)
_BOX: Final[_Question] = ("box", spi.GET_EXTENTS)
_ROLE: Final[_Question] = ("role", spi.GET_ROLE)
_ATTRIBUTES: Final[_Question] = ("attributes", spi.GET_ATTRIBUTES)
_INTERFACES: Final[_Question] = ("interfaces", spi.GET_INTERFACES)
_TEXT: Final[_Question] = ("text", spi.GET_TEXT)
_NUMBER: Final[_Question] = ("number", spi.GET_NUMBER)
_ACTION: Final[_Question] = ("action", spi.GET_ACTION)
_DOCUMENT: Final[_Question] = ("document", spi.GET_DOCUMENT)

_NEW: Final = (_STATES, _CHILDREN, _NAME, _BOX, _ROLE, _ATTRIBUTES, _INTERFACES)
_AGAIN: Final = (_STATES, _CHILDREN, _NAME, _BOX)
_TAGGED: Final = (*_AGAIN, _ATTRIBUTES)
_FIELD: Final = (*_AGAIN, _ATTRIBUTES, _ROLE)
_LEAF: Final = (_STATES, _NAME, _BOX)
_UNSEEN: Final = (_STATES, _CHILDREN)


class Walk:
    """Reads a page once.

    Args:
        connection: what to read over.
        marks: the fields that were ever secure; those that are found are added.
        facts: what is remembered of nodes; it is brought up to date.
        page: where to begin.
    """

    def __init__(self, connection: Connection, marks: Marks, facts: dict[Peer, Facts], page: Page) -> None:
        self._connection = connection
        self._marks = marks
        self._facts = facts
        self._page = page
        self._seen: set[Peer] = set()
        self._under_way = 0
        self._is_whole = True
        self._nodes: dict[Peer, Node] = {}
        self._fields: dict[Peer, Field] = {}
        self._visits: list[_Visit] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> Reading | None:
        """Walk, and return what was read; None where the page is gone."""
        root = _Visit(peer=self._page.peer)
        self._visit(root)
        timer = asyncio.get_running_loop().call_later(LIMIT_SECONDS, self._stop)
        try:
            await self._done
        finally:
            timer.cancel()
            self._done.cancel()
        if root.node is None:
            return None
        for visit in self._visits:
            if visit.node is not None and visit.kids:
                visit.node.children = [kid for kid in visit.kids if kid is not None]
        return Reading(
            page=self._page, root=root.node, nodes=self._nodes, fields=self._fields, is_whole=self._is_whole
        )

    def _stop(self) -> None:
        if not self._done.done():
            self._is_whole = False
            self._done.set_result(None)
            self._connection.drop_waiting()

    def _visit(self, visit: _Visit) -> None:
        peer = visit.peer
        if peer in self._seen or len(self._seen) >= MAX_ELEMENTS or visit.level > MAX_LEVELS:
            return
        self._seen.add(peer)
        self._visits.append(visit)
        self._under_way += 1
        facts = visit.facts = self._facts.get(peer)
        if facts is None:
            self._ask(visit, _NEW)
        elif not facts.did_show:
            self._ask(visit, _UNSEEN)
        elif is_field(facts.role) or facts.role == COMBO_BOX:
            self._ask(visit, _FIELD)
        elif is_leaf(facts.role, facts.attributes):
            self._ask(visit, _LEAF)
        else:
            self._ask(visit, _TAGGED if facts.attributes.get("tag") else _AGAIN)

    def _ask(self, visit: _Visit, questions: tuple[_Question, ...]) -> None:
        visit.missing += len(questions)
        for name, call in questions:
            self._connection.ask(visit.peer, call, partial(self._hear, visit, name))

    def _hear(self, visit: _Visit, name: str, value: Any) -> None:
        visit.answers[name] = value
        visit.missing -= 1
        if visit.missing or self._done.done():
            return
        if visit.step == 0:
            self._first(visit)
        else:
            self._second(visit)
        if not visit.missing:
            self._under_way -= 1
            if not self._under_way:
                self._done.set_result(None)

    def _first(self, visit: _Visit) -> None:
        """Make the node of what every node is asked, and ask what else it calls for."""
        answers, facts = visit.answers, visit.facts
        states = state_bits(answers["states"])
        if facts is None:
            facts = visit.facts = self._new_facts(visit)
        if facts is None or answers["states"] is None:
            self._is_whole = False
            self._facts.pop(visit.peer, None)
            return
        is_seen = bool(states & SHOWING) or visit.is_listed
        if is_seen and "name" not in answers:
            facts.did_show = True
            self._ask(visit, _FIELD)
            return
        facts.did_show = is_seen
        facts.role = answers.get("role") or facts.role
        facts.attributes = answers.get("attributes") or facts.attributes
        facts.name = (answers["name"] or "") if "name" in answers else facts.name
        visit.step = 1
        visit.node = Node(
            role=facts.role,
            name=facts.name,
            states=states,
            box=answers.get("box") and tuple(answers["box"]),
            attributes=facts.attributes,
            action=facts.action or "",
        )
        self._nodes[visit.peer] = visit.node
        if visit.parent is not None:
            visit.parent.kids[visit.place] = visit.node
        if self._settle_security(visit, visit.node):
            return
        more = self._more(visit, facts, states)
        self._ask(visit, tuple(more))
        if _DOCUMENT not in more and not (visit.is_inner and facts.is_foreign):
            self._descend(visit, facts)

    def _new_facts(self, visit: _Visit) -> Facts | None:
        answers = visit.answers
        if answers["role"] is None:
            return None
        facts = Facts(
            role=answers["role"],
            interfaces=frozenset(answers["interfaces"] or ()),
            attributes=answers["attributes"] or {},
        )
        self._facts[visit.peer] = facts
        return facts

    def _settle_security(self, visit: _Visit, node: Node) -> bool:
        """Return whether the node is, or ever was, a secret; remember it if so."""
        is_secret = is_password(node.role, node.attributes)
        if not is_secret and not is_field(node.role) and not self._marks.has_node(visit.peer):
            return False
        field = Field(
            peer=visit.peer,
            address=self._page.address,
            tag=node.attributes.get("tag", ""),
            key=node.attributes.get("id") or node.name,
            parent=visit.parent.peer.path if visit.parent is not None else "",
            box=node.box,
        )
        self._fields[visit.peer] = field
        node.is_secure = is_secret or self._marks.has(field)
        if node.is_secure:
            self._marks.add(field)
        return node.is_secure

    def _more(self, visit: _Visit, facts: Facts, states: int) -> list[_Question]:
        more = []
        interfaces = facts.interfaces if states & SHOWING else frozenset()
        if spi.TEXT in interfaces and (is_field(facts.role) or facts.role == COMBO_BOX):
            has_text = facts.role not in (COMBO_BOX, SPIN_BUTTON) or states & EDITABLE
            if has_text:
                more.append(_TEXT)
        if spi.VALUE in interfaces:
            more.append(_NUMBER)
        if spi.ACTION in interfaces and facts.action != CLICK and is_plain(facts.role, facts.attributes):
            more.append(_ACTION)  # asked until it is one: scripts add listeners after they add elements
        if visit.is_inner and facts.role == DOCUMENT_WEB and facts.is_foreign is None:
            more.append(_DOCUMENT)
        return more

    def _second(self, visit: _Visit) -> None:
        """Put what else was asked into the node."""
        node, facts, answers = visit.node, visit.facts, visit.answers
        if node is None or facts is None:
            return
        node.text = answers.get("text")
        node.number = answers.get("number")
        if "action" in answers:
            facts.action = node.action = answers["action"] or ""
        if node.text and is_hidden(node.text) and visit.peer in self._fields:
            node.text = None
            node.is_secure = True
            self._marks.add(self._fields[visit.peer])
        if "document" in answers:
            document = answers.pop("document") or {}
            host = host_of(document.get("URI") or document.get("DocURL") or "")
            facts.is_foreign = bool(host) and host != self._page.host
            if not facts.is_foreign:
                self._descend(visit, facts)

    def _descend(self, visit: _Visit, facts: Facts) -> None:
        children = visit.answers.get("children") or ()
        visit.kids = [None] * len(children)
        is_inner = visit.is_inner or facts.role == INTERNAL_FRAME
        is_listed = visit.is_listed or facts.role == COMBO_BOX
        for place, reference in enumerate(children):
            peer = Peer(*reference)
            if peer.path == _NOTHING:
                continue
            self._visit(
                _Visit(
                    peer=peer,
                    parent=visit,
                    place=place,
                    level=visit.level + 1,
                    is_inner=is_inner,
                    is_listed=is_listed,
                )
            )


def is_hidden(text: str) -> bool:
    """Return whether a text is nothing but the bullets that stand for a secret."""
    return _BULLETS.issuperset(text)
