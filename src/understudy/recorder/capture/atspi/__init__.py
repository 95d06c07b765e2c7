"""The desktop as assistive technology sees it: where the focus is, and what the active page shows.

Rules

* A focus is plain only when it is known: the role and the attributes of its node were read, and its program
  is the one that the window manager calls active. Until then, and when a connection is lost, it is unknown.
* The text of a field for a secret is never asked for, and events that carry text are never subscribed to.
* Nothing is read of a window that may not be recorded, but the role and attributes of its focused node.
* ``start`` switches accessibility on; a browser that ran before is not seen (``page`` returns None).

::

    accessibility = await Accessibility.start(on_focus=gate.push)   # Focused, whenever what is known changes
    watcher = Watcher(
        accessibility,
        emit=gate.push,                       # takes each Snapshot
        grab=screen.grab,                     # Box -> PlacedPicture
        allows=lambda window, page: ...,      # may this page of this window be recorded?
        on_page=lambda page: ...,             # the page in view from now on; None: none that may be recorded
    )
    watcher.attend(window)    # ActiveWindow or None: whenever the window manager's active window changes,
                              # also for windows out of scope; without it every focus stays unknown
    watcher.notice(event)     # each event of the input, as it is read: wakes the watcher, keeps nothing
    accessibility.is_alive    # False: not connected, every focus is unknown
    await watcher.close()
    await accessibility.close()

    page = await accessibility.page(window)     # Page(host, title, box, application, ...) or None
    tree = await accessibility.tree(page)       # ElementTree, or None: the page went away

All of it lives in one asyncio loop and none of it blocks. ``attend``, ``notice`` and the callbacks are plain
functions, called from that loop.
"""

from understudy.recorder.capture.atspi.accessibility import Accessibility
from understudy.recorder.capture.atspi.pages import Page
from understudy.recorder.capture.atspi.watcher import Watcher

__all__ = ["Accessibility", "Page", "Watcher"]
