"""What stands for an entity: of the same kind, about as long, derived with the key of this recording alone.

Rules

* The same entity, however it is spelled, has the same surrogate in one recording; a word of it has the same
  word. Without the key nothing leads back, and two recordings have nothing in common.
* Surrogates lie in ranges that belong to nobody: example.com (RFC 2606), 555-01xx, test cards, documentation
  addresses (RFC 5737, RFC 3849), IBANs with check digits 00, national numbers with wrong check digits.
* A secret has the placeholder of its class. It is not an input of it.
* Separators and case are those of the place where the entity stood; other symbols are not taken over.

Example

>>> maker = Maker(bytes(32))
>>> maker.surrogate("hunter2", EntityClass.PASSWORD).render("hunter2")
'hiddenpassword'
>>> maker.surrogate("Jane Doe", EntityClass.NAME).render("JANE DOE").isupper()
True
"""

import hmac
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final

import msgspec

from understudy.redaction.birthdate import shifted
from understudy.redaction.checks import kept_length
from understudy.redaction.folding import BARE, PLAIN, SQUEEZED
from understudy.redaction.kinds import HIDDEN, PLACEHOLDERS, EntityClass
from understudy.redaction.pool import words_like

_TRIES: Final = 48
MIN_SHOWN: Final = 3
"""Shorter entities are in almost any text."""
_RUN: Final = re.compile(r"[^\W_]+")
_LETTERS_THEN_DIGITS: Final = re.compile(r"([^\W\d_]{3,})(\d+)")
_WORD_SEPARATORS: Final = frozenset(" -.,/_'\n\t")
_CHARACTER_SEPARATORS: Final = frozenset(" -./,()+:_")
_AREAS: Final = (
    "201",
    "212",
    "303",
    "312",
    "404",
    "415",
    "503",
    "512",
    "602",
    "617",
    "702",
    "713",
    "801",
    "808",
    "907",
    "919",
)
_NETS: Final = ("192.0.2.", "198.51.100.", "203.0.113.")
_MONEY: Final = re.compile(
    r"(?i)(?:[0-9.,' $€£¥~-]|usd|eur|gbp|chf|euro?s?|dollars?|k|p\.?a\.?|per|pro|/"
    r"|year|month|hour|jahr|monat)+"
)
_IDENTITY_CHECKS: Final = (
    "ssn",
    "dni",
    "codice",
    "hetu",
    "personnummer",
    "ahv",
    "cpf",
    "nir",
    "eleven",
    "sin",
    "aadhaar",
)
_SHAPED: Final = frozenset(
    {EntityClass.ACCOUNT, EntityClass.CARD, EntityClass.EMPLOYEE, EntityClass.IBAN, EntityClass.IDENTITY}
    | {EntityClass.PHONE, EntityClass.BIRTH_DATE, EntityClass.IP}
)
_IBAN_SHAPE: Final = re.compile(r"[a-z]{2}[0-9]{2}[a-z0-9]{8,}")
_MIN_PHONE: Final = 7
_CARD_DIGITS: Final = range(13, 20)
_AMEX_DIGITS: Final = 15
_SSN_DIGITS: Final = 9
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


class Style(Enum):
    """How a surrogate is put in a place."""

    FIXED = 0
    TEXT = 1
    WORDS = 2
    CHARACTERS = 3


class Surrogate(msgspec.Struct, frozen=True, kw_only=True):
    """A surrogate, and how it is written where the entity was written in some way."""

    style: Style
    parts: tuple[str, ...]
    original: str

    def __repr__(self) -> str:
        return f"Surrogate({self.style.name})"

    @property
    def text(self) -> str:
        """The surrogate as it is written where the entity is written as it was first found."""
        return self.render(self.original)

    def render(self, occurrence: str) -> str:
        """Return the surrogate for one occurrence of the entity; blanks around it stay."""
        body = PLAIN.of(occurrence).strip()
        lead = occurrence[: len(occurrence) - len(occurrence.lstrip())]
        trail = occurrence[len(occurrence.rstrip()) :] if body else ""
        match self.style:
            case Style.FIXED:
                written = self.parts[0]
            case Style.TEXT:
                written = _cased(self.parts[0], body)
            case Style.WORDS:
                written = _with_words(self.parts, body)
            case _:
                written = _with_characters(self.parts[0], body)
        return f"{lead}{written}{trail}"

    def render_prefix(self, occurrence: str) -> str:
        """Return the surrogate for a beginning of the entity, as it is while it is being typed."""
        match self.style:
            case Style.FIXED:
                return self.parts[0]
            case Style.CHARACTERS:
                return self.render(occurrence)
            case _:
                whole = self.text
                return _cased(whole, occurrence)[: max(1, len(PLAIN.of(occurrence)))]


