"""The normative page and the program name the same rules, codes, actions and attributes."""

import re
from pathlib import Path

from understudy.access.door import PURPOSE_OF
from understudy.access.errors import REASONS
from understudy.access.policy import SCHEMA_FILE, Action, shipped, shipped_texts
from understudy.consent.purposes import Purpose, ReasonCode

PAGE = (Path(__file__).parents[3] / "docs" / "formats" / "access.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([A-Za-z_-]+)`")


def rows(section: str) -> list[list[str]]:
    """Return the table rows of one section."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_refusal_code_is_in_the_table_with_its_rules() -> None:
    told: dict[str, set[str]] = {}
    for code, _, where in rows("7. Refusal codes")[1:]:
        codes, rules = CODE.findall(code), CODE.findall(where)
        for place, name in enumerate(codes):
            told[name] = set(rules) if len(codes) == 1 else {rules[place]}
    meant: dict[str, set[str]] = {reason: set() for reason in REASONS}
    for rule in shipped().rules.values():
        if not rule.is_permit:
            meant.setdefault(rule.reason, set()).add(rule.id)
    assert told == meant


def test_every_action_is_in_the_table() -> None:
    actions = [CODE.findall(row[0]) for row in rows("6. Policies") if row[0].startswith("`")]
    assert {name for names in actions for name in names} >= {action.value for action in Action}


def test_every_attribute_of_the_schema_is_on_the_page() -> None:
    names = set(re.findall(r"^\s+(\w+)\??:", shipped_texts()[SCHEMA_FILE], re.MULTILINE))
    asked = {"scopeProgramme", "distinctReaders", "madeAt"}
    scope = {"recordings", "applicationGroups", "taskLabels", "consents"}
    assert names - set(CODE.findall(PAGE)) - asked - scope <= {"principal", "context", "tags", "programme"}


def test_the_table_of_purposes_and_reasons_is_the_policies() -> None:
    table = {
        Purpose(CODE.findall(row[0])[0]): {ReasonCode(name) for name in CODE.findall(row[1])}
        for row in rows("1. Words")[1:]
    }
    assert set(table) == set(Purpose)
    assert {reason for reasons in table.values() for reason in reasons} == set(ReasonCode)
    assert all(reason in table[purpose] for reason, purpose in PURPOSE_OF.items())
