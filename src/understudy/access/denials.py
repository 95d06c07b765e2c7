"""Denials: each authenticated one is an entry, all others are a count.

Rules

* Whoever signed with a known credential is told the reason, and the denial is logged with it.
* What nobody known signed is counted, and the count is logged at most once a minute: strangers cannot fill
  the log.
* Refusing never waits for the log. A denial that could not be logged is kept in memory, at most 1,000 of
  them, and logged by a later ``tick``; a count too. What a crash takes is at most that.

Example: ``raise denials.authenticated(refusal, request=hash, actor=credential, purpose=purpose)``.
"""

import secrets
import threading
from typing import Final

from understudy.access import events
from understudy.access.errors import refusal
from understudy.access.ports import Documents, Log
from understudy.consent.clock import Clock
from understudy.consent.errors import RefusedError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.programme.events import PlainDraft

COUNT_SECONDS: Final = 60
MAX_KEPT: Final = 1_000


class Denials:
    """Logs and counts what the door refused. Safe to share between threads."""

    def __init__(self, log: Log, documents: Documents, clock: Clock, *, policy: str) -> None:
        self._log = log
        self._documents = documents
        self._clock = clock
        self._policy = policy
        self._lock = threading.Lock()
        self._ticking = threading.Lock()
        self._count = 0
        self._since = 0
        self._kept: list[PlainDraft] = []

    @property
    def waiting(self) -> int:
        """How many denials, counted or kept, are not in the log yet."""
        with self._lock:
            return self._count + len(self._kept)

    def authenticated(
        self, refused: RefusedError, *, request: str, actor: str, purpose: Purpose
    ) -> RefusedError:
        """Log the denial of a signed document, and return ``refused`` for the caller to raise.

        Args:
            refused: why.
            request: the hash of the document that was refused.
            actor: the hash of the credential that signed it.
            purpose: what it was for.
        """
        draft = events.denied(
            self._documents.current.programme,
            request=request,
            actor=actor,
            purpose=purpose,
            reason=refused.reason,
            policy=self._policy,
        )
        try:
            self._log.append(draft, durable_only=True)
        except UnderstudyError:
            with self._lock:
                if len(self._kept) < MAX_KEPT:
                    self._kept.append(draft)
                else:
                    self._add_one()
        return refused

    def unauthenticated(self) -> RefusedError:
        """Count a denial, and return the one refusal that strangers get."""
        with self._lock:
            self._add_one()
        return refusal("unauthenticated")

    def tick(self) -> bool:
        """Log what is due; call it every few seconds. Return whether anything was logged.

        Raises:
            UnderstudyError: the log did not take it; nothing is lost, and a later call tries again.
        """
        with self._ticking:
            logged = False
            while draft := self._next_kept():
                self._log.append(draft, durable_only=True)
                with self._lock:
                    self._kept.pop(0)
                logged = True
            return self._log_count() or logged

    def _add_one(self) -> None:
        if self._count == 0:
            self._since = self._clock.now()
        self._count += 1

    def _next_kept(self) -> PlainDraft | None:
        with self._lock:
            return self._kept[0] if self._kept else None

    def _log_count(self) -> bool:
        now = self._clock.now()
        with self._lock:
            count, since = self._count, self._since
            if count == 0 or now - since < COUNT_SECONDS:
                return False
            self._count = 0
        draft = events.denials(
            self._documents.current.programme,
            count=count,
            since=since,
            until=now,
            nonce=encode_bytes(secrets.token_bytes(16)),
        )
        try:
            self._log.append(draft, durable_only=True)
        except UnderstudyError:
            with self._lock:
                self._count += count
                self._since = since
            raise
        return True
