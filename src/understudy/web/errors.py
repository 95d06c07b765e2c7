"""What can go wrong when a process is set up, started or stopped.

::

    UnderstudyError
      + WebError
      |   + HomeError             a home directory is missing, incomplete or another party's
      |   + ConfigError           a configuration file is not what it should be
      |   + PortInUseError        something else listens there
      |   + AlreadyRunningError   a process of this home runs already
      |   + NotRunningError       nothing of this home runs
      |   + StartError            a process did not begin to serve
      + RefusedError
          + SharedHostError       production, and two parties on one machine
          + CeremonyError         a party will not sign or pin what it was shown
"""

from understudy.consent.errors import RefusedError, UnderstudyError


class WebError(UnderstudyError):
    """Root of the errors of this package that are no refusals."""


class HomeError(WebError):
    """The home directory is missing, incomplete, or belongs to another party."""


class ConfigError(WebError):
    """The configuration file is not what it should be."""

    hint = "compare it with docs/operator.md"


class PortInUseError(WebError):
    """Something else listens on the port."""


class AlreadyRunningError(WebError):
    """A process of this home runs already."""


class NotRunningError(WebError):
    """Nothing of this home runs."""


class StartError(WebError):
    """A process did not begin to serve."""


class SharedHostError(RefusedError):
    """Profile ``production``, and a custodian or witness runs on the server's machine."""


class CeremonyError(RefusedError):
    """A party will not sign or pin what it was shown."""
