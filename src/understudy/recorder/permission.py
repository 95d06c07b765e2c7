"""Whether this device may record, and until when: consent, standing, leases, one recorder at a time.

Rules

* It is asked before anything is started, in the order of what only the person can change: consent, their
  standing as they last asked for it here, the lock of this device, then the lease.
* Leases are renewed at half their time, whatever is being recorded. A server that cannot be reached is asked
  again; until the lease ends nothing changes. A refusal ends the lease at once.
* What the person asked for on this device counts from that moment, whoever has confirmed it.

Example::

    with only_recorder(device.home):
        permission = Permission(device, server, clock)
        permission.check()
        permission.renew()
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from understudy.consent.clock import Clock
from understudy.consent.consent import StandingState
from understudy.consent.errors import ConflictError, RefusedError, UnavailableError
from understudy.contract.ports import ServerPort
from understudy.recorder.boot import boot_ms
from understudy.recorder.device import Device
from understudy.recorder.errors import LeaseError
from understudy.recorder.leases import LeaseKeeper

LOCK_NAME: Final = "record.lock"
RETRY_SECONDS: Final = 2.0

_STANDING_HINTS: Final = {
    StandingState.PAUSED: "go on with: understudy device resume",
    StandingState.OBJECTING: "end the objection with: understudy device resume",
    StandingState.WITHDRAWN: "consent was taken back; to take part again: understudy device consent",
}


class Permission:
    """The permission of one session.

    Attributes:
        keeper: has the leases.
        until: when the newest lease ends, in seconds UTC; 0 without one.
        deadline_ms: the same on the boot clock; 0 without one.
        refusal: why there is no lease, where somebody said no.
    """

    def __init__(self, device: Device, server: ServerPort, clock: Clock) -> None:
        self._device: Final = device
        self._standing: Final = device.home / "standing.json"
        self._seen: int | None = None
        self._state = StandingState.ACTIVE
        self.keeper: Final = LeaseKeeper(device, server, clock)
        self.until = 0
        self.deadline_ms = 0
        self.refusal: RefusedError | LeaseError | None = None

    def check(self) -> None:
        """Check what the device itself knows.

        Raises:
            DeviceError: no enrolment, no consent, or no receipt of it.
            RefusedError: ``standing-paused``, ``standing-objecting`` or ``standing-withdrawn``.
        """
        _ = self._device.consent_hash, self._device.enrolment
        self.check_standing()

    def check_standing(self) -> None:
        """Check what the person last asked for on this device; cheap, for asking often.

        Raises:
            RefusedError: as ``check``.
        """
        changed = self._changed_at()
        if changed != self._seen:
            self._state = self._device.wanted_standing
            self._seen = changed
        if self._state is not StandingState.ACTIVE:
            raise RefusedError(
                f"standing-{self._state.value}",
                hint=_STANDING_HINTS[self._state],
                message=f"nothing is recorded: you are {self._state.value}",
            )

    def renew(self) -> None:
        """Obtain one more lease.

        Raises:
            RefusedError, LeaseError: there is none any more, from now on.
            UnavailableError: not now; the lease that there is goes on.
        """
        try:
            self.until = self.keeper.renew()
        except UnavailableError:
            raise
        except (RefusedError, LeaseError) as error:
            self.refusal = error
            self.until = self.deadline_ms = 0
            raise
        self.refusal = None
        self.deadline_ms = self.keeper.deadline_ms

    @property
    def left_seconds(self) -> float:
        """How long the newest lease still lasts; 0 without one."""
        return max(0, self.deadline_ms - boot_ms()) / 1_000

    def _changed_at(self) -> int:
        try:
            return self._standing.stat().st_mtime_ns
        except FileNotFoundError:
            return 0


def is_final(refusal: RefusedError | LeaseError) -> bool:
    """Return whether the person, and not the programme, would have to change something first."""
    reason = refusal.reason if isinstance(refusal, RefusedError) else ""
    return reason.startswith(("consent-", "standing-", "device-", "not-enrolled", "stream-"))


@contextmanager
def only_recorder(home: Path) -> Iterator[None]:
    """Hold this device's lock while the block runs.

    Raises:
        ConflictError: another recorder runs on it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(home / LOCK_NAME, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConflictError(
            "already-recording",
            hint="see what it does with: understudy recorder status",
            message="another recorder runs on this device",
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
