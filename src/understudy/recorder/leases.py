"""Leases on the device: no lease, no event.

Rules

* A lease is believed under the server's signature and for this device and consent; the statement under a
  custodian's signature, with the path of this request's own nonce. Neither is believed alone.
* Capture ends at the earlier of the lease's end and the statement's age limit, counted from when the nonce
  was sent. ``deadline_ms`` says that on the boot clock, which nobody sets; a lease counts for no longer than
  it says it lasts, wherever the two calendars stand.
* Everything that covered a stretch is kept with the held recording until it has been shown to ingest once.

Example::

    keeper = LeaseKeeper(device, server, clock)
    until = keeper.renew()          # record only before ``until``
    coverage = keeper.coverage(started_at, ended_at)
"""

import secrets

from understudy.consent.clock import Clock
from understudy.consent.lease import Lease, LeaseRequest
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.contract.messages import LeaseAnswer
from understudy.contract.ports import ServerPort
from understudy.custody.coverage import Coverage
from understudy.custody.statement import verify_answer
from understudy.recorder.boot import boot_ms
from understudy.recorder.device import Device
from understudy.recorder.errors import LeaseError
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import sign


class LeaseKeeper:
    """Keeps the leases of one recording, oldest first.

    Attributes:
        deadline_ms: until when the newest lease lets capture go on, in milliseconds of the boot clock.
    """

    def __init__(self, device: Device, server: ServerPort, clock: Clock) -> None:
        self._device = device
        self._server = server
        self._clock = clock
        self._answers: list[tuple[Lease, LeaseAnswer]] = []
        self.deadline_ms = 0

    def renew(self) -> int:
        """Obtain one more lease; return the time until which capture may go on.

        Raises:
            RefusedError: no consent in force, withdrawn, or capture is switched off.
            LeaseError: the answer does not prove what it must.
            UnavailableError: server or custodian cannot be reached.
        """
        device = self._device
        asked_at, asked_ms = self._clock.now(), boot_ms()
        nonce = encode_bytes(secrets.token_bytes(32))
        request = LeaseRequest(
            programme=device.document.programme,
            tag=device.tag,
            device=device.key.public,
            consent=device.consent_hash,
            streams=device.consent.streams,
            nonce=nonce,
            asked_at=asked_at,
        )
        answer = self._server.lease(sign(request, device.key))
        lease = self._checked_lease(answer, request)
        self._check_statement(answer, nonce)
        self._answers.append((lease, answer))
        until = min(lease.not_after, asked_at + device.document.delays.statement_seconds)
        lasts = min(until - asked_at, lease.not_after - lease.not_before)
        # The nonce was sent somewhere inside the second asked_at; counting a second less is always inside it.
        self.deadline_ms = asked_ms + max(0, lasts - 1) * 1_000
        return until

    def forget_before(self, time: int) -> None:
        """Forget leases that ended before ``time``: what they covered is held, or was never recorded."""
        self._answers = [(lease, answer) for lease, answer in self._answers if lease.not_after >= time]

    def coverage(self, started_at: int, ended_at: int) -> Coverage:
        """Return the leases and statements that touch the stretch.

        Raises:
            LeaseError: none does.
        """
        touching = [
            answer
            for lease, answer in self._answers
            if lease.not_before <= ended_at and lease.not_after >= started_at
        ]
        if not touching:
            raise LeaseError("no lease covers this stretch")
        return Coverage(
            leases=tuple(answer.lease for answer in touching),
            statements=tuple(answer.statement for answer in touching),
        )

    def _checked_lease(self, answer: LeaseAnswer, request: LeaseRequest) -> Lease:
        """Check the lease: the server's word, for exactly what was asked."""
        device = self._device
        try:
            lease = answer.lease.verify(Lease, [device.document.key_set.server])
        except (FormatError, SignatureError) as error:
            raise LeaseError("the lease is not the server's") from error
        if (lease.programme, lease.document, lease.device, lease.consent) != (
            request.programme,
            device.document_hash,
            request.device,
            request.consent,
        ):
            raise LeaseError("the lease is for another device, consent or programme document")
        if not set(request.streams) <= set(lease.streams):
            raise LeaseError("the lease leaves out a stream that was asked for")
        return lease

    def _check_statement(self, answer: LeaseAnswer, nonce: str) -> None:
        """Check the custodian's statement: signature, our nonce, and that capture is on."""
        document = self._device.document
        try:
            statement = verify_answer(document.key_set, document.programme, answer.statement, nonce)
        except (FormatError, SignatureError) as error:
            raise LeaseError("the switch statement is not a custodian's answer to this device") from error
        if Activity.CAPTURE in statement.off:
            raise LeaseError("capture is switched off", hint="nothing is recorded until it is lifted")
