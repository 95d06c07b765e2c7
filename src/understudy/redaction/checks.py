"""Looks at a hit of a pattern: check digits, reserved ranges, words that only look alike.

Rules

* A check returns how many characters of the hit count, from its start; 0 lets it go.
* Ranges reserved for examples (RFC 2606, RFC 5737, RFC 3849, 555-01xx) belong to nobody and are let go. The
  surrogates of this package lie in them.
* A check digit is evidence. Where a wrong one could be a typing error (IBAN), the shape is enough.

Sources: ISO 13616 (IBAN), ISO/IEC 7812 (Luhn), python-stdnum for national numbers, phonenumbers for
numbering plans.
"""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import phonenumbers
from stdnum import luhn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn

from understudy.redaction.folding import BARE
from understudy.redaction.likeness import is_random
from understudy.redaction.stopwords import FOLDERS, PARTICLES, is_stopword

Check = Callable[[str], int]

IBAN_LENGTHS: Final = {
    code: length
    for length, codes in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip
"""Length of an IBAN by country (ISO 13616 registry)."""

_REGIONS: Final = ("US", "GB", "DE", "FR", "AT", "CH", "IT", "ES", "NL", "BE", "PL", "AU", "IN")
_ENDINGS: Final = (
    "png jpg jpeg gif svg webp ico css js mjs ts py rb go rs java html htm json xml yaml yml toml md txt pdf"
)
_FILE_ENDINGS: Final = frozenset(_ENDINGS.split())
_RESERVED_HOST: Final = re.compile(
    r"(?:^|[@./])(?:example\.(?:com|org|net|edu)|[a-z0-9-]+\.(?:test|invalid|example))$", re.IGNORECASE
)
_DATE: Final = re.compile(
    r"(?:[12][0-9]{3}[-./][01]?[0-9][-./][0-3]?[0-9]"
    r"|[0-3]?[0-9][-./][0-3]?[0-9][-./](?:[12][0-9])?[0-9]{2})(?:[ T].*)?"
)
_URL: Final = re.compile(
    r"(?i)(?:(?P<scheme>[a-z][a-z+]*)://)?(?:(?P<user>[^/?#@]*)@)?(?P<host>\[[^\]]*\]|[^/?#:]*)(?::[0-9]*)?(?P<rest>.*)",
    re.DOTALL,
)
_WORLD_HOSTS: Final = ("www.w3.org", "schemas.", "json-schema.org")
_CODE_MARKS: Final = re.compile(
    r"[()\[\]{}<>$%]|^self\.|^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^(?:None|True|False|null)$|="
)
_CARD_DIGITS: Final = range(12, 20)
_CARD_BEGINNINGS: Final = re.compile(r"1800|2131|[3-6]|2[2-7]")
_DOCUMENTATION_NETS: Final = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
_TRAILING: Final = ".,;:!?)]}>'\"\u201d\u2019\u00bb"
_EXTENSION: Final = re.compile(r"(?i) ?(?:x|ext\.?|#) ?[0-9]{1,6}$")
_MIN_PHONE_DIGITS: Final = 7
_MIN_DISTINCT: Final = 4
_MIN_ADDRESS: Final = 4
_MIN_PAIRS: Final = 3
_MIN_SECRET: Final = 3
_MIN_DIGITS: Final = 3


def _email(hit: str) -> int:
    kept = hit.rstrip(".-")
    domain = kept.rpartition("@")[2]
    if domain.rpartition(".")[2].lower() in _FILE_ENDINGS or _RESERVED_HOST.search(domain):
        return 0
    return len(kept)


def _phone(hit: str) -> int:
    digits = BARE.of(_EXTENSION.sub("", hit))
    if _DATE.fullmatch(hit) or re.search(r"55501[0-9]{2}$", digits):
        return 0
    if hit.startswith("+"):
        return len(hit) if _parses(hit, None) else 0
    if len(digits) in {10, 11} and not hit.lstrip("(").startswith("0"):
        return len(hit)  # the North American shape is enough: invented numbers look like it too
    if len(digits) < _MIN_PHONE_DIGITS:
        return 0
    return len(hit) if any(_parses(hit, region) for region in _REGIONS) else 0


def _phone_shape(hit: str) -> int:
    return (
        0 if re.search(r"55501[0-9]{2}$", BARE.of(hit)) or len(BARE.of(hit)) < _MIN_PHONE_DIGITS else len(hit)
    )


def _parses(hit: str, region: str | None) -> bool:
    try:
        number = phonenumbers.parse(hit, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number) if region is None else phonenumbers.is_valid_number(number)


def _iban(hit: str) -> int:
    bare = BARE.of(hit).upper()
    length = IBAN_LENGTHS.get(bare[:2])
    if length is None or len(bare) < length or bare[2:4] in {"00", "01", "99"} or not bare[2:4].isdigit():
        return 0
    number = bare[:length]
    has_check = int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1
    digits = sum(character.isdigit() for character in number)
    if not has_check and (len(bare) != length or digits * 5 < length * 3):
        return 0
    return _through(hit, length)


def _through(hit: str, count: int) -> int:
    """Return the end of the ``count``-th letter or digit of ``hit``."""
    places = [place for place, character in enumerate(hit) if character.isalnum()]
    return places[count - 1] + 1 if count <= len(places) else len(hit)


def _card(hit: str) -> int:
    digits = BARE.of(hit)
    is_card = len(digits) in _CARD_DIGITS and len(set(digits)) > 1 and luhn.is_valid(digits)
    is_card = is_card and _CARD_BEGINNINGS.match(digits) is not None
    return len(hit) if is_card and not digits.startswith(("424242", "378282")) else 0


def _ip(hit: str) -> int:
    if hit.endswith(".0.0.0") or sum(character.isalnum() for character in hit) < _MIN_ADDRESS:
        return 0
    try:
        address = ipaddress.ip_address(hit)
    except ValueError:
        return 0
    if address.is_loopback or address.is_unspecified or any(address in net for net in _DOCUMENTATION_NETS):
        return 0
    return len(hit)


def _mac(hit: str) -> int:
    return len(hit) if len(set(BARE.of(hit))) >= _MIN_PAIRS else 0


def _eleven(hit: str) -> int:
    return len(hit) if idnr.is_valid(hit) or pesel.is_valid(hit) else 0


def _url(hit: str) -> int:
    kept = hit.rstrip(_TRAILING)
    parts = _URL.fullmatch(kept)
    if parts is None:
        return len(kept)
    host = parts["host"].lower()
    if parts["user"] is None and (len(parts["rest"].strip("/")) == 0 or host.startswith(_WORLD_HOSTS)):
        return 0
    return 0 if _RESERVED_HOST.search(host) else len(kept)


def _user_folder(hit: str) -> int:
    kept = hit.rstrip(_TRAILING + " ")
    return 0 if kept.lower() in FOLDERS or kept.startswith(("$", "%", "{")) else len(kept)


def _random(hit: str) -> int:
    return len(hit) if is_random(hit) else 0


def _assigned(hit: str) -> int:
    kept = hit.rstrip(_TRAILING)
    if _CODE_MARKS.search(kept.rstrip("=")) or len(set(kept)) < _MIN_DISTINCT:
        return 0
    has_both = any(map(str.isdigit, kept)) and any(map(str.isalpha, kept))
    return len(kept) if has_both or is_random(kept) else 0


def _spoken_secret(hit: str) -> int:
    kept = hit.rstrip(".,;:")
    return 0 if is_stopword(kept) or len(kept) < _MIN_SECRET or _CODE_MARKS.search(kept) else len(kept)


def _value(hit: str) -> int:
    kept = hit.rstrip()
    first = kept.partition(" ")[0].rstrip(_TRAILING)
    says_nothing = first.isalpha() and is_stopword(first)
    return 0 if says_nothing or not any(map(str.isalnum, kept)) else len(kept)


def _person(hit: str) -> int:
    """Cut before the first word that is no name."""
    end = 0
    for word in re.finditer(r"\S+", hit):
        if end and word[0].lower() in PARTICLES:
            continue
        if is_stopword(word[0].strip(_TRAILING)):
            break
        end = word.end()
    kept = hit[:end].rstrip(_TRAILING)
    return len(kept) if sum(map(str.isalpha, kept)) > 1 else 0


def _has_digits(hit: str) -> int:
    kept = hit.rstrip(_TRAILING + "-/")
    return len(kept) if sum(map(str.isdigit, kept)) >= _MIN_DIGITS else 0


def _whole(is_valid: Callable[[str], bool]) -> Check:
    return lambda hit: len(hit) if is_valid(hit) else 0


CHECKS: Final[dict[str, Check]] = {
    "aadhaar": _whole(aadhaar.is_valid),
    "ahv": _whole(ahv.is_valid),
    "assigned": _assigned,
    "card": _card,
    "codice": _whole(codicefiscale.is_valid),
    "cpf": _whole(cpf.is_valid),
    "dni": _whole(lambda hit: dni.is_valid(hit) or nie.is_valid(hit)),
    "eleven": _eleven,
    "email": _email,
    "has-digits": _has_digits,
    "hetu": _whole(hetu.is_valid),
    "iban": _iban,
    "ip": _ip,
    "mac": _mac,
    "nir": _whole(nir.is_valid),
    "nino": len,
    "person": _person,
    "personnummer": _whole(personnummer.is_valid),
    "phone": _phone,
    "phone-shape": _phone_shape,
    "random": _random,
    "sin": _whole(sin.is_valid),
    "spoken-secret": _spoken_secret,
    "spoken-value": _spoken_secret,
    "ssn": _whole(ssn.is_valid),
    "url": _url,
    "user-folder": _user_folder,
    "value": _value,
}
"""The checks by the names that patterns use."""


@lru_cache(maxsize=16384)
def kept_length(check: str, hit: str) -> int:
    """Return how many characters of ``hit`` the check named keeps."""
    return CHECKS[check](hit)
