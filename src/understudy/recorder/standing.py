"""Sending a change of mind to everybody who acts on it, and finding out who really does.

Rules

* It goes to every custodian at its own address, and to the server, which hands it on as well. Either acts
  alone, and neither stands between the participant and the other.
* A custodian has confirmed only by its signed ``StandingReceipt`` for exactly this standing, under the pinned
  key set. The server's yes is the server's word, and is called so.
* Whoever does not answer, refuses, or answers what proves nothing is named with what it said.
* The server is told even when no custodian can be reached, and the custodians when the server cannot.

Example: ``send_standing(signed, keys, server, custodians).custodians`` names those that confirmed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from understudy.consent.consent import Standing, StandingReceipt, StandingState
from understudy.consent.errors import RefusedError, UnderstudyError
from understudy.consent.keyset import KeySet
from understudy.contract.ports import CustodianPort, ServerPort
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed

NUMBER_TAKEN = "standing-number"
"""Both sides' reason code for a number that does not follow."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What became of one change of mind.

    Attributes:
        standing: the signed standing that was sent.
        number: its number.
        state: what it says.
        receipts: the custodians' signed receipts, verified.
        custodians: the names of those custodians, sorted.
        server: whether the server says that it took it, and that no custodian refused it.
        problems: who else was asked, and what came of it.
        is_number_taken: whether a custodian itself answered that the number does not follow.
    """

    standing: Signed
    number: int
    state: StandingState
    receipts: tuple[Signed, ...]
    custodians: tuple[str, ...]
    server: bool
    problems: tuple[str, ...]
    is_number_taken: bool


def send_standing(
    signed: Signed, keys: KeySet, server: ServerPort, custodians: Sequence[CustodianPort]
) -> Stood:
    """Send a signed ``Standing`` to all of them; return who confirmed it.

    Args:
        signed: made and signed on this device.
        keys: the pinned key set.
        server: the server.
        custodians: at their own addresses.

    Raises:
        FormatError: not a standing.
    """
    standing = signed.verify(Standing)
    receipts: list[Signed] = []
    problems: list[str] = []
    is_number_taken = False
    for custodian in custodians:
        try:
            receipts.append(custodian.stand(signed))
        except UnderstudyError as error:
            is_number_taken |= isinstance(error, RefusedError) and error.reason == NUMBER_TAKEN
            problems.append(f"a custodian: {error}")
    is_taken_by_server = True
    try:
        receipts.extend(server.stand(signed))
    except UnderstudyError as error:
        is_taken_by_server = False
        problems.append(f"the server: {error}")
    proven = _proven(receipts, signed, standing, keys)
    if any(receipt not in proven.values() for receipt in receipts):
        problems.append("a receipt that is no custodian's word on this standing")
    return Stood(
        standing=signed,
        number=standing.number,
        state=standing.state,
        receipts=tuple(proven.values()),
        custodians=tuple(sorted(proven)),
        server=is_taken_by_server,
        problems=tuple(problems),
        is_number_taken=is_number_taken,
    )


def _proven(
    receipts: Iterable[Signed], signed: Signed, standing: Standing, keys: KeySet
) -> dict[str, Signed]:
    """Return, by custodian, the receipts that prove something."""
    hashed = signed.hash(Standing)
    proven = {}
    for receipt in receipts:
        for custodian in keys.custodians:
            if receipt.signers != {custodian.signing}:
                continue
            try:
                told = receipt.verify(StandingReceipt)
            except (FormatError, SignatureError):
                continue
            said = (told.standing, told.tag, told.number, told.state, told.custodian, told.epoch)
            if said == (
                hashed,
                standing.tag,
                standing.number,
                standing.state,
                custodian.name,
                custodian.epoch,
            ):
                proven[custodian.name] = receipt
    return proven
