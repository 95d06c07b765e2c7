"""The custodian: a second key holder that releases nothing without a witnessed entry.

Rules

* It believes signatures, the pinned programme document and the witnessed log; never whoever brings them.
* Every call is one transaction and at most one flush. What it returns is durable; what it refuses changed
  nothing, except that a witnessed entry which is next is admitted whatever becomes of it.
* State lives in the store alone: a killed custodian goes on where it stood.
* Nothing waits inside a transaction: leaves are fetched from the log before it, so that a switch order
  never waits for somebody else's network.

Example::

    custodian = Custodian(Store(path), keys, SystemClock(), log)
    answer = custodian.open(delivery)       # canonical Released | NotReleased | Behind
"""

from collections.abc import Collection, Sequence
from typing import Final

from understudy.consent.clock import Clock
from understudy.consent.keyset import CustodianKeys
from understudy.consent.primitives import Digest, Value
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.custody.admission import Admission
from understudy.custody.consents import Consents
from understudy.custody.delivery import Delivery
from understudy.custody.deposits import Deposits
from understudy.custody.disclosure import Disclosure
from understudy.custody.door import Door
from understudy.custody.enrolments import Enrolments
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.mirror import LogSource, Mirror
from understudy.custody.openings import OpeningsAnswer
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.release import Release
from understudy.custody.replies import Replies
from understudy.custody.rules import RULES, Rule
from understudy.custody.store import Store, load_signed, store_signed
from understudy.custody.switch import QueuedChange, StatementForDevice, SwitchStatus
from understudy.custody.switchboard import Switchboard
from understudy.sealing.canonical import parse
from understudy.sealing.header import SealedHalf
from understudy.sealing.signing import Signed


