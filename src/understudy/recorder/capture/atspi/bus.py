"""One connection to a message bus: calls with a bound on what is under way, signals, and a clear end.

Rules

* At most ``WINDOW`` calls are under way. More would fill the socket, and dbus-fast closes a connection whose
  socket is full: several hundred small calls at once end it without a word.
* A call ends once: with its reply, or with None when it was refused, took too long, or the connection closed.
* Nothing of a message is kept here: values go to the one who asked, signals to the one listener.
* Peers are not trusted: a reply of another shape than asked for counts as a refusal.

The bus of accessibility is not the session's: ``find_bus`` asks for its address and switches it on.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

__all__ = ["DAEMON", "DAEMON_PATH", "Call", "Connection", "Peer", "find_bus", "read_property"]

WINDOW: Final = 64
TIMEOUT_SECONDS: Final = 1.0
DAEMON: Final = "org.freedesktop.DBus"
DAEMON_PATH: Final = "/org/freedesktop/DBus"
_PROPERTIES: Final = "org.freedesktop.DBus.Properties"
_STARTS: Final = 5
"""Tries to ask for the accessibility bus: the first one starts it, which takes a while on a slow machine."""

Answer = Callable[[Any], None]
"""What a caller does with the first value of the reply; None where there is none."""


class Peer(NamedTuple):
    """An object of another program: the unique name of its connection, and its path there."""

    sender: str
    path: str


class Call(NamedTuple):
    """All of a call but whom it goes to.

    ``reply`` is the signature that the answer must have; where it is ``v``, ``inner`` that of what is in it.
    """

    interface: str
    member: str
    reply: str
    signature: str = ""
    body: Sequence[Any] = ()
    inner: str = ""


class _Pending(NamedTuple):
    answer: Answer
    call: Call
    deadline: float

    def value_in(self, message: Message) -> Any:
        """Return the first value of a reply, or None where it is not what was asked for."""
        if message.message_type is not MessageType.METHOD_RETURN or message.signature != self.call.reply:
            return None
        value = message.body[0] if message.body else None
        if isinstance(value, Variant):
            return value.value if value.signature == self.call.inner else None
        return value


def read_property(interface: str, name: str, inner: str) -> Call:
    """Return the call that reads a property of type ``inner``."""
    return Call(_PROPERTIES, "Get", "v", "ss", (interface, name), inner)


class Connection:
    """An open connection, made by ``open``; once closed it stays closed."""

    def __init__(self, bus: MessageBus, on_signal: Callable[[Message], None] | None) -> None:
        self._bus = bus
        self._on_signal = on_signal
        self._pending: dict[int, _Pending] = {}
        self._waiting: deque[tuple[Peer, Call, Answer]] = deque()
        self._loop = asyncio.get_running_loop()
        self._sweeper: asyncio.TimerHandle | None = None
        bus.add_message_handler(self._take)

    @classmethod
    async def open(
        cls, address: str | None = None, on_signal: Callable[[Message], None] | None = None
    ) -> "Connection":
        """Return a connection to the bus at ``address``; None is the session's.

        Raises:
            OSError: there is no such bus, or it does not let us in.
        """
        try:
            bus = MessageBus(bus_address=address, bus_type=BusType.SESSION, auth_timeout=5)
            await bus.connect()
        except OSError:
            raise
        except Exception as error:
            raise ConnectionError("a message bus that cannot be joined") from error
        return cls(bus, on_signal)

    @property
    def is_open(self) -> bool:
        """Whether calls can be made."""
        return self._bus.connected

    @property
    def name(self) -> str:
        """The unique name of this connection."""
        return self._bus.unique_name or ""

    def ask(self, peer: Peer, call: Call, answer: Answer) -> None:
        """Make a call; ``answer`` gets the first value of the reply, or None: once, and later than now."""
        if len(self._pending) < WINDOW and self.is_open:
            self._send(peer, call, answer)
        elif self.is_open:
            self._waiting.append((peer, call, answer))
        else:
            self._loop.call_soon(answer, None)

    async def call(self, peer: Peer, call: Call) -> Any:
        """Return the first value of the reply, or None."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def answer(value: Any) -> None:
            if not future.done():
                future.set_result(value)

        self.ask(peer, call, answer)
        return await future

    async def gather(self, peer: Peer, *calls: Call) -> list[Any]:
        """Return the first values of several replies; the calls go out together."""
        return await asyncio.gather(*(self.call(peer, call) for call in calls))

    async def closed(self) -> None:
        """Return when the connection has closed, whoever closed it; every call under way has ended then."""
        with contextlib.suppress(Exception):  # why does not matter: it is gone
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        self._give_up()

    def drop_waiting(self) -> None:
        """End the calls that have not gone out yet: who made them has given up."""
        waiting, self._waiting = self._waiting, deque()
        for _, _, answer in waiting:
            answer(None)

    def close(self) -> None:
        """Close the connection."""
        if self.is_open:
            self._bus.disconnect()
        self._give_up()

    def _send(self, peer: Peer, call: Call, answer: Answer) -> None:
        message = Message(
            destination=peer.sender,
            path=peer.path,
            interface=call.interface,
            member=call.member,
            signature=call.signature,
            body=list(call.body),
            serial=self._bus.next_serial(),
            validate=False,  # names and paths came from the bus, which lets no other pass
        )
        now = self._loop.time()
        self._pending[message.serial] = _Pending(answer, call, now + TIMEOUT_SECONDS)
        if self._sweeper is None:
            self._sweeper = self._loop.call_at(now + TIMEOUT_SECONDS, self._sweep)
        sent = self._bus.send(message)
        if sent.done():
            sent.exception()  # a closed connection shows in `closed`, not as an error nobody asked for
        else:
            sent.add_done_callback(_look_at)

    def _take(self, message: Message) -> bool:
        kind = message.message_type
        if kind is MessageType.SIGNAL:
            if self._on_signal is not None:
                self._on_signal(message)
            return True
        if kind is MessageType.METHOD_CALL:
            return False
        pending = self._pending.pop(message.reply_serial, None)
        if pending is None:
            return False  # a late reply, or the library's own call
        while self._waiting and len(self._pending) < WINDOW:
            self._send(*self._waiting.popleft())
        pending.answer(pending.value_in(message))
        return True

    def _sweep(self) -> None:
        """End the calls that took too long; they are in the order in which they were made."""
        self._sweeper = None
        now = self._loop.time()
        late = [serial for serial, pending in self._pending.items() if pending.deadline <= now]
        for serial in late:
            self._pending.pop(serial).answer(None)
        while self._waiting and len(self._pending) < WINDOW and self.is_open:
            self._send(*self._waiting.popleft())
        if self._pending and self._sweeper is None:
            first = next(iter(self._pending.values()))
            self._sweeper = self._loop.call_at(first.deadline, self._sweep)

    def _give_up(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        pending, self._pending = self._pending, {}
        for entry in pending.values():
            entry.answer(None)
        self.drop_waiting()


def _look_at(sent: "asyncio.Future[Any]") -> None:
    if not sent.cancelled():
        sent.exception()


async def find_bus(session_address: str | None = None) -> str:
    """Return the address of the accessibility bus of a session, after switching accessibility on.

    Programs that look only when they start (Chromium) must start after this.

    Raises:
        OSError: there is no session bus, or it offers no accessibility.
    """
    session = await Connection.open(session_address)
    try:
        offer = Peer("org.a11y.Bus", "/org/a11y/bus")
        address = None
        for _ in range(_STARTS):
            address = address or await session.call(offer, Call("org.a11y.Bus", "GetAddress", "s"))
        body = ("org.a11y.Status", "IsEnabled", Variant("b", True))
        await session.call(offer, Call(_PROPERTIES, "Set", "", "ssv", body))
    finally:
        session.close()
    if not address:
        raise ConnectionError("a session without accessibility")
    return str(address)
