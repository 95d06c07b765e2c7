"""The tasks that are demonstrated, learned and scored.

Rules

* Each has a page of MiniWoB++, a kind that says what is to be learned from it, and a reward that tells
  success from failure on its own.
* Where MiniWoB++ has two pages that differ in an animation only, the one without is used: a state in the
  middle of an animation is nobody's state.
* Tasks whose target is a colour, a shape or a place in a drawing are not here: an element tree has no colour.

Example

>>> task("enter-text").page
'miniwob/enter-text.html'
"""

from enum import StrEnum
from typing import Final

import msgspec

from understudy.learning.miniwob.errors import UnknownTaskError


class Kind(StrEnum):
    """What a task exercises."""

    CLICK = "click"
    CHECK = "check"
    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - a kind of task
    LIST = "list"
    AUTOCOMPLETE = "autocomplete"
    MENU = "menu"
    TABS = "tabs"
    MAIL = "mail"
    DATE = "date"
    SEARCH = "search"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task. ``file`` is its page where that is not called like the task."""

    name: str
    kind: Kind
    file: str = ""

    @property
    def page(self) -> str:
        """The page's path on a ``PageServer``."""
        return f"miniwob/{self.file or self.name}.html"


TASKS: Final = (
    Task(name="click-button", kind=Kind.CLICK),
    Task(name="click-link", kind=Kind.CLICK),
    Task(name="click-dialog", kind=Kind.CLICK),
    Task(name="click-collapsible", kind=Kind.CLICK, file="click-collapsible-nodelay"),
    Task(name="focus-text", kind=Kind.CLICK),
    Task(name="click-checkboxes", kind=Kind.CHECK),
    Task(name="click-option", kind=Kind.CHECK),
    Task(name="enter-text", kind=Kind.TEXT),
    Task(name="enter-password", kind=Kind.SECRET),
    Task(name="login-user", kind=Kind.SECRET),
    Task(name="choose-list", kind=Kind.LIST),
    Task(name="use-autocomplete", kind=Kind.AUTOCOMPLETE, file="use-autocomplete-nodelay"),
    Task(name="click-menu", kind=Kind.MENU),
    Task(name="navigate-tree", kind=Kind.MENU),
    Task(name="click-tab", kind=Kind.TABS),
    Task(name="click-tab-2", kind=Kind.TABS),
    Task(name="email-inbox", kind=Kind.MAIL),
    Task(name="email-inbox-delete", kind=Kind.MAIL),
    Task(name="email-inbox-reply", kind=Kind.MAIL),
    Task(name="social-media", kind=Kind.MAIL),
    Task(name="choose-date-easy", kind=Kind.DATE),
    Task(name="enter-date", kind=Kind.DATE),
    Task(name="enter-time", kind=Kind.DATE),
    Task(name="search-engine", kind=Kind.SEARCH),
)


def task(name: str) -> Task:
    """Return the task ``name``.

    Raises:
        UnknownTaskError: there is none.
    """
    for one in TASKS:
        if one.name == name:
            return one
    raise UnknownTaskError(
        f"there is no task {name[:60]!r}", hint=f"there are {', '.join(one.name for one in TASKS)}"
    )
