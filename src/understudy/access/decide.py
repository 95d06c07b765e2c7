"""The broker's decision: facts in, a reason out.

Rules

* Denied unless a ``permit`` fires and no ``forbid`` does. A rule that cannot be evaluated refuses, even where
  another would permit.
* Of the ``forbid`` rules that fire, the first in the files gives the reason; with none, it is ``no-permit``.
* Decisions are pure: same policies and facts, same answer. The custodian decides the same questions by rules
  and code of its own; this module shares none of it.

Example

>>> from understudy.access.facts import Actor, OperateQuery, ProgrammeFacts
>>> from understudy.access.policy import shipped
>>> programme = ProgrammeFacts(
...     programme="prg_", purposes=(), grant_seconds=1, unused_seconds=1, open_seconds=1, skew_seconds=0
... )
>>> nobody = Actor(credential="A" * 43, person=":A")
>>> Decider(shipped()).decide(OperateQuery(actor=nobody, programme=programme, what="readLog")).reason
'no-permit'
"""

from collections.abc import Sequence
from typing import Any

import cedarpy
from msgspec import Struct

from understudy.access.cedar import entities, spell
from understudy.access.errors import NO_PERMIT, POLICY_ERROR, REASONS
from understudy.access.facts import Query, ReadQuery
from understudy.access.policy import Policies, Rule
from understudy.consent.decisions import Allowed, Decision, Refused


class Verdict(Struct, frozen=True, kw_only=True):
    """A decision with every rule that fired, in order; a refusal by rules fires no ``permit`` here."""

    decision: Decision
    fired: tuple[Rule, ...] = ()


class Decider:
    """Answers queries under one policy set. Safe to share between threads."""

    def __init__(self, policies: Policies) -> None:
        self.policies = policies

    def decide(self, query: Query) -> Decision:
        """Return ``Allowed`` with the rules that permit, or ``Refused`` with the first reason."""
        return self.weigh(query).decision

    def decide_all(self, queries: Sequence[ReadQuery]) -> Decision:
        """Return ``Allowed`` if every query is, else the first refusal.

        Args:
            queries: at least one; about one grant and one programme document, by one actor.
        """
        if not queries:
            return Refused(reason=NO_PERMIT, hint=REASONS[NO_PERMIT])
        allowed: dict[str, None] = {}
        for verdict in self._weigh(queries, self.policies.handle):
            if isinstance(verdict.decision, Refused):
                return verdict.decision
            allowed.update(dict.fromkeys(verdict.decision.because))
        return Allowed(because=tuple(allowed))

    def weigh(self, query: Query) -> Verdict:
        """Return the decision and every rule that brought it about."""
        return self._weigh((query,), self.policies.handle)[0]

    def permits(self, query: Query) -> tuple[Rule, ...]:
        """Return the ``permit`` rules that fire, whatever else forbids; they explain, they do not decide."""
        return self._weigh((query,), self.policies.permits)[0].fired

    def _weigh(self, queries: Sequence[Query], handle: cedarpy.PolicySet) -> tuple[Verdict, ...]:
        try:
            if any(_ground(query) != _ground(queries[0]) for query in queries):
                return (_unevaluated(),) * len(queries)
            results = cedarpy.is_authorized_batch(
                [spell(query) for query in queries], handle, entities(queries), self.policies.schema
            )
        except ValueError:
            return (_unevaluated(),) * len(queries)
        return tuple(self._verdict(result) for result in results)

    def _verdict(self, result: cedarpy.AuthzResult) -> Verdict:
        diagnostics = result.diagnostics
        if diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
            return _unevaluated()
        names = diagnostics.id_annotations_by_reason.values()
        fired = tuple(sorted((self.policies.rules[name] for name in names), key=lambda rule: rule.place))
        if result.decision is cedarpy.Decision.Allow:
            return Verdict(decision=Allowed(because=tuple(rule.id for rule in fired)), fired=fired)
        if not fired:
            return Verdict(decision=Refused(reason=NO_PERMIT, hint=REASONS[NO_PERMIT]))
        return Verdict(decision=Refused(reason=fired[0].reason, hint=fired[0].hint), fired=fired)


def _ground(query: Query) -> tuple[Any, ...]:
    """What all queries of one evaluation share."""
    return (query.actor, getattr(query, "programme", None), getattr(query, "grant", None))


def _unevaluated() -> Verdict:
    return Verdict(decision=Refused(reason=POLICY_ERROR, hint=REASONS[POLICY_ERROR]))
