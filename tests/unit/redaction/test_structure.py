"""A field's label gives its class, whatever it holds; and a place keeps its number."""

import pytest

from tests.unit.redaction.scene import Page
from understudy.formats.elements import Element, ElementState, ElementTree, Role
from understudy.redaction.kinds import EntityClass
from understudy.redaction.labels import exact_label_class, label_class
from understudy.redaction.places import Places
from understudy.redaction.structure import read

E = EntityClass

LABELS = [
    ("Password:", E.PASSWORD),
    ("Passwort wiederholen", E.PASSWORD),
    ("Kennwort", E.PASSWORD),
    ("Card number", E.CARD),
    ("Kreditkartennummer", E.CARD),
    ("IBAN", E.IBAN),
    ("Date of birth", E.BIRTH_DATE),
    ("Geburtsdatum", E.BIRTH_DATE),
    ("E-mail", E.EMAIL),
    ("Your e-mail address (optional)", E.EMAIL),
    ("Phone", E.PHONE),
    ("Handynummer", E.PHONE),
    ("Full name", E.NAME),
    ("Nachname *", E.NAME),
    ("Street", E.ADDRESS),
    ("Straße", E.ADDRESS),
    ("PLZ", E.ADDRESS),
    ("Town", E.ADDRESS),
    ("City *", E.ADDRESS),
    ("Wohnort", E.ADDRESS),
    ("Ort", E.ADDRESS),
    ("Account", E.ACCOUNT),
    ("Kontonummer", E.ACCOUNT),
    ("Employee ID", E.EMPLOYEE),
    ("Personalnummer", E.EMPLOYEE),
    ("Diagnosis", E.HEALTH),
    ("Befund", E.HEALTH),
    ("Salary", E.SALARY),
    ("Bruttogehalt", E.SALARY),
    ("API token", E.TOKEN),
    ("Client secret", E.TOKEN),
    ("PIN", E.PIN),
    ("One-time code", E.ONE_TIME_CODE),
    ("Bestätigungscode", E.ONE_TIME_CODE),
    ("CVV", E.CARD_CODE),
    ("Kartenprüfnummer", E.CARD_CODE),
    ("SSN", E.IDENTITY),
    ("Steuer-ID", E.IDENTITY),
    ("Reisepassnummer", E.IDENTITY),
    ("Username", E.USERNAME),
    ("Benutzername", E.USERNAME),
    ("cardNumber", E.CARD),
    ("user_email", E.EMAIL),
    ("IP address", E.IP),
    ("Customer", E.NAME),
    ("Patientin", E.NAME),
]
NO_LABELS = [
    "Search",
    "Quantity",
    "File name",
    "Product name",
    "Dateiname",
    "Comment",
    "Amount",
    "Shipping method",
    "Pinterest",
    "Keyword",
    "E-mail subject",
    "Colour",
    "Departure",
    "Message",
    "Account type",
    "Token count",
]


@pytest.mark.parametrize(("label", "kind"), LABELS)
def test_a_label_gives_the_class_of_its_field(label: str, kind: EntityClass) -> None:
    assert label_class(label) is kind
    page = Page()
    (number,) = page.form([(label, "whatever it looks like")])
    assert read(page.tree()).fields[number] is kind


@pytest.mark.parametrize("label", NO_LABELS)
def test_other_labels_give_none(label: str) -> None:
    assert label_class(label) is None
    assert exact_label_class(label) is None


def element(role: Role, name: str = "", value: str | None = None, parent: int = 0, **more: object) -> Element:
    return Element(role=role, name=name, value=value, parent=parent, **more)  # type: ignore[arg-type]


def tree_of(*elements: Element) -> ElementTree:
    return ElementTree(elements=(Element(role=Role.DOCUMENT, name="Title"), *elements))


@pytest.mark.parametrize(
    "more", [{"name": "Password"}, {"id": "user-password"}, {"classes": ("wide", "password-input")}]
)
def test_name_id_and_classes_speak_for_a_field(more: dict[str, object]) -> None:
    tree = tree_of(Element(role=Role.TEXTBOX, value="x", parent=0, **more))  # type: ignore[arg-type]
    assert read(tree).fields == {1: E.PASSWORD}


def test_a_secure_field_is_a_password_whatever_its_label() -> None:
    tree = tree_of(element(Role.TEXTBOX, "Colour", states=(ElementState.SECURE,)))
    assert read(tree).fields == {1: E.PASSWORD}


