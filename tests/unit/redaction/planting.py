"""Plants canaries in a recording and says where one survived; the checks that seeded faults must fail.

Rules

* A canary is random, of one of several alphabets, and no word of any language.
* It is typed letter by letter into a labelled field, and shown in every other stream, plain and disguised.
* A check raises ``Survived`` with the name of the stream, never with the canary.
"""

from collections.abc import Callable
from random import Random
from typing import Final

import numpy as np

from tests.unit.redaction.scene import Page, box_of, noise, region, stretch_of, texts_in
from understudy.formats.elements import Box, Role
from understudy.formats.recording.actions import Action, Select, Type
from understudy.formats.recording.stretch import Stretch
from understudy.redaction.errors import SpecialCategory
from understudy.redaction.folding import SQUEEZED
from understudy.redaction.redactor import Redactor

Make = Callable[..., Redactor]
KEY: Final = bytes(range(32))

ALPHABETS: Final = {
    "latin": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "cyrillic": "абвгдежзиклмнопрстуфхцчшщыэюя",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "han": "田中山川木村林森石井上下東西南北",
    "digits": "0123456789",
    "symbols": "abcdefgh0123456789!#$%&*+?@^~",
    "spaced": "abcdefghijklmnop  ",
}
LABELS: Final = (
    "Password:",
    "Card number",
    "IBAN",
    "Date of birth",
    "E-mail",
    "Phone",
    "Full name",
    "Street",
    "Account",
    "Employee ID",
    "Diagnosis",
    "Salary",
    "API token",
    "PIN",
    "One-time code",
    "Passwort",
    "Geburtsdatum",
    "Nachname",
    "Kontonummer",
)


class Survived(Exception):  # noqa: N818 - what a canary did
    """A canary is still there; the message names the stream."""


def canary(rng: Random, alphabet: str, length: int = 12) -> str:
    """Return a random text without blanks at its ends."""
    letters = ALPHABETS[alphabet]
    text = "".join(rng.choice(letters) for _ in range(length))
    return rng.choice(letters.strip()) + text.strip() + rng.choice(letters.strip())


def disguises(text: str) -> tuple[str, ...]:
    """Return the canary as other programs might show it."""
    return (
        text,
        text.upper(),
        text.lower(),
        "\u200b".join(text),
        "".join(f"{letter}\u0301" for letter in text),
        text.replace(" ", "\u00a0  "),
        f"before {text} after",
        f"({text})",
        f"id_{text}_row",
    )


