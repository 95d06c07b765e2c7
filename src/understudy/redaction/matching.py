"""Finds many known strings in one pass (Aho and Corasick, 1975), through pyahocorasick.

Rules

* A matcher may grow and shrink; its automaton is made anew when it is next used.
* All matches are reported, also those that overlap.

Example

>>> matcher = Matcher[int]()
>>> matcher.put("she", 1), matcher.put("he", 2)
(None, None)
>>> sorted(matcher.find("ushers"))
[(1, 4, 1), (2, 4, 2)]
"""

from typing import Generic, TypeVar

import ahocorasick

T = TypeVar("T")


class Matcher(Generic[T]):
    """Strings to be found, each with what it stands for."""

    def __init__(self) -> None:
        self._keys: dict[str, T] = {}
        self._automaton: ahocorasick.Automaton | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"Matcher({len(self)})"

    def put(self, key: str, value: T, *, over: bool = False) -> None:
        """Look for ``key`` from now on; what it stood for before stays, unless ``over``."""
        if key and (over or key not in self._keys):
            self._keys[key] = value
            self._automaton = None

    def drop(self, key: str) -> None:
        """Look for ``key`` no more."""
        if self._keys.pop(key, None) is not None:
            self._automaton = None

    def find(self, text: str) -> list[tuple[int, int, T]]:
        """Return (start, end, value) of every match in ``text``."""
        if not self._keys:
            return []
        if self._automaton is None:
            self._automaton = ahocorasick.Automaton()
            for key in self._keys:
                self._automaton.add_word(key, key)
            self._automaton.make_automaton()
        return [(end + 1 - len(key), end + 1, self._keys[key]) for end, key in self._automaton.iter(text)]
