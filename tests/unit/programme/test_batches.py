"""The log tells that an hour has passed, and nothing about who did what in it."""

import hashlib

import pytest

from tests.unit.programme.stage import Person, Stage
from understudy.consent.consent import StandingState
from understudy.consent.errors import NotFoundError, UnavailableError
from understudy.consent.primitives import decode_bytes
from understudy.programme.events import EventKind, event_commitment
from understudy.sealing.signing import document_hash
from understudy.transparency.leaves import ConsentsLeaf, decode_leaf
from understudy.transparency.merkle import leaf_hash, verify_inclusion

HOUR = 3_600


def batches(stage: Stage) -> list[ConsentsLeaf]:
    leaves = [decode_leaf(raw) for raw in stage.log.store.entries(0, stage.log.store.size)]
    return [leaf for leaf in leaves if isinstance(leaf, ConsentsLeaf)]


def test_a_batch_comes_every_hour_busy_or_not(stage: Stage, anna: Person) -> None:
    assert stage.programme.flush().batches == 1
    assert stage.programme.flush().batches == 0
    consent = stage.agree(anna)
    stage.clock.advance(HOUR)
    stage.programme.flush()
    stage.clock.advance(HOUR)
    stage.programme.flush()
    assert [leaf.count for leaf in batches(stage)] == [64, 64, 64]
    assert len({leaf.root for leaf in batches(stage)}) == 3
    assert stage.programme.consent(consent)


def test_every_consent_type_event_can_be_proved_to_be_in_the_log(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.stand(anna, StandingState.PAUSED)
    stage.clock.advance(HOUR)
    stage.programme.flush()
    stage.clock.advance(-HOUR)
    standing = document_hash(stage.standing(anna, StandingState.PAUSED, number=1))
    record = document_hash(stage.record(anna))
    for document, kind in (
        (consent, EventKind.CONSENT),
        (standing, EventKind.STANDING),
        (record, EventKind.ENROLMENT),
    ):
        opening = stage.programme.event_opening(document)
        assert opening.event.kind is kind
        raw = stage.log.store.entry(opening.log_index)
        assert raw is not None
        leaf = decode_leaf(raw)
        assert isinstance(leaf, ConsentsLeaf)
        commitment = event_commitment(opening.event, opening.salt)
        root = decode_bytes(leaf.root)
        verify_inclusion(leaf_hash(commitment), opening.place, opening.count, opening.path, root)


def test_an_event_is_proved_only_once_it_is_logged(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    with pytest.raises(NotFoundError):
        stage.programme.event_opening(consent)
    with pytest.raises(NotFoundError):
        stage.programme.event_opening("A" * 43)


def test_a_batch_lost_on_its_way_is_the_same_batch_again(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.log_line.loses_answers = True
    with pytest.raises(UnavailableError):
        stage.programme.flush()
    stage.restart()
    stage.log_line.loses_answers = False
    assert stage.programme.flush().batches == 1
    assert len(batches(stage)) == 1
    assert stage.programme.event_opening(consent).log_index >= 1


def test_a_log_that_is_down_keeps_every_hour_for_later(stage: Stage) -> None:
    stage.log_line.is_cut = True
    for _ in range(3):
        with pytest.raises(UnavailableError):
            stage.programme.flush()
        stage.clock.advance(HOUR)
    stage.log_line.is_cut = False
    assert stage.programme.flush().batches == 4


def test_no_leaf_names_a_participant_or_a_document(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.stand(anna, StandingState.WITHDRAWN)
    stage.clock.advance(HOUR)
    stage.programme.flush()
    told = b"".join(stage.log.store.entries(1, stage.log.store.size))
    for secret in (anna.tag, consent, document_hash(stage.record(anna)), anna.device.public):
        assert secret.encode() not in told
    unsalted = hashlib.sha256(consent.encode()).digest()
    assert unsalted not in told


def test_more_events_than_a_multiple_take_the_next_one(stage: Stage) -> None:
    for number in range(33):
        stage.agree(Person(f"person {number}"))
    stage.programme.flush()
    assert [leaf.count for leaf in batches(stage)] == [128]
