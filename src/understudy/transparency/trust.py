"""Whose signatures make a checkpoint: the log, the witnesses and the quorum of a pinned key set.

Rules

* Everybody who relies on the log (readers, participants, custodians, auditors) uses these keys and no
  others; none of them comes from the server that serves the checkpoint.

Example

>>> from understudy.sealing.signing import SigningKey
>>> log = VerifierKey.log("example.com/log", SigningKey.generate().public)
>>> witness = VerifierKey.witness("example.com/w", SigningKey.generate().public)
>>> LogTrust(log, (witness,), 1).quorum
1
"""

from dataclasses import dataclass

from understudy.consent.keyset import KeySet
from understudy.transparency.checkpoint import CosignedCheckpoint, verify_checkpoint
from understudy.transparency.note import VerifierKey


@dataclass(frozen=True, slots=True)
class LogTrust:
    """The keys by which one log is believed."""

    log_key: VerifierKey
    witnesses: tuple[VerifierKey, ...]
    quorum: int

    def verify(self, note: bytes) -> CosignedCheckpoint:
        """Return the checkpoint in ``note``, signed by the log and cosigned by the quorum.

        Raises:
            MalformedError, UntrustedCheckpointError, QuorumError: see ``verify_checkpoint``.
        """
        return verify_checkpoint(note, log_key=self.log_key, witnesses=self.witnesses, quorum=self.quorum)


def log_trust(keys: KeySet) -> LogTrust:
    """Return the trust that a programme's key set describes."""
    return LogTrust(
        log_key=VerifierKey.log(keys.log.origin, keys.log.checkpoint),
        witnesses=tuple(VerifierKey.witness(witness.name, witness.cosigning) for witness in keys.witnesses),
        quorum=keys.witness_quorum,
    )
