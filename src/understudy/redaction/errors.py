"""What can go wrong while redacting. Whoever catches one of these drops the stretch.

::

    UnderstudyError
      + RedactionError         the text or the pixels could not be made clean
          - SpecialCategory    health, union, religion, politics or sexuality: the whole stretch must go

Rules

* Messages name kinds and limits. They never hold recorded text, nor anything computed from it.
"""

from understudy.sealing.errors import UnderstudyError


class RedactionError(UnderstudyError):
    """A stretch could not be redacted; it must be dropped whole."""

    hint = "drop the stretch and leave a gap"


class SpecialCategory(RedactionError):  # noqa: N818 - it is no failure: the rule worked
    """A stretch holds content of a special category (GDPR, article 9); it must be dropped whole."""

    def __init__(self) -> None:
        # Not even the category: "a health segment was dropped" would itself be sensitive.
        super().__init__("a stretch of a special category")
