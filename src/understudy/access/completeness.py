"""Entries that no custodian has numbered yet: found by comparing the log with the custodians' own heads.

Rules

* The door keeps no list of what it delivered: a list could be wrong after a crash. The log and the
  custodians' signed heads cannot.
* An entry that was logged and never opened is brought to be numbered, so that the participant's list is
  complete and the next open goes through. It opens nothing.
* A custodian ahead of the log is a sign that entries were lost; it is reported, never hidden.

Example: ``completeness.catch_up()`` is how many entries were brought; called now and then by the server.
"""

from collections.abc import Sequence

from understudy.access.carrier import Carrier
from understudy.access.errors import NotDeliveredError, NotLoggedError
from understudy.access.ports import Log
from understudy.consent.errors import NotFoundError
from understudy.consent.primitives import Count, Name, ParticipantTag, Value
from understudy.transparency.errors import TransparencyError


class Gap(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far one custodian is behind the log, or ahead of it, for one participant."""

    custodian: Name
    tag: ParticipantTag
    logged: Count
    admitted: Count


class Completeness:
    """Compares, and brings what is missing."""

    def __init__(self, log: Log, carriers: Sequence[Carrier], *, max_age: int) -> None:
        self._log = log
        self._carriers = tuple(carriers)
        self._max_age = max_age

    def unreleased(self) -> tuple[Gap, ...]:
        """Return every participant whose number differs between the log and a custodian.

        Raises:
            UnavailableError: a custodian does not answer.
        """
        return tuple(gap for carrier in self._carriers for gap in self._gaps(carrier))

    def catch_up(self) -> int:
        """Bring every custodian the entries it lacks; return how many deliveries that took.

        Raises:
            UnavailableError: a custodian or the witnesses do not answer; a later call goes on from there.
            RefusedError: a custodian does not admit an entry.
        """
        brought = 0
        for carrier in self._carriers:
            missing = {
                committed.index
                for gap in self._gaps(carrier)
                for committed in self._log.store.openings_of(gap.tag, after=gap.admitted)
            }
            for index in sorted(missing):
                try:
                    checkpoint = self._log.fresh(self._max_age)
                except TransparencyError as error:
                    raise NotLoggedError(str(error)) from error
                if checkpoint.checkpoint.size <= index:
                    raise NotDeliveredError("an entry is not cosigned yet")
                carrier.admit(index, checkpoint)
                brought += 1
        return brought

    def _gaps(self, carrier: Carrier) -> list[Gap]:
        gaps = []
        for tag, logged in self._log.store.numbers():
            try:
                admitted = carrier.admitted(tag)
            except NotFoundError:
                admitted = 0
            if admitted != logged:
                gaps.append(Gap(custodian=carrier.name, tag=tag, logged=logged, admitted=admitted))
        return gaps
