"""Finds many known strings in one pass (Aho and Corasick, 1975), through pyahocorasick.

Rules

* A matcher may grow and shrink. What is new is looked for one by one, until that has cost as much as making
  the automaton anew; what is gone is passed over.
* All matches are reported, also those that overlap.

Example

>>> matcher = Matcher[int]()
>>> matcher.put("she", 1), matcher.put("he", 2)
(None, None)
>>> sorted(matcher.find("ushers"))
[(1, 4, 1), (2, 4, 2)]
"""

from typing import Final, Generic, TypeVar

import ahocorasick

T = TypeVar("T")

_REBUILD: Final = 4
"""Making the automaton costs about as much as looking four times for each key, one by one."""


class Matcher(Generic[T]):
    """Strings to be found, each with what it stands for."""

    def __init__(self) -> None:
        self._keys: dict[str, T] = {}
        self._fresh: dict[str, None] = {}
        self._automaton: ahocorasick.Automaton | None = None
        self._work = 0

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"Matcher({len(self)})"

    def put(self, key: str, value: T, *, over: bool = False) -> None:
        """Look for ``key`` from now on; what it stood for before stays, unless ``over``."""
        if key in self._keys:
            if over:
                self._keys[key] = value
        elif key:
            self._keys[key] = value
            self._fresh[key] = None

    def drop(self, key: str) -> None:
        """Look for ``key`` no more."""
        if self._keys.pop(key, None) is not None:
            self._fresh.pop(key, None)

    def find(self, text: str) -> list[tuple[int, int, T]]:
        """Return (start, end, value) of every match in ``text``."""
        if self._fresh:
            self._work += len(self._fresh)
            if self._work > _REBUILD * len(self._keys):
                self._rebuild()
        found = []
        if self._automaton is not None:
            keys = self._keys
            found = [
                (end + 1 - len(key), end + 1, keys[key])
                for end, key in self._automaton.iter(text)
                if key in keys
            ]
        for key in self._fresh:
            start = text.find(key)
            while start >= 0:
                found.append((start, start + len(key), self._keys[key]))
                start = text.find(key, start + 1)
        return found

    def _rebuild(self) -> None:
        automaton = ahocorasick.Automaton()
        for key in self._keys:
            automaton.add_word(key, key)
        automaton.make_automaton()
        self._automaton, self._work = automaton, 0
        self._fresh.clear()
