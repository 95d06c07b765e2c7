"""One page of a browser: load, ask, look.

Rules

* ``evaluate`` returns plain JSON values: what cannot be written as JSON comes back as None.
* Every method has a deadline and raises the errors of ``errors.py``.
* Nothing here clicks or types: hands are the X server's (``understudy.demo``), so that a page cannot tell a
  demonstration from a person.
"""

import binascii
from typing import Any, Final

import msgspec

from understudy.learning.browser.errors import NavigationError, ProtocolError, ScriptError
from understudy.learning.browser.pipe import Pipe

CALL_SECONDS: Final = 15.0
LOAD_SECONDS: Final = 30.0

_VIEWPORT_SCRIPT: Final = (
    "({left: screenX + (outerWidth - innerWidth) / 2, top: screenY + outerHeight - innerHeight,"
    " width: innerWidth, height: innerHeight, scale: devicePixelRatio})"
)


class Viewport(msgspec.Struct, frozen=True):
    """Where the page shows: its top left corner on the screen and its size, in CSS pixels.

    ``scale`` is physical pixels for one CSS pixel. The corner assumes a window without borders beside and
    below the page, which is what an app window under a plain window manager is.
    """

    left: float
    top: float
    width: float
    height: float
    scale: float


class Page:
    """A page that was attached to; made by ``Chromium``."""

    def __init__(self, pipe: Pipe, *, target: str, session: str) -> None:
        self._pipe = pipe
        self._target = target
        self._session = session
        for domain in ("Inspector", "Page"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def call(self, method: str, *, seconds: float = CALL_SECONDS, **params: object) -> dict[str, Any]:
        """Return the result of any call of the protocol on this page."""
        return self._pipe.call(method, params, session=self._session, seconds=seconds)

    def navigate(self, address: str, *, seconds: float = LOAD_SECONDS) -> None:
        """Load ``address`` and return after its ``load`` handlers have run.

        Raises:
            NavigationError: it cannot be loaded.
            CallTimeoutError: it did not finish within ``seconds``.
        """
        self._pipe.forget()
        answer = self.call("Page.navigate", url=address, seconds=seconds)
        if answer.get("errorText"):
            raise NavigationError(f"the page could not be loaded ({answer['errorText']})")
        if "loaderId" in answer:  # without one, only the fragment changed and nothing is loaded
            loaded = {"name": "load", "loaderId": answer["loaderId"]}
            self._pipe.wait("Page.lifecycleEvent", loaded, session=self._session, seconds=seconds)

    def evaluate(self, expression: str, *, seconds: float = CALL_SECONDS) -> Any:
        """Return the JSON value of a script's last expression; a promise is awaited.

        Raises:
            ScriptError: the script threw, or its promise was rejected.
        """
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            seconds=seconds,
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"].get("exception", {})
            raise ScriptError(str(thrown.get("className") or thrown.get("type") or "something"))
        return answer["result"].get("value")

    def viewport(self) -> Viewport:
        """Return where the page shows."""
        return msgspec.convert(self.evaluate(_VIEWPORT_SCRIPT), Viewport, strict=False)

    def screenshot(self) -> bytes:
        """Return what the page shows, as PNG."""
        data = self.call("Page.captureScreenshot", format="png", optimizeForSpeed=True).get("data", "")
        try:
            return binascii.a2b_base64(data, strict_mode=True)
        except binascii.Error as error:
            raise ProtocolError("the browser's picture is not base64") from error

    def close(self) -> None:
        """Close this page; the browser stays."""
        self._pipe.call("Target.closeTarget", {"targetId": self._target}, session=None, seconds=CALL_SECONDS)
