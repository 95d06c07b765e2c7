"""Which policies decided when: every change of the policy set is an entry in the log.

Rules

* At start the set in use is compared with the last one recorded here. Another one is numbered, logged, and
  then recorded as logged, so that a crash in between logs it once.
* Nothing is decided under a set that is not in the log: the server publishes before it serves.

Example: ``PolicyRecord(engine, log, documents).publish(decider.policies.policy_hash)`` is its entry's index.
"""

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects.sqlite import insert

from understudy.access import events
from understudy.access.ports import Documents, Log
from understudy.access.tables import PolicyRow
from understudy.programme.database import reading, writing


class PolicyRecord:
    """The policy sets of one server, in order."""

    def __init__(self, engine: Engine, log: Log, documents: Documents) -> None:
        self._engine = engine
        self._log = log
        self._documents = documents

    def publish(self, policy: str) -> int:
        """Return the index of the entry from which on ``policy`` decides, logging it if it is new.

        Raises:
            NotLoggedError: the log did not take it.
        """
        newest = select(PolicyRow).order_by(PolicyRow.number.desc()).limit(1)
        with reading(self._engine) as session:
            row = session.scalars(newest).first()
        if row is None or row.policy_hash != policy:
            number = 1 if row is None else row.number + 1
            with writing(self._engine) as session:
                values = {"number": number, "policy_hash": policy}
                session.execute(insert(PolicyRow).values(**values).on_conflict_do_nothing())
                row = session.scalars(newest).one()
        if row.log_index is not None:
            return row.log_index
        programme = self._documents.current.programme
        draft = events.policy_changed(programme, number=row.number, policy=row.policy_hash)
        index = events.enter(self._log, draft).index
        with writing(self._engine) as session:
            session.execute(update(PolicyRow).where(PolicyRow.number == row.number).values(log_index=index))
        return index