class CustodianIdentity(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers here, and what it has pinned: compare these over a channel the server does not serve."""

    keys: CustodianKeys
    document: Digest | None
    key_set: Digest | None


class Custodian:
    """One custodian over one store; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        keys: CustodianKeyPair,
        clock: Clock,
        log: LogSource,
        *,
        rules: Sequence[Rule] = RULES,
    ) -> None:
        """Take up the work where the store left it.

        Args:
            store: opened; this custodian's alone.
            keys: its own keys.
            clock: whole UTC seconds.
            log: where leaves come from that a delivery does not bring.
            rules: what a release is decided by.

        Raises:
            CustodyRefusedError: the store pinned a document that these keys are not in.
        """
        database = store.database
        self._store: Final = store
        self._keys: Final = keys
        self._clock: Final = clock
        self._switchboard: Final = Switchboard(database, keys)
        self._mirror: Final = Mirror(database, self._switchboard.note_logged)
        self._enrolments: Final = Enrolments(database, keys)
        self._consents: Final = Consents(database, keys, self._enrolments)
        self._deposits: Final = Deposits(database, keys, self._enrolments, self._consents)
        self._admission: Final = Admission(database, keys, self._enrolments)
        self._disclosure: Final = Disclosure(database, keys, self._enrolments, self._admission)
        self._replies: Final = Replies(database)
        self._release: Final = Release(
            database,
            keys,
            enrolments=self._enrolments,
            consents=self._consents,
            deposits=self._deposits,
            mirror=self._mirror,
            switchboard=self._switchboard,
            rules=rules,
        )
        self._door: Final = Door(
            store,
            log,
            clock,
            mirror=self._mirror,
            admission=self._admission,
            release=self._release,
            replies=self._replies,
            deposits=self._deposits,
            disclosure=self._disclosure,
            switchboard=self._switchboard,
        )
        self._pin: Pinned | None = self._load_pin()

    @property
    def name(self) -> str:
        """The custodian's name in the key set."""
        return self._keys.name

    @property
    def is_pinned(self) -> bool:
        """Whether a programme document was pinned."""
        return self._pin is not None

    def identity(self) -> CustodianIdentity:
        """Return the custodian's keys, and the hashes of the document and key set it has pinned."""
        pin = self._pin
        return CustodianIdentity(
            keys=self._keys.public,
            document=None if pin is None else pin.hash,
            key_set=None if pin is None else pin.key_set,
        )

    def document(self) -> Signed:
        """Return the pinned programme document with its signatures.

        Raises:
            CustodyRefusedError: none is pinned yet.
        """
        return self._pinned().signed

    def pin(self, document: Signed, expected_hash: str) -> None:
        """Go by ``document`` from now on; from the custodian's own command line only. Idempotent.

        Args:
            document: programme document 1 with all its signatures.
            expected_hash: its hash, obtained from somewhere else than the server.

        Raises:
            CustodyRefusedError: another hash, a rule broken, a signature missing, or another one is pinned.
            FormatError: not a programme document.
        """
        if self._pin is not None:
            if document.hash(ProgrammeDocument) != expected_hash:
                raise CustodyRefusedError(RefusalReason.DOCUMENT_HASH)
            if expected_hash != self._pin.hash:
                raise CustodyRefusedError(RefusalReason.SUCCESSION_UNSUPPORTED)
            return
        pinned = Pinned.read(document, expected_hash, self._keys)
        with self._store.transaction():
            self._store.database.write(
                "INSERT INTO programme(number, hash, document) VALUES (?, ?, ?)",
                pinned.document.number,
                pinned.hash,
                store_signed(document),
            )
        self._pin = pinned

    def enrol(self, record: Signed) -> Signed:
        """Register an ``EnrolmentRecord``; return the signed ``EnrolmentReceipt``. Idempotent."""
        pinned = self._pinned()
        with self._store.transaction():
            return self._enrolments.enrol(pinned, record, self._clock.now())

    def countersign(self, consent: Signed, receipt: Signed) -> Signed:
        """Check a ``Consent`` and the server's ``ConsentReceipt``; return it signed by both. Idempotent."""
        pinned = self._pinned()
        with self._store.transaction():
            return self._consents.countersign(pinned, consent, receipt, self._clock.now())

    def stand(self, standing: Signed) -> Signed:
        """Register a ``Standing``; return the signed ``StandingReceipt``. Idempotent."""
        pinned = self._pinned()
        with self._store.transaction():
            return self._consents.stand(pinned, standing, self._clock.now())

    def deposit(self, header: Signed, half: SealedHalf) -> Signed:
        """Store the custodian's half write-once; return the signed ``DepositReceipt``. Idempotent."""
        pinned = self._pinned()
        with self._store.transaction():
            off = self._switchboard.off()
            return self._deposits.deposit(pinned, header, half, off, self._clock.now())

    def open(self, delivery: Delivery) -> bytes:
        """Admit the entry, release if it carries grant and request; return the canonical ``CustodianAnswer``.

        Raises:
            CustodyRefusedError: not admitted; the same entry may be delivered again.
            UnavailableError: the store or the log cannot be used now.
            FormatError: not canonical base64url.
        """
        return self._door.open(self._pinned(), delivery)

    def sync(self) -> int:
        """Catch up with the log's newest cosigned checkpoint; return the mirror's size.

        Raises:
            CustodyRefusedError: the checkpoint is not cosigned, or contradicts the mirror.
            UnavailableError: the store or the log cannot be used now.
        """
        return self._door.sync(self._pinned())

    def maintain(self) -> None:
        """Drop what is over and fold the store; to be called now and then, when nobody waits."""
        pinned, now = self._pinned(), self._clock.now()
        with self._store.transaction():
            self._replies.purge(now)
            while self._admission.expire(pinned, now):
                pass
        self._store.fold(everything=True)

    def revoke(self, revocation: Signed) -> None:
        """Register a ``GrantRevocation`` by any roster member; it takes effect at once."""
        pinned = self._pinned()
        with self._store.transaction():
            self._release.revoke(pinned, revocation)

    def head(self, tag: str) -> Signed:
        """Return the participant's signed ``Head``.

        Raises:
            ParticipantNotFoundError: the tag is not enrolled here.
        """
        pinned = self._pinned()
        with self._store.transaction():
            return self._disclosure.head(pinned, tag, self._mirror.size, self._clock.now())

    def openings(self, request: Signed) -> OpeningsAnswer:
        """Return a page of sealed openings for a signed ``OpeningsRequest``."""
        pinned, now = self._pinned(), self._clock.now()
        with self._store.transaction():
            self._admission.expire(pinned, now)
            return self._disclosure.page(pinned, request, self._mirror.size, now)

    def statements(self, nonces: tuple[str, ...]) -> tuple[StatementForDevice, ...]:
        """Return one switch statement over all ``nonces``, with each nonce's path."""
        pinned = self._pinned()
        with self._store.transaction():
            return self._switchboard.statements(pinned, nonces, self._clock.now())

    def switch_status(self) -> SwitchStatus:
        """Return what is off."""
        with self._store.transaction():
            return self._switchboard.status()

    def switch_off(self, order: Signed) -> SwitchStatus:
        """Stop what a signed ``SwitchOrder`` names; takes effect before anything is logged."""
        pinned = self._pinned()
        with self._store.transaction():
            self._switchboard.stop(pinned, order)
            return self._switchboard.status()

    def switch_off_local(self, activities: Collection[Activity], reason: str) -> SwitchStatus:
        """Stop ``activities`` on the operator's word; from the custodian's own command line only."""
        pinned = self._pinned()
        with self._store.transaction():
            self._switchboard.stop_locally(pinned, activities, reason, self._clock.now())
            return self._switchboard.status()

    def lift(self, bundle: Signed) -> SwitchStatus:
        """Start again what a ``LiftBundle`` under the lift keys names."""
        pinned = self._pinned()
        with self._store.transaction():
            self._switchboard.lift(pinned, bundle, self._clock.now())
            return self._switchboard.status()

    def queue(self) -> tuple[QueuedChange, ...]:
        """Return the switch changes that are not in the log yet."""
        with self._store.transaction():
            return self._switchboard.queued()

    def erase_local(self, segments: Collection[str]) -> None:
        """Destroy the halves of ``segments`` for good; from the custodian's own command line only."""
        with self._store.transaction():
            self._deposits.erase(segments)
        self._store.fold(everything=True)

    def entries(self, start: int, end: int) -> tuple[bytes, ...]:
        """Return mirrored leaves, so that a log or another custodian can catch up from here."""
        with self._store.transaction():
            return self._mirror.leaves(start, end)

    def checkpoint(self) -> bytes | None:
        """Return the cosigned checkpoint of the mirror, or None before the first."""
        with self._store.transaction():
            return self._mirror.checkpoint

    def forks(self) -> tuple[bytes, ...]:
        """Return cosigned checkpoints that contradicted the mirror: each proves two histories of the log."""
        with self._store.transaction():
            return self._mirror.forks()

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _pinned(self) -> Pinned:
        if self._pin is None:
            raise CustodyRefusedError(RefusalReason.NOT_PINNED)
        return self._pin

    def _load_pin(self) -> Pinned | None:
        with self._store.transaction():
            row = self._store.database.row("SELECT document FROM programme ORDER BY number DESC LIMIT 1")
        if row is None:
            return None
        signed = load_signed(row[0])
        document = parse(ProgrammeDocument, signed.raw)
        if self._keys.public not in document.key_set.custodians:
            raise CustodyRefusedError(RefusalReason.NOT_IN_KEY_SET)
        return Pinned.of(signed, document, self._keys)
