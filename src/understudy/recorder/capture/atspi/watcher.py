"""Takes a snapshot whenever the active page may look different, and reads no more than that needs.

Rules

* Only the page of the active window is read, and only after ``allows`` said that it may be recorded; it is
  asked again for each page. What may not be recorded is looked for anew now and then, by its address alone.
* A snapshot is told when its tree is complete, with the pixels of that moment. A tree during which the page
  or its pixels changed is read again, a few times.
* Typing has one field read, not the page. Text that was read but not told yet is told before the next act.
* A page that goes away, or stays behind unseen as a browser's former pages do, is looked for at once. Until
  ``GRACE_SECONDS`` have passed, its successor may take its place without ``on_page`` hearing of a gap.
* Nothing of an event is kept: what it says is when to look, ``pace``.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from understudy.consent.errors import UnderstudyError
from understudy.formats.accessibility.atspi_roles import FOCUSED
from understudy.formats.elements import Box
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.events import CLOCK, ButtonPress, ButtonRelease, Event, KeyPress, Motion, Wheel
from understudy.recorder.capture.atspi.accessibility import Accessibility, Change
from understudy.recorder.capture.atspi.bus import Peer
from understudy.recorder.capture.atspi.pace import SCROLL, SEEK, Job, Pace
from understudy.recorder.capture.atspi.pages import NOBODY, Page, bare_page
from understudy.recorder.capture.atspi.reader import tree_of
from understudy.recorder.capture.atspi.teller import Teller, bare_tree, is_same
from understudy.recorder.capture.atspi.walk import Reading
from understudy.recorder.capture.keysyms import KeyKind, kind_of
from understudy.recorder.capture.observed import ActiveWindow, Snapshot, server_ms

__all__ = ["Watcher"]

GRACE_SECONDS: Final = 0.12
_AGAIN_SECONDS: Final = 0.02
_TRIES: Final = 3
_LONG_SECONDS: Final = 0.1
"""What reading may take altogether before it is tried once more."""
_SHORTCUT: Final = 4 | 8 | 64
"""Control, Alt and Super, as X11 masks them."""


class Watcher:
    """Watches the active window.

    Args:
        accessibility: what to read with; its changes come to this watcher from now on.
        emit: takes each snapshot.
        grab: gives the pixels of a box of the screen; None where there are none, or none are wanted.
        allows: says whether a page (None: no page is known) of a window may be recorded.
        on_page: hears which page is in view, maybe more than once; None when none is that may be recorded.
    """

    def __init__(
        self,
        accessibility: Accessibility,
        *,
        emit: Callable[[Snapshot], None],
        grab: Callable[[Box], PlacedPicture | None],
        allows: Callable[[ActiveWindow, Page | None], bool],
        on_page: Callable[[Page | None], None],
    ) -> None:
        self._accessibility = accessibility
        self._teller = Teller(emit)
        self._grab = grab
        self._allows = allows
        self._on_page = on_page
        self._loop = asyncio.get_running_loop()
        self._pace = Pace()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self._window: ActiveWindow | None = None
        self._page: Page | None = None
        self._refused: Page | None = None
        self._lost_at: float | None = None
        self._reading: Reading | None = None
        self._focused: Peer | None = None
        self._typed_in: set[Peer] = set()
        self._is_untold = False
        self._has_strayed = False
        self._changes = 0
        self._seen: PlacedPicture | None = None
        accessibility.listen(self._change)

    def attend(self, window: ActiveWindow | None) -> None:
        """Take note of the active window: whenever anything of it changes, and when ``allows`` may."""
        self._accessibility.attend(window)
        before, self._window = self._window, window
        if window is None or before is None or (window.window, window.pid) != (before.window, before.pid):
            self._leave()
        elif self._page is not None:
            if self._allows(window, _known(self._page)):
                self._on_page(self._page)
            else:
                self._leave()
        self._refused = None
        self._pace.locate(self._loop.time())
        self._arm()

    def notice(self, event: Event) -> None:
        """Take note that something was entered; to be called in the order of time."""
        if self._page is None:
            return
        now = self._loop.time()
        match event:
            case Motion():
                if self._is_untold:  # a pointer that sets out is on its way to the next act
                    self._tell(self._grabbed(self._page), (event.time - 1) % CLOCK)
                self._pace.moved(now)
            case KeyPress():
                self._key(event, now)
            case ButtonPress():
                self._tell_before(event.time)
            case ButtonRelease():
                self._pace.acted(now)
            case Wheel():
                self._tell_before(event.time)
                self._pace.acted(now, settles=SCROLL)
            case _:
                return
        self._arm()

    async def close(self) -> None:
        """Stop watching."""
        self._is_closed = True
        self._accessibility.listen(None)
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _key(self, key: KeyPress, now: float) -> None:
        kind = kind_of(key.keysym)
        if kind is KeyKind.MODIFIER:
            return
        if kind is not KeyKind.TEXT or key.modifiers & _SHORTCUT:
            self._tell_before(key.time)
            self._pace.acted(now)
            return
        self._pace.typed(now)
        if self._reading is None or self._focused not in self._reading.fields:
            self._pace.changed(now)  # no field that would say so takes the text

    # What the page itself says.

    def _change(self, peer: Peer, change: Change) -> None:
        page, reading, now = self._page, self._reading, self._loop.time()
        if page is None:
            return
        if change is Change.GONE and (peer == page.peer or not self._accessibility.is_alive):
            self._lose(now)
        elif self._lost_at is not None or (change is Change.LOADED and peer != page.peer):
            self._pace.locate(now)
        elif reading is None:
            self._pace.changed(now)
        elif change is Change.TEXT:
            self._text_changed(peer, reading, now)
        elif change in (Change.FOCUSED, Change.UNFOCUSED):
            self._focus_changed(peer, reading, change, now)
        else:
            if change is Change.GONE and self._accessibility.reader is not None:
                self._accessibility.reader.forget(peer)
            self._changes += 1
            self._pace.changed(now)
        self._arm()

    def _text_changed(self, peer: Peer, reading: Reading, now: float) -> None:
        node = reading.nodes.get(peer)
        if node is None or (peer not in reading.fields and peer != reading.page.peer):
            self._pace.changed(now)
        elif peer in reading.fields and not node.is_secure:
            self._typed_in.add(peer)
            self._pace.text_changed(now)

    def _focus_changed(self, peer: Peer, reading: Reading, change: Change, now: float) -> None:
        node = reading.nodes.get(peer)
        if change is Change.FOCUSED:
            self._focused = peer
        if node is None:
            self._has_strayed = self._has_strayed or change is Change.FOCUSED
            self._pace.changed(now)
            return
        node.states = node.states | FOCUSED if change is Change.FOCUSED else node.states & ~FOCUSED
        self._is_untold = True
        self._pace.focus_changed(now)

    # Doing what is due, one thing at a time.

    def _arm(self) -> None:
        due = self._pace.due
        if due is None or self._task is not None or self._is_closed:
            return
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        job = self._pace.take(self._loop.time())
        if job is None:
            self._arm()
        else:
            self._task = self._loop.create_task(self._do(job))

    async def _do(self, job: Job) -> None:
        try:
            if job is Job.LOCATE:
                await self._locate()
            elif self._page is not None and self._lost_at is None:
                await self._look(job, self._page)
        except Exception as error:  # noqa: BLE001 - the loop's own handler decides what a defect means
            self._loop.call_exception_handler({"message": "watching the page", "exception": error})
        finally:
            self._task = None
            self._arm()

    async def _look(self, job: Job, page: Page) -> None:
        if page.peer == NOBODY:
            tree = bare_tree(page.application, page.title, page.box)
            self._teller.tell(tree, self._grabbed(page), server_ms())
        elif job is Job.READ:
            await self._read(page)
        elif job is Job.TEXT:
            await self._read_texts()
        elif job is Job.TOUCH:
            self._tell(self._grabbed(page), server_ms())
        else:
            await self._probe(page)
            self._pace.probed(self._loop.time())

    async def _locate(self) -> None:
        """Find what the active window shows, and whether it may be recorded."""
        window = self._window
        if window is None or not self._accessibility.is_alive:
            self._leave()
            await self._accessibility.follow(None)
            if window is not None:
                self._pace.locate(self._loop.time() + SEEK)
            return
        programs, refused = self._accessibility.programs, self._refused
        if refused is not None and programs is not None and await programs.is_still(refused):
            self._pace.locate(self._loop.time() + SEEK)
            return
        found = await self._accessibility.page(
            window,
            is_listed=self._allows(window, bare_page(window)),
            is_patient=self._page is None,
        )
        self._refused = None
        now = self._loop.time()
        if window is not self._window:
            self._pace.locate(now)
        elif self._page is not None and not _is_there(found) and self._is_in_grace(now):
            self._pace.locate(now + _AGAIN_SECONDS)
        elif self._allows(window, found):
            await self._enter(found or bare_page(window))
        else:
            self._leave()
            self._refused = found
            self._pace.locate(now + SEEK)
            await self._accessibility.follow(None)

    def _is_in_grace(self, now: float) -> bool:
        """Return whether the successor of a page may still come; the page is lost from the first time on."""
        if self._lost_at is None:
            self._lose(now)
        return self._lost_at is not None and now - self._lost_at < GRACE_SECONDS

    async def _enter(self, page: Page) -> None:
        before, self._lost_at = self._page, None
        if before is None or page.peer != before.peer:
            self._reading = None
            self._typed_in.clear()
            if self._accessibility.reader is not None:
                self._accessibility.reader.forget_all()
            await self._accessibility.follow(page if page.peer != NOBODY else None)
        self._accessibility.confine(page)
        self._page = page
        if page != before:
            self._on_page(page)
            self._pace.acted(self._loop.time(), settles=0.0)
        self._pace.probed(self._loop.time())

    async def _read(self, page: Page) -> None:
        """Read the page until nothing changed meanwhile, and tell what it is now."""
        reader = self._accessibility.reader
        after, began, is_settled = self._grabbed(page), self._loop.time(), False
        for _ in range(_TRIES):
            changes, before = self._changes, after
            reading = await reader.read(page) if reader is not None else None
            if page is not self._page:
                return
            if reading is None:
                self._lose(self._loop.time())
                return
            after = self._grabbed(page)
            self._take(reading)
            is_settled = reading.is_whole and changes == self._changes and is_same(before, after)
            if is_settled or self._loop.time() - began > _LONG_SECONDS:
                break
        now = self._loop.time()
        self._pace.read(now, took=now - began)
        if self._has_strayed:
            self._has_strayed = False
            self._pace.locate(now)
        # Pixels that moved on are not those of the tree: its boxes would say nothing about them.
        self._tell(after if is_settled else _blank(after), server_ms())

    def _take(self, reading: Reading) -> None:
        """Have ``reading`` as what is known of the page."""
        self._reading = reading
        self._typed_in.clear()
        self._is_untold = True
        focused = [peer for peer, node in reading.nodes.items() if node.states & FOCUSED]
        if self._focused in reading.nodes:
            self._has_strayed = False
        if focused:
            self._focused = focused[-1]
            self._accessibility.seen_focused(focused[-1])

    async def _read_texts(self) -> None:
        reading, reader = self._reading, self._accessibility.reader
        typed_in, self._typed_in = self._typed_in, set()
        if reading is None or reader is None:
            return
        for peer in typed_in:
            changed = await reader.read_text(reading, peer)
            now = self._loop.time()
            if changed is None:
                self._pace.changed(now)
            elif changed and reading is self._reading:
                self._is_untold = True
                self._pace.text_read(now)

    async def _probe(self, page: Page) -> None:
        """Read the page if its pixels changed by themselves; tell it only if the tree did."""
        before, reader = self._seen, self._accessibility.reader
        after = self._grabbed(page)
        if reader is None or (before is not None and is_same(before, after)):
            return
        began = self._loop.time()
        reading = await reader.read(page)
        now = self._loop.time()
        if reading is None or page is not self._page or not reading.is_whole:
            self._pace.changed(now)
            return
        self._pace.read(now, took=now - began)
        self._take(reading)
        if self._teller.is_news(tree_of(reading)):
            self._tell(after, server_ms())

    def _grabbed(self, page: Page) -> PlacedPicture | None:
        """Return the pixels of the page now, if there are any."""
        self._seen = None
        if page.box.width and page.box.height:
            with contextlib.suppress(UnderstudyError):
                self._seen = self._grab(page.box)
        return self._seen

    def _tell_before(self, time: int) -> None:
        """Tell what was read and not told yet, as the state before an act."""
        if self._is_untold:
            self._tell(None, (time - 1) % CLOCK)

    def _tell(self, frame: PlacedPicture | None, time: int) -> None:
        self._is_untold = False
        self._pace.told()
        if self._reading is not None:
            self._teller.tell(tree_of(self._reading), frame, time)

    # Losing the page.

    def _lose(self, now: float) -> None:
        """The page is gone; its successor is looked for."""
        self._lost_at = self._lost_at or now
        self._tell_before(server_ms() + 1)
        self._reading = self._focused = None
        self._is_untold = False
        self._pace.clear()
        self._pace.locate(now)

    def _leave(self) -> None:
        """Nothing may be recorded from here on."""
        had_page = self._page is not None
        self._page = self._lost_at = self._reading = self._focused = self._seen = None
        self._teller.reset()
        self._typed_in.clear()
        self._is_untold = False
        self._pace.clear()
        if had_page:
            self._on_page(None)


def _known(page: Page) -> Page | None:
    return None if page.peer == NOBODY else page


def _is_there(page: Page | None) -> bool:
    """Return whether a page has arrived: a browser between two pages has one without an address, or none."""
    return page is not None and (not page.is_web or bool(page.address))


def _blank(frame: PlacedPicture | None) -> PlacedPicture | None:
    """Return a frame of the same place that shows nothing."""
    if frame is None:
        return None
    size = frame.picture.width * frame.picture.height * 3
    return replace(frame, picture=replace(frame.picture, rgb=bytes(size)))
