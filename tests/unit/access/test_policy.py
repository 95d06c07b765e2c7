"""A policy set is used whole and valid, or not at all; its hash says which one decided."""

import pytest

from understudy.access.errors import REASONS, PolicyError
from understudy.access.policy import SCHEMA_FILE, Action, load, shipped, shipped_texts


def test_the_shipped_policies_validate_and_name_every_action() -> None:
    policies = shipped()
    assert {action for rule in policies.rules.values() for action in rule.actions} == set(Action)
    assert all(any(rule.is_permit for rule in policies.rules_for(action)) for action in Action), (
        "an action that nothing permits is dead"
    )


def test_every_refusal_has_a_code_in_kebab_case_and_a_hint() -> None:
    for rule in shipped().rules.values():
        if not rule.is_permit:
            assert rule.reason
            assert rule.reason.replace("-", "").isalpha()
            assert rule.reason == rule.reason.lower()
            assert rule.hint == rule.hint.strip().removesuffix(".")


def test_reasons_outside_the_policies_are_their_own() -> None:
    """Two codes stand on both sides, for the same thing found before a policy can be asked."""
    of_policies = {rule.reason for rule in shipped().rules.values()}
    assert of_policies & set(REASONS) == {"own-grant", "object-label"}


def test_the_hash_covers_every_byte_of_every_file() -> None:
    texts = shipped_texts()
    hashes = {shipped().policy_hash}
    for name in texts:
        hashes.add(load(texts | {name: texts[name] + "\n// a word\n"}).policy_hash)
    assert len(hashes) == len(texts) + 1
    assert load(dict(reversed(texts.items()))).policy_hash == shipped().policy_hash


def test_names_of_files_are_part_of_the_hash() -> None:
    texts = shipped_texts()
    renamed = {("zz.cedar" if name == "read.cedar" else name): text for name, text in texts.items()}
    assert load(renamed).policy_hash != shipped().policy_hash


RULE = """
@id("extra") @reason("extra") @hint("do something") @says("something holds")
forbid (principal, action == Understudy::Action::"open", resource) when { context.now < 0 };
"""


def test_a_well_formed_addition_loads() -> None:
    assert "extra" in load(shipped_texts() | {"zz.cedar": RULE}).rules


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (RULE.replace('@reason("extra")', ""), "lacks @reason"),
        (RULE.replace('@hint("do something")', ""), "lacks @hint"),
        (RULE.replace('@says("something holds")', ""), "lacks @says"),
        (RULE.replace('@id("extra")', ""), "lacks @id"),
        (RULE.replace('@id("extra")', '@id("read-tag")'), "two policies are called read-tag"),
        (
            RULE.replace('action == Understudy::Action::"open"', "action").replace("context.now", "0"),
            "names no",
        ),
        (RULE.replace("context.now", "context.nau"), "nau"),
        (RULE.replace("context.now < 0", 'context.now < "0"'), "Long"),
        (RULE.replace('"open"', '"peek"'), "peek"),
        (RULE.replace("forbid (", "forbid"), ""),
        (RULE.replace("principal,", "principal == ?principal,"), "template"),
        ("// nothing but words", ""),
    ],
)
def test_a_set_that_is_not_right_in_everything_is_not_loaded(wrong: str, says: str) -> None:
    texts = shipped_texts() | {"zz.cedar": wrong}
    if wrong.startswith("//"):
        assert load(texts).rules == shipped().rules
        return
    with pytest.raises(PolicyError) as caught:
        load(texts)
    assert says in str(caught.value)


@pytest.mark.parametrize("file", [SCHEMA_FILE, "read.cedar"])
def test_a_damaged_file_is_an_error_and_never_a_smaller_set(file: str) -> None:
    texts = shipped_texts()
    for end in (len(texts[file]) // 2, len(texts[file]) - 3):
        with pytest.raises(PolicyError):
            load(texts | {file: texts[file][:end]})


def test_other_files_and_a_missing_schema_are_refused() -> None:
    texts = shipped_texts()
    with pytest.raises(PolicyError):
        load(texts | {"notes.txt": "read me"})
    with pytest.raises(PolicyError):
        load({name: text for name, text in texts.items() if name != SCHEMA_FILE})
