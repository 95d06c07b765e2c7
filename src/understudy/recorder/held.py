"""Held recordings: redacted, under the personal key, waiting for the person to decide.

Rules

* Segments, titles, times and the leases that cover them are sealed to the personal key.
* That is worth what the personal key is worth. If the device has a passphrase, a thief of the disk sees
  random ids, sizes, and the file system's times. Without one the key lies in the same folder, and the thief
  reads everything that is held, and is the participant (``recorder.device``).
* A revision replaces the one before it as a whole; a crash leaves the old one or the new one.
* A segment's id is fixed when it is held, so sharing can be repeated after a crash without sealing twice.
* Deleting is one step. What was deleted never appears upstream.

Example::

    held = HeldStore(device)
    held.keep(recording, segments)
    for name in held.recordings(): ...
"""

import glob
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from understudy.consent.primitives import Digest, Line, Name, RecordingId, SegmentId, Time, Value
from understudy.custody.coverage import Coverage
from understudy.recorder.device import Device
from understudy.recorder.errors import HeldError
from understudy.sealing.canonical import canonical, parse
from understudy.sealing.durable import durable_remove, durable_write, private_folder
from understudy.sealing.held import HeldContext, held_reader, held_writer

LENGTH_BYTES: Final = 8


class HeldSegment(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stretch, and the proof that it was recorded with permission."""

    segment: SegmentId
    started_at: Time
    ended_at: Time
    salt: Digest
    coverage: Coverage
    redaction: Digest


class HeldRecording(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person sees in the list: title, times, segments in order."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    recording: RecordingId
    title: Line
    application_group: Name
    task_label: Name
    segments: Annotated[tuple[HeldSegment, ...], Meta(min_length=1, max_length=10_000)]


class HeldStore:
    """The held recordings of one device: ``held/<recording>.<revision>``."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._root = private_folder(device.home / "held")

    def keep(self, recording: HeldRecording, payloads: Mapping[str, bytes]) -> None:
        """Store a recording and its segments' payloads, by segment id; durable when it returns.

        A recording that is already held is replaced by the new revision as a whole.

        Raises:
            HeldError: a payload is missing or one too many.
        """
        names = [segment.segment for segment in recording.segments]
        if set(payloads) != set(names) or len(set(names)) != len(names):
            raise HeldError("payloads and segments do not match")
        older = self._revisions(recording.recording)
        revision = max(older, default=0) + 1
        sink = io.BytesIO()
        context = self._context(recording.recording, revision)
        with held_writer(sink, self._device.personal.hpke.public, context) as writer:
            for part in (canonical(recording), *(payloads[name] for name in names)):
                writer.write(len(part).to_bytes(LENGTH_BYTES, "big"))
                writer.write(part)
        durable_write(self._path(recording.recording, revision), sink.getvalue())
        for old in older:
            durable_remove(self._path(recording.recording, old))

    def recordings(self) -> list[HeldRecording]:
        """Return every held recording, oldest first."""
        names = {path.name.partition(".")[0] for path in self._root.iterdir() if path.name[0] != "."}
        found = [self.recording(name) for name in names]
        return sorted(found, key=lambda recording: recording.segments[0].started_at)

    def recording(self, name: str) -> HeldRecording:
        """Return what one held recording is, without its payloads.

        Raises:
            HeldError: there is none of that id.
        """
        return parse(HeldRecording, next(self._parts(name)))

    def payloads(self, name: str) -> dict[str, bytes]:
        """Return one held recording's payloads by segment id, each a complete recording file.

        Raises:
            HeldError: there is none of that id.
        """
        parts = self._parts(name)
        recording = parse(HeldRecording, next(parts))
        return {segment.segment: next(parts) for segment in recording.segments}

    def delete(self, name: str) -> None:
        """Delete a held recording.

        Raises:
            HeldError: there is none of that id.
        """
        revisions = self._revisions(name)
        if not revisions:
            raise HeldError("no such held recording")
        for revision in revisions:
            durable_remove(self._path(name, revision))

    def _parts(self, name: str) -> Iterator[bytes]:
        """Yield the manifest's bytes, then every payload."""
        revisions = self._revisions(name)
        if not revisions:
            raise HeldError("no such held recording")
        context = self._context(name, max(revisions))
        with self._path(name, max(revisions)).open("rb") as file:
            reader = held_reader(file, self._device.personal.hpke, context)
            while head := reader.read(LENGTH_BYTES):
                part = reader.read(int.from_bytes(head, "big"))
                yield part or b""

    def _context(self, name: str, revision: int) -> HeldContext:
        return HeldContext(
            programme=self._device.document.programme,
            tag=self._device.tag,
            recording=name,
            revision=revision,
        )

    def _revisions(self, name: str) -> list[int]:
        return [int(path.suffix[1:]) for path in self._root.glob(f"{glob.escape(name)}.*")]

    def _path(self, name: str, revision: int) -> Path:
        return self._root / f"{name}.{revision}"
