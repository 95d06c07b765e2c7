"""Who read mine: sealed to the person and to the auditor, complete, and each line with its outcome."""

from typing import Any, Literal

import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    Participant,
    World,
    fixed_id,
    hpke,
    key,
    reason_of,
)
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.primitives import encode_bytes
from understudy.custody import disclosure
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import Head, OpeningMessage, Outcome, SealedOpening
from understudy.custody.openings import OpeningsAnswer, OpeningsRequest
from understudy.sealing.canonical import octets, parse
from understudy.sealing.errors import FormatError, SealError, SignatureError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.info import info_for
from understudy.sealing.signing import Signed, SigningKey, sign
from understudy.transparency.leaves import Opening, OpenLeaf, commitment_of, decode_leaf, leaf_digest
from understudy.transparency.merkle import leaf_hash, verify_inclusion


def asked(one: Participant, signer: SigningKey | None = None, **changes: Any) -> Signed:
    fields: dict[str, Any] = {
        "programme": PROGRAMME,
        "tag": one.tag,
        "after": 0,
        "reader": "participant",
        "nonce": encode_bytes(bytes(32)),
        "time": NOW,
    }
    return sign(OpeningsRequest(**(fields | changes)), signer or one.seed.signing)


def opened(sealed: SealedOpening, private: HpkePrivateKey) -> OpeningMessage:
    info = info_for(OpeningMessage.CONTEXT, sealed.address)
    return parse(OpeningMessage, private.open(info, octets(sealed.sealed)))


def checked_chain(one: Participant, answer: OpeningsAnswer) -> list[Outcome]:
    """Check the list as the participant does: complete, chained, committed to; return the outcomes."""
    previous, outcomes = one.enrolment().hash(EnrolmentRecord), []
    for n, sealed in enumerate(answer.openings, start=1):
        message = opened(sealed, one.seed.hpke)
        leaf = decode_leaf(octets(message.leaf))
        assert isinstance(leaf, OpenLeaf)
        assert (message.tag, message.n, message.prev) == (one.tag, n, previous)
        commitment = commitment_of(
            Opening(tag=one.tag, n=n, prev=previous, segments=message.segments, salt=message.salt)
        )
        path = [octets(node) for node in message.path]
        verify_inclusion(leaf_hash(commitment), message.position, leaf.participants, path, octets(leaf.root))
        outcome = sealed.outcome.verify(Outcome, {key("custodian first").public})
        previous = encode_bytes(commitment)
        assert (outcome.tag, outcome.n, outcome.commitment) == (one.tag, n, previous)
        assert outcome.leaf == leaf_digest(octets(message.leaf))
        assert outcome.index == message.index
        outcomes.append(outcome)
    head = answer.head.verify(Head, {key("custodian first").public})
    assert (head.n, head.commitment) == (len(answer.openings), previous)
    return outcomes


def test_the_participant_reads_every_entry_and_what_came_of_it(
    world: World, one: Participant, two: Participant
) -> None:
    segments = [world.share(one), world.share(one)]
    assert reason_of(world.ask(one, segments)) == "released"
    assert reason_of(world.ask(one, segments[:1], grant=world.grant("approver-1"))) == "approvals"
    both = {one.tag: segments, two.tag: [world.share(two)]}
    grant = world.grant()
    request = world.request(grant, [*segments, *both[two.tag]])
    entered = world.enter(grant, request, both)
    assert reason_of(world.open(world.delivery(entered, grant, request))) == "released"
    outcomes = checked_chain(one, world.custodian.openings(asked(one)))
    assert [(outcome.outcome, outcome.reason) for outcome in outcomes] == [
        ("released", ""),
        ("refused", "approvals"),
        ("released", ""),
    ]
    world.reopen()
    assert len(checked_chain(two, world.custodian.openings(asked(two)))) == 1


def test_the_head_of_a_page_names_its_question_and_other_heads_name_none(
    world: World, one: Participant
) -> None:
    question, another = asked(one), asked(one, nonce=encode_bytes(b"\1" * 32))
    for request in (question, another):
        head = world.custodian.openings(request).head.verify(Head)
        assert head.asked == request.hash(OpeningsRequest)
    assert question.hash(OpeningsRequest) != another.hash(OpeningsRequest)
    assert world.custodian.head(one.tag).verify(Head).asked is None


def test_nobody_read_mine_is_an_answer_too(world: World, one: Participant) -> None:
    answer = world.custodian.openings(asked(one))
    assert answer.openings == ()
    assert checked_chain(one, answer) == []


