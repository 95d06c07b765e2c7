"""The stamp's hash covers every list, and changes with each."""

import msgspec
import pytest

from understudy.redaction.rules import RuleSet, rule_set, rules_hash
from understudy.sealing.canonical import canonical, parse


def test_the_rule_set_has_one_spelling() -> None:
    assert parse(RuleSet, canonical(rule_set())) == rule_set()


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(RuleSet)])
def test_every_list_is_in_the_hash(field: str) -> None:
    value = getattr(rule_set(), field)
    other = value + 1 if isinstance(value, int) else value[1:]
    changed = msgspec.structs.replace(rule_set(), **{field: other})
    assert canonical(changed) != canonical(rule_set())
    assert len(rules_hash()) == 43
