"""Special categories: strong evidence drops the stretch; a single word does not."""

import pytest

from tests.unit.redaction.scene import Page, stretch_of
from understudy.formats.elements import Role
from understudy.redaction.errors import RedactionError, SpecialCategory
from understudy.redaction.redactor import Redactor
from understudy.redaction.special import is_special, says_special

LABELLED = [
    ("Diagnosis", "major depression"),
    ("Krankheit", "Epilepsie"),
    ("Religion", "Catholic"),
    ("Konfession", "evangelisch"),
    ("Trade union membership", "yes"),
    ("Gewerkschaft", "IG Metall"),
    ("Party affiliation", "Republican"),
    ("Partei", "SPD"),
    ("Sexual orientation", "gay"),
    ("Medications", "insulin"),
]
SAID = [
    "She was diagnosed with multiple sclerosis in May",
    "He suffers from depression",
    "My HIV-positive friend",
    "Ich bin schwanger",
    "my trade union membership card",
    "Beitrag zur Gewerkschaftsmitgliedschaft: Gewerkschaftsmitglied",
    "I am a Muslim",
    "Ich bin katholisch",
    "She is a member of the Labour party",
    "I voted for the Republican candidate",
    "he came out as gay",
    "cancer, diabetes and hepatitis",
]
ORDINARY = [
    "Union Station",
    "Student union cafe",
    "Party supplies",
    "Green button",
    "straight line",
    "Liberal arts college",
    "Cancer (zodiac)",
    "Diagnosis code help",
    "Religion section of the library",
    "Faith Hill - Greatest hits",
    "independent shop",
    "Conservative estimate",
    "AIDS to navigation",
    "Join the club",
    "Labour costs",
    "Choose a language: Catholic University",
    "Health",
    "Insurance",
    "Krebs & Sohn GmbH",
]


@pytest.mark.parametrize(("label", "value"), LABELLED)
def test_a_label_that_asks_and_a_value_that_answers_is_special(label: str, value: str) -> None:
    assert is_special(label, value)
    page = Page()
    page.form([(label, value)])
    for call in (Redactor(bytes(32)).learn, Redactor(bytes(32)).redact):
        with pytest.raises(SpecialCategory):
            call(stretch_of([page]))


@pytest.mark.parametrize("text", SAID)
def test_a_phrase_that_says_it_of_somebody_is_special(text: str) -> None:
    assert says_special(text)
    page = Page()
    page.add(Role.TEXT, text)
    with pytest.raises(SpecialCategory):
        Redactor(bytes(32)).redact(stretch_of([page]))


@pytest.mark.parametrize("text", ORDINARY)
def test_a_single_word_is_not(text: str) -> None:
    assert not says_special(text)
    assert not is_special("Language", text)


def test_a_title_or_instruction_counts_too() -> None:
    redactor = Redactor(bytes(32))
    with pytest.raises(SpecialCategory):
        redactor.learn(stretch_of([Page()]), instruction="Ask why I am pregnant")
    with pytest.raises(SpecialCategory):
        redactor.text("I am pregnant")


def test_what_was_personal_in_a_dropped_stretch_is_known_later() -> None:
    special, plain = Page(), Page()
    special.form([("Full name", "Jane Featherstone"), ("Religion", "Hindu")])
    plain.add(Role.TEXT, "Message from Featherstone")
    redactor = Redactor(bytes(32))
    with pytest.raises(SpecialCategory):
        redactor.learn(stretch_of([special]))
    assert redactor.learn(stretch_of([plain]))  # it grew, and the caller had not heard of it
    (tree,) = redactor.redact(stretch_of([plain])).stretch.trees
    assert "Featherstone" not in tree.elements[1].name


def test_the_error_says_nothing() -> None:
    assert issubclass(SpecialCategory, RedactionError)
    assert str(SpecialCategory()) == "a stretch of a special category"
