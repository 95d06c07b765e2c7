"""The content search: recordings as a reader has them, opened, decompressed, decoded.

Rules

* Every string of manifest, trees and actions is searched, and so are texts and keys in a row, so that a
  string which was cut into several actions is found.
* Comparison folds case, Unicode compatibility forms, white space and separators away: what a person could
  read counts as found.
* Frames are searched for the rendered canary (``pixels``). File names are searched too.
* What is no recording is searched as bytes.

Example: ``search_content([Path("opened")], canaries, templates=(), passwords=()).found``.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from understudy.consent.errors import UnderstudyError
from understudy.formats.recording.actions import Key, Type
from understudy.formats.recording.layout import MAGIC, Kind
from understudy.formats.recording.reader import RecordingReader
from understudy.redaction.canaries.pixels import Template, shown
from understudy.redaction.canaries.planted import grams
from understudy.redaction.canaries.store import Needles, unpacked

_BETWEEN: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad.,;:/\\|_()\[\]{}<>\"'`-]+")


SHORTEST_FOLD: Final = 8
"""A canary of which folding leaves less, one of signs alone, is looked for as it is."""


class ContentHit(msgspec.Struct, frozen=True, kw_only=True):
    """A canary in a recording: its number, in which part, of which file."""

    canary: int
    part: str
    path: str


class ContentReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a content search read and found."""

    planted: int
    recordings: int
    other_files: int
    strings: int
    frames: int
    hits: tuple[ContentHit, ...]
    password_hits: tuple[ContentHit, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def found(self) -> int:
        """How many different canaries were found."""
        return len({hit.canary for hit in self.hits})

    @property
    def found_in_frames(self) -> int:
        """How many different canaries were found in pixels."""
        return len({hit.canary for hit in self.hits if hit.part == "frame"})

    @property
    def is_complete(self) -> bool:
        """Whether everything could be read."""
        return not self.unread


class _Search:
    """One search under way: what to look for, and the tally."""

    def __init__(
        self, canaries: Sequence[str], templates: Sequence[Template], passwords: Sequence[str]
    ) -> None:
        self._wanted = [(number, canary, folded(canary)) for number, canary in enumerate(canaries, 1)]
        self._templates = templates
        self._grams = [(number, grams(password)) for number, password in enumerate(passwords, 1)]
        self._needles = Needles(canaries)
        self._frames: dict[bytes, set[int]] = {}
        self.hits: set[tuple[int, str, str]] = set()
        self.password_hits: set[tuple[int, str, str]] = set()
        self.recordings = self.others = self.strings = self.frames = 0

    def read(self, path: Path) -> None:
        """Search one file.

        Raises:
            UnderstudyError: a recording that cannot be read.
            OSError: a file that cannot be read.
        """
        self._text("file name", path.name, path)
        data = path.read_bytes()
        if not data.startswith(MAGIC):
            self.others += 1
            for part in (data, *unpacked(data, path)):
                self.hits |= {(number, "bytes", str(path)) for number, _ in self._needles.found_in(part)}
                self._password("bytes", part.decode(errors="replace"), path)
            return
        self.recordings += 1
        with path.open("rb") as source:
            reader = RecordingReader(source)
            self._strings("manifest", reader.manifest, path)
            actions = list(reader.actions())
            self._strings("action", actions, path)
            self._text("keys", "".join(each.key for each in actions if isinstance(each, Key)), path)
            self._text("keys", "".join(each.text or "" for each in actions if isinstance(each, Type)), path)
            for number in range(reader.count(Kind.TREES)):
                self._strings("tree", reader.tree(number), path)
            for number in range(reader.count(Kind.FRAME)):
                self._frame(reader, number, path)

    def _frame(self, reader: RecordingReader, number: int, path: Path) -> None:
        frame = reader.frame(number)
        self.frames += 1
        if frame.webp not in self._frames:  # the same pixels come back in many segments
            self._frames[frame.webp] = shown(frame.picture(), self._templates)
        self.hits |= {(canary, "frame", str(path)) for canary in self._frames[frame.webp]}

    def _strings(self, part: str, value: object, path: Path) -> None:
        for text in _strings_in(msgspec.to_builtins(value)):
            self._text(part, text, path)

    def _text(self, part: str, text: str, path: Path) -> None:
        self.strings += 1
        if not text:
            return
        plain = folded(text)
        for number, canary, fold in self._wanted:
            if canary in text or (len(fold) >= SHORTEST_FOLD and fold in plain):
                self.hits.add((number, part, str(path)))
        self._password(part, text, path)

    def _password(self, part: str, text: str, path: Path) -> None:
        for number, parts in self._grams:
            if any(gram in text for gram in parts):
                self.password_hits.add((number, part, str(path)))


def search_content(
    folders: Iterable[Path],
    canaries: Sequence[str],
    *,
    templates: Sequence[Template] = (),
    passwords: Sequence[str] = (),
) -> ContentReport:
    """Search opened recordings, and whatever else lies in ``folders``.

    Args:
        folders: folders or single files, in clear.
        canaries: what was planted.
        templates: how canaries look on a screen.
        passwords: secrets of which not even four characters in a row may be there.
    """
    search = _Search(canaries, templates, passwords)
    unread = []
    for path in (path for folder in folders for path in _files(folder)):
        try:
            search.read(path)
        except (OSError, UnderstudyError):
            unread.append(str(path))
    return ContentReport(
        planted=len(canaries),
        recordings=search.recordings,
        other_files=search.others,
        strings=search.strings,
        frames=search.frames,
        hits=_listed(search.hits),
        password_hits=_listed(search.password_hits),
        unread=tuple(unread),
    )


def folded(text: str) -> str:
    """Return ``text`` without what does not keep a person from recognising it."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())


def _listed(hits: set[tuple[int, str, str]]) -> tuple[ContentHit, ...]:
    return tuple(ContentHit(canary=number, part=part, path=path) for number, part, path in sorted(hits))


def _strings_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield str(name)
                yield from _strings_in(inner)
        case list() | tuple():
            for inner in value:
                yield from _strings_in(inner)
        case _:
            return


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    if not folder.exists():
        raise FileNotFoundError(2, "there is no such folder", str(folder))
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
