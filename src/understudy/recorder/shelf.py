"""The files of one held recording: names, seals, and what is left over after a crash.

Rules

* ``held/<recording>/manifest.<revision>`` and ``held/<recording>/<segment>.<revision>``, each sealed to the
  personal key and bound to programme, tag, recording, part and revision. The highest manifest counts; it
  names the revision of every segment.
* Segments are written before the manifest that names them, and removed after one that does not. So whichever
  manifest is found, what it names is there.
* A segment's file begins with its evidence (leases and salt), so that the manifest stays small however long
  the recording gets: ``length (8 bytes, big-endian) ‖ canonical evidence ‖ payload``.
* Nothing here locks; ``recorder.held`` does.

Example::

    shelf = Shelf(folder, device, recording)
    shelf.write(manifest, {segment: content}, revision=shelf.revision + 1)
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from understudy.consent.primitives import Count, Digest, Line, Name, RecordingId, SegmentId, Time, Value
from understudy.custody.coverage import Coverage
from understudy.recorder.claims import CLAIM
from understudy.recorder.device import Device
from understudy.recorder.errors import HeldError
from understudy.sealing.canonical import canonical, parse
from understudy.sealing.chunked import ChunkReader
from understudy.sealing.durable import durable_remove, durable_write, flush_folder, private_folder
from understudy.sealing.errors import DurabilityError, SealError, UnderstudyError
from understudy.sealing.held import HeldContext, held_reader, held_writer

MANIFEST: Final = "manifest"
LENGTH_BYTES: Final = 8
MAX_SEGMENTS: Final = 10_000
MAX_MANIFEST_BYTES: Final = 4 << 20
"""More than ``MAX_SEGMENTS`` rows need."""


class Part(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One segment in the manifest; ``revision`` names its file."""

    segment: SegmentId
    started_at: Time
    ended_at: Time
    redaction: Digest
    revision: Count


class Manifest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a held recording is; its revision is in the name of its file, and in the seal."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    recording: RecordingId
    title: Line
    application_group: Name
    task_label: Name
    is_open: bool
    segments: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=MAX_SEGMENTS)]