class Maker:
    """Makes surrogates under one key. Words once given away are remembered, so that two never share one."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._words: dict[str, str] = {}
        self._given: set[str] = set()
        self._taken: dict[str, str] = {}
        self.clashes: Callable[[str], bool] = lambda _: False
        """Whether a candidate holds what must not be shown; set by whoever knows the entities."""

    def __repr__(self) -> str:
        return f"Maker(words={len(self._words)})"

    def surrogate(self, text: str, kind: EntityClass) -> Surrogate:
        """Return the surrogate of an entity; HIDDEN where no other is free of what must not be shown."""
        if kind in PLACEHOLDERS:
            return Surrogate(style=Style.FIXED, parts=(PLACEHOLDERS[kind],), original=text)
        plain, squeezed, bare = PLAIN.of(text).strip(), SQUEEZED.of(text), BARE.of(text)
        for attempt in range(_TRIES):
            made = self._candidate(plain, kind, attempt)
            shown = SQUEEZED.of(made.text)
            is_shown = len(squeezed) >= MIN_SHOWN and squeezed in shown
            is_shown = is_shown or (bool(bare) and BARE.of(made.text) == bare)
            is_taken = (
                made.style is not Style.WORDS and shown in self._taken and self._taken[shown] != squeezed
            )
            if shown and not is_shown and not is_taken and not self.clashes(made.text):
                self._taken[shown] = squeezed
                return made
        return Surrogate(style=Style.FIXED, parts=(HIDDEN,), original=text)

    def forget(self, word: str) -> None:
        """Give a word back that must not be shown any more."""
        for original in [original for original, given in self._words.items() if word in given.casefold()]:
            del self._words[original]

    def _candidate(self, plain: str, kind: EntityClass, attempt: int) -> Surrogate:
        text = self._text(plain, kind, attempt)
        if text is not None:
            return Surrogate(style=Style.TEXT, parts=(text,), original=plain)
        bare = BARE.of(plain)
        compact = plain.replace(" ", "")
        is_code = any(map(str.isdigit, bare)) and bare.isascii() and len(bare) * 5 >= len(compact) * 3
        if kind in _SHAPED and is_code:
            core = self._characters(bare, kind, attempt)
            return Surrogate(style=Style.CHARACTERS, parts=(core,), original=plain)
        tokens = _RUN.findall(plain) or [plain]
        words = tuple(self._word(token, attempt) for token in tokens)
        return Surrogate(style=Style.WORDS, parts=words, original=plain)

    def _text(self, plain: str, kind: EntityClass, attempt: int) -> str | None:
        match kind:
            case EntityClass.EMAIL if "@" in plain and not plain.startswith("@"):
                local = ".".join(
                    self._word(token, attempt) for token in _RUN.findall(plain.partition("@")[0])[:3]
                )
                return f"{(local or self._word(plain, attempt)).lower()}@example.com"
            case EntityClass.IP if ":" in plain:
                raw = self._bytes("ip", plain, attempt)
                return f"2001:db8::{raw[0] << 8 | raw[1]:x}:{raw[2] << 8 | raw[3]:x}"
            case EntityClass.IP if re.fullmatch(r"[0-9.]+", plain):
                raw = self._bytes("ip", plain, attempt)
                return f"{_NETS[raw[0] % len(_NETS)]}{1 + raw[1] % 254}"
            case EntityClass.URL if "/" in plain or "." in plain:
                scheme = plain.partition("://")[0] if "://" in plain else "https"
                page = self._free_word(SQUEEZED.of(plain), attempt).lower()
                return f"{scheme.lower()}://www.example.com/{page}"
            case EntityClass.BIRTH_DATE:
                return shifted(
                    plain, lambda date: 40 + int.from_bytes(self._bytes("date", date, attempt)[:2]) % 600
                )
            case EntityClass.SALARY if any(map(str.isdigit, plain)) and _MONEY.fullmatch(plain):
                digits = iter(
                    self._digits("money", plain, attempt, sum(map(str.isdigit, plain)), first="123456789")
                )
                return "".join(next(digits) if letter.isdigit() else letter for letter in plain)
            case _:
                return None

    def _characters(self, bare: str, kind: EntityClass, attempt: int) -> str:
        count = len(bare)
        if kind is EntityClass.CARD and bare.isdigit() and count in _CARD_DIGITS:
            head = "378282" if count == _AMEX_DIGITS else "424242"
            body = head + self._digits("card", bare, attempt, count - len(head) - 1)
            return body + _luhn_digit(body)
        if kind is EntityClass.PHONE and bare.isdigit() and count >= _MIN_PHONE:
            raw = self._bytes("phone", bare, attempt)
            head = "1" + _AREAS[raw[0] % len(_AREAS)]
            return head.rjust(count, "0")[-(count - _MIN_PHONE) or count :] + f"55501{raw[1] % 100:02}"
        core = self._alike("code", bare, attempt)
        if kind is EntityClass.IBAN and _IBAN_SHAPE.fullmatch(bare):
            return bare[:2] + "00" + core[4:]
        if kind is EntityClass.IDENTITY:
            if bare.isdigit() and count == _SSN_DIGITS:
                return "000" + core[3:]
            for again in range(16):
                core = self._alike("code", bare, attempt * 16 + again)
                spelled = core.upper()
                if not any(kept_length(check, spelled) for check in _IDENTITY_CHECKS):
                    return core
        return core

    def _word(self, token: str, attempt: int) -> str:
        """Return the word that stands for a word; numbers and codes become others of their shape."""
        folded = SQUEEZED.of(token)
        if attempt == 0 and folded in self._words:
            return self._words[folded]
        mixed = _LETTERS_THEN_DIGITS.fullmatch(folded)
        if mixed is not None:
            word = self._word(mixed[1], attempt).lower() + self._digits(
                "word", folded, attempt, len(mixed[2])
            )
        elif any(map(str.isdigit, folded)) or len(folded) == 1:
            word = self._alike("word", folded if folded.isascii() and folded.isalnum() else "a", attempt)
        else:
            word = self._free_word(folded, attempt)
        self._words[folded] = word
        self._given.add(word.casefold())
        return word

    def _free_word(self, folded: str, attempt: int) -> str:
        words, word = words_like(len(folded)), ""
        for again in range(_TRIES):
            raw = self._bytes("word", folded, attempt * _TRIES + again)
            word = words[int.from_bytes(raw[:4]) % len(words)]
            if again >= _TRIES // 2:
                more = words_like(1)
                word += more[int.from_bytes(raw[4:8]) % len(more)].lower()
            if word.casefold() not in self._given and not self.clashes(word):
                return word
        return word

    def _alike(self, use: str, bare: str, attempt: int) -> str:
        """Return other digits for digits, and other letters for letters."""
        stream = self._stream(use, bare, attempt)
        made = bare
        while made == bare:
            made = "".join(
                str(next(stream) % 10) if character.isdigit() else _LETTERS[next(stream) % 26]
                for character in bare
            )
        return made

    def _digits(self, use: str, text: str, attempt: int, count: int, first: str = "0123456789") -> str:
        stream = self._stream(use, text, attempt)
        digits = [str(next(stream) % 10) for _ in range(count)]
        if digits:
            digits[0] = first[next(stream) % len(first)]
        return "".join(digits)

    def _stream(self, use: str, text: str, attempt: int) -> Iterator[int]:
        block = 0
        while True:
            yield from self._bytes(f"{use}/{block}", text, attempt)
            block += 1

    def _bytes(self, use: str, text: str, attempt: int) -> bytes:
        """Return 32 bytes that only this key gives for ``text`` as it is folded."""
        message = f"{use}\0{attempt}\0".encode() + SQUEEZED.of(text).encode()
        return hmac.digest(self._key, message, "sha256")


def _luhn_digit(body: str) -> str:
    total = 0
    for place, digit in enumerate(map(int, reversed(body))):
        total += digit if place % 2 else sum(divmod(digit * 2, 10))
    return str(-total % 10)


def _cased(written: str, occurrence: str) -> str:
    if occurrence.isupper() and sum(map(str.isalpha, occurrence)) > 1:
        return written.upper()
    if occurrence.islower():
        return written.lower()
    return written[:1].upper() + written[1:] if occurrence[:1].isupper() else written


def _with_words(words: tuple[str, ...], occurrence: str) -> str:
    tokens = list(_RUN.finditer(occurrence))
    if len(tokens) != len(words):
        between = " " if " " in occurrence or not tokens else ""
        return _cased(between.join(words), occurrence)
    written, last = "", 0
    for word, token in zip(words, tokens, strict=True):
        written += _kept(occurrence[last : token.start()], _WORD_SEPARATORS) + _cased(word, token[0])
        last = token.end()
    return written


def _with_characters(core: str, occurrence: str) -> str:
    characters = iter(core)
    written = []
    for letter in occurrence:
        if letter.isalnum():
            other = next(characters, "")
            written.append(other.upper() if letter.isupper() else other)
        else:
            written.append(letter if letter in _CHARACTER_SEPARATORS else "-")
    return "".join(written)


def _kept(separators: str, allowed: frozenset[str]) -> str:
    return "".join(character if character in allowed else " " for character in separators)
