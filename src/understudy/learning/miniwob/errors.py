"""What can go wrong with tasks and their pages.

::

    MiniwobError
      + PagesMissingError     the package with the pages is not installed, or holds none
      + UnknownTaskError      there is no task of this name in the table
      + NotATaskError         the page does not have what an episode needs
      + EpisodeOverError      the page was left or loaded again while an episode ran
"""

from understudy.consent.errors import UnderstudyError


class MiniwobError(UnderstudyError):
    """Root of the errors of this package."""


class PagesMissingError(MiniwobError):
    """There are no MiniWoB++ pages on this machine."""

    hint = "install the package that has them: pip install miniwob"


class UnknownTaskError(MiniwobError):
    """There is no task of this name."""


class NotATaskError(MiniwobError):
    """The page cannot run an episode."""

    hint = "the docstring of understudy.learning.miniwob.episode lists what a page must define"


class EpisodeOverError(MiniwobError):
    """The page is no longer the one on which the episode was started."""

    hint = "start the episode again; a page that is left or loaded anew forgets it"