class Evidence(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The proof that a segment was recorded with permission, and the salt that hides it."""

    salt: Digest
    coverage: Coverage


class Payload:
    """A segment's payload at random: a view of the decrypted file from behind the evidence on."""

    def __init__(self, reader: ChunkReader, start: int) -> None:
        self._reader = reader
        self._start = start
        self.seek(0)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to ``offset`` of the payload and return the position."""
        moved = offset + self._start if whence == io.SEEK_SET else offset
        return self._reader.seek(moved, whence) - self._start

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes.

        Raises:
            SealError: the file was altered.
        """
        return self._reader.read(size) or b""


class Shelf:
    """One held recording's folder."""

    def __init__(self, root: Path, device: Device, recording: str) -> None:
        self._device = device
        self._recording = recording
        self.folder = root / recording

    @property
    def revision(self) -> int:
        """The number of the manifest that counts; 0 if there is none."""
        return max((number for part, number in self._files() if part == MANIFEST), default=0)

    def manifest(self) -> tuple[Manifest, int]:
        """Return what the recording is, and the revision of that.

        Raises:
            HeldError: there is no such recording.
            SealError: the file is another person's, another recording's or revision's, or damaged.
            FormatError: what is in the seal is no manifest.
        """
        revision = self.revision
        if not revision:
            raise HeldError("no such held recording")
        with self._reader(MANIFEST, revision) as reader:
            return parse(Manifest, reader.read(MAX_MANIFEST_BYTES) or b""), revision

    def evidence(self, part: Part) -> Evidence:
        """Return the evidence of a segment; raises as ``payload``."""
        with self._reader(part.segment, part.revision) as reader:
            return parse(Evidence, _evidence_bytes(reader))

    @contextmanager
    def payload(self, part: Part) -> Iterator[Payload]:
        """Open a segment's payload; only what is read is decrypted.

        Raises:
            SealError: the file is another person's, another segment's or revision's, missing or damaged.
        """
        with self._reader(part.segment, part.revision) as reader:
            length = len(_evidence_bytes(reader))
            yield Payload(reader, LENGTH_BYTES + length)

    def write(
        self, manifest: Manifest, contents: Mapping[str, tuple[Evidence, bytes]], revision: int
    ) -> None:
        """Write the segments in ``contents`` and then ``manifest``, which names them, as ``revision``.

        Raises:
            DurabilityError: before the manifest stands: the state before is what counts. After it: the new
                state counts, and something older is left over, which the next opening removes.
        """
        private_folder(self.folder)
        written: list[Path] = []
        try:
            for segment, (evidence, payload) in contents.items():
                stored = canonical(evidence)
                head = len(stored).to_bytes(LENGTH_BYTES, "big")
                written.append(self._path(segment, revision))
                durable_write(
                    written[-1], self._sealed(segment, revision, head, stored, payload), exclusive=False
                )
            durable_write(
                self._path(MANIFEST, revision), self._sealed(MANIFEST, revision, canonical(manifest))
            )
        except UnderstudyError:
            if self.revision != revision:
                for path in written:
                    with suppress(OSError):
                        path.unlink()
            raise
        self.tidy(manifest, revision)

    def tidy(self, manifest: Manifest, revision: int) -> None:
        """Remove what the manifest of ``revision`` does not name.

        Raises:
            DurabilityError: something could not be removed.
        """
        named = {(part.segment, part.revision) for part in manifest.segments} | {(MANIFEST, revision)}
        keep = {self._path(*name).name for name in named}
        gone = [path for path in self.folder.iterdir() if path.name not in keep and path.name != CLAIM]
        try:
            for path in gone:
                path.unlink(missing_ok=True)
            if gone:
                flush_folder(self.folder)
        except OSError as error:
            raise DurabilityError("something that was replaced could not be removed") from error

    def remove(self) -> None:
        """Remove the recording: first the manifests, which ends it, then everything else.

        Raises:
            DurabilityError: something could not be removed.
        """
        for part, revision in sorted(self._files()):
            if part == MANIFEST:
                durable_remove(self._path(part, revision))
        try:
            for path in self.folder.iterdir():
                path.unlink(missing_ok=True)
            self.folder.rmdir()
            flush_folder(self.folder.parent)
        except OSError as error:
            raise DurabilityError("something of a deleted recording could not be removed") from error

    def _files(self) -> Iterator[tuple[str, int]]:
        """Yield part and revision of every file of the folder that has a name of ours."""
        if not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            part, _, revision = path.name.partition(".")
            if part and revision.isascii() and revision.isdigit():
                yield part, int(revision)

    def _path(self, part: str, revision: int) -> Path:
        return self.folder / f"{part}.{revision}"

    def _context(self, part: str, revision: int) -> HeldContext:
        return HeldContext(
            programme=self._device.document.programme,
            tag=self._device.tag,
            recording=self._recording,
            part=part,
            revision=revision,
        )

    def _sealed(self, part: str, revision: int, *content: bytes) -> bytes:
        sink = io.BytesIO()
        public = self._device.personal.hpke.public
        with held_writer(sink, public, self._context(part, revision)) as writer:
            for piece in content:
                writer.write(piece)
        return sink.getvalue()

    @contextmanager
    def _reader(self, part: str, revision: int) -> Iterator[ChunkReader]:
        try:
            file = self._path(part, revision).open("rb")
        except FileNotFoundError as error:
            raise SealError("a file that the held recording names is missing") from error
        with file, held_reader(file, self._device.personal.hpke, self._context(part, revision)) as reader:
            yield reader


def _evidence_bytes(reader: ChunkReader) -> bytes:
    head = reader.read(LENGTH_BYTES) or b""
    return reader.read(int.from_bytes(head, "big")) or b""
