"""Held recordings: redacted, under the personal key, waiting for the person to decide.

Rules

* A recording is a small manifest and one file for each segment, each sealed to the personal key. Segments,
  titles, times and the leases that cover them show nowhere else (``recorder.shelf`` has the files).
* That is worth what the personal key is worth. If the device has a passphrase, a thief of the disk sees
  random ids, sizes, and the file system's times. Without one the key lies in the same folder, and the thief
  reads everything that is held, and is the participant (``recorder.device``).
* ``put`` replaces the manifest and the changed segments as a whole: a crash at any step leaves the old state
  or the new one. The name of the new manifest is the moment of change; what it does not name is removed.
* A change names the revision that it is a change of. Of two programs that change one recording, the second
  is refused and reads again.
* An open recording is being recorded. It belongs to the process that put it first, for as long as that lives;
  others may read it. One whose process is gone is closed by ``close_abandoned``.
* A segment's id is fixed when it is held, so sharing can be repeated after a crash without sealing twice.
* Deleting is one step. What was deleted never appears upstream.

Example: a session that rewrites its running segment, and closes the recording at the end::

    held = HeldStore(device)
    made = held.put(HeldRecording(..., is_open=True, segments=(first,)), {first.segment: payload})
    made = held.put(replace(made, segments=(*made.segments[:-1], grown)), {grown.segment: longer})
    made = held.put(replace(made, is_open=False), {})

``put`` gives numbers to revisions: always go on with the value that it returned. Segments that are not in
the new value are removed. A whole recording that is finished anyway: ``held.keep(recording, payloads)``.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from understudy.consent.primitives import Count, Digest, Line, Name, RecordingId, SegmentId, Time, Value
from understudy.custody.coverage import Coverage
from understudy.formats.source import RandomAccess
from understudy.recorder.claims import Claims
from understudy.recorder.device import Device
from understudy.recorder.errors import HeldError
from understudy.recorder.shelf import MAX_SEGMENTS, Evidence, Manifest, Part, Shelf
from understudy.sealing.durable import private_folder
from understudy.sealing.errors import FormatError, SealError

_ID: Final = re.compile(r"rec_[A-Za-z0-9_-]{22}")


class HeldSegment(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stretch, and the proof that it was recorded with permission; ``put`` numbers its revision."""

    segment: SegmentId
    started_at: Time
    ended_at: Time
    salt: Digest
    coverage: Coverage
    redaction: Digest
    revision: Count = 0


