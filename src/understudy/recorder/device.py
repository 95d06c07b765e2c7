"""One participant's device: its keys, the programme it pinned, and the consent that was given.

Rules

* The personal seed and the device key are made here. The server never has them; the recovery code encodes
  the seed.
* With a passphrase both keys are encrypted on the disk. Without one whoever copies the folder is the
  participant: can read what is held here, consent and withdraw in their name. ``protection_of_device`` says
  which it is.
* The programme document is pinned by its hash at enrolment. A server that shows another one later is refused.
* Every file is written durably before the next step relies on it, so each step can be repeated after a crash.
* A change of mind goes to every custodian at its own address as well as to the server, and counts as arrived
  when enough custodians have signed that it has; their receipts are kept here.
* The escrow key is believed only under the issuer's signature of the pinned key set, and for this tag.

Example::

    device = Device.create(home, signed_document, pinned=hash_from_the_custodian)
    device.enrol(server, clock)
    device.give_consent(server, clock, purposes=("train",), streams=("elements",), groups=("web",))
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from understudy.consent.clock import Clock
from understudy.consent.consent import STANDING_STEP, Consent, ConsentReceipt, Standing, StandingState
from understudy.consent.enrolment import EnrolmentReceipt, EnrolmentRecord
from understudy.consent.keyset import EscrowKey
from understudy.consent.primitives import Value
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Purpose, Stream
from understudy.contract.ports import CustodianPort, ServerPort
from understudy.recorder.errors import DeviceError, PinError, UnconfirmedError
from understudy.recorder.standing import Stood, send_standing
from understudy.sealing.durable import durable_write, private_folder
from understudy.sealing.keyfile import (
    Protection,
    create_personal,
    create_signing,
    load_personal,
    load_signing,
    protection_of,
)
from understudy.sealing.notice import notice_hash
from understudy.sealing.personal import PersonalSeed, participant_tag
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign

V = TypeVar("V", bound=Value)


MAX_STEPS = 16
"""How often a number that a custodian will not take is raised by ``STANDING_STEP``."""


class StandingCounter(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The highest number this device has given a standing, and the state that was asked for with it."""

    number: int
    state: StandingState | None = None


