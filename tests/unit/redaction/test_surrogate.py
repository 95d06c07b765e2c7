"""Surrogates: of one kind, consistent, in ranges that belong to nobody; secrets leave no trace."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from understudy.redaction.birthdate import shifted, spellings
from understudy.redaction.detection import detector
from understudy.redaction.folding import SQUEEZED
from understudy.redaction.kinds import PLACEHOLDERS, SECRETS, EntityClass
from understudy.redaction.pool import LONG, MIDDLE, SHORT
from understudy.redaction.surrogate import Maker

E = EntityClass
KEY = bytes(range(32))


def surrogate(text: str, kind: EntityClass, occurrence: str = "", key: bytes = KEY) -> str:
    return Maker(key).surrogate(text, kind).render(occurrence or text)


@pytest.mark.parametrize(
    ("text", "kind", "shape"),
    [
        ("jane.doe@acme-example.de", E.EMAIL, r"[a-z]+\.[a-z]+@example\.com"),
        ("+1 (415) 555-2671", E.PHONE, r"\+1 \(\d{3}\) 555-01\d\d"),
        ("030 1234567", E.PHONE, r"\d{3} 55501\d\d"),
        ("4111 1111 1111 1111", E.CARD, r"4242 42\d\d \d{4} \d{4}"),
        ("378734493671000", E.CARD, r"378282\d{9}"),
        ("DE89 3704 0044 0532 0130 00", E.IBAN, r"DE00 \d{4} \d{4} \d{4} \d{4} \d\d"),
        ("536-90-4399", E.IDENTITY, r"000-\d\d-\d{4}"),
        ("10.20.30.40", E.IP, r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+"),
        ("2a00:1450::5", E.IP, r"2001:db8::[0-9a-f]+:[0-9a-f]+"),
        ("https://shop.de/o/1?x=2", E.URL, r"https://www\.example\.com/[a-z]+"),
        ("Jane Doe", E.NAME, r"[A-Z][a-z]{1,3} [A-Z][a-z]{1,3}"),
        ("12.03.1980", E.BIRTH_DATE, r"\d\d\.\d\d\.19\d\d"),
        ("March 3, 1980", E.BIRTH_DATE, r"[A-Z][a-z]+ \d{1,2}, 19\d\d"),
        ("72,000 EUR", E.SALARY, r"[1-9]\d,\d{3} EUR"),
        ("E-10442", E.EMPLOYEE, r"[A-Z]-\d{5}"),
        ("jdoe83", E.USERNAME, r"[a-z]+\d\d"),
        ("Hauptstr. 12", E.ADDRESS, r"[A-Z][a-z]+\. \d\d"),
    ],
)
def test_a_surrogate_is_of_the_kind_and_shape_of_its_entity(text: str, kind: EntityClass, shape: str) -> None:
    made = surrogate(text, kind)
    assert re.fullmatch(shape, made), made
    assert made != text


@pytest.mark.parametrize("kind", sorted(SECRETS))
@given(secret=st.text(min_size=1, max_size=40))
@settings(max_examples=15)
def test_a_secret_leaves_nothing_not_even_its_length(kind: EntityClass, secret: str) -> None:
    assert surrogate(secret or "x", kind).strip() == PLACEHOLDERS[kind]
    assert surrogate("x" * 99, kind) == surrogate("x", kind, key=bytes(32))


def test_one_entity_has_one_surrogate_however_it_is_spelled() -> None:
    maker = Maker(KEY)
    name = maker.surrogate("Jane Doe", E.NAME)
    assert SQUEEZED.of(name.render("JANE_DOE")).replace("_", "") == SQUEEZED.of(name.render("jane doe"))
    assert name.render("JANE DOE").isupper()
    assert name.render("janedoe").islower()
    card = maker.surrogate("4111 1111 1111 1111", E.CARD)
    assert card.render("4111111111111111") == card.render("4111-1111-1111-1111").replace("-", "")


def test_words_of_a_name_are_the_same_words_everywhere() -> None:
    maker = Maker(KEY)
    first, last = maker.surrogate("Jane Doe", E.NAME).text.split()
    assert maker.surrogate("jane.doe@acme.org", E.EMAIL).text == f"{first}.{last}@example.com".lower()
    assert maker.surrogate("DOE", E.NAME).render("Doe") == last


def test_two_keys_have_nothing_in_common() -> None:
    names = ["Jane Doe", "Maximilian Musterfrau", "Bartholomew Featherstone"]
    assert [surrogate(name, E.NAME, key=KEY) for name in names] != [
        surrogate(name, E.NAME, key=bytes(32)) for name in names
    ]


def test_two_entities_never_share_a_word() -> None:
    maker = Maker(KEY)
    words = [maker.surrogate(f"Person{chr(97 + n // 26)}{chr(97 + n % 26)}", E.NAME).text for n in range(300)]
    assert len(set(words)) == len(words)


@settings(max_examples=60)
@given(st.text("0123456789", min_size=12, max_size=18))
def test_cards_are_test_cards_with_a_right_check_digit(digits: str) -> None:
    made = surrogate("4" + digits, E.CARD)
    assert luhn.is_valid(made)
    assert made.startswith(("424242", "378282"))


@settings(max_examples=60)
@given(st.text("0123456789", min_size=8, max_size=15))
def test_identities_have_wrong_check_digits(digits: str) -> None:
    made = surrogate(digits, E.IDENTITY)
    assert not [hit for hit in detector().hits(made) if hit.kind is E.IDENTITY]


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=3, max_size=40), st.sampled_from(sorted(E)))
def test_an_entity_is_never_in_its_surrogate(text: str, kind: EntityClass) -> None:
    squeezed = SQUEEZED.of(text)
    if len(squeezed) >= 3 and text not in PLACEHOLDERS.values():
        assert kind in SECRETS or squeezed not in SQUEEZED.of(surrogate(text, kind))


def test_symbols_are_not_taken_over() -> None:
    made = surrogate("k#9!x@2$w%", E.NAME)
    assert not set(made) & set("#!@$%")


def test_blanks_around_stay() -> None:
    assert surrogate("Jane", E.NAME, " Jane\n").startswith(" ")
    assert surrogate("Jane", E.NAME, " Jane\n").endswith("\n")


def test_a_beginning_is_the_beginning_of_the_surrogate() -> None:
    name = Maker(KEY).surrogate("Jane Doe", E.NAME)
    assert name.text.startswith(name.render_prefix("Jane D"))
    password = Maker(KEY).surrogate("hunter2", E.PASSWORD)
    assert password.render_prefix("hun") == password.text


def test_pool_words_are_distinct_and_in_their_buckets() -> None:
    words = (*SHORT, *MIDDLE, *LONG)
    assert len(set(words)) == len(words)
    assert (
        max(map(len, SHORT)) <= 4 < min(map(len, MIDDLE)) <= max(map(len, MIDDLE)) <= 7 < min(map(len, LONG))
    )


def test_days_in_other_spellings_move_alike() -> None:
    moved = {
        spellings(shifted(text, lambda iso: len(iso) * 9) or "")[0]
        for text in ("12.03.1980", "1980-03-12", "03/12/1980", "12 March 1980", "12. März 1980")
    }
    assert len(moved) == 1
    assert shifted("31.02.1980", lambda _: 1) is None


def test_shows_neither_key_nor_text() -> None:
    maker = Maker(KEY)
    assert "Jane" not in repr(maker.surrogate("Jane", E.NAME))
    assert repr(maker) == "Maker(words=1)"
