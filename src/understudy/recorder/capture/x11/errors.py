"""What can go wrong between a recorder and its X display.

::

    RecorderError
      + DisplayError
          + NoDisplayError     there is no such display, or it does not let us in
          + NoInputError       the display has no XInput2 of version 2.1
          + ClockError         the display's clock is not this machine's
          + DisplayGoneError   the display ended, or closed the connection
"""

from understudy.recorder.errors import RecorderError


class DisplayError(RecorderError):
    """Root of the errors of an X display."""


class NoDisplayError(DisplayError):
    """There is no such display, or it does not let us in."""

    hint = "set DISPLAY to a running X server that this user may use; Wayland alone is not enough"


class NoInputError(DisplayError):
    """The display cannot tell of input in every window: it has no XInput2 of version 2.1 or later."""

    hint = "use an X server of 2012 or later, with the extension XInputExtension switched on"


class ClockError(DisplayError):
    """The display's clock is not this machine's monotonic clock, so its times cannot be compared."""

    hint = "run the recorder on the machine that the X server runs on, not through a forwarded display"


class DisplayGoneError(DisplayError):
    """The display ended, or closed the connection, while it was in use."""

    hint = "what was recorded until then is kept; start again once there is a display"