def test_an_undecided_entry_is_shown_as_admitted_and_later_as_what_it_became(
    world: World, one: Participant
) -> None:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment])
    entered = world.enter(grant, request, {one.tag: [segment]})
    world.open(world.delivery(entered))
    (outcome,) = checked_chain(one, world.custodian.openings(asked(one)))
    assert (outcome.outcome, outcome.reason, outcome.time) == ("admitted", "", NOW)
    assert reason_of(world.open(world.delivery(entered, grant, request))) == "released"
    (outcome,) = checked_chain(one, world.custodian.openings(asked(one)))
    assert outcome.outcome == "released"


def test_what_was_never_asked_for_is_decided_when_its_time_is_over(world: World, one: Participant) -> None:
    segment = world.share(one)
    grant = world.grant()
    entered = world.enter(grant, world.request(grant, [segment]), {one.tag: [segment]})
    world.open(world.delivery(entered))
    world.clock.advance(601)
    first = world.custodian.openings(asked(one, time=NOW + 601))
    (outcome,) = checked_chain(one, first)
    assert (outcome.outcome, outcome.reason) == ("refused", "not-asked")
    world.clock.advance(5)
    assert world.custodian.openings(asked(one, time=NOW + 606)).openings == first.openings


def test_the_auditor_reads_them_with_the_key_of_the_key_set(world: World, one: Participant) -> None:
    segment = world.share(one)
    world.ask(one, [segment])
    answer = world.custodian.openings(asked(one, key("auditor"), reader="auditor"))
    assert opened(answer.openings[0], hpke("auditor")).segments == (segment,)
    with pytest.raises(SealError):
        opened(answer.openings[0], one.seed.hpke)


def test_another_participant_cannot_open_them(world: World, one: Participant, two: Participant) -> None:
    world.ask(one, [world.share(one)])
    (sealed,) = world.custodian.openings(asked(one)).openings
    with pytest.raises(SealError):
        opened(sealed, two.seed.hpke)


@pytest.mark.parametrize("reader", ["participant", "auditor"])
def test_only_the_person_and_the_auditor_are_answered(
    world: World, one: Participant, two: Participant, reader: Literal["participant", "auditor"]
) -> None:
    wrong = [two.seed.signing, one.device, key("server"), key("steward"), key("approver-1")]
    wrong.append(key("auditor") if reader == "participant" else one.seed.signing)
    for signer in wrong:
        with pytest.raises(CustodyRefusedError, match="openings-reader"):
            world.custodian.openings(asked(one, signer, reader=reader))


@pytest.mark.parametrize(("time", "answered"), [(NOW - 65, True), (NOW - 66, False), (NOW + 66, False)])
def test_the_question_is_of_this_minute(world: World, one: Participant, time: int, *, answered: bool) -> None:
    request = asked(one, time=time)
    if answered:
        world.custodian.openings(request)
        return
    with pytest.raises(CustodyRefusedError, match="clock"):
        world.custodian.openings(request)


def test_somebody_unknown_and_other_programmes_are_refused(world: World, one: Participant) -> None:
    with pytest.raises(CustodyRefusedError, match="unknown-participant"):
        world.custodian.openings(asked(Participant("nobody")))
    with pytest.raises(CustodyRefusedError, match="programme"):
        world.custodian.openings(asked(one, programme=fixed_id("prg", "other")))
    with pytest.raises((FormatError, SignatureError)):
        world.custodian.openings(one.enrolment())


@pytest.mark.parametrize(("name", "bound"), [("PAGE_OPENINGS", 2), ("PAGE_BYTES", 6_000)])
def test_pages_follow_one_another_to_the_head(
    world: World, one: Participant, monkeypatch: pytest.MonkeyPatch, name: str, bound: int
) -> None:
    monkeypatch.setattr(disclosure, name, bound)
    segments = [world.share(one)]
    for _ in range(5):
        world.ask(one, segments)
    collected: list[SealedOpening] = []
    pages = 0
    while True:
        answer = world.custodian.openings(asked(one, after=len(collected)))
        collected.extend(answer.openings)
        pages += 1
        if len(collected) == answer.head.verify(Head).n:
            break
    assert pages > 1
    assert len(checked_chain(one, OpeningsAnswer(openings=tuple(collected), head=answer.head))) == 5


def test_clear_openings_are_nowhere_in_the_store(world: World, one: Participant) -> None:
    segment = world.share(one)
    grant = world.grant()
    request = world.request(grant, [segment])
    entered = world.enter(grant, request, {one.tag: [segment]})
    world.open(world.delivery(entered, grant, request))
    salt = entered.openings[0].salt
    for file in world.folder.iterdir():
        content = file.read_bytes()
        assert salt.encode() not in content
        assert octets(salt) not in content
