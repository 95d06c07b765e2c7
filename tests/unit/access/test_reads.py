"""Ciphertext goes to readers whose grant covers it, and to the participant whose own it is."""

from tests.cast import PROGRAMME
from tests.unit.access.world import World
from understudy.access.actors import credential_of
from understudy.consent.primitives import new_id
from understudy.consent.scope import Scope


def test_readers_may_fetch_what_their_grant_covers_and_participants_their_own(world: World) -> None:
    anna, ben = world.join("anna"), world.join("ben")
    mine, other = world.share(anna), world.share(ben, task_label="other")
    reader = world.cast.credential_hash("reader")
    fetch = world.reads.may_fetch

    def reason(credential: str, segment: str) -> str:
        return getattr(fetch(credential, segment), "reason", "")

    assert reason(reader, mine) == "no-permit"
    world.grant(scope=Scope(programme=PROGRAMME, task_labels=("form",)))
    assert reason(reader, mine) == ""
    assert reason(reader, other) == "scope-task-label"
    assert reason(reader, new_id("seg")) == "unknown-segment"
    assert reason(world.cast.credential_hash("steward"), mine) == "no-permit"
    for key in (anna.seed.signing, anna.console):
        assert reason(credential_of(key.public), mine) == ""
        assert reason(credential_of(key.public), other) == "no-permit"
    assert reason(credential_of(anna.device.public), mine) == "no-permit"


def test_segments_that_no_rule_can_tell_apart_are_decided_once(world: World) -> None:
    anna, ben = world.join("anna"), world.join("ben")
    segments = [world.share(anna), world.share(anna), world.share(anna, task_label="other"), world.share(ben)]
    headers = world.reads.headers(segments)
    assert [facts.segment for facts in world.reads.facts(headers)] == segments
    groups = world.reads.groups(headers)
    assert [facts.segment for facts in groups] == [segments[0], segments[2], segments[3]]
