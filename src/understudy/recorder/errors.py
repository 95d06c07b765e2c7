"""What can go wrong on the participant's device.

::

    RecorderError
      + DeviceError            the device is not set up, or its files do not belong together
      + PinError               what the server shows is not what this device pinned
      + LeaseError             no lease, or one that proves nothing
      + HeldError              no such held recording, or it cannot be shared
      + UnconfirmedError       a change of mind that too few custodians have confirmed
      + CaptureError           capture cannot start, or stopped by itself
      |   + ChannelError       what arrived from another process of the recorder is no message
      + FailedRedactionError   redaction failed again and again; what it failed on was dropped
      + ControlError           no recorder runs on this device, or it cannot do what it was asked
"""

from understudy.consent.errors import UnderstudyError


class RecorderError(UnderstudyError):
    """Root of the errors of this package."""


class DeviceError(RecorderError):
    """The device is not set up, or its files do not belong together."""


class PinError(RecorderError):
    """What the server shows is not what this device pinned; nothing was sent."""

    hint = "compare the fingerprint with the custodian's own, by another way than this server"


class LeaseError(RecorderError):
    """No lease, or a lease or statement that proves nothing: nothing may be recorded."""


class HeldError(RecorderError):
    """No such held recording, or it cannot be shared as it is."""


class UnconfirmedError(RecorderError):
    """Too few custodians have confirmed a change of mind: whether keys are released now is not known."""

    hint = "send it again, to the custodian's own address, until the custodian itself has confirmed it"


class CaptureError(RecorderError):
    """Capture cannot start, or stopped by itself; nothing more is recorded."""


class ChannelError(CaptureError):
    """What arrived from another process of the recorder is no message; that process is ended."""


class FailedRedactionError(RecorderError):
    """Redaction failed again and again; what it failed on was dropped, and a gap stands there."""


class ControlError(RecorderError):
    """No recorder runs on this device, or it cannot do what it was asked."""
