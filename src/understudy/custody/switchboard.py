"""The custodian's own switch: what stops, by whose word, and when it may go on.

Rules

* A custodian without any change is off in everything: the first lift is a decision too.
* Off takes effect with the commit, before anything is logged. One signature of any roster member, the
  auditor or the server is enough; the operator may stop locally, in the custodian's own name.
* On takes the lift keys of the programme document, at their threshold, over a bundle that names this
  custodian, its epoch and its present revision, and was made within ``LIFT_SECONDS``: neither an old lift nor
  one that somebody kept for a later revision undoes a new stop.
* Every change raises ``revision`` and waits in the queue until a ``switch`` entry of the witnessed log says
  exactly it: the order's hash, what is off, and the revision. Meanwhile nothing is released.
* The same order twice is one change. The same bundle twice is one while nothing came after it; then it is
  stale.

Example: ``switchboard.off()`` is what stands still now.
"""

import json
import secrets
from collections.abc import Collection
from typing import Final

from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.store import store_signed
from understudy.custody.switch import (
    LiftBundle,
    QueuedChange,
    StatementForDevice,
    SwitchOrder,
    SwitchStatement,
    SwitchStatus,
)
from understudy.sealing.canonical import octets
from understudy.sealing.errors import FormatError
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database
from understudy.transparency.leaves import SwitchLeaf, decode_leaf
from understudy.transparency.merkle import MemoryTree, leaf_hash

MAX_NONCES: Final = 100_000
NONCE_BYTES: Final = 32
LIFT_SECONDS: Final = 60
"""How far a bundle's ``made_at`` may lie from now, besides the tolerance of the clocks."""
_SWITCH_KIND: Final = b'"kind":"switch"'


