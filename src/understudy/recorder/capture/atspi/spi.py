"""The calls and events of AT-SPI that are used here, and no others.

Rules

* Events that carry what is typed (``object:text-changed``) are not among them: programs send only what
  someone asks for, so passwords do not travel on our account. A caret that moves tells that a text changed.
* Places of events are told apart by interface, member and detail; other fields of an event are not looked at.

Source: the D-Bus interfaces of at-spi2-core 2.46 (``xml/``).
"""

import asyncio
from typing import Final

from understudy.recorder.capture.atspi.bus import DAEMON, DAEMON_PATH, Call, Connection, Peer, read_property

_SPI: Final = "org.a11y.atspi."
_ACCESSIBLE: Final = _SPI + "Accessible"

REGISTRY: Final = Peer(_SPI + "Registry", "/org/a11y/atspi/registry")
DESKTOP: Final = Peer(_SPI + "Registry", "/org/a11y/atspi/accessible/root")
BUS: Final = Peer(DAEMON, DAEMON_PATH)

GET_ROLE: Final = Call(_ACCESSIBLE, "GetRole", "u")
GET_STATE: Final = Call(_ACCESSIBLE, "GetState", "au")
GET_CHILDREN: Final = Call(_ACCESSIBLE, "GetChildren", "a(so)")
GET_ATTRIBUTES: Final = Call(_ACCESSIBLE, "GetAttributes", "a{ss}")
GET_INTERFACES: Final = Call(_ACCESSIBLE, "GetInterfaces", "as")
GET_NAME: Final = read_property(_ACCESSIBLE, "Name", "s")
GET_PARENT: Final = read_property(_ACCESSIBLE, "Parent", "(so)")
GET_EXTENTS: Final = Call(_SPI + "Component", "GetExtents", "(iiii)", "u", (0,))
GET_TEXT: Final = Call(_SPI + "Text", "GetText", "s", "ii", (0, -1))
GET_NUMBER: Final = read_property(_SPI + "Value", "CurrentValue", "d")
GET_ACTION: Final = Call(_SPI + "Action", "GetName", "s", "i", (0,))
GET_DOCUMENT: Final = Call(_SPI + "Document", "GetAttributes", "a{ss}")
GET_TOOLKIT: Final = read_property(_SPI + "Application", "ToolkitName", "s")

VALUE: Final = _SPI + "Value"
ACTION: Final = _SPI + "Action"
TEXT: Final = _SPI + "Text"

OBJECT_EVENT: Final = _SPI + "Event.Object"
WINDOW_EVENT: Final = _SPI + "Event.Window"
DOCUMENT_EVENT: Final = _SPI + "Event.Document"

FOCUS_EVENTS: Final = (
    ("object:state-changed:focused", OBJECT_EVENT, "StateChanged", "focused"),
    ("object:text-caret-moved", OBJECT_EVENT, "TextCaretMoved", None),
    ("window:activate", WINDOW_EVENT, "Activate", None),
    ("window:deactivate", WINDOW_EVENT, "Deactivate", None),
)
"""What the gate listens to: name to register, then interface, member and first argument to match."""

CHANGE_EVENTS: Final = (
    *FOCUS_EVENTS[:2],
    ("object:state-changed:checked", OBJECT_EVENT, "StateChanged", "checked"),
    ("object:state-changed:pressed", OBJECT_EVENT, "StateChanged", "pressed"),
    ("object:state-changed:selected", OBJECT_EVENT, "StateChanged", "selected"),
    ("object:state-changed:expanded", OBJECT_EVENT, "StateChanged", "expanded"),
    ("object:state-changed:indeterminate", OBJECT_EVENT, "StateChanged", "indeterminate"),
    ("object:state-changed:sensitive", OBJECT_EVENT, "StateChanged", "sensitive"),
    ("object:state-changed:showing", OBJECT_EVENT, "StateChanged", "showing"),
    ("object:state-changed:busy", OBJECT_EVENT, "StateChanged", "busy"),
    ("object:state-changed:defunct", OBJECT_EVENT, "StateChanged", "defunct"),
    ("object:children-changed", OBJECT_EVENT, "ChildrenChanged", None),
    ("object:selection-changed", OBJECT_EVENT, "SelectionChanged", None),
    ("object:property-change:accessible-name", OBJECT_EVENT, "PropertyChange", "accessible-name"),
    ("object:property-change:accessible-value", OBJECT_EVENT, "PropertyChange", "accessible-value"),
    ("document:load-complete", DOCUMENT_EVENT, "LoadComplete", None),
)
"""What the watcher listens to."""


_Events = tuple[tuple[str, str, str, str | None], ...]


async def subscribe(connection: Connection, events: _Events, sender: str | None = None) -> None:
    """Have ``events`` sent to this connection; only those of ``sender`` where it is given."""
    register = Call(_SPI + "Registry", "RegisterEvent", "", "sass")
    await _tell(connection, "AddMatch", register, events, sender)


async def unsubscribe(connection: Connection, events: _Events, sender: str) -> None:
    """Have ``events`` of ``sender`` no longer sent."""
    deregister = Call(_SPI + "Registry", "DeregisterEvent", "", "s")
    await _tell(connection, "RemoveMatch", deregister, events, sender)


async def watch_names(connection: Connection) -> None:
    """Have it told to this connection when a program leaves the bus."""
    rule = f"type='signal',sender='{DAEMON}',interface='{DAEMON}',member='NameOwnerChanged'"
    await connection.call(BUS, Call(DAEMON, "AddMatch", "", "s", (rule,)))


async def _tell(
    connection: Connection, member: str, registry: Call, events: _Events, sender: str | None
) -> None:
    calls = []
    for name, interface, signal, detail in events:
        rule = f"type='signal',interface='{interface}',member='{signal}'"
        if detail is not None:
            rule += f",arg0='{detail}'"
        if sender is not None:
            rule += f",sender='{sender}'"
        body: tuple[object, ...] = (name, [], sender or "") if registry.signature == "sass" else (name,)
        calls.append(connection.call(BUS, Call(DAEMON, member, "", "s", (rule,))))
        calls.append(connection.call(REGISTRY, registry._replace(body=body)))
    await asyncio.gather(*calls)
