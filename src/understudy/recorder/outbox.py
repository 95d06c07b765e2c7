"""The outbox: sealed segments that wait for, or have, the custodian's receipt.

Rules

* A bundle (header, ciphertext, sealed halves, lease presentation) is durable before its first byte is sent,
  and a segment id is sealed at most once. Sending again sends the same bytes.
* A segment counts as shared only when this device holds every custodian's receipt, checked under the pinned
  key set.
* After that the ciphertext and the leases are deleted here; header and receipt stay. This device cannot
  read what it shared: it kept neither the key nor a half.
* A refused segment stays, with the reason, until the server takes it or it is discarded. What was never sent
  can be discarded too; what was sent and not answered cannot, for it may be shared. The header stays: the
  next segment names it as its predecessor.

Example::

    outbox = Outbox(device)
    outbox.seal(held, recording)
    for progress in outbox.send(server): ...
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.primitives import Value
from understudy.contract.messages import UploadCall, UploadState
from understudy.contract.ports import ServerPort
from understudy.custody.coverage import LeasePresentation, lease_root
from understudy.custody.head import DepositReceipt
from understudy.recorder.device import Device
from understudy.recorder.errors import HeldError
from understudy.recorder.held import HeldRecording, HeldSegment, HeldStore
from understudy.sealing.durable import durable_remove, durable_write, flush_folder, private_folder
from understudy.sealing.header import SealContext, SegmentHeader, verify_header
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.segment import seal_segment
from understudy.sealing.signing import Signed, sign

CHUNK_BYTES = 1 << 20
"""Ciphertext bytes per request; an interrupted upload resumes at the last durable one."""


class Sent(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stays of a shared segment: its header and the custodians' receipts."""

    header: Signed
    receipts: tuple[Signed, ...]