class KeptStanding(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest change of mind that was confirmed, with the custodians' receipts as evidence."""

    standing: Signed
    receipts: tuple[Signed, ...]


def protection_of_device(home: Path) -> Protection:
    """Return how the keys of the device in ``home`` are protected: ``none`` if one of them is not.

    Raises:
        KeyFileError: a key is missing, readable by others, or damaged.
    """
    found = {protection_of(home / "keys" / name) for name in ("device.json", "personal.json")}
    return "none" if "none" in found else "passphrase"


class Device:
    """The state of one device, in one folder that only its owner can read."""

    def __init__(self, home: Path, *, passphrase: str | None = None) -> None:
        """Open the device in ``home``.

        Args:
            home: its folder.
            passphrase: what its keys are protected by; not looked at if they are not.

        Raises:
            DeviceError: there is no device, or a file of it is damaged.
            KeyFileError: a key is missing, damaged, or open to others; or the passphrase is missing or wrong.
        """
        self.home = home
        if not self._path("document").exists():
            raise DeviceError("this device is not set up", hint="run understudy device create first")
        self.signed_document: Signed = self._read("document", Signed)
        self.document: ProgrammeDocument = self.signed_document.verify(ProgrammeDocument)
        self.key: SigningKey = load_signing(home / "keys" / "device.json", passphrase=passphrase)
        self.personal = load_personal(home / "keys" / "personal.json", passphrase=passphrase)
        self.tag: str = participant_tag(self.document.programme, self.personal.signing.public)

    @classmethod
    def create(
        cls,
        home: Path,
        document: Signed,
        *,
        pinned: str,
        seed: PersonalSeed | None = None,
        passphrase: str | None = None,
    ) -> "Device":
        """Set up a device for the programme whose document hashes to ``pinned``.

        Args:
            home: an empty or missing folder.
            document: the signed programme document, as the server shows it.
            pinned: its hash, obtained from the custodian over another channel.
            seed: the personal seed of an earlier device, or None to make one.
            passphrase: encrypts the keys; None leaves them readable to whoever can read the folder.

        Raises:
            PinError: the document is another one.
            DeviceError: the folder already holds a device, another personal key, or keys that were left there
                without the protection asked for now.
            KeyFileError: the passphrase is empty, or not that of the keys that were left there.
        """
        if document.hash(ProgrammeDocument) != pinned:
            raise PinError("the server shows another programme document than the pinned one")
        document.verify(ProgrammeDocument)
        if (home / "document.json").exists():
            raise DeviceError("this folder already holds a device")
        private_folder(home)
        keys = private_folder(home / "keys")
        if not (keys / "device.json").exists():
            create_signing(keys / "device.json", passphrase=passphrase)
        if not (keys / "personal.json").exists():
            create_personal(keys / "personal.json", passphrase=passphrase, key=seed)
        if passphrase is not None and protection_of_device(home) == "none":
            raise DeviceError("this folder holds keys without a passphrase", hint="use an empty folder")
        # Keys that do not open must be found out while the folder holds no device yet.
        load_signing(keys / "device.json", passphrase=passphrase)
        kept = load_personal(keys / "personal.json", passphrase=passphrase)
        if seed is not None and kept.raw != seed.raw:
            raise DeviceError("this folder holds another personal key", hint="use an empty folder")
        durable_write(home / "document.json", msgspec.json.encode(document))
        return cls(home, passphrase=passphrase)

    @property
    def key_set_hash(self) -> str:
        """The hash of the pinned key set, which stands in every segment header."""
        return document_hash(self.document.key_set)

    @property
    def document_hash(self) -> str:
        """The hash of the pinned programme document."""
        return self.signed_document.hash(ProgrammeDocument)

    def enrol(self, server: ServerPort, clock: Clock) -> Signed:
        """Register this device's enrolment record; return the custodian's receipt. Idempotent.

        Raises:
            PinError: the server shows another document.
            DeviceError: a receipt or the escrow key is not signed as the pinned key set says.
        """
        self.check_pin(server)
        if not self._path("enrolment").exists():
            record = EnrolmentRecord(
                programme=self.document.programme,
                tag=self.tag,
                number=1,
                previous=None,
                personal_signing=self.personal.signing.public,
                personal_hpke=self.personal.hpke.public.text,
                devices=(self.key.public,),
                key_set=self.key_set_hash,
                made_at=clock.now(),
            )
            self._write("enrolment", sign(record, self.personal.signing, self.key))
        enrolment = self.enrolment
        answer = server.enrol(enrolment)
        receipt = self._checked_receipts(answer.receipts, enrolment)
        escrow = answer.escrow_key.verify(EscrowKey, [self.document.key_set.escrow_issuer])
        if (escrow.tag, escrow.programme, escrow.key_set) != (
            self.tag,
            self.document.programme,
            self.key_set_hash,
        ):
            raise DeviceError("the escrow key is for somebody else")
        self._write("escrow", answer.escrow_key)
        self._write("enrolment-receipt", receipt)
        return receipt

    def give_consent(
        self,
        server: ServerPort,
        clock: Clock,
        *,
        purposes: Iterable[Purpose],
        streams: Iterable[Stream],
        groups: Iterable[str],
    ) -> Signed:
        """Say yes, explicitly; return the receipt that server and custodian both signed.

        Raises:
            DeviceError: the receipt is not signed by both.
        """
        consent = Consent(
            programme=self.document.programme,
            document=self.document_hash,
            tag=self.tag,
            device=self.key.public,
            purposes=tuple(sorted(set(purposes))),
            streams=tuple(sorted(set(streams))),
            application_groups=tuple(sorted(set(groups))),
            notice=notice_hash(self.document.terms),
            given_at=clock.now(),
        )
        signed = sign(consent, self.personal.signing)
        receipt = server.give_consent(signed)
        keys = self.document.key_set
        told = receipt.verify(ConsentReceipt, [keys.server, keys.custodians[0].signing])
        if told.consent != signed.hash(Consent):
            raise DeviceError("the consent receipt is for another consent")
        self._write("consent", signed)
        self._write("consent-receipt", receipt)
        return receipt

    def stand(
        self, server: ServerPort, custodians: Sequence[CustodianPort], clock: Clock, state: StandingState
    ) -> Stood:
        """Pause, withdraw, object or resume; takes effect before anything is logged.

        A number that a custodian will not take (somebody with this device's key may have used others) is
        raised and sent again.

        Args:
            server: is told, and hands it on to its custodians.
            custodians: are told directly.
            clock: tells the time.
            state: what the participant wants.

        Raises:
            UnconfirmedError: so few custodians have signed for it that keys could still be released.
        """
        stood = self._send_standing(server, custodians, clock, state, 1)
        for _ in range(MAX_STEPS):
            if not stood.is_number_taken:
                break
            stood = self._send_standing(server, custodians, clock, state, STANDING_STEP)
        keys = self.document.key_set
        if len(stood.custodians) <= len(keys.custodians) - keys.custodian_threshold:
            told = "the server says that it took it; " if stood.server else ""
            raise UnconfirmedError(
                f"no custodian has confirmed it: {told}{'; '.join(stood.problems) or 'none was reached'}"
            )
        self._write("standing-receipts", KeptStanding(standing=stood.standing, receipts=stood.receipts))
        return stood

    def _send_standing(
        self,
        server: ServerPort,
        custodians: Sequence[CustodianPort],
        clock: Clock,
        state: StandingState,
        step: int,
    ) -> Stood:
        path = self._path("standing")
        last = self._read("standing", StandingCounter).number if path.exists() else 0
        self._write("standing", StandingCounter(number=last + step, state=state))
        standing = Standing(
            programme=self.document.programme,
            tag=self.tag,
            number=last + step,
            state=state,
            made_at=clock.now(),
        )
        signed = sign(standing, self.personal.signing)
        return send_standing(signed, self.document.key_set, server, custodians)

    def check_pin(self, server: ServerPort) -> None:
        """Refuse to talk to a server that shows another programme document.

        Raises:
            PinError: it does.
        """
        if server.document().hash(ProgrammeDocument) != self.document_hash:
            raise PinError("the server shows another programme document than this device pinned")

    @property
    def enrolment(self) -> Signed:
        """Enrolment record 1, signed."""
        return self._read("enrolment", Signed)

    @property
    def escrow(self) -> EscrowKey:
        """The escrow key that segments are sealed to."""
        issuer = self.document.key_set.escrow_issuer
        return self._read("escrow", Signed).verify(EscrowKey, [issuer])

    @property
    def consent(self) -> Consent:
        """The consent given."""
        return self._read("consent", Signed).verify(Consent)

    @property
    def wanted_standing(self) -> StandingState:
        """The state that the person last asked for on this device, whether or not anybody confirmed it."""
        path = self._path("standing")
        asked = self._read("standing", StandingCounter).state if path.exists() else None
        return asked or StandingState.ACTIVE

    @property
    def consent_hash(self) -> str:
        """The consent version that stands in segment headers; needs the receipt of both sides."""
        self._read("consent-receipt", Signed)
        return self._read("consent", Signed).hash(Consent)

    def _checked_receipts(self, receipts: tuple[Signed, ...], enrolment: Signed) -> Signed:
        """Check that every custodian of the key set holds this record; return the first one's word."""
        hashed = enrolment.hash(EnrolmentRecord)
        checked = []
        for custodian in self.document.key_set.custodians:
            mine = [receipt for receipt in receipts if receipt.signers == {custodian.signing}]
            told = mine[0].verify(EnrolmentReceipt) if mine else None
            if told is None or (told.enrolment, told.tag, told.custodian) != (
                hashed,
                self.tag,
                custodian.name,
            ):
                raise DeviceError("the enrolment receipt is not the custodian's word on this record")
            checked.append(mine[0])
        return checked[0]

    def _path(self, name: str) -> Path:
        return self.home / f"{name}.json"

    def _read(self, name: str, kind: type[V]) -> V:
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=kind)
        except FileNotFoundError as error:
            hint = "enrol and give consent first" if name != "document" else ""
            raise DeviceError(f"this device has no {name} yet", hint=hint) from error
        except (OSError, msgspec.DecodeError) as error:
            raise DeviceError(f"the device's {name} cannot be read") from error

    def _write(self, name: str, value: Value) -> None:
        durable_write(self._path(name), msgspec.json.encode(value), exclusive=False)
