"""What can go wrong while synthetic people work.

::

    DemoError
      + DesktopError          the private desktop does not come up, or died
      |   + MissingProgramError  a program of the system is not installed; the hint names its package
      + HandsError            input cannot be given to the display: no XTEST, no keycode left
      + OracleError           a page does not look as the task's oracle expects
      + PersonError           an episode cannot be prepared or ended
      + PlanError             the strings to plant cannot be planted
"""

from understudy.consent.errors import UnderstudyError


class DemoError(UnderstudyError):
    """Root of the errors of this package's synthetic people."""


class DesktopError(DemoError):
    """The private desktop does not come up, or one of its processes died."""


class MissingProgramError(DesktopError):
    """A program of the system is not installed; the hint names the package that has it."""


class HandsError(DemoError):
    """Input cannot be given to the display."""


class OracleError(DemoError):
    """A page does not look as the task's oracle expects."""


class PersonError(DemoError):
    """An episode cannot be prepared, acted or ended."""


class PlanError(DemoError):
    """The given strings cannot be planted as asked."""
