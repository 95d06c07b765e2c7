"""The witness's one call, as C2SP tlog-witness has it.

Rules

* Statuses and bodies are the specification's, not problem documents: 200 with signature lines, 400, 403, 404,
  409 with the latest size as ``text/x.tlog.size``, 422.
* An error of the witness's own store is a 500: it cosigned nothing.
"""

from understudy.client.witness import SIZE_TYPE
from understudy.contract.routes import ADD_CHECKPOINT
from understudy.transparency.errors import SizeConflictError, UntrustedCheckpointError, WitnessRefusedError
from understudy.transparency.witness import Witness
from understudy.web.calls import TEXT, Call, Reply, Served

FORBIDDEN = 403


def served(witness: Witness) -> list[Served]:
    """Return the witness's routes."""

    def add_checkpoint(call: Call) -> Reply:
        try:
            return Reply(witness.add_checkpoint(call.body), media_type=TEXT)
        except SizeConflictError as conflict:
            return Reply(f"{conflict.size}\n".encode(), media_type=SIZE_TYPE, status=conflict.status)
        except WitnessRefusedError as refused:
            return Reply(f"{refused}\n".encode(), media_type=TEXT, status=refused.status)
        except UntrustedCheckpointError as refused:
            return Reply(f"{refused}\n".encode(), media_type=TEXT, status=FORBIDDEN)

    return [Served(ADD_CHECKPOINT, add_checkpoint)]
