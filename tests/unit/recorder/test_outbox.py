"""The outbox: sealed once, sent until the custodian's receipt is here, and then not readable here."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cast import stranger
from tests.lines import between
from tests.simulator import Participant, Simulator
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.contract.messages import UploadCall, UploadState
from understudy.contract.ports import ServerPort
from understudy.custody.head import DepositReceipt
from understudy.recorder import outbox as outbox_module
from understudy.recorder.errors import HeldError
from understudy.recorder.held import HeldStore
from understudy.recorder.outbox import Outbox
from understudy.sealing.errors import DurabilityError, SignatureError
from understudy.sealing.header import SegmentHeader
from understudy.sealing.signing import Signed, sign


def outbox_folders(ana: Participant) -> list[Path]:
    return sorted(path for path in (ana.device.home / "outbox").iterdir() if path.is_dir())


def bundle(folder: Path) -> UploadCall:
    return msgspec.json.decode((folder / "bundle.json").read_bytes(), type=UploadCall)


class Crash(Exception):  # noqa: N818  it is no error of the program's
    """The machine stops here."""


class TestSealing:
    def test_a_sealed_recording_is_not_held_any_more(self, ana: Participant) -> None:
        recording, payloads = ana.record(2)
        assert ana.outbox.seal(ana.held, recording) == list(payloads)
        assert ana.held.recordings() == []
        assert [entry.state for entry in ana.outbox.entries()] == ["sealed", "sealed"]

    @pytest.mark.parametrize("step", range(9))
    def test_killed_anywhere_nothing_is_lost_and_nothing_is_sealed_twice(
        self, world: Simulator, ana: Participant, monkeypatch: pytest.MonkeyPatch, step: int
    ) -> None:
        """A crash at any flush of sealing two segments: both are there afterwards, each under one header."""
        recording, payloads = ana.record(2)
        with monkeypatch.context() as patch:
            _stop_at_flush(patch, step)
            with pytest.raises(Crash):
                ana.outbox.seal(ana.held, recording)
        before = [bundle(folder).header for folder in outbox_folders(ana) if folder.name[0] != "."]
        held, outbox = HeldStore(ana.device), Outbox(ana.device)
        for waiting in held.recordings():
            outbox.seal(held, waiting)
        headers = [bundle(folder).header for folder in outbox_folders(ana)]
        assert headers[: len(before)] == before
        named = {header.verify(SegmentHeader).seal.segment for header in headers}
        assert named == set(payloads)
        assert len(headers) == 2
        assert sum(1 for _ in outbox.send(world.port)) == 2

    def test_headers_name_their_predecessor(self, ana: Participant) -> None:
        recording, _ = ana.record(2)
        ana.outbox.seal(ana.held, recording)
        first, second = (bundle(folder).header for folder in outbox_folders(ana))
        assert first.verify(SegmentHeader).previous is None
        assert second.verify(SegmentHeader).previous == first.hash(SegmentHeader)

    def test_a_full_disk_leaves_the_held_recording(
        self, ana: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, payloads = ana.record()

        def full(*_: object, **__: object) -> None:
            raise DurabilityError("no space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(outbox_module, "durable_write", full)
            with pytest.raises(DurabilityError):
                ana.outbox.seal(ana.held, recording)
        assert ana.held.payloads(recording.recording) == payloads


class TestSending:
    def test_an_interrupted_upload_goes_on_where_the_durable_bytes_end(
        self, world: Simulator, ana: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outbox_module, "CHUNK_BYTES", 10_000)
        recording, _ = ana.record()
        ana.outbox.seal(ana.held, recording)
        offsets: list[int] = []

        def fail_at_third(segment: str, offset: int, chunk: bytes) -> UploadState:
            offsets.append(offset)
            if len(offsets) == 3:
                raise UnavailableError("the line is cut")
            return world.port.append_upload(segment, offset, chunk)

        broken = between(world.port, append_upload=fail_at_third)
        with pytest.raises(UnavailableError):
            list(ana.outbox.send(broken))
        assert [entry.state for entry in ana.outbox.entries()] == ["sending"]
        assert len(list(Outbox(ana.device).send(broken))) == 1
        assert offsets[:4] == [0, 10_000, 20_000, 20_000]
        assert offsets == sorted(offsets)

    def test_a_lost_answer_is_asked_for_again(self, world: Simulator, ana: Participant) -> None:
        recording, _ = ana.record()
        ana.outbox.seal(ana.held, recording)
        world.custodian_line.loses_answers = True
        with pytest.raises(UnavailableError):
            ana.send()
        world.custodian_line.loses_answers = False
        assert ana.send() == 1
        assert ana.send() == 0

    def test_after_sharing_nothing_here_opens_it(self, ana: Participant) -> None:
        ana.share()
        (folder,) = outbox_folders(ana)
        assert [path.name for path in folder.iterdir()] == ["sent.json"]
        assert [entry.state for entry in ana.outbox.entries()] == ["shared"]

    def test_a_crash_after_the_receipt_still_removes_ciphertext_and_leases(
        self, ana: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, _ = ana.record()
        ana.outbox.seal(ana.held, recording)

        def crash(_: object) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(outbox_module, "durable_remove", crash)
            with pytest.raises(Crash):
                ana.send()
        (folder,) = outbox_folders(ana)
        assert (folder / "ciphertext").exists()
        assert [entry.state for entry in Outbox(ana.device).entries()] == ["shared"]
        assert [path.name for path in folder.iterdir()] == ["sent.json"]

    @pytest.mark.parametrize("signer", ["server", "stranger", "device"])
    def test_a_receipt_by_another_key_does_not_count(
        self, world: Simulator, ana: Participant, signer: str
    ) -> None:
        key = {"server": world.cast.server, "stranger": stranger(), "device": ana.device.key}[signer]

        def forge(state: UploadState) -> UploadState:
            forged = tuple(sign(receipt.verify(DepositReceipt), key) for receipt in state.receipts)
            return msgspec.structs.replace(state, receipts=forged)

        self.refused(world, ana, forge)

    def test_a_receipt_that_claims_to_be_the_custodians_does_not_count(
        self, world: Simulator, ana: Participant
    ) -> None:
        def forge(state: UploadState) -> UploadState:
            return msgspec.structs.replace(
                state, receipts=tuple(_claiming(receipt, world) for receipt in state.receipts)
            )

        self.refused(world, ana, forge)

    def test_the_receipt_of_another_segment_does_not_count(self, world: Simulator, ana: Participant) -> None:
        ana.share()
        (folder,) = outbox_folders(ana)
        others = msgspec.json.decode((folder / "sent.json").read_bytes(), type=outbox_module.Sent).receipts

        def forge(state: UploadState) -> UploadState:
            return msgspec.structs.replace(state, receipts=others if state.receipts else ())

        self.refused(world, ana, forge)

    def test_no_receipt_at_all_does_not_count(self, world: Simulator, ana: Participant) -> None:
        """A server that swallows uploads cannot make the device forget them, nor keep it busy."""

        def swallow(state: UploadState) -> UploadState:
            return msgspec.structs.replace(state, receipts=())

        recording, _ = ana.record()
        ana.outbox.seal(ana.held, recording)
        with pytest.raises(UnavailableError):
            list(ana.outbox.send(_changed(world, swallow)))
        assert ana.send() == 1

    def test_a_refused_segment_stays_and_does_not_hold_up_the_others(
        self, world: Simulator, ana: Participant
    ) -> None:
        recording, payloads = ana.record(3)
        ana.outbox.seal(ana.held, recording)
        stopped = list(payloads)[1]

        def refuse(call: UploadCall) -> UploadState:
            if call.header.verify(SegmentHeader).seal.segment == stopped:
                raise RefusedError("lease-expired")
            return world.port.begin_upload(call)

        server = between(world.port, begin_upload=refuse)
        with pytest.raises(RefusedError, match=f"{stopped}: .*lease-expired") as caught:
            list(ana.outbox.send(server))
        assert (caught.value.reason, stopped in caught.value.hint) == ("lease-expired", True)
        assert [(entry.state, entry.reason) for entry in ana.outbox.entries()] == [
            ("shared", None),
            ("refused", "lease-expired"),
            ("shared", None),
        ]
        assert ana.send() == 1
        assert [entry.state for entry in ana.outbox.entries()] == ["shared"] * 3

    def test_withdrawing_before_the_upload_keeps_it_from_being_shared(
        self, world: Simulator, ana: Participant
    ) -> None:
        recording, payloads = ana.record()
        ana.outbox.seal(ana.held, recording)
        ana.stand(StandingState.WITHDRAWN)
        with pytest.raises(RefusedError):
            ana.send()
        assert not world.server.vault.headers(list(payloads))

    def refused(self, world: Simulator, ana: Participant, forge: Any) -> None:
        """Check that a forged receipt leaves the segment unshared, and that the true one still counts."""
        recording, _ = ana.record()
        ana.outbox.seal(ana.held, recording)
        with pytest.raises((HeldError, SignatureError)):
            list(ana.outbox.send(_changed(world, forge)))
        assert ana.outbox.entries()[-1].state == "sending"
        assert ana.send() == 1


class TestDiscarding:
    """What was sealed by mistake, or is refused for good, can be given up; what may be shared cannot."""

    def test_a_refused_segment_can_be_given_up(self, world: Simulator, ana: Participant) -> None:
        recording, payloads = ana.record(3)
        ana.outbox.seal(ana.held, recording)
        stopped = list(payloads)[1]

        def refuse(call: UploadCall) -> UploadState:
            if call.header.verify(SegmentHeader).seal.segment == stopped:
                raise RefusedError("lease-expired")
            return world.port.begin_upload(call)

        with pytest.raises(RefusedError):
            list(ana.outbox.send(between(world.port, begin_upload=refuse)))
        ana.outbox.discard(stopped)
        assert [entry.state for entry in ana.outbox.entries()] == ["shared", "shared"]
        assert [path.name for path in outbox_folders(ana)[1].iterdir()] == ["discarded.json"]
        assert ana.send() == 0
        assert not world.server.vault.headers([stopped])

    def test_the_next_segments_go_on_behind_it(self, ana: Participant) -> None:
        """Numbers and predecessors do not collide with those of the segment that is not there any more."""
        first, payloads = ana.record(2)
        ana.outbox.seal(ana.held, first)
        for segment in payloads:
            ana.outbox.discard(segment)
        assert ana.outbox.entries() == []
        second, _ = ana.record(2)
        ana.outbox.seal(ana.held, second)
        assert ana.send() == 2
        assert [folder.name[:8] for folder in outbox_folders(ana)] == [f"{n:08d}" for n in range(4)]

    @pytest.mark.parametrize("is_answered", [True, False], ids=["shared", "perhaps-shared"])
    def test_what_may_be_shared_cannot_be_given_up(
        self, world: Simulator, ana: Participant, is_answered: bool
    ) -> None:
        recording, payloads = ana.record()
        ana.outbox.seal(ana.held, recording)
        world.custodian_line.loses_answers = not is_answered
        if is_answered:
            ana.send()
        else:
            with pytest.raises(UnavailableError):
                ana.send()
        with pytest.raises(HeldError, match="shared already"):
            ana.outbox.discard(next(iter(payloads)))
        assert len(ana.outbox.entries()) == 1

    def test_what_is_not_there_cannot_either(self, ana: Participant) -> None:
        recording, payloads = ana.record()
        ana.outbox.seal(ana.held, recording)
        (segment,) = payloads
        ana.outbox.discard(segment)
        for name in (segment, "seg_" + "A" * 22, ""):
            with pytest.raises(HeldError, match="no such segment"):
                ana.outbox.discard(name)

    def test_a_crash_in_between_still_removes_the_content(
        self, ana: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recording, payloads = ana.record()
        ana.outbox.seal(ana.held, recording)

        def crash(_: object) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(outbox_module, "durable_remove", crash)
            with pytest.raises(Crash):
                ana.outbox.discard(next(iter(payloads)))
        assert Outbox(ana.device).entries() == []
        assert [path.name for path in outbox_folders(ana)[0].iterdir()] == ["discarded.json"]


def _changed(world: Simulator, forge: Any) -> ServerPort:
    return between(
        world.port,
        begin_upload=lambda call: forge(world.port.begin_upload(call)),
        append_upload=lambda *call: forge(world.port.append_upload(*call)),
    )


def _claiming(receipt: Signed, world: Simulator) -> Signed:
    """Return the receipt with the custodian's name on a signature that a stranger made."""
    told = msgspec.structs.replace(receipt.verify(DepositReceipt), received_at=86_400)
    forged = sign(told, stranger())
    (signature,) = forged.signatures
    named = msgspec.structs.replace(signature, key=world.cast.custodian.signing.public)
    return Signed(body=forged.body, signatures=(named,))


def _stop_at_flush(patch: pytest.MonkeyPatch, step: int) -> None:
    """Stop everything at the flush with this number."""
    real, left = os.fsync, [step]

    def flush(descriptor: int) -> None:
        if left[0] == 0:
            raise Crash
        left[0] -= 1
        real(descriptor)

    patch.setattr(os, "fsync", flush)
