"""Whatever happens in whatever order: no key without an earlier entry, and none against the rules.

A model of a few sets and dates says what must come of each step. It knows nothing of policies and tables.
"""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.cast import PROGRAMME
from tests.unit.access.world import World
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError
from understudy.consent.purposes import Activity
from understudy.custody.grant import Grant, GrantRevocation
from understudy.sealing.canonical import octets, parse
from understudy.sealing.signing import document_hash, sign
from understudy.transparency.leaves import GrantLeaf, OpenLeaf

APPROVERS = ("approver-1", "approver-2", "approver-3")
CEILING = 4


class Modelled:
    """One request, as the model sees it."""

    def __init__(self, request: str, grant: str, requester: str, ends_at: int) -> None:
        self.request = request
        self.grant = grant
        self.requester = requester
        self.ends_at = ends_at
        self.approvers: set[str] = set()
        self.is_in_force = False
        self.is_revoked = False
        self.opened: list[int] = []


class History(RuleBasedStateMachine):
    """A server, and what a model expects of it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name) / "server")
        self.requests: list[Modelled] = []
        self.entries = 0
        self.is_paused = False
        self.is_stopped = False

    def teardown(self) -> None:
        self.world.close()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.anna = self.world.join("anna")
        self.segment = self.world.share(self.anna)
        self.submit("researcher", 28_800, ["approver-1", "approver-2"])

    @rule(
        requester=st.sampled_from(["researcher", "steward", "approver-3"]),
        window=st.sampled_from([60, 28_800]),
        approvers=st.lists(st.sampled_from([*APPROVERS, "steward"]), max_size=4),
    )
    def submit(self, requester: str, window: int, approvers: list[str]) -> None:
        ends_at = self.world.clock.now() + window
        request = self.world.submit(requester, not_after=ends_at, ceiling=CEILING)
        body = parse(Grant, octets(self.world.requests.state(request).grant_body))
        self.requests.append(Modelled(request, document_hash(body), requester, ends_at))
        for approver in approvers:
            self.approve(approver, -1)

    @precondition(lambda self: self.requests)
    @rule(approver=st.sampled_from([*APPROVERS, "steward"]), pick=st.integers(0, 99))
    def approve(self, approver: str, pick: int) -> None:
        modelled = self.requests[pick % len(self.requests)]
        signed = self.world.approval(modelled.request, self.world.cast.person(approver))
        may = (
            approver in APPROVERS
            and approver != modelled.requester
            and self.world.clock.now() < modelled.ends_at
        )
        try:
            self.world.requests.approve(modelled.request, signed)
        except RefusedError:
            assert not may
            return
        assert may
        modelled.approvers.add(approver)
        modelled.is_in_force = len(modelled.approvers) >= 2

    @precondition(lambda self: self.requests)
    @rule(pick=st.integers(0, 99), times=st.integers(1, 6))
    def open(self, pick: int, times: int) -> None:
        held = [modelled for modelled in self.requests if modelled.is_in_force]
        modelled = (held or self.requests)[pick % len(held or self.requests)]
        for _ in range(times):
            self.open_once(modelled)

    @precondition(lambda self: not self.is_paused and not self.is_stopped)
    @rule(pick=st.integers(0, 99), times=st.integers(1, 6))
    def open_while_nothing_is_stopped(self, pick: int, times: int) -> None:
        self.open(pick, times)

    def open_once(self, modelled: Modelled) -> None:
        now = self.world.clock.now()
        recent = [at for at in modelled.opened if at > now - 3_600]
        may = (
            modelled.is_in_force
            and not modelled.is_revoked
            and now < modelled.ends_at
            and not self.is_paused
            and not self.is_stopped
            and len(recent) < CEILING
        )
        asking = self.world.asking(modelled.grant, [self.segment])
        try:
            answer = self.world.door.open(asking.call)
        except RefusedError:
            assert not may
            # After a restart the broker's count of the ceiling is the custodian's to correct.
            self.entries += self.world.log.store.find(f"open:{asking.hash}") is not None
            return
        assert may
        assert asking.payloads(answer) == {self.segment: b"synthetic"}
        assert self.world.log.store.find(f"open:{asking.hash}") is not None
        modelled.opened.append(now)
        self.entries += 1

    @precondition(lambda self: any(modelled.is_in_force for modelled in self.requests))
    @rule(pick=st.integers(0, 99))
    def revoke(self, pick: int) -> None:
        held = [modelled for modelled in self.requests if modelled.is_in_force]
        modelled = held[pick % len(held)]
        end = GrantRevocation(programme=PROGRAMME, grant=modelled.grant, made_at=self.world.clock.now())
        self.world.grants.revoke(sign(end, self.world.cast.person("auditor")))
        modelled.is_revoked = True

    @rule(state=st.sampled_from([StandingState.PAUSED, StandingState.ACTIVE]))
    def stand(self, state: StandingState) -> None:
        self.world.stand(self.anna, state)
        self.is_paused = state is StandingState.PAUSED

    @rule()
    def stop(self) -> None:
        self.world.stop(Activity.READS)
        self.is_stopped = True

    @precondition(lambda self: self.is_stopped)
    @rule()
    def lift(self) -> None:
        self.world.lift()
        self.is_stopped = False

    @rule(seconds=st.sampled_from([1, 59, 60, 3_599, 3_600]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @invariant()
    def every_release_and_every_grant_has_its_entry(self) -> None:
        assert len(self.world.leaves(OpenLeaf)) == self.entries
        logged = {leaf.grant for leaf in self.world.leaves(GrantLeaf)}
        assert logged == {modelled.grant for modelled in self.requests if modelled.is_in_force}


History.TestCase.settings = settings(max_examples=12, stateful_step_count=30)
TestHistory = History.TestCase
