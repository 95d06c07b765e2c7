"""The heads this device was shown: what a custodian signed once, it cannot take back here.

Rules

* One head is kept of each custodian and epoch: the one with the most entries. The list that proves a newer
  head proves that every older one was its beginning, so older ones need not be kept.
* A head is kept only after the list it leads to was verified, durably, before the list is shown.
* A file that cannot be read is an error, not an empty memory.

Example

>>> SeenHeads(Path("a folder without one")).read()
()
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from understudy.consent.errors import UnderstudyError
from understudy.custody.head import Head
from understudy.recorder.errors import DeviceError
from understudy.sealing.durable import durable_write
from understudy.sealing.signing import Signed


class SeenHeads:
    """The file ``heads.json`` in a device's folder."""

    def __init__(self, home: Path) -> None:
        self._path: Final = home / "heads.json"

    def read(self) -> tuple[Signed, ...]:
        """Return the heads kept so far; none on a device that never looked.

        Raises:
            DeviceError: the file is damaged.
        """
        try:
            heads = msgspec.json.decode(self._path.read_bytes(), type=tuple[Signed, ...])
            for signed in heads:
                signed.verify(Head)
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, UnderstudyError) as error:
            raise DeviceError(
                f"{self._path} cannot be read",
                hint="it is the memory of what custodians signed: restore it from a backup, or move it away",
            ) from error
        return heads

    def keep(self, heads: Iterable[Signed]) -> None:
        """Keep verified heads durably, each unless a longer one of its custodian and epoch is kept already.

        Raises:
            DeviceError: the file is damaged.
            SignatureError, FormatError: not a signed head.
        """
        before = self.read()
        kept: dict[tuple[str, int], tuple[int, Signed]] = {}
        for signed in (*before, *heads):
            head = signed.verify(Head)
            place = (head.custodian, head.epoch)
            if place not in kept or head.n >= kept[place][0]:
                kept[place] = (head.n, signed)
        after = tuple(kept[place][1] for place in sorted(kept))
        if after != before:
            durable_write(self._path, msgspec.json.encode(after), exclusive=False)
