"""What can go wrong between two machines, beyond what either side refuses.

::

    UnderstudyError
      + FormatError
      |   + TooLargeError      a body over the limit of its route                      (413)
      |   + SlowBodyError      a body that did not arrive in time                      (408)
      + ContractError
          + MethodError        the path exists, the method does not                    (405)
          + InternalError      the other side failed without saying why                (500)
          + AnswerError        the other side answered something that is no answer
          + InsecureError      plain HTTP to another machine, and nobody allowed it
"""

from understudy.consent.errors import UnderstudyError
from understudy.sealing.errors import FormatError


class TooLargeError(FormatError):
    """The body is over the limit of its route."""

    hint = "send less in one call"


class SlowBodyError(FormatError):
    """The body did not arrive in time."""

    hint = "send it again, in smaller parts if the connection is slow"


class ContractError(UnderstudyError):
    """Root of the errors of this package."""


class MethodError(ContractError):
    """The path exists, but not with this method."""


class InternalError(ContractError):
    """The other side failed; it keeps the details to itself."""

    hint = "look at the log of the process that answered"


class AnswerError(ContractError):
    """The answer is too large, not of the expected type, or not from a party of this programme."""

    hint = "check the address: something else may be answering there"


class InsecureError(ContractError):
    """Plain HTTP would cross a network."""

    hint = "use an https address; a process of one's own may set allow_plain in its config.toml"
