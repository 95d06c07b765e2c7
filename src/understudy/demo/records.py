"""What is entered on the demonstration's own form: planted strings, and data made from a seed.

Rules

* No person is behind any of it. Telephone numbers are of the range kept for fiction, card numbers of a range
  kept for tests, bank codes of none; check digits are right.
* A planted string stands in its field as it is, or inside an address or a sentence.
* Passwords have 16 characters and share no four in a row with anything that is planted. They are typed into
  password fields and stand nowhere else.

Example

>>> import random
>>> record = make_record(["zq1f3a5b7c9d"], rng=random.Random(1))
>>> record.full_name, record.e_mail
('zq1f3a5b7c9d', 'zq1f3a5b7c9d@example.org')
"""

import random
import string
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from understudy.consent.primitives import Value
from understudy.demo.errors import PlanError
from understudy.redaction.canaries.planted import grams

PLANTED_FIELDS: Final = ("full_name", "comment", "street", "e_mail", "customer_number", "town", "token")
"""Fields that take a planted string, in the order of planting; ``comment`` takes any number."""
TYPED_FIELDS: Final = (
    "full_name",
    "e_mail",
    "phone",
    "date_of_birth",
    "street",
    "town",
    "customer_number",
    "token",
    "iban",
    "card",
    "comment",
)
"""Fields of the form that are typed into in clear, in the order of the page."""
ACCOUNTS: Final = ("Basic", "Family", "Business", "Student")
PASSWORD_LENGTH: Final = 16
_PASSWORD_LETTERS: Final = string.ascii_letters + string.digits + "!#$%*+=?@"
_ADDRESS_LETTERS: Final = frozenset(string.ascii_letters + string.digits + "._-")
_FIRST_BIRTH: Final = date(1950, 1, 1)
_BIRTH_DAYS: Final = 50 * 365
_LUHN_BASE: Final = 10
_MAX_INSTRUCTION: Final = 8_000
_MAX_TRIES: Final = 1_000


class CustomerRecord(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is entered on the form, once; ``planted`` are the strings that it plants."""

    full_name: str
    e_mail: str
    phone: str
    date_of_birth: str
    street: str
    town: str
    customer_number: str
    token: str
    iban: str
    card: str
    comment: str
    account: str
    password: str
    signed_in_as: str
    planted: tuple[str, ...]

    @property
    def instruction(self) -> str:
        """What the page asks for. The password is not in it: the person chooses one."""
        typed = "; ".join(f"{name.replace('_', ' ')}: {getattr(self, name)}" for name in TYPED_FIELDS)
        return (
            f"Create the account of this new customer. {typed}; account: {self.account}. "
            "Choose a password, note that the terms are agreed to, and press Done at the end."
        )


def make_record(
    planted: Sequence[str], *, rng: random.Random, forbidden: Sequence[str] = ()
) -> CustomerRecord:
    """Return a record that plants all given strings.

    Args:
        planted: at least one; the first ones go to a field each, the rest into the comment.
        rng: everything else is made from it.
        forbidden: texts that the password must share nothing with, beside what is planted here.

    Raises:
        PlanError: nothing to plant, too much for one form, or no password can be made.
    """
    if not planted:
        raise PlanError("a record without a string to plant", hint="give at least one canary")
    turns: Iterator[str] = (planted[number % len(planted)] for number in range(len(PLANTED_FIELDS)))
    place = dict(zip(PLANTED_FIELDS, turns, strict=True))
    about = ", ".join((place["comment"], *planted[len(PLANTED_FIELDS) :]))
    born = _FIRST_BIRTH + timedelta(days=rng.randrange(_BIRTH_DAYS))
    record = CustomerRecord(
        full_name=place["full_name"],
        e_mail=_address(place["e_mail"]),
        phone=f"+1 202 555 01{rng.randrange(100):02d}",
        date_of_birth=born.isoformat(),
        street=f"{place['street']} {rng.randrange(1, 200)}",
        town=place["town"],
        customer_number=place["customer_number"],
        token=place["token"],
        iban=_iban(rng),
        card=_card(rng),
        comment=f"Called about {about}.",
        account=rng.choice(ACCOUNTS[1:]),
        password=make_password(rng, (*planted, *forbidden)),
        signed_in_as=place["full_name"],
        planted=tuple(dict.fromkeys(planted)),
    )
    if len(record.instruction) > _MAX_INSTRUCTION:
        raise PlanError(
            f"{len(planted)} strings are too long for one form", hint="give fewer, or shorter ones"
        )
    return record


def make_password(rng: random.Random, forbidden: Sequence[str]) -> str:
    """Return a password that shares no four characters in a row with any of the texts.

    Raises:
        PlanError: the texts leave no room for one.
    """
    taken = frozenset[str]().union(*(grams(text) for text in forbidden))
    for _ in range(_MAX_TRIES):
        password = "".join(rng.choice(_PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))
        if not grams(password) & taken:
            return password
    raise PlanError("no password differs from all the strings to plant")


def _address(planted: str) -> str:
    """Return an address with the string in it, if its characters allow, or else the string."""
    fits = set(planted) <= _ADDRESS_LETTERS and planted[0].isalnum() and planted[-1].isalnum()
    return f"{planted}@example.org" if fits and ".." not in planted else planted


def _iban(rng: random.Random) -> str:
    """Return an account number with right check digits (ISO 13616), of a bank that there is not."""
    account = f"00000000{rng.randrange(10**10):010d}"
    check = 98 - int(f"{account}131400") % 97  # D = 13, E = 14
    return f"DE{check:02d}{account}"


def _card(rng: random.Random) -> str:
    """Return a card number with a right check digit (ISO 7812, annex B), of a range kept for tests."""
    body = f"400000{rng.randrange(10**9):09d}"
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - place % 2)
        total += value // _LUHN_BASE + value % _LUHN_BASE
    return f"{body}{-total % _LUHN_BASE}"
