"""The device believes signatures under the programme it pinned, and nothing else."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cast import personal_seed, stranger
from tests.lines import between
from tests.simulator import Participant, Simulator
from understudy.cli import run
from understudy.consent.consent import ConsentReceipt
from understudy.consent.enrolment import EnrolmentReceipt
from understudy.consent.keyset import EscrowKey
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Purpose, Stream
from understudy.contract.messages import EnrolAnswer
from understudy.contract.ports import ServerPort
from understudy.recorder.device import Device, protection_of_device
from understudy.recorder.errors import DeviceError, PinError
from understudy.sealing.errors import KeyFileError, SignatureError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign


def pinned(world: Simulator) -> str:
    return document_hash(world.cast.document())


def signed_again(signed: Signed, kind: Any, *keys: SigningKey, **changes: Any) -> Signed:
    """Return the same document with ``changes``, signed by ``keys``."""
    return sign(msgspec.structs.replace(signed.verify(kind), **changes), *keys)


class TestCreating:
    def test_another_document_than_the_pinned_one_makes_no_device(
        self, world: Simulator, tmp_path: Path
    ) -> None:
        with pytest.raises(PinError):
            Device.create(tmp_path / "new", world.document, pinned="A" * 43)
        assert not (tmp_path / "new").exists()

    def test_a_document_with_one_wrong_signature_makes_no_device(
        self, world: Simulator, tmp_path: Path
    ) -> None:
        first, *others = world.document.signatures
        swapped = msgspec.structs.replace(first, signature=others[0].signature)
        forged = Signed(body=world.document.body, signatures=(swapped, *others))
        with pytest.raises(SignatureError):
            Device.create(tmp_path / "new", forged, pinned=pinned(world))
        assert not (tmp_path / "new").exists()

    def test_a_folder_holds_one_device(self, world: Simulator, ana: Participant) -> None:
        with pytest.raises(DeviceError):
            Device.create(ana.device.home, world.document, pinned=pinned(world))

    def test_a_crash_before_the_document_was_written_keeps_the_keys(
        self, world: Simulator, tmp_path: Path
    ) -> None:
        first = Device.create(tmp_path / "new", world.document, pinned=pinned(world))
        (tmp_path / "new" / "document.json").unlink()
        with pytest.raises(DeviceError):
            Device(tmp_path / "new")
        again = Device.create(tmp_path / "new", world.document, pinned=pinned(world))
        assert (again.tag, again.key.public) == (first.tag, first.key.public)

    def test_another_seed_never_silently_loses_to_the_one_that_is_there(
        self, world: Simulator, tmp_path: Path
    ) -> None:
        Device.create(tmp_path / "new", world.document, pinned=pinned(world), seed=personal_seed("one"))
        (tmp_path / "new" / "document.json").unlink()
        with pytest.raises(DeviceError):
            Device.create(tmp_path / "new", world.document, pinned=pinned(world), seed=personal_seed("two"))

    def test_the_recovery_code_finds_the_same_tag_on_a_new_device(
        self, world: Simulator, ana: Participant, tmp_path: Path
    ) -> None:
        seed = type(ana.device.personal).from_recovery_code(ana.device.personal.recovery_code())
        again = Device.create(tmp_path / "new", world.document, pinned=pinned(world), seed=seed)
        assert again.tag == ana.tag
        assert again.key.public != ana.device.key.public

    def test_keys_are_readable_by_their_owner_only(self, ana: Participant) -> None:
        keys = list((ana.device.home / "keys").iterdir())
        assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
        assert ana.device.home.stat().st_mode & 0o777 == 0o700


class TestPassphrase:
    """What a thief of the disk has: without a passphrase everything, with one nothing that is held."""

    def test_without_the_passphrase_no_key_opens_and_nothing_on_the_disk_says_it(
        self, world: Simulator, tmp_path: Path
    ) -> None:
        home, seed = tmp_path / "new", personal_seed("one")
        made = Device.create(home, world.document, pinned=pinned(world), seed=seed, passphrase="heron")
        assert protection_of_device(home) == "passphrase"
        files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
        for secret in (made.personal.raw, made.key.seed):
            assert not any(encode_bytes(secret).encode() in file or secret in file for file in files)
        for passphrase in (None, "hero"):
            with pytest.raises(KeyFileError):
                Device(home, passphrase=passphrase)
        again = Device(home, passphrase="heron")
        assert (again.personal.raw, again.key.seed) == (made.personal.raw, made.key.seed)

    def test_without_one_whoever_copies_the_folder_is_the_participant(
        self, world: Simulator, tmp_path: Path
    ) -> None:
        made = Device.create(tmp_path / "new", world.document, pinned=pinned(world))
        shutil.copytree(tmp_path / "new", tmp_path / "copied")
        assert protection_of_device(tmp_path / "copied") == "none"
        assert Device(tmp_path / "copied").personal.raw == made.personal.raw

    @pytest.mark.parametrize(("first", "then"), [(None, "heron"), ("heron", None), ("heron", "hero")])
    def test_keys_that_a_crash_left_are_not_taken_for_protected_otherwise(
        self, world: Simulator, tmp_path: Path, first: str | None, then: str | None
    ) -> None:
        home = tmp_path / "new"
        made = Device.create(home, world.document, pinned=pinned(world), passphrase=first)
        (home / "document.json").unlink()
        with pytest.raises((DeviceError, KeyFileError)):
            Device.create(home, world.document, pinned=pinned(world), passphrase=then)
        again = Device.create(home, world.document, pinned=pinned(world), passphrase=first)
        assert again.tag == made.tag

    def test_an_empty_passphrase_is_none(self, world: Simulator, tmp_path: Path) -> None:
        with pytest.raises(KeyFileError):
            Device.create(tmp_path / "new", world.document, pinned=pinned(world), passphrase="")


class TestCommands:
    """``device create --passphrase-file``, and commands that need the passphrase afterwards."""

    @pytest.fixture(autouse=True)
    def line(self, world: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the commands talk to this server."""
        monkeypatch.delenv("UNDERSTUDY_PASSPHRASE_FILE", raising=False)
        monkeypatch.setattr("understudy.cli.device.connect", lambda _: world.port)

    def create(self, world: Simulator, home: Path, *more: str) -> int:
        return run(["device", "create", "--pin", pinned(world), "--device", str(home), *more])

    def test_keys_without_a_passphrase_are_announced(
        self, world: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert not self.create(world, tmp_path / "new")
        said = capsys.readouterr().err
        assert "unprotected" in said
        assert "--passphrase-file" in said
        assert protection_of_device(tmp_path / "new") == "none"

    def test_with_a_passphrase_the_environment_names_its_file_from_then_on(
        self,
        world: Simulator,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        home, file = tmp_path / "new", tmp_path / "passphrase"
        file.write_text("heron\n")
        assert not self.create(world, home, "--passphrase-file", str(file))
        assert "unprotected" not in capsys.readouterr().err
        assert protection_of_device(home) == "passphrase"
        status = ["device", "status", "--device", str(home)]
        assert run(status) == 1
        assert "UNDERSTUDY_PASSPHRASE_FILE" in capsys.readouterr().err
        monkeypatch.setenv("UNDERSTUDY_PASSPHRASE_FILE", str(file))
        assert not run(status)
        for content in ("hero", ""):
            file.write_text(content)
            assert run(status) == 1
        file.unlink()
        assert run(status) == 1

    def test_the_environment_is_enough_to_protect_a_new_device(
        self, world: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "passphrase").write_text("heron")
        monkeypatch.setenv("UNDERSTUDY_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
        assert not self.create(world, tmp_path / "new")
        assert protection_of_device(tmp_path / "new") == "passphrase"


class TestEnrolling:
    def test_twice_is_once(self, ana: Participant) -> None:
        before = ana.device.enrolment
        ana.enrol()
        assert ana.device.enrolment == before

    def test_a_server_that_shows_another_document_later_is_not_spoken_to(
        self, world: Simulator, ana: Participant
    ) -> None:
        other = signed_again(world.document, ProgrammeDocument, world.cast.server, made_at=1)
        with pytest.raises(PinError):
            ana.device.enrol(between(world.port, document=lambda: other), world.clock)

    @pytest.mark.parametrize("signer", ["server", "stranger"])
    def test_a_receipt_by_anybody_but_the_custodian_is_refused(self, world: Simulator, signer: str) -> None:
        key = world.cast.server if signer == "server" else stranger()

        def forge(record: Signed) -> EnrolAnswer:
            answer = world.port.enrol(record)
            forged = signed_again(answer.receipts[0], EnrolmentReceipt, key)
            return msgspec.structs.replace(answer, receipts=(forged,))

        self.refused(world, forge)

    def test_a_receipt_for_another_record_is_refused(self, world: Simulator, ana: Participant) -> None:
        others = world.port.enrol(ana.device.enrolment).receipts

        def forge(record: Signed) -> EnrolAnswer:
            return msgspec.structs.replace(world.port.enrol(record), receipts=others)

        self.refused(world, forge)

    def test_an_escrow_key_that_the_issuer_has_not_signed_is_refused(self, world: Simulator) -> None:
        """A broker without the issuer's key cannot have segments sealed to itself."""
        mine = HpkePrivateKey.generate().public.text

        def forge(record: Signed) -> EnrolAnswer:
            answer = world.port.enrol(record)
            forged = signed_again(answer.escrow_key, EscrowKey, world.cast.server, public=mine)
            return msgspec.structs.replace(answer, escrow_key=forged)

        self.refused(world, forge)

    def test_the_escrow_key_of_somebody_else_is_refused(self, world: Simulator, ana: Participant) -> None:
        others = world.port.enrol(ana.device.enrolment).escrow_key

        def forge(record: Signed) -> EnrolAnswer:
            return msgspec.structs.replace(world.port.enrol(record), escrow_key=others)

        self.refused(world, forge)

    def test_an_escrow_key_under_another_key_set_is_refused(self, world: Simulator) -> None:
        def forge(record: Signed) -> EnrolAnswer:
            answer = world.port.enrol(record)
            issuer = world.cast.escrow_issuer
            forged = signed_again(answer.escrow_key, EscrowKey, issuer, key_set="A" * 43)
            return msgspec.structs.replace(answer, escrow_key=forged)

        self.refused(world, forge)

    def test_a_stored_escrow_key_that_was_swapped_on_the_disk_seals_nothing(self, ana: Participant) -> None:
        path = ana.device.home / "escrow.json"
        stored = msgspec.json.decode(path.read_bytes(), type=Signed)
        mine = HpkePrivateKey.generate().public.text
        path.write_bytes(msgspec.json.encode(signed_again(stored, EscrowKey, stranger(), public=mine)))
        recording, _ = ana.record()
        with pytest.raises(SignatureError):
            ana.outbox.seal(ana.held, recording)
        assert ana.outbox.entries() == []

    def refused(self, world: Simulator, forge: Any) -> None:
        """Check that a forged answer is refused, and that nothing of it is kept."""
        visitor = world.visitor("ben")
        with pytest.raises((DeviceError, SignatureError)):
            visitor.device.enrol(between(world.port, enrol=forge), world.clock)
        with pytest.raises(DeviceError):
            _ = visitor.device.escrow
        visitor.enrol()
        assert visitor.device.escrow.tag == visitor.tag


class TestConsenting:
    def test_without_the_custodians_signature_no_consent_is_in_force_here(self, world: Simulator) -> None:
        visitor = world.visitor("ben").enrol()

        def forge(consent: Signed) -> Signed:
            receipt = world.port.give_consent(consent)
            return signed_again(receipt, ConsentReceipt, world.cast.server)

        with pytest.raises(SignatureError):
            self.consent(visitor, between(world.port, give_consent=forge), world)
        with pytest.raises(DeviceError):
            _ = visitor.device.consent_hash

    def test_a_receipt_for_another_consent_is_refused(self, world: Simulator, ana: Participant) -> None:
        visitor = world.visitor("ben").enrol()
        others = msgspec.json.decode((ana.device.home / "consent-receipt.json").read_bytes(), type=Signed)
        with pytest.raises(DeviceError):
            self.consent(visitor, between(world.port, give_consent=lambda _: others), world)
        with pytest.raises(DeviceError):
            _ = visitor.device.consent_hash

    def test_what_was_said_is_what_is_kept(self, ana: Participant) -> None:
        consent = ana.device.consent
        assert consent.purposes == (Purpose.EVALUATE, Purpose.TRAIN)
        assert consent.streams == (Stream.ELEMENTS, Stream.INPUT)
        assert consent.application_groups == ("forms",)
        assert ana.device.consent_hash == document_hash(consent)

    def consent(self, visitor: Participant, server: ServerPort, world: Simulator) -> None:
        visitor.device.give_consent(
            server, world.clock, purposes=(Purpose.TRAIN,), streams=(Stream.INPUT,), groups=("forms",)
        )


class TestFiles:
    @pytest.mark.parametrize("name", ["enrolment", "escrow", "consent", "consent-receipt", "document"])
    def test_a_damaged_file_is_an_error_with_a_name_and_not_a_traceback(
        self, ana: Participant, name: str
    ) -> None:
        (ana.device.home / f"{name}.json").write_bytes(b'{"body":')
        with pytest.raises(DeviceError, match=name):
            _touch(Device(ana.device.home))

    def test_a_new_device_says_what_is_missing(self, world: Simulator) -> None:
        with pytest.raises(DeviceError) as caught:
            _ = world.visitor("ben").device.escrow
        assert "enrol" in caught.value.hint


def _touch(device: Device) -> None:
    _ = (device.enrolment, device.escrow, device.consent, device.consent_hash)
