"""The recovery code: a personal seed on paper.

Rules

* 58 characters: 52 for a version (4 bits, 1) and the 256-bit seed, 6 for a check. Written in 13 groups of
  four and one of six, separated by hyphens.
* The alphabet is Crockford's base32: no I, L, O, U. Reading takes either case, O for 0, I and L for 1, and
  ignores hyphens and white space. U and everything else is refused.
* The check is the BCH code of bech32m (BIP 350) over the 5-bit values, with the prefix ``us``. It finds every
  error in up to four characters, hence every single wrong character and every transposition, and misses any
  other error with a chance below 2**-30. It finds errors; it never corrects them.

Example

>>> encode_recovery(bytes(32))
'2000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-E2ENDE'
"""

from typing import Final

from understudy.sealing.errors import FormatError, RecoveryCodeError

SEED_BYTES: Final = 32
VERSION: Final = 1
CODE_CHARACTERS: Final = 58

_CHECK_CHARACTERS: Final = 6
_DATA_CHARACTERS: Final = CODE_CHARACTERS - _CHECK_CHARACTERS
_SEED_BITS: Final = 8 * SEED_BYTES
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = {letter: value for value, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_PREFIX: Final = (3, 3, 0, 21, 19)  # "us" expanded as BIP 173 expands a prefix
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M: Final = 0x2BC830A3


def encode_recovery(seed: bytes | bytearray) -> str:
    """Return the recovery code of a 32-byte seed, 71 characters with hyphens.

    Raises:
        FormatError: the seed is not 32 bytes.
    """
    if len(seed) != SEED_BYTES:
        raise FormatError(f"a personal seed has {SEED_BYTES} bytes")
    number = (VERSION << _SEED_BITS) | int.from_bytes(seed, "big")
    values = [(number >> (5 * place)) & 31 for place in reversed(range(_DATA_CHARACTERS))]
    check = _polymod((*_PREFIX, *values, *(0,) * _CHECK_CHARACTERS)) ^ _BECH32M
    values += [(check >> (5 * place)) & 31 for place in reversed(range(_CHECK_CHARACTERS))]
    code = "".join(_ALPHABET[value] for value in values)
    groups = [code[at : at + 4] for at in range(0, _DATA_CHARACTERS, 4)]
    return "-".join((*groups, code[_DATA_CHARACTERS:]))


def decode_recovery(code: str) -> bytes:
    """Return the seed of a recovery code as a person typed it.

    Raises:
        RecoveryCodeError: wrong length, a character outside the alphabet, a wrong check, or another version.
            The message never repeats what was typed.
    """
    typed = "".join(code.split()).replace("-", "")
    if len(typed) != CODE_CHARACTERS:
        raise RecoveryCodeError(f"a recovery code has {CODE_CHARACTERS} characters, not {len(typed)}")
    values = [_READ_AS.get(letter.upper(), -1) if letter.isascii() else -1 for letter in typed]
    if -1 in values:
        raise RecoveryCodeError(f"character {values.index(-1) + 1} is not used in recovery codes")
    if _polymod((*_PREFIX, *values)) != _BECH32M:
        raise RecoveryCodeError("the recovery code does not check: a character is wrong or two are swapped")
    number = 0
    for value in values[:_DATA_CHARACTERS]:
        number = number << 5 | value
    if number >> _SEED_BITS != VERSION:
        raise RecoveryCodeError("a recovery code of a version that this program does not know")
    return (number & ((1 << _SEED_BITS) - 1)).to_bytes(SEED_BYTES, "big")


def _polymod(values: tuple[int, ...]) -> int:
    """Return the remainder of the values, as a polynomial over GF(32), by the generator of BIP 173."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check