def recording(text: str, label: str) -> tuple[Stretch, list[tuple[int, int, str]]]:
    """Return a stretch with the canary in every stream, and (version, element, text) of where it shows."""
    pages: list[Page] = []
    acts: list[Action] = []
    shown: list[tuple[int, int, str]] = []
    whole = len(text)
    for number, typed in enumerate(("", text[: whole // 2], text)):
        page = Page(title=f"Page {text}" if typed == text else "Page")
        (field,) = page.form([(label, typed)])
        page.form([("Search", "")])
        if typed:
            shown.append((number, field, typed))
            before = text[: whole // 2] if typed == text else ""
            acts.append(
                Type(
                    at_ms=1000 * number,
                    before=number - 1,
                    target=field,
                    text=typed.removeprefix(before),
                    value=typed,
                )
            )
        if typed == text:
            shown += [(number, page.add(Role.TEXT, form), form) for form in disguises(text)]
            shown.append((number, page.add(Role.TEXTBOX, "Other", f"x {text} y"), f"x {text} y"))
            page.add(Role.TEXT, "Ordinary", id=f"row-{text}", classes=(text, f"c-{text.lower()}"))
            shown.append((number, page.add(Role.OPTION, f"Send to {text}"), f"Send to {text}"))
            acts.append(
                Select(at_ms=1000 * number, before=number, target=4, option=f"for {text}", value=text)
            )
        pages.append(page)
    return stretch_of(pages, acts), shown


def check_text(stretch: Stretch, canaries: list[str]) -> None:
    """Check that no canary is in any text of a stretch."""
    squeezed = [SQUEEZED.of(text) for text in canaries]
    for text in texts_in(stretch):
        if any(one in SQUEEZED.of(text) for one in squeezed):
            raise Survived("text")


def check_pixels(stretch: Stretch, shown: list[tuple[int, int, str]]) -> None:
    """Check that no pixel of what showed a canary is left where it was."""
    for version, element, text in shown:
        frame = stretch.versions[version].frame
        if frame is None:
            continue
        box = box_of(element)
        pixels = region(stretch.frames[frame], box)
        if np.any(np.all(pixels == noise(text, box.width, box.height), axis=2) & np.any(pixels != 0, axis=2)):
            raise Survived("pixels")


def check_labelled_fields(make: Make) -> None:
    """What is typed into labelled fields is in no stream."""
    rng = Random(11)
    for alphabet in ALPHABETS:
        for label in LABELS:
            text = canary(rng, alphabet)
            stretch, shown = recording(text, label)
            redactor = make(KEY)
            redactor.learn(stretch, instruction=f"Enter {text} there")
            clean = redactor.redact(stretch).stretch
            check_text(clean, [text])
            check_pixels(clean, shown)
            for words in (f"Enter {text} there", f"All of {text.upper()}"):
                if SQUEEZED.of(text) in SQUEEZED.of(redactor.text(words)):
                    raise Survived("instruction")


def check_shapes(make: Make) -> None:
    """What has a shape of its own is found in a field without a label."""
    for text in (
        "jane@acme-post.org",
        "4111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 00",
        "+49 30 12345678",
        "ghp_" + "a1B2" * 9,
    ):
        stretch, shown = recording(text, "Notes")
        redactor = make(KEY)
        redactor.learn(stretch)
        clean = redactor.redact(stretch).stretch
        check_text(clean, [text])
        check_pixels(clean, shown[-1:])


def check_special(make: Make) -> None:
    """A stretch of a special category is refused."""
    page = Page()
    page.form([("Religion", "Hindu")])
    try:
        make(KEY).redact(stretch_of([page]))
    except SpecialCategory:
        return
    raise Survived("stretch")


def check_beginnings(make: Make) -> None:
    """Where another element shows what is being typed, beginnings are gone too."""
    pages = []
    for typed in ("", "Featherst", "Featherstonehaugh"):
        page = Page()
        page.form([("Surname", typed)])
        page.add(Role.STATUS, f"Looking for {typed}")
        pages.append(page)
    redactor = make(KEY)
    redactor.learn(stretch_of(pages))
    check_text(redactor.redact(stretch_of(pages)).stretch, ["Featherst"])


def check_places(make: Make) -> None:
    """A field that lost its label is still the field it was."""
    pages = []
    for label, value in (("Password", ""), ("Step two", "quiet lagoon nine")):
        page = Page()
        page.form([(label, value)])
        pages.append(page)
    redactor = make(KEY)
    redactor.learn(stretch_of(pages[:1]))
    redactor.learn(stretch_of(pages))
    clean = redactor.redact(stretch_of(pages)).stretch
    if clean.trees[1].elements[2].value == "quiet lagoon nine":
        raise Survived("field")
    check_pixels(clean, [(1, 2, "quiet lagoon nine")])


def check_case(make: Make) -> None:
    """Another case is no disguise."""
    page = Page()
    page.form([("Surname", "Featherstone")])
    page.add(Role.TEXT, "FEATHERSTONE")
    check_text(make(KEY).redact(stretch_of([page])).stretch, ["Featherstone"])


def check_overlap(make: Make) -> None:
    """A clean element that lies over an entity does not show it."""
    page = Page()
    (field,) = page.form([("Surname", "Featherstone")])
    page.add(Role.TEXT, "Ordinary", box=Box(box_of(field).x - 4, box_of(field).y - 4, 100, 20))
    clean = make(KEY).redact(stretch_of([page])).stretch
    if (region(clean.frames[0], box_of(field)) != 0).any():
        raise Survived("pixels")


def check_unexplained(make: Make) -> None:
    """A picture that no text explains is not shown, whatever its caption."""
    page = Page()
    picture = page.add(Role.IMAGE, "A scanned letter")
    check_pixels(make(KEY).redact(stretch_of([page])).stretch, [(0, picture, "A scanned letter")])


def check_short(make: Make) -> None:
    """A value too short to be looked for elsewhere is still gone from its field."""
    page = Page()
    (field,) = page.form([("First name", "Jo")])
    acts = [Type(at_ms=0, before=0, target=field, text="Jo", value="Jo")]
    check_text(make(KEY).redact(stretch_of([page], acts)).stretch, ["Jo"])


def check_parts(make: Make) -> None:
    """A surname alone gives somebody away."""
    page = Page()
    page.form([("Full name", "Jane Featherstone")])
    page.add(Role.TEXT, "Featherstone called")
    check_text(make(KEY).redact(stretch_of([page])).stretch, ["Featherstone"])


CHECKS: Final = {
    name.removeprefix("check_"): check
    for name, check in list(globals().items())
    if name.startswith("check_") and name not in {"check_text", "check_pixels"}
}
