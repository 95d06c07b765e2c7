"""The rule set as one value, so that a stamp can say exactly which rules ran.

Rules

* Everything that decides what is found or what it becomes is part of the value: labels, patterns, stop words,
  special categories, pool, placeholders. Its canonical form is hashed; the hash is in every stamp.
* ``EDITION`` is raised when code changes what is found although no list changed.

Example

>>> len(rules_hash())
43
"""

from functools import cache
from typing import Final

from understudy.consent.contexts import Context
from understudy.consent.primitives import Value
from understudy.redaction import labels, patterns, pool, special, stopwords
from understudy.redaction.kinds import HIDDEN, PLACEHOLDERS
from understudy.redaction.likeness import LEVELS, USUAL
from understudy.sealing.canonical import canonical, digest

EDITION: Final = 1


class RuleSet(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All lists, as strings."""

    edition: int
    labels: tuple[str, ...]
    patterns: tuple[str, ...]
    stopwords: tuple[str, ...]
    special: tuple[str, ...]
    pool: tuple[str, ...]
    placeholders: tuple[str, ...]
    likeness: tuple[str, ...]


@cache
def rule_set() -> RuleSet:
    """Return the built-in rules."""
    told = (f"{kind.value}: {word}" for kind, words in labels.LABELS for word in words)
    shapes = (*patterns.TOKENS, *patterns.SPOKEN, *patterns.TWIN)
    return RuleSet(
        edition=EDITION,
        labels=(*told, *(f"not: {word}" for word in labels.NO_LABEL)),
        patterns=tuple(
            f"{shape.name} {shape.kind.value} {shape.check} {shape.expression}" for shape in shapes
        ),
        stopwords=tuple(
            sorted(stopwords.WORDS | stopwords.GENERIC_MAILBOXES | stopwords.FOLDERS | stopwords.TITLES)
        ),
        special=tuple(part for one in special.CATEGORIES for part in (one.labels, one.words, one.phrases)),
        pool=(*pool.SHORT, *pool.MIDDLE, *pool.LONG),
        placeholders=(HIDDEN, *(f"{kind.value} {text}" for kind, text in sorted(PLACEHOLDERS.items()))),
        likeness=(*LEVELS, str(USUAL)),
    )


@cache
def rules_hash() -> str:
    """Return the digest of the rule set's canonical form."""
    return digest(Context.REDACTION_RULES, canonical(rule_set()))
