"""The broker's count of segments opened under a grant within the hour.

Rules

* A request is counted when it is decided on, before its entry, so that two at once cannot both be the last.
* The same request again is not counted twice. One that is refused when it is first asked is taken out again.
* The count lives in memory: after a restart it begins at nothing. The custodian keeps the count that lasts.

Example

>>> ceiling = Ceiling()
>>> ceiling.reserve("grant", "first", segments=3, now=0).others
0
>>> ceiling.reserve("grant", "second", segments=1, now=10).others
3
>>> ceiling.reserve("grant", "third", segments=1, now=3_605).others
1
"""

import threading
from dataclasses import dataclass
from typing import Final

HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class Counted:
    """How many segments other requests of the grant opened within the hour, and whether this one is new."""

    others: int
    is_new: bool


class Ceiling:
    """Counts segments by grant and request. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: dict[str, dict[str, tuple[int, int]]] = {}

    def reserve(self, grant: str, request: str, *, segments: int, now: int) -> Counted:
        """Count a request of ``segments`` segments, unless it was counted before."""
        with self._lock:
            opened = {
                name: (at, count)
                for name, (at, count) in self._opened.get(grant, {}).items()
                if at > now - HOUR
            }
            others = sum(count for name, (_, count) in opened.items() if name != request)
            is_new = request not in opened
            opened.setdefault(request, (now, segments))
            self._opened[grant] = opened
            return Counted(others, is_new)

    def release(self, grant: str, request: str) -> None:
        """Take a request out again: it opened nothing."""
        with self._lock:
            opened = self._opened.get(grant, {})
            opened.pop(request, None)
            if not opened:
                self._opened.pop(grant, None)
