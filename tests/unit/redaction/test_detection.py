"""Each class of entity is found by its shape or by what is said beside it; what only looks alike is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.redaction.detection import MAX_TEXT, Detector, detector
from understudy.redaction.errors import RedactionError
from understudy.redaction.kinds import EntityClass

E = EntityClass

# (text, class, what of it): {} marks the entity in the text.
FOUND = [
    ("Write to jane.doe@acme-example.co.uk today", E.EMAIL, "jane.doe@acme-example.co.uk"),
    ("<JÖRG@münchen.de>", E.EMAIL, "JÖRG@münchen.de"),
    ("Call +49 30 12345678 now", E.PHONE, "+49 30 12345678"),
    ("(415) 555-2671", E.PHONE, "(415) 555-2671"),
    ("345-899-3560x4587", E.PHONE, "345-899-3560x4587"),
    ("(898)666-3621 ext 13", E.PHONE, "(898)666-3621 ext 13"),
    ("You can call me on 9472 7916, thanks", E.PHONE, "9472 7916"),
    ("416 60 039 office", E.PHONE, "416 60 039"),
    ("Phone:\n60-56-85-91", E.PHONE, "60-56-85-91"),
    ("my card number is 630427373398", E.CARD, "630427373398"),
    ("JCB 180016070420458", E.CARD, "180016070420458"),
    ("My address is 12 Kestrel Yard, Sandhill 4000", E.ADDRESS, "12 Kestrel Yard, Sandhill 4000"),
    ("Büro 030 / 1234567", E.PHONE, "030 / 1234567"),
    ("Tel: 12345-678", E.PHONE, "12345-678"),
    ("DE89 3704 0044 0532 0130 00", E.IBAN, "DE89 3704 0044 0532 0130 00"),
    ("an GB29NWBK60161331926819.", E.IBAN, "GB29NWBK60161331926819"),
    ("4111 1111 1111 1111", E.CARD, "4111 1111 1111 1111"),
    ("5500-0000-0000-0004", E.CARD, "5500-0000-0000-0004"),
    ("3 7 8 7 3 4 4 9 3 6 7 1 0 0 0", E.CARD, "3 7 8 7 3 4 4 9 3 6 7 1 0 0 0"),
    ("４１１１ １１１１ １１１１ １１１１", E.CARD, "４１１１ １１１１ １１１１ １１１１"),
    ("4111\u200b1111\u200b1111\u200b1111", E.CARD, "4111\u200b1111\u200b1111\u200b1111"),
    ("host 172.16.254.7 is up", E.IP, "172.16.254.7"),
    ("2001:4860:4860::8888", E.IP, "2001:4860:4860::8888"),
    ("00:1B:44:11:3A:B7", E.IP, "00:1B:44:11:3A:B7"),
    ("536-90-4399", E.IDENTITY, "536-90-4399"),
    ("NINO AB123456C", E.IDENTITY, "AB123456C"),
    ("12345678Z", E.IDENTITY, "12345678Z"),
    ("RSSMRA85T10A562S", E.IDENTITY, "RSSMRA85T10A562S"),
    ("131052-308T", E.IDENTITY, "131052-308T"),
    ("811228-9874", E.IDENTITY, "811228-9874"),
    ("756.9217.0769.85", E.IDENTITY, "756.9217.0769.85"),
    ("390.533.447-05", E.IDENTITY, "390.533.447-05"),
    ("44051401359", E.IDENTITY, "44051401359"),
    ("36574261809", E.IDENTITY, "36574261809"),
    ("Passport no: C01X00T47", E.IDENTITY, "C01X00T47"),
    ("https://bob:secret@host.io/x", E.URL, "https://bob:secret@host.io/x"),
    ("see https://shop.de/orders/1234?u=7, please", E.URL, "https://shop.de/orders/1234?u=7"),
    ("/home/jdoe/file.txt", E.USERNAME, "jdoe"),
    (r"C:\Users\Jane Doe\x", E.USERNAME, "Jane Doe"),
    ("AKIAIOSFODNN7EXAMPLE", E.TOKEN, "AKIAIOSFODNN7EXAMPLE"),
    ("ghp_" + "a1B2" * 9, E.TOKEN, "ghp_" + "a1B2" * 9),
    ("xoxb-123456789012-abcdef", E.TOKEN, "xoxb-123456789012-abcdef"),
    ("AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", E.TOKEN, "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", E.TOKEN, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc"),
    ("sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", E.TOKEN, "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"),
    (
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        E.TOKEN,
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
    ),
    ("api_key=abcd1234efgh", E.TOKEN, "abcd1234efgh"),
    ("secret: s3cretvalue9", E.TOKEN, "s3cretvalue9"),
    ("x7Gq9ZpL2mNv4Rt8", E.TOKEN, "x7Gq9ZpL2mNv4Rt8"),
    ("qzkvwpxhrtgbnj", E.TOKEN, "qzkvwpxhrtgbnj"),
    ("password: hunter2", E.PASSWORD, "hunter2"),
    ("Mein Passwort ist geheimnis7.", E.PASSWORD, "geheimnis7"),
    ('Enter the username "vina" and the password "0xtz" into', E.PASSWORD, "0xtz"),
    ('Enter the username "vina" and the password "0xtz" into', E.USERNAME, "vina"),
    ("PIN: 4711", E.PIN, "4711"),
    ("123456 is your verification code", E.ONE_TIME_CODE, "123456"),
    ("Verification code: 123 456", E.ONE_TIME_CODE, "123 456"),
    ("CVC 123", E.CARD_CODE, "123"),
    ("Dear Jane Doe,", E.NAME, "Jane Doe"),
    ("Sehr geehrte Frau Müller,", E.NAME, "Müller"),
    ("Customer: Jane van der Berg", E.NAME, "Jane van der Berg"),
    ("Signed in as jdoe", E.NAME, "jdoe"),
    ("Angemeldet als Anna Musterfrau", E.NAME, "Anna Musterfrau"),
    ("Date of birth: 12.03.1980", E.BIRTH_DATE, "12.03.1980"),
    ("born 3 March 1980", E.BIRTH_DATE, "3 March 1980"),
    ("Geburtsdatum 1980-03-12", E.BIRTH_DATE, "1980-03-12"),
    ("Kontonummer 12345678", E.ACCOUNT, "12345678"),
    ("Employee ID: E-10442", E.EMPLOYEE, "E-10442"),
    ("Salary: 72,000 EUR", E.SALARY, "72,000 EUR"),
    ("Diagnosis: broken arm", E.HEALTH, "broken arm"),
    ("wohnt Hauptstraße 12a", E.ADDRESS, "Hauptstraße 12a"),
    ("221 Baker Street", E.ADDRESS, "221 Baker Street"),
]

LOOK_ALIKE = [
    "Order 12345678",
    "12:30:45",
    "2024-05-17",
    "17.05.2024",
    "Version 1.2.3",
    "Price 1,299.00",
    "10.000.000",
    "Password must contain 8 characters",
    "Password: required",
    "Forgot your password?",
    "Enter your PIN",
    "Hello World!",
    "Name: ascending",
    "internationalization",
    "Donaudampfschifffahrt",
    "Seite 3 von 10",
    "std::vector",
    "4111 1111 1111 1112",
    "DE00 3704 0044 0532 0130 00",
    "logo@2x.png",
    "Select all",
    "Mon 17 May 2024 10:00",
    "#1e90ff",
    "Hi there",
    "Dear Sir or Madam,",
    "1234567890123",
    "jane@example.com",
    "(212) 555-0123",
    "192.0.2.7",
    "127.0.0.1",
    "https://www.w3.org/2000/svg",
    "https://example.org/a/b",
    "https://wikipedia.org",
    "/home/user/x",
    "/usr/local/bin",
    "abcdefghijklmnopqrstuvwxyz",
    "consectetur adipiscing",
    "key: value",
    "token = tokenizer",
    "2024-05-17T12:30:45Z",
    "3/4",
    "Room 101-202",
    "ISBN 978-3-16-148410-1",
    "000-12-3456",
    "A4 210 x 297",
]


@pytest.mark.parametrize(("text", "kind", "entity"), FOUND)
def test_each_class_is_found_by_its_shape_or_by_what_is_said(
    text: str, kind: EntityClass, entity: str
) -> None:
    found = {(hit.kind, text[hit.start : hit.end]) for hit in detector().hits(text)}
    assert (kind, entity) in found


@pytest.mark.parametrize("text", LOOK_ALIKE)
def test_what_only_looks_alike_is_let_go(text: str) -> None:
    assert detector().hits(text) == ()


def test_every_class_has_a_case() -> None:
    assert {kind for _, kind, _ in FOUND} == set(EntityClass)


def test_a_piece_of_a_longer_hit_is_no_hit_of_its_own() -> None:
    assert [hit.kind for hit in detector().hits("DE89 3704 0044 0532 0130 00")] == [E.IBAN]


def test_attributes_are_judged_by_shapes_alone() -> None:
    assert detector().hits("css-x7Gq9ZpL2mNv4Rt8", attribute=True) == ()
    assert detector().hits("mail-jane@acme-example.org", attribute=True) != ()


def test_a_gate_that_fails_closes_nothing() -> None:
    """A gate without memory matches nothing; then every pattern must be asked."""

    class Dead:
        def Match(self, _: str) -> None:  # noqa: N802 - as the library has it
            return None

    broken = Detector()
    broken._gate = Dead()  # noqa: SLF001 - the gate is what fails
    assert [hit.kind for hit in broken.hits("password: hunter2")] == [E.PASSWORD]


def test_a_text_longer_than_any_field_is_refused() -> None:
    with pytest.raises(RedactionError):
        detector().hits("a" * (MAX_TEXT + 1))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_hits_lie_in_the_text_and_never_raise(text: str) -> None:
    hits = detector().hits(text)
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)


def test_hits_show_no_text() -> None:
    assert "hunter2" not in repr(detector().hits("password: hunter2"))
