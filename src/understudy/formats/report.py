"""What a ``check`` answers: every broken rule it found, as values.

>>> Report().is_valid
True
"""

from understudy.consent.primitives import Value

MAX_PROBLEMS = 100
"""A report stops here: a hostile file must not make an endless list."""


class Problem(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One broken rule: the documented code, and where. ``message`` never holds recorded text."""

    code: str
    message: str
    chunk: int | None = None
    """Number of the chunk in the file, if the problem lies in one."""


class Report(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The problems of a file in the order found; empty means that it keeps every rule."""

    problems: tuple[Problem, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether no rule is broken."""
        return not self.problems

    @property
    def codes(self) -> frozenset[str]:
        """The distinct codes in the report."""
        return frozenset(problem.code for problem in self.problems)
