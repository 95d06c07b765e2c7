"""What can go wrong with a browser.

::

    BrowserError
      + BrowserMissingError   there is no Chromium on this machine
      + BrowserStartError     it started and ended, or never answered
      + BrowserGoneError      it ended or was killed; nothing more can be asked of it
      |   - PageCrashedError  the browser lives, this page's process does not
      + CallTimeoutError      no answer in time; whether the call took effect is not known
      + ProtocolError         the browser refused the call, or said something that is no message
      + NavigationError       the page could not be loaded
      + ScriptError           the script threw; ``kind`` is the class of what it threw

Messages name methods, classes and numbers, never what stands on a page.
"""

from understudy.consent.errors import UnderstudyError


class BrowserError(UnderstudyError):
    """Root of the errors of this package."""


class BrowserMissingError(BrowserError):
    """There is no Chromium on this machine."""

    hint = "install it, for instance: apt-get install chromium"


class BrowserStartError(BrowserError):
    """The browser ended while it started, or did not answer."""

    hint = "start it by hand on the same display to see what it says"


class BrowserGoneError(BrowserError):
    """The browser ended, was killed, or closed its pipe."""

    hint = "start another browser; this one answers nothing more"


class PageCrashedError(BrowserGoneError):
    """The process of this page ended; the browser itself lives."""

    hint = "load the page again"


class CallTimeoutError(BrowserError):
    """No answer in time."""

    hint = "the machine is very busy, or a script of the page does not return"


class ProtocolError(BrowserError):
    """The browser refused the call, or what it said is no message."""

    hint = "this browser may be of another version than the ones that are supported"

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class NavigationError(BrowserError):
    """The page could not be loaded."""

    hint = "check that its server runs and that the address is right"


class ScriptError(BrowserError):
    """A script that was evaluated in the page threw something."""

    hint = "the page may not be the one the script was written for"

    def __init__(self, kind: str) -> None:
        super().__init__(f"a script in the page threw {kind}")
        self.kind = kind
