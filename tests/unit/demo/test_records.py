"""What is entered plants every string, looks right, and gives no password away."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from understudy.demo.errors import PlanError
from understudy.demo.records import PLANTED_FIELDS, TYPED_FIELDS, make_password, make_record
from understudy.redaction.canaries.planted import grams

letters = st.characters(categories=("L", "N", "P", "S"))
planted = st.lists(st.text(letters, min_size=12, max_size=20), min_size=1, max_size=30, unique=True)
seeds = st.integers(0, 2**32)


@given(planted, seeds)
def test_every_string_is_planted_somewhere_that_is_typed(strings: list[str], seed: int) -> None:
    record = make_record(strings, rng=random.Random(seed))
    typed = [getattr(record, name) for name in TYPED_FIELDS]
    assert all(any(string in text for text in typed) for string in strings)
    assert record.planted == tuple(strings)
    assert record.signed_in_as == record.full_name


@given(planted, seeds)
def test_the_password_shares_nothing_with_what_is_planted_or_shown(strings: list[str], seed: int) -> None:
    record = make_record(strings, rng=random.Random(seed))
    assert len(record.password) >= 12
    assert not any(grams(record.password) & grams(text) for text in strings)
    assert record.password not in record.instruction


@given(seeds)
def test_numbers_have_right_check_digits(seed: int) -> None:
    record = make_record(["zq1f3a5b7c9d"], rng=random.Random(seed))
    assert luhn.is_valid(record.card)
    assert record.card.startswith("400000")
    assert len(record.card) == 16
    assert iban.calc_check_digits(record.iban) == record.iban[2:4]
    assert record.iban.startswith("DE")
    assert len(record.iban) == 22
    assert record.phone.startswith("+1 202 555 01")


@given(planted, seeds)
def test_the_same_seed_gives_the_same_record(strings: list[str], seed: int) -> None:
    first = make_record(strings, rng=random.Random(seed))
    assert first == make_record(strings, rng=random.Random(seed))


def test_a_string_becomes_an_address_only_where_its_characters_allow() -> None:
    def address(string: str) -> str:
        return make_record([string], rng=random.Random(1)).e_mail

    assert address("abc-def.ghi_123") == "abc-def.ghi_123@example.org"
    for string in ("a..bcdefghijkl", ".abcdefghijkl", "abcdefghijkl-", "жщъыэюяжщъыэ", "abc def ghi jkl"):
        assert address(string) == string


def test_fewer_strings_than_fields_come_round() -> None:
    record = make_record(["first-string-1", "second-string-2"], rng=random.Random(1))
    assert {getattr(record, name) for name in ("full_name", "town", "token")} <= {
        "first-string-1",
        "second-string-2",
    }
    assert len(PLANTED_FIELDS) > 2


def test_nothing_to_plant_is_an_error() -> None:
    with pytest.raises(PlanError):
        make_record([], rng=random.Random(1))


def test_more_than_a_form_takes_is_an_error() -> None:
    with pytest.raises(PlanError, match="too long for one form"):
        make_record([f"{number:0200d}" for number in range(60)], rng=random.Random(1))


def test_no_password_is_an_error_not_a_leak() -> None:
    class Stuck(random.Random):
        def choice(self, seq: object) -> str:  # type: ignore[override]
            return str(seq)[:0] + "a"

    with pytest.raises(PlanError):
        make_password(Stuck(), ["aaaa"])