def test_a_label_does_not_reach_past_another_control() -> None:
    tree = tree_of(
        element(Role.TEXT, "Password:"),
        element(Role.TEXTBOX),
        element(Role.BUTTON, "Go"),
        element(Role.TEXTBOX),
    )
    assert read(tree).fields == {2: E.PASSWORD, 4: None}


def test_punctuation_between_label_and_field_is_passed_over() -> None:
    tree = tree_of(element(Role.TEXT, "Password"), element(Role.TEXT, ":"), element(Role.TEXTBOX))
    assert read(tree).fields == {3: E.PASSWORD}


def test_static_text_is_a_value_beside_a_label_with_a_colon() -> None:
    tree = tree_of(
        element(Role.TEXT, "Phone:"),
        element(Role.TEXT, "ask at the desk"),
        element(Role.TEXT, "Phone"),
        element(Role.TEXT, "Other"),
    )
    assert read(tree).statics == {2: E.PHONE}


def test_a_definition_is_the_value_of_its_term() -> None:
    tree = tree_of(element(Role.TERM, "Employee ID"), element(Role.DEFINITION, "blue seventeen"))
    assert read(tree).statics == {2: E.EMPLOYEE}


def test_rows_of_two_cells_are_label_and_value() -> None:
    tree = tree_of(
        element(Role.ROW), element(Role.CELL, "Salary", parent=1), element(Role.CELL, "a lot", parent=1)
    )
    assert read(tree).statics == {3: E.SALARY}


def test_columns_give_their_class_to_cells_and_what_is_in_them() -> None:
    tree = tree_of(
        element(Role.TABLE),
        element(Role.ROW, parent=1),
        element(Role.COLUMNHEADER, "Name", parent=2),
        element(Role.COLUMNHEADER, "E-mail", parent=2),
        element(Role.ROW, parent=1),
        element(Role.CELL, parent=5),
        element(Role.LINK, "Some One", parent=6),
        element(Role.CELL, "at home", parent=5),
    )
    assert read(tree).statics == {6 + 1: E.NAME, 8: E.EMAIL, 6: E.NAME}


def test_a_column_of_names_alone_may_hold_files() -> None:
    tree = tree_of(
        element(Role.TABLE),
        element(Role.ROW, parent=1),
        element(Role.COLUMNHEADER, "Name", parent=2),
        element(Role.COLUMNHEADER, "Size", parent=2),
        element(Role.ROW, parent=1),
        element(Role.CELL, "report", parent=5),
        element(Role.CELL, "12 kB", parent=5),
    )
    assert read(tree).statics == {}


def test_options_of_a_classed_list_are_of_its_class_unless_everybody_has_them() -> None:
    people = tree_of(element(Role.COMBOBOX, "Customer"), element(Role.OPTION, "Some One", parent=1))
    months = tree_of(element(Role.COMBOBOX, "Date of birth"), element(Role.OPTION, "January", parent=1))
    assert read(people).statics == {2: E.NAME}
    assert read(months).statics == {}


def test_text_in_an_editable_region_is_of_its_class() -> None:
    tree = tree_of(element(Role.TEXTBOX, "Full name"), element(Role.TEXT, "Some One", parent=1))
    assert read(tree).statics == {2: E.NAME}


def test_an_id_or_class_speaks_for_static_text() -> None:
    tree = tree_of(
        element(Role.TEXT, "someone", classes=("user-email",)),
        element(Role.TEXT, "Email", classes=("email",)),
    )
    assert read(tree).statics == {1: E.EMAIL}


def test_places_are_the_places_of_the_format() -> None:
    tree = tree_of(
        element(Role.FORM),
        element(Role.TEXTBOX, parent=1, tag="input"),
        element(Role.TEXTBOX, parent=1, tag="input"),
        element(Role.TEXTBOX, parent=1, id="x"),
        element(Role.FORM),
        element(Role.TEXTBOX, parent=5, tag="input"),
    )
    numbers = Places().of(tree)
    names = [tree.place(number) for number in range(len(tree.elements))]
    assert len(set(numbers)) == len(set(names)) == len(names)


def test_a_place_stays_when_text_changes_and_goes_with_the_host() -> None:
    places = Places()
    before, after, other = Page(), Page(title="Changed"), Page(host="other.example")
    for page, value in ((before, ""), (after, "typed"), (other, "")):
        page.form([("A", value)])
    assert places.of(before.tree()) == places.of(after.tree())
    assert places.of(before.tree()) != places.of(other.tree())


def test_shows_no_text() -> None:
    page = Page()
    page.form([("Password", "hunter2")])
    assert "hunter2" not in repr(read(page.tree()))
