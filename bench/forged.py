"""An entry that nobody cosigned, brought to the custodian with everything else in order.

Rules

* Whoever owns the server's machine has its key and the log's: they can sign a checkpoint of their own. The
  reader here is on their side.
* It stands outside the log, so a custodian that releases for it releases without an entry.

Example: ``uncosigned_release(machine, grant, segments)`` is whether the custodian fell for it.
"""

import secrets

from tests.machine import REASON, Machine
from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.custody.delivery import Delivery
from understudy.custody.grant import RAW, OpenRequest, segments_root
from understudy.custody.head import Head
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.signing import Signed, document_hash, sign
from understudy.transparency.checkpoint import Checkpoint, sign_checkpoint
from understudy.transparency.leaves import Opening, OpenLeaf, commitment_of, encode_leaf
from understudy.transparency.merkle import MemoryTree, leaf_hash
from understudy.transparency.store import open_log


def uncosigned_release(machine: Machine, grant: str, segments: list[str]) -> bool:
    """Return whether the custodian released its half for an entry outside the witnessed log."""
    keys, server = machine.document.key_set, machine.key("server", "server")
    custodian = HttpCustodian(Connection(machine.custodian_address), keys.custodians[0], server)
    head = custodian.head(machine.device.tag).verify(Head)
    opening = Opening(
        tag=machine.device.tag,
        n=head.n + 1,
        prev=head.commitment,
        segments=tuple(sorted(segments)),
        salt=encode_bytes(secrets.token_bytes(32)),
    )
    request, reader_key = _request(machine, grant, segments)
    leaf = OpenLeaf(
        programme=machine.document.programme,
        grant=grant,
        request=request.hash(OpenRequest),
        purpose=Purpose.TRAIN,
        actor=document_hash(Ed25519Credential(public_key=machine.person("reader").public)),
        reader_key=reader_key,
        object=RAW,
        policy="A" * 43,
        time=machine.clock.now(),
        not_after=machine.clock.now() + 60,
        participants=1,
        root=encode_bytes(MemoryTree([leaf_hash(commitment_of(opening))]).root),
    )
    store = open_log(machine.home / "server" / "log.sqlite")
    leaves = [*store.entries(0, store.size), encode_leaf(leaf)]
    tree = MemoryTree([leaf_hash(raw) for raw in leaves])
    note = sign_checkpoint(
        Checkpoint(store.origin, tree.size, tree.root), machine.key("server", "checkpoint")
    )
    store.close()
    tail = leaves[-256:]
    delivery = Delivery(
        index=len(leaves) - 1,
        openings=(opening,),
        start=len(leaves) - len(tail),
        leaves=tuple(encode_bytes(raw) for raw in tail),
        checkpoint=encode_bytes(note),
        grant=machine.signed_grant,
        request=request,
    )
    try:
        return b'"kind":"released"' in custodian.open(delivery)
    except UnderstudyError:
        return False


def _request(machine: Machine, grant: str, segments: list[str]) -> tuple[Signed, str]:
    reader, ephemeral = machine.person("reader"), HpkePrivateKey.generate()
    request = OpenRequest(
        programme=machine.document.programme,
        grant=grant,
        credential=document_hash(Ed25519Credential(public_key=reader.public)),
        segments_root=segments_root(segments),
        segments=len(segments),
        reader_key=ephemeral.public.text,
        reason=REASON,
        nonce=encode_bytes(secrets.token_bytes(32)),
        not_after=machine.clock.now() + 60,
    )
    return sign(request, reader), ephemeral.public.key_hash