class Switchboard:
    """Reads and writes the switch; every method runs inside the caller's transaction."""

    def __init__(self, database: Database, keys: CustodianKeyPair) -> None:
        self._database: Final = database
        self._keys: Final = keys

    def off(self) -> frozenset[Activity]:
        """Return what is off."""
        return frozenset(self._state()[1])

    def queued(self) -> tuple[QueuedChange, ...]:
        """Return the changes that are not in the log yet, oldest first."""
        rows = self._database.rows(
            "SELECT order_hash, off, revision FROM switch_changes WHERE logged_at IS NULL ORDER BY revision"
        )
        return tuple(QueuedChange(order=row[0], off=_activities(row[1]), revision=row[2]) for row in rows)

    def status(self) -> SwitchStatus:
        """Return what is off, and how many changes wait to be logged."""
        revision, off = self._state()
        return SwitchStatus(
            by=self._keys.name, epoch=self._keys.epoch, revision=revision, off=off, queued=len(self.queued())
        )

    def stop(self, pinned: Pinned, signed: Signed) -> None:
        """Stop what a signed ``SwitchOrder`` names.

        Raises:
            CustodyRefusedError: another programme, or nobody of the roster, the auditor or the server signed.
            SignatureError: a signature is wrong.
            FormatError: not an order.
        """
        order = signed.verify(SwitchOrder)
        keys = pinned.document.key_set
        allowed = {keys.auditor.signing, keys.server, *pinned.members}
        if order.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        if not signed.signers & allowed:
            raise CustodyRefusedError(RefusalReason.ORDER_SIGNER)
        self._change(signed.hash(SwitchOrder), signed, self.off() | set(order.off))

    def stop_locally(self, pinned: Pinned, activities: Collection[Activity], reason: str, now: int) -> None:
        """Stop ``activities`` on the operator's word; the order is signed by the custodian itself."""
        order = SwitchOrder(
            programme=pinned.document.programme,
            off=tuple(sorted(set(activities))),
            nonce=encode_bytes(secrets.token_bytes(32)),
            reason=reason,
            ordered_at=now,
        )
        signed = sign(order, self._keys.signing)
        self._change(signed.hash(SwitchOrder), signed, self.off() | set(activities))

    def lift(self, pinned: Pinned, signed: Signed, now: int) -> None:
        """Start again what a ``LiftBundle`` names.

        Raises:
            CustodyRefusedError: another programme or custodian, another revision, made too long ago or in the
                future, or too few lift keys.
            SignatureError: a signature is wrong.
            FormatError: not a bundle.
        """
        bundle = signed.verify(LiftBundle)
        if bundle.programme != pinned.document.programme:
            raise CustodyRefusedError(RefusalReason.PROGRAMME)
        if (bundle.custodian, bundle.epoch) != (self._keys.name, self._keys.epoch):
            raise CustodyRefusedError(RefusalReason.LIFT_ADDRESSEE)
        lift = pinned.document.lift
        if len(signed.signers & set(lift.keys)) < lift.threshold:
            raise CustodyRefusedError(RefusalReason.LIFT_THRESHOLD)
        hashed = signed.hash(LiftBundle)
        if hashed == self._newest_order():
            return
        if self._is_known(hashed) or bundle.revision != self._state()[0]:
            raise CustodyRefusedError(RefusalReason.LIFT_STALE)
        if abs(bundle.made_at - now) > LIFT_SECONDS + pinned.document.delays.clock_skew_seconds:
            raise CustodyRefusedError(RefusalReason.LIFT_EXPIRED)
        self._change(hashed, signed, self.off() - set(bundle.on))

    def note_logged(self, index: int, raw: bytes) -> None:
        """Take a change off the queue if the new log entry at ``index`` says exactly it."""
        if _SWITCH_KIND not in raw:
            return
        try:
            leaf = decode_leaf(raw)
        except FormatError:
            return
        if isinstance(leaf, SwitchLeaf):
            self._database.write(
                "UPDATE switch_changes SET logged_at = ?"
                " WHERE order_hash = ? AND revision = ? AND off = ? AND logged_at IS NULL",
                index,
                leaf.order,
                leaf.revision,
                json.dumps(sorted(leaf.off)),
            )

    def statements(self, pinned: Pinned, nonces: tuple[str, ...], now: int) -> tuple[StatementForDevice, ...]:
        """Return one signed statement over all ``nonces``, with the path of each, in their order.

        Raises:
            FormatError: none, too many, or one that is not 32 bytes.
        """
        raw = [octets(nonce) for nonce in nonces]
        if not 1 <= len(raw) <= MAX_NONCES or any(len(nonce) != NONCE_BYTES for nonce in raw):
            raise FormatError(f"a switch statement answers 1 to {MAX_NONCES} nonces of 32 bytes")
        tree = MemoryTree([leaf_hash(nonce) for nonce in raw])
        revision, off = self._state()
        statement = sign(
            SwitchStatement(
                programme=pinned.document.programme,
                custodian=self._keys.name,
                epoch=self._keys.epoch,
                revision=revision,
                off=off,
                nonces=len(raw),
                nonce_root=encode_bytes(tree.root),
                time=now,
            ),
            self._keys.signing,
        )
        return tuple(
            StatementForDevice(
                statement=statement,
                index=index,
                path=tuple(encode_bytes(node) for node in tree.inclusion(index)),
            )
            for index in range(len(raw))
        )

    def _state(self) -> tuple[int, tuple[Activity, ...]]:
        """Return the present revision and what is off, sorted."""
        row = self._database.row("SELECT revision, off FROM switch_changes ORDER BY revision DESC LIMIT 1")
        return (0, tuple(sorted(Activity))) if row is None else (row[0], _activities(row[1]))

    def _newest_order(self) -> str | None:
        """Return the hash of the newest change's order or bundle."""
        row = self._database.row("SELECT order_hash FROM switch_changes ORDER BY revision DESC LIMIT 1")
        return None if row is None else str(row[0])

    def _is_known(self, order: str) -> bool:
        row = self._database.row("SELECT 1 FROM switch_changes WHERE order_hash = ?", order)
        return row is not None

    def _change(self, order: str, document: Signed, off: Collection[Activity]) -> None:
        """Store one change, unless it was made before."""
        if self._is_known(order):
            return
        self._database.write(
            "INSERT INTO switch_changes(revision, order_hash, document, off) VALUES (?, ?, ?, ?)",
            self._state()[0] + 1,
            order,
            store_signed(document),
            json.dumps(sorted(off)),
        )


def _activities(text: str) -> tuple[Activity, ...]:
    return tuple(Activity(item) for item in json.loads(text))
