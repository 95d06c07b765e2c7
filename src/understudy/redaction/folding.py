r"""Three views of a text that make its disguises alike, and the way back to the places in the text.

Rules

* ``PLAIN`` undoes compatibility forms (NFKD: full-width digits, ligatures) and drops marks, format characters
  such as zero-width spaces, and lone surrogates. Case and single spaces stay.
* ``SQUEEZED`` is the same without case and without any space. ``BARE`` keeps letters and digits of it alone.
* A view is made character by character, so each character of it comes from one place in the text.
* Characters of other scripts that merely look alike stay different.

Unicode: UAX #15 (normalisation forms), section 5.18 of the core specification (case folding).

Example

>>> SQUEEZED.of("J\u200ba\u0301NE  Doe"), BARE.of("+1 (415) 555-2671")
('janedoe', '14155552671')
>>> SQUEEZED.span("Hi  J ane!", 2, 6)
(4, 9)
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

_DROPPED: Final = frozenset({"Mn", "Me", "Cf", "Cs", "Cc", "Cn", "Co"})
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\u1100-\u11ff\U00020000-\U0003ffff]"
)


class _Table(dict[int, str]):
    """A table for ``str.translate`` that fills itself."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> str:
        folded = self._fold(chr(code))
        self[code] = folded
        return folded


class View:
    """One way of looking at a text."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        self._table = _Table(fold)
        # Most text is ASCII, where each character folds to one or to none: ten times as fast over bytes.
        ascii_folds = [fold(chr(code)) for code in range(128)]
        self._ascii = "".join(folded or "\0" for folded in ascii_folds).encode() + bytes(range(128, 256))
        self._gone = bytes(code for code, folded in enumerate(ascii_folds) if not folded)

    def of(self, text: str) -> str:
        """Return the view of ``text``."""
        if text.isascii():
            return text.encode("ascii").translate(self._ascii, self._gone).decode("ascii")
        return text.translate(self._table)

    def starts(self, text: str) -> list[int]:
        """Return, for each character of the view, the place in ``text`` that it comes from."""
        table = self._table
        return [place for place, character in enumerate(text) for _ in table[ord(character)]]

    def span(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of ``text`` that characters ``start`` to ``end`` of the view come from.

        Marks and invisible characters after its last character belong to it.
        """
        starts = self.starts(text)
        first, last = starts[start], starts[end - 1] + 1
        while last < len(text) and is_invisible(text[last]):
            last += 1
        return first, last

    def place(self, text: str, at: int) -> int:
        """Return how many characters of the view come from before place ``at`` of ``text``."""
        return bisect_right(self.starts(text), at - 1)


def _plain(character: str) -> str:
    if character.isspace():
        return character if character in "\n\t" else " "
    kept = (part for part in unicodedata.normalize("NFKD", character))
    return "".join(part for part in kept if unicodedata.category(part) not in _DROPPED)


def _squeezed(character: str) -> str:
    folded = unicodedata.normalize("NFKD", _plain(character).casefold())
    return "".join(
        part for part in folded if not part.isspace() and unicodedata.category(part) not in _DROPPED
    )


def _bare(character: str) -> str:
    return "".join(part for part in _squeezed(character) if part.isalnum())


PLAIN: Final = View(_plain)
SQUEEZED: Final = View(_squeezed)
BARE: Final = View(_bare)


def is_invisible(character: str) -> bool:
    """Return whether a character leaves nothing in the plain view: a mark, a format character."""
    return not _plain(character)


def is_unspaced(text: str) -> bool:
    """Return whether ``text`` holds a script that puts no spaces between words."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def is_whole_word(text: str, start: int, end: int) -> bool:
    """Return whether neither neighbour of the stretch is a letter or a digit."""
    return is_word_start(text, start) and is_word_end(text, end)


def is_word_start(text: str, start: int) -> bool:
    """Return whether no letter or digit stands before ``start``."""
    while start > 0 and is_invisible(text[start - 1]):
        start -= 1
    return start == 0 or not text[start - 1].isalnum()


def is_word_end(text: str, end: int) -> bool:
    """Return whether no letter or digit stands at ``end``."""
    while end < len(text) and is_invisible(text[end]):
        end += 1
    return end == len(text) or not text[end].isalnum()