class Refusal(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the server said when it last refused a segment."""

    reason: str


class Discarded(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stays of a segment that was sealed and never shared."""

    header: Signed


class OutboxEntry(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One segment of the outbox, for lists; ``reason`` is there if it was refused."""

    segment: str
    recording: str
    state: Literal["sealed", "sending", "refused", "shared"]
    reason: str | None = None


class Outbox:
    """The sealed segments of one device, in the order in which they were sealed."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._root = private_folder(device.home / "outbox")
        for leftover in self._root.glob(".new-*"):
            shutil.rmtree(leftover)
        for folder in self._folders():
            if _is_settled(folder):
                _forget_content(folder)

    def seal(self, held: HeldStore, recording: HeldRecording) -> list[str]:
        """Seal every segment of a held recording, then delete the held copy; return the segment ids.

        May be repeated after a crash: what is already sealed is left as it is.

        Raises:
            HeldError: it is being recorded, or was changed since ``recording`` was read.
            DurabilityError: it could not be written; what is not sealed yet is held still.
        """
        name = recording.recording
        if recording.is_open:
            raise HeldError("it is being recorded", hint="stop the recorder first")
        with held.claimed(name):
            if held.recording(name).revision != recording.revision:
                raise HeldError("the recording was changed meanwhile", hint="look again, then repeat")
            payloads = held.payloads(name)
            for segment in recording.segments:
                if self._folder(segment.segment) is None:
                    self._seal_one(recording, segment, payloads[segment.segment])
            held.delete(name)
        return [segment.segment for segment in recording.segments]

    def entries(self) -> list[OutboxEntry]:
        """Return what is in the outbox, oldest first; what was discarded is not."""
        found = []
        for folder in self._folders():
            if (folder / "discarded.json").exists():
                continue
            seal = verify_header(self._header(folder), {self._device.key.public}).seal
            reason = None
            state: Literal["sealed", "sending", "refused", "shared"] = "sealed"
            if (folder / "sent.json").exists():
                state = "shared"
            elif (folder / "refused.json").exists():
                state = "refused"
                reason = msgspec.json.decode((folder / "refused.json").read_bytes(), type=Refusal).reason
            elif (folder / "begun").exists():
                state = "sending"
            found.append(
                OutboxEntry(segment=seal.segment, recording=seal.recording, state=state, reason=reason)
            )
        return found

    def discard(self, segment: str) -> None:
        """Give up a sealed segment that the server refused, or that was never sent.

        Raises:
            HeldError: there is no such segment, it is shared, or an upload began whose end is not known.
            DurabilityError: it could not be written down; the segment is still there.
        """
        folder = self.check_discard(segment)
        left = Discarded(header=self._header(folder))
        durable_write(folder / "discarded.json", msgspec.json.encode(left))
        _forget_content(folder)

    def check_discard(self, segment: str) -> Path:
        """Return a segment's folder if it can be given up.

        Raises:
            HeldError: there is no such segment, it is shared, or an upload began whose end is not known.
        """
        folder = self._folder(segment)
        state = {entry.segment: entry.state for entry in self.entries()}.get(segment)
        if folder is None or state is None:
            raise HeldError("no such segment in the outbox")
        if state == "shared":
            raise HeldError("the segment is shared already")
        if state == "sending":
            raise HeldError(
                "its upload has begun, so it may be shared already",
                hint="understudy review send, then look again",
            )
        return folder

    def send(self, server: ServerPort, progress: Callable[[int, int], None] | None = None) -> Iterator[Sent]:
        """Upload every sealed segment, oldest first; yield each once its receipts are held.

        A segment that is refused does not hold up the others; the first refusal is raised at the end, and
        ``entries`` says which segments were refused and why.

        Args:
            server: where to send.
            progress: called with (bytes durable, bytes in all) of the current segment.

        Raises:
            UnavailableError: the server cannot be reached; nothing is lost, call again.
            RefusedError: the server refuses a segment, which the message names; it stays here.
            HeldError: a receipt is not a custodian's word on this segment.
        """
        refused: RefusedError | None = None
        for folder in self._folders():
            if _is_settled(folder):
                continue
            try:
                sent = self._send_one(server, folder, progress)
            except RefusedError as error:
                refusal = msgspec.json.encode(Refusal(reason=error.reason))
                durable_write(folder / "refused.json", refusal, exclusive=False)
                refused = refused or _naming(error, folder)
            else:
                yield sent
        if refused is not None:
            raise refused

    def _seal_one(self, recording: HeldRecording, segment: HeldSegment, payload: bytes) -> None:
        """Seal one segment into a folder that appears whole or not at all."""
        device = self._device
        escrow = device.escrow
        context = SealContext(
            kind="recording",
            programme=device.document.programme,
            tag=device.tag,
            recording=recording.recording,
            segment=segment.segment,
            consent=device.consent_hash,
            key_set=device.key_set_hash,
            escrow_key=escrow.escrow_key,
            application_group=recording.application_group,
            task_label=recording.task_label,
        )
        folders = self._folders()
        previous = self._header(folders[-1]).hash(SegmentHeader) if folders else None
        sealed = seal_segment(
            payload,
            context,
            previous=previous,
            lease_root=lease_root(segment.salt, segment.coverage),
            redaction=segment.redaction,
            device=device.key,
            escrow=HpkePublicKey.from_text(escrow.public),
            custodian=HpkePublicKey.from_text(device.document.key_set.custodians[0].hpke),
        )
        presentation = LeasePresentation(
            segment=segment.segment,
            salt=segment.salt,
            coverage=segment.coverage,
            started_at=segment.started_at,
            ended_at=segment.ended_at,
        )
        call = UploadCall(
            header=sealed.header, halves=sealed.halves, presentation=sign(presentation, device.key)
        )
        fresh = private_folder(self._root / f".new-{segment.segment}")
        durable_write(fresh / "ciphertext", sealed.ciphertext)
        durable_write(fresh / "bundle.json", msgspec.json.encode(call))
        fresh.rename(self._root / f"{len(folders):08d}-{segment.segment}")
        flush_folder(self._root)

    def _send_one(
        self, server: ServerPort, folder: Path, progress: Callable[[int, int], None] | None
    ) -> Sent:
        """Send one bundle, resuming where the server's durable bytes end."""
        call = msgspec.json.decode((folder / "bundle.json").read_bytes(), type=UploadCall)
        segment = folder.name.partition("-")[2]
        if not (folder / "begun").exists():
            durable_write(folder / "begun", b"", exclusive=False)
        state = server.begin_upload(call)
        with (folder / "ciphertext").open("rb") as file:
            while not state.receipts:
                file.seek(state.offset)
                chunk, before = file.read(CHUNK_BYTES), state.offset
                state = server.append_upload(segment, before, chunk)
                if not state.receipts and state.offset <= before:
                    raise UnavailableError("the upload does not advance", hint="send again later")
                if progress:
                    progress(state.offset, state.length)
        self._check_receipts(call.header, state)
        sent = Sent(header=call.header, receipts=state.receipts)
        durable_write(folder / "sent.json", msgspec.json.encode(sent))
        _forget_content(folder)
        return sent

    def _check_receipts(self, header: Signed, state: UploadState) -> None:
        """Check that every custodian of the key set says that it holds its half of this segment."""
        keys = self._device.document.key_set
        for custodian in keys.custodians:
            mine = [receipt for receipt in state.receipts if custodian.signing in receipt.signers]
            if not mine or mine[0].verify(DepositReceipt).header != header.hash(SegmentHeader):
                raise HeldError(f"no valid receipt of custodian {custodian.name}")

    def _folders(self) -> list[Path]:
        return sorted(path for path in self._root.iterdir() if path.is_dir() and path.name[0] != ".")

    def _folder(self, segment: str) -> Path | None:
        return next((path for path in self._folders() if path.name.endswith(f"-{segment}")), None)

    def _header(self, folder: Path) -> Signed:
        """Return the signed header of a bundle, shared or not."""
        if (folder / "sent.json").exists():
            return msgspec.json.decode((folder / "sent.json").read_bytes(), type=Sent).header
        if (folder / "discarded.json").exists():
            return msgspec.json.decode((folder / "discarded.json").read_bytes(), type=Discarded).header
        return msgspec.json.decode((folder / "bundle.json").read_bytes(), type=UploadCall).header


def _is_settled(folder: Path) -> bool:
    """Return whether nothing is left to be sent."""
    return any((folder / name).exists() for name in ("sent.json", "discarded.json"))


def _naming(error: RefusedError, folder: Path) -> RefusedError:
    """Return the refusal with the segment that it is about."""
    segment = folder.name.partition("-")[2]
    hint = error.hint or f"if this is final: understudy review discard {segment}"
    return RefusedError(error.reason, message=f"{segment}: {error}", hint=hint)


def _forget_content(folder: Path) -> None:
    """Remove the bundle, leases and sealed halves included, and the ciphertext; repeated after a crash."""
    for name in ("bundle.json", "ciphertext", "begun", "refused.json"):
        if (folder / name).exists():
            durable_remove(folder / name)
