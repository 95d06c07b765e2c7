"""A batch is padded and sorted, so that it tells nothing; a draft is the same each time it is made."""

from hypothesis import given
from hypothesis import strategies as st

from tests.cast import PROGRAMME, Cast
from understudy.consent.purposes import Activity
from understudy.programme.events import (
    ConsentEvent,
    EventKind,
    consents_draft,
    document_draft,
    event_commitment,
    new_salt,
    padded_commitments,
    split_commitments,
    switch_draft,
)
from understudy.transparency.draft import content_digest
from understudy.transparency.leaves import ConsentsLeaf, SwitchLeaf, decode_leaf

COMMITMENT = st.binary(min_size=32, max_size=32)


@given(st.lists(COMMITMENT, max_size=200, unique=True), st.integers(1, 64))
def test_every_batch_is_a_full_multiple_sorted_and_holds_all(commitments: list[bytes], multiple: int) -> None:
    found = split_commitments(padded_commitments(commitments, multiple))
    assert len(found) % multiple == 0
    assert 0 <= len(found) - len(commitments) <= max(multiple - 1, multiple if not commitments else 0)
    assert found == sorted(found)
    assert set(commitments) <= set(found)
    assert len(found) >= multiple


def test_a_commitment_depends_on_kind_document_and_salt() -> None:
    salt = new_salt()
    event = ConsentEvent(kind=EventKind.CONSENT, document="A" * 43)
    others = {
        event_commitment(event, new_salt()),
        event_commitment(ConsentEvent(kind=EventKind.STANDING, document="A" * 43), salt),
        event_commitment(ConsentEvent(kind=EventKind.CONSENT, document="A" * 42 + "E"), salt),
    }
    assert event_commitment(event, salt) not in others
    assert len(others) == 3


def test_drafts_are_reproducible_and_take_the_sequencers_time() -> None:
    commitments = padded_commitments([bytes(32)], 4)
    drafts = [consents_draft(PROGRAMME, commitments) for _ in range(2)]
    assert drafts[0].request_key == drafts[1].request_key
    assert content_digest(drafts[0]) == content_digest(drafts[1])
    leaf = decode_leaf(drafts[0].leaf(7, 1_800_000_000, None))
    assert isinstance(leaf, ConsentsLeaf)
    assert (leaf.time, leaf.count) == (1_800_000_000, 4)
    switch = switch_draft(PROGRAMME, order="A" * 43, off=(Activity.READS,), revision=3, by="server")
    told = decode_leaf(switch.leaf(8, 5, None))
    assert isinstance(told, SwitchLeaf)
    assert (told.revision, told.by, told.time) == (3, "server", 5)
    document = document_draft(Cast().signed_document())
    assert document.leaf(0, 1, None) == document.leaf(9, 2, None)


def test_changes_by_different_parties_are_different_entries() -> None:
    keys = {
        switch_draft(PROGRAMME, order="A" * 43, off=(), revision=1, by=by).request_key
        for by in ("server", "first", "second")
    }
    assert len(keys) == 3
