"""Checking a switch statement: whose word it is, and that it answers one device's nonce.

Rules

* The statement is signed by the custodian it names, in the epoch that the key set gives that custodian,
  and by nobody else.
* ``nonce_root`` is the RFC 6962 root over the nonces' 32 bytes, in the custodian's order; ``index`` and
  ``path`` prove that one nonce is among them. Without that proof an old statement could be shown as a new
  one.
* Freshness is the caller's to judge: a device counts from sending its nonce, ingest from the statement's
  ``time``.

Example: ``statement = verify_answer(keys, programme, presented, nonce)``.
"""

from understudy.consent.keyset import KeySet
from understudy.custody.switch import StatementForDevice, SwitchStatement
from understudy.sealing.canonical import octets
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed
from understudy.transparency.errors import ProofError
from understudy.transparency.merkle import leaf_hash, verify_inclusion


def verify_statement(keys: KeySet, programme: str, signed: Signed) -> SwitchStatement:
    """Return the statement, after checking whose word it is.

    Raises:
        SignatureError: not signed by a custodian of ``keys`` in its epoch, or by somebody else too.
        FormatError: not canonical, of another programme, or with an unsorted list.
    """
    statement = signed.verify(SwitchStatement)
    signers = {
        custodian.signing
        for custodian in keys.custodians
        if (custodian.name, custodian.epoch) == (statement.custodian, statement.epoch)
    }
    if signed.signers != signers:
        raise SignatureError("a switch statement that is not a custodian's of the key set")
    if statement.programme != programme:
        raise FormatError("a switch statement of another programme")
    if list(statement.off) != sorted(set(statement.off)):
        raise FormatError("the activities of a switch statement are not sorted and unique")
    return statement


def verify_answer(keys: KeySet, programme: str, presented: StatementForDevice, nonce: str) -> SwitchStatement:
    """Return the statement, after checking whose word it is and that it covers ``nonce``.

    Raises:
        SignatureError: as ``verify_statement``.
        FormatError: as ``verify_statement``, or the statement does not cover the nonce.
    """
    statement = verify_statement(keys, programme, presented.statement)
    path = tuple(octets(node) for node in presented.path)
    root = octets(statement.nonce_root)
    try:
        verify_inclusion(leaf_hash(octets(nonce)), presented.index, statement.nonces, path, root)
    except ProofError as error:
        raise FormatError("the switch statement does not answer this nonce") from error
    return statement
