"""What can go wrong with the log, its proofs, its witnesses and its store.

::

    TransparencyError
      + MalformedError                bytes that are not a note, checkpoint, tile, bundle, proof or request
      + ProofError                    an inclusion or consistency proof does not verify
      + TileMissingError              a tile source does not hold what was asked for
      + CheckpointError
      |   + UntrustedCheckpointError  the log's signature is missing or wrong           (witness: 403)
      |   + QuorumError               too few witnesses cosigned, or the policy cannot be met
      |   + ForkedError               two signed checkpoints that no one tree can have
      |   + RolledBackError           a tree smaller than one that was already cosigned
      + StoreError
      |   + StoreMissingError         there is no store, and nobody asked to make one
      |   + StoreLockedError          another process writes to it
      |   + StoreDamagedError         what is stored contradicts itself or its signed checkpoint
      |   + StorageError              disk full or input/output error; nothing was acknowledged
      + AppendError
      |   + DraftError                the draft can never become an entry
      |   + RequestConflictError      the request key was used for other content
      |   + OverloadedError           too many drafts wait; nothing was stored
      |   + NotCosignedError          the entry is durable, but too few witnesses answered
      |   + AppendTimeoutError        no answer in time; the entry may or may not be durable
      |   + SequencerClosedError      the sequencer was closed
      + WitnessError
          + WitnessUnavailableError   a witness did not answer, or answered something else
          + WitnessRefusedError       a witness answered no
              - BadRequestError       400 malformed, or the old size is above the checkpoint's
              - UnknownLogError       404 the witness does not follow this origin
              - SizeConflictError     409 the old size is not the witness's latest; ``size`` is
              - NotConsistentError    422 the proof or the root does not fit the witness's latest
"""

from typing import ClassVar

from understudy.consent.errors import UnderstudyError


class TransparencyError(UnderstudyError):
    """Root of the errors of this package."""


class MalformedError(TransparencyError):
    """The bytes are not what their format demands."""

    hint = "the bytes were damaged or made by another program; get them again from their source"


class ProofError(TransparencyError):
    """A Merkle proof does not verify."""

    hint = "get the proof again; if it still fails, the log shows different trees to different people"


class TileMissingError(TransparencyError):
    """A tile, entry bundle or checkpoint is not at its place."""

    hint = "the copy of the log is incomplete; fetch or export it again"


class CheckpointError(TransparencyError):
    """A checkpoint cannot be relied on."""


class UntrustedCheckpointError(CheckpointError):
    """The checkpoint carries no valid signature of the log, or a known key's signature is wrong."""

    status: ClassVar[int] = 403
    """What a witness answers (C2SP tlog-witness)."""
    hint = "check that the log key is the one in the key set"


class QuorumError(CheckpointError):
    """Too few witnesses cosigned the checkpoint, or the witness policy cannot be met."""

    hint = "ask the log to have its checkpoint cosigned again; if that fails, look at the witnesses"


class ForkedError(CheckpointError):
    """Two checkpoints signed by one log that no append-only tree can have."""

    hint = "keep both checkpoints: together they prove that the log showed two histories"


class RolledBackError(CheckpointError):
    """The log is smaller than a tree that was already cosigned."""

    hint = "entries were lost: catch up from a mirror to the last cosigned checkpoint, or begin a new epoch"


class StoreError(TransparencyError):
    """The store cannot be used."""


class StoreMissingError(StoreError):
    """There is no store at this place."""

    hint = "create it explicitly, or restore it; an absent store is never replaced by an empty one"


class StoreLockedError(StoreError):
    """Another process holds the store for writing."""

    hint = "only one sequencer may write to a log; stop the other one first"


class StoreDamagedError(StoreError):
    """What is stored contradicts itself or its own signed checkpoint."""

    hint = "run `understudy log fsck`; it says what is damaged and repairs what can be derived"


class StorageError(StoreError):
    """Disk full, or an input/output error. Nothing was acknowledged."""

    hint = "free some space or look at the disk, then submit again"


class AppendError(TransparencyError):
    """A draft did not become an acknowledged entry."""


class DraftError(AppendError):
    """The draft can never become an entry."""


class RequestConflictError(AppendError):
    """The request key was used before for other content."""

    hint = "look up the entry by its request key, or make a new request"


class OverloadedError(AppendError):
    """Too many drafts are waiting. Nothing was stored."""

    hint = "try again in a second"


class NotCosignedError(AppendError):
    """The entry is durable, but too few witnesses cosigned it; it opens nothing until they do."""

    hint = "submit the same request again when the witnesses answer: it returns the same entry"

    def __init__(self, message: str, *, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class AppendTimeoutError(AppendError):
    """No answer in time: the entry may or may not be durable."""

    hint = "submit the same request again: it returns the same entry, or makes it"


class SequencerClosedError(AppendError):
    """The sequencer was closed."""

    hint = "start the log again"


class WitnessError(TransparencyError):
    """A witness gave no usable cosignature."""


class WitnessUnavailableError(WitnessError):
    """A witness did not answer, or its answer holds no valid cosignature of its key."""

    hint = "see that the witness runs and that its key is the one in the key set"


class WitnessRefusedError(WitnessError):
    """A witness answered no; ``status`` is the HTTP status of C2SP tlog-witness."""

    status: ClassVar[int] = 500


class BadRequestError(WitnessRefusedError):
    """The request is malformed, or its old size is above the checkpoint's."""

    status = 400


class UnknownLogError(WitnessRefusedError):
    """The witness does not follow a log of this origin."""

    status = 404
    hint = "add the log's origin and key to the witness"


class SizeConflictError(WitnessRefusedError):
    """The old size is not that of the witness's latest checkpoint, which is ``size``."""

    status = 409

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness's latest checkpoint has size {size}")
        self.size = size


class NotConsistentError(WitnessRefusedError):
    """The checkpoint does not extend the witness's latest one."""

    status = 422
    hint = "the witness kept the checkpoint as evidence; find out why the log shows two histories"