class HeldRecording(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person sees in the list: title, times, segments in order.

    ``revision`` counts the changes; 0 is for what is not held yet. ``is_open``: it is being recorded.
    """

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    recording: RecordingId
    title: Line
    application_group: Name
    task_label: Name
    segments: Annotated[tuple[HeldSegment, ...], Meta(min_length=1, max_length=MAX_SEGMENTS)]
    is_open: bool = False
    revision: Count = 0

    @property
    def started_at(self) -> int:
        """When the first segment begins, in seconds UTC."""
        return self.segments[0].started_at

    @property
    def ended_at(self) -> int:
        """When the last segment ends, in seconds UTC."""
        return self.segments[-1].ended_at


class HeldStore:
    """The held recordings of one device: ``held/<recording>/...``."""

    def __init__(self, device: Device) -> None:
        """Open the store and remove what a crash left over.

        Raises:
            DurabilityError: the folder cannot be made, or something left over cannot be removed.
        """
        self._device = device
        self._root = private_folder(device.home / "held")
        self._claims = Claims(self._root)
        with self._claims.changing():
            for name in self._names():
                self._tidy(self._shelf(name))

    def put(self, recording: HeldRecording, changed: Mapping[str, bytes]) -> HeldRecording:
        """Replace manifest and changed segments as a whole; return the recording as it is now held.

        Durable when it returns. Segments that are not in ``recording`` are removed.

        Args:
            recording: what it is to be; its ``revision`` is that of the state it is a change of, 0 for none.
            changed: payloads by segment id, of every new segment and every one that changed.

        Raises:
            HeldError: ``recording`` is a change of another state than the one held; a payload is missing or
                one too many; or another process is recording it.
            DurabilityError: it could not be written; what was held before is held still.
        """
        with self._claims.changing():
            return self._put(recording, changed)

    def keep(self, recording: HeldRecording, payloads: Mapping[str, bytes]) -> HeldRecording:
        """Hold a whole recording, in place of whatever is held under its id.

        Args:
            recording: what it is to be; its ``revision`` does not matter.
            payloads: of every segment, by segment id.

        Raises:
            HeldError: a payload is missing or one too many, or another process is recording it.
            DurabilityError: it could not be written; what was held before is held still.
        """
        with self._claims.changing():
            revision = self._shelf(recording.recording).revision
            return self._put(replace(recording, revision=revision), payloads)

    def names(self) -> list[str]:
        """Return the ids of every held recording, also of those that do not open."""
        with self._claims.looking():
            return [name for name in self._names() if self._shelf(name).revision]

    def recordings(self) -> list[HeldRecording]:
        """Return every held recording, oldest first.

        Raises:
            SealError, FormatError: a file is not this person's, or damaged.
        """
        with self._claims.looking():
            names = [name for name in self._names() if self._shelf(name).revision]
            found = [self._recording(name) for name in names]
        return sorted(found, key=lambda recording: (recording.started_at, recording.recording))

    def recording(self, name: str) -> HeldRecording:
        """Return what one held recording is, without its payloads.

        Raises:
            HeldError: there is none of that id.
            SealError, FormatError: a file is not this person's, or damaged.
        """
        with self._claims.looking():
            return self._recording(name)

    def payload(self, name: str, segment: str) -> bytes:
        """Return one segment's payload, a complete recording file; raises as ``opened``."""
        with self.opened(name, segment) as source:
            return source.read()

    def payloads(self, name: str) -> dict[str, bytes]:
        """Return one held recording's payloads by segment id, all of one state; raises as ``opened``."""
        with self._claims.looking():
            shelf = self._shelf(name)
            found = {}
            for part in shelf.manifest()[0].segments:
                with shelf.payload(part) as source:
                    found[part.segment] = source.read()
            return found

    @contextmanager
    def opened(self, name: str, segment: str) -> Iterator[RandomAccess]:
        """Open one segment's payload for reading at random; only what is read is decrypted.

        Raises:
            HeldError: there is no such recording, or no such segment in it.
            SealError, FormatError: a file is not this person's, or damaged.
        """
        with ExitStack() as stack:
            with self._claims.looking():
                shelf = self._shelf(name)
                parts = [part for part in shelf.manifest()[0].segments if part.segment == segment]
                if not parts:
                    raise HeldError("no such segment in the held recording")
                # Once open, the file can be read to its end even if it is replaced meanwhile.
                payload = stack.enter_context(shelf.payload(parts[0]))
            yield payload

    def delete(self, name: str) -> None:
        """Delete a held recording.

        Raises:
            HeldError: there is none of that id, or another process is recording it.
            DurabilityError: something of it could not be removed; the next opening removes it.
        """
        with self._claims.changing():
            shelf = self._shelf(name)
            if not shelf.revision:
                raise HeldError("no such held recording")
            self._refuse_foreign(name)
            shelf.remove()
            self._claims.give_back(name)

    def is_running(self, name: str) -> bool:
        """Return whether a living process, this one included, is recording or sealing it."""
        with self._claims.looking():
            return self._claims.is_mine(name) or self._claims.is_foreign(name)

    @contextmanager
    def claimed(self, name: str) -> Iterator[None]:
        """Keep every other process from changing a recording while it is being sealed.

        Raises:
            HeldError: there is none of that id, or another process has it.
        """
        with self._claims.changing():
            shelf = self._shelf(name)
            if not shelf.revision:
                raise HeldError("no such held recording")
            self._refuse_foreign(name)
            is_new = not self._claims.is_mine(name)
            self._claims.take(name)
        try:
            yield
        finally:
            if is_new:
                with self._claims.changing():
                    self._claims.give_back(name)

    def close_abandoned(self) -> list[str]:
        """Close the recordings that were being recorded by a process that is gone; return their ids."""
        closed = []
        with self._claims.changing():
            for name in self._names():
                if (
                    self._claims.is_mine(name)
                    or self._claims.is_foreign(name)
                    or not self._shelf(name).revision
                ):
                    continue
                try:
                    found = self._recording(name)
                except (SealError, FormatError):
                    continue  # it can be looked at no more, and deleted as it is
                if found.is_open:
                    self._put(replace(found, is_open=False), {})
                    closed.append(name)
        return closed

    def release(self) -> None:
        """Let go of the open recordings, as the end of the process does."""
        self._claims.give_all_back()

    def _put(self, recording: HeldRecording, changed: Mapping[str, bytes]) -> HeldRecording:
        name = recording.recording
        shelf = self._shelf(name)
        self._refuse_foreign(name)
        revision = shelf.revision
        if recording.revision != revision:
            raise HeldError("the recording was changed or removed meanwhile", hint="look again, then repeat")
        known = {part.segment: part for part in shelf.manifest()[0].segments} if revision else {}
        parts = tuple(_part(segment, known, changed, revision + 1) for segment in recording.segments)
        names = {part.segment for part in parts}
        if len(names) != len(parts) or not names >= changed.keys():
            raise HeldError("payloads and segments do not match")
        manifest = Manifest(
            recording=name,
            title=recording.title,
            application_group=recording.application_group,
            task_label=recording.task_label,
            is_open=recording.is_open,
            segments=parts,
        )
        contents = {
            segment.segment: (
                Evidence(salt=segment.salt, coverage=segment.coverage),
                changed[segment.segment],
            )
            for segment in recording.segments
            if segment.segment in changed
        }
        if recording.is_open:
            self._claims.take(name)
        shelf.write(manifest, contents, revision + 1)
        if not recording.is_open:
            self._claims.give_back(name)
        numbered = tuple(
            replace(segment, revision=part.revision)
            for segment, part in zip(recording.segments, parts, strict=True)
        )
        return replace(recording, segments=numbered, revision=revision + 1)

    def _recording(self, name: str) -> HeldRecording:
        shelf = self._shelf(name)
        manifest, revision = shelf.manifest()
        return HeldRecording(
            recording=manifest.recording,
            title=manifest.title,
            application_group=manifest.application_group,
            task_label=manifest.task_label,
            segments=tuple(_segment(part, shelf.evidence(part)) for part in manifest.segments),
            is_open=manifest.is_open,
            revision=revision,
        )

    def _shelf(self, name: str) -> Shelf:
        if not _ID.fullmatch(name):
            raise HeldError("no such held recording")
        return Shelf(self._root, self._device, name)

    def _names(self) -> list[str]:
        return sorted(path.name for path in self._root.iterdir() if _ID.fullmatch(path.name))

    def _tidy(self, shelf: Shelf) -> None:
        """Remove what a crash left in a recording's folder; one that does not open is left as it is."""
        if not shelf.revision:
            if not self._claims.is_foreign(shelf.folder.name):
                shelf.remove()
            return
        try:
            manifest, revision = shelf.manifest()
        except (SealError, FormatError):
            return
        shelf.tidy(manifest, revision)

    def _refuse_foreign(self, name: str) -> None:
        if self._claims.is_foreign(name):
            raise HeldError("another process is recording or sealing it", hint="wait for it, or stop it")


def _part(
    segment: HeldSegment, known: Mapping[str, Part], changed: Mapping[str, bytes], revision: int
) -> Part:
    """Return a segment's row of the manifest."""
    part = Part(
        segment=segment.segment,
        started_at=segment.started_at,
        ended_at=segment.ended_at,
        redaction=segment.redaction,
        revision=revision,
    )
    if segment.segment in changed:
        return part
    before = known.get(segment.segment)
    if before is None or replace(part, revision=before.revision) != before:
        raise HeldError("payloads and segments do not match")
    return before


def _segment(part: Part, evidence: Evidence) -> HeldSegment:
    return HeldSegment(
        segment=part.segment,
        started_at=part.started_at,
        ended_at=part.ended_at,
        salt=evidence.salt,
        coverage=evidence.coverage,
        redaction=part.redaction,
        revision=part.revision,
    )
