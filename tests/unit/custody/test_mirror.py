"""The mirror: leaves only under a cosigned root, one history, and evidence if there are two."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    Entered,
    Participant,
    World,
    digest_of,
    programme_document,
    reason_of,
    released_halves,
    signed_document,
)
from understudy.consent.errors import UnavailableError
from understudy.consent.primitives import encode_bytes
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.mirror import Mirror
from understudy.sealing.signing import Signed
from understudy.transparency.leaves import PolicyLeaf, ProgrammeLeaf


class Open:
    """One entry, ready to be delivered in many ways."""

    def __init__(self, world: World, one: Participant) -> None:
        self.world = world
        self.segments = [world.share(one)]
        self.grant: Signed = world.grant()
        self.request: Signed = world.request(self.grant, self.segments)
        self.entered: Entered = world.enter(self.grant, self.request, {one.tag: self.segments})

    def reason(self, *, note: bytes | None = None, **changes: Any) -> str:
        """Deliver; return what became of it."""
        checkpoint = encode_bytes(note or self.world.log.note())
        delivery = self.world.delivery(
            self.entered, self.grant, self.request, **({"checkpoint": checkpoint} | changes)
        )
        try:
            return reason_of(self.world.open(delivery))
        except CustodyRefusedError as error:
            return f"! {error.reason}"


@pytest.fixture
def opened(world: World, one: Participant) -> Open:
    return Open(world, one)


def fill(world: World, count: int) -> None:
    """Log entries that mean nothing to a custodian."""
    for number in range(count):
        world.log.append(PolicyLeaf(programme=PROGRAMME, policy=digest_of(f"{number}"), time=NOW))


class TestWitnessed:
    @pytest.mark.parametrize(
        "signers",
        [
            {"witnesses": ()},
            {"witnesses": ("witness",)},
            {"witnesses": ("server",)},
            {"log_key": "log"},
            {"log_key": "server"},
        ],
        ids=str,
    )
    def test_a_checkpoint_needs_the_log_and_its_witnesses(
        self, opened: Open, signers: dict[str, Any]
    ) -> None:
        assert opened.reason(note=opened.world.log.note(**signers)) == "! not-witnessed"
        assert opened.reason() == "released"

    def test_an_entry_beyond_the_checkpoint_is_not_witnessed(self, opened: Open) -> None:
        index = opened.entered.index
        assert opened.reason(note=opened.world.log.note(size=index)) == "! not-witnessed"
        assert opened.reason(note=opened.world.log.note(size=index + 1)) == "released"

    def test_an_entry_of_the_mirror_still_needs_a_checkpoint_that_covers_it(self, opened: Open) -> None:
        opened.world.custodian.sync()
        note = opened.world.log.note(size=opened.entered.index)
        assert opened.reason(note=note) == "! not-witnessed"

    @pytest.mark.parametrize("note", [b"", b"\n\n", b"not a note", b"\xff" * 100, bytes(70_000)])
    def test_what_is_no_note_is_no_checkpoint(self, opened: Open, note: bytes) -> None:
        assert opened.reason(checkpoint=encode_bytes(note)) == "! not-witnessed"

    def test_a_larger_checkpoint_covers_earlier_entries(self, opened: Open) -> None:
        fill(opened.world, 20)
        assert opened.reason() == "released"

    def test_a_smaller_checkpoint_will_do_if_it_is_of_the_same_history(self, opened: Open) -> None:
        note = opened.world.log.note()
        fill(opened.world, 300)
        opened.world.custodian.sync()
        assert opened.reason(note=note) == "released"


class TestLeaves:
    @pytest.mark.parametrize("start", [0, 1, 2, 3])
    def test_the_delivery_may_begin_before_the_mirror_ends(self, opened: Open, start: int) -> None:
        pulled = opened.world.log.pulled
        leaves = tuple(encode_bytes(leaf) for leaf in opened.world.log.leaves[start:])
        size = len(opened.world.custodian.entries(0, 99))
        assert opened.reason(start=start, leaves=leaves) == "released"
        assert (opened.world.log.pulled > pulled) == (start > size)

    def test_what_the_delivery_lacks_is_pulled_from_the_log(self, opened: Open) -> None:
        fill(opened.world, 300)
        assert opened.reason(leaves=()) == "released"
        assert len(opened.world.custodian.entries(0, 999)) == len(opened.world.log.leaves)

    def test_leaves_that_lead_elsewhere_are_not_believed(self, opened: Open) -> None:
        wrong = tuple(encode_bytes(leaf) for leaf in [*opened.world.log.leaves[:-1], b"x"])
        assert opened.reason(start=0, leaves=wrong) == "released"
        assert opened.world.custodian.entries(0, 99) == tuple(opened.world.log.leaves)

    def test_a_log_that_hands_out_other_leaves_is_refused(self, opened: Open) -> None:
        genuine = opened.world.log.leaves
        opened.world.log.leaves = [*genuine[:-1], b"x"]
        note = opened.world.log.note(leaves=genuine)
        assert opened.reason(note=note, leaves=()) == "! not-consistent"
        opened.world.log.leaves = genuine
        assert opened.reason() == "released"

    def test_a_log_that_hands_out_nothing_is_unavailable(self, opened: Open) -> None:
        opened.world.log.entries = lambda *_: ()  # type: ignore[method-assign]
        with pytest.raises(UnavailableError):
            opened.reason(leaves=())

    def test_the_mirror_is_kept_even_if_the_entry_is_refused(self, opened: Open) -> None:
        wrong = (msgspec.structs.replace(opened.entered.openings[0], salt=digest_of("x")),)
        assert opened.reason(openings=wrong) == "! wrong-commitment"
        assert opened.world.custodian.entries(0, 99) == tuple(opened.world.log.leaves)
        assert opened.world.custodian.checkpoint() == opened.world.log.note()

    def test_others_can_catch_up_from_here(self, world: World, tmp_path: Path) -> None:
        fill(world, 20)
        world.custodian.sync()
        (tmp_path / "other").mkdir()
        other = World(tmp_path / "other")
        other.pin()
        other.log.leaves = list(world.custodian.entries(0, 99))
        assert other.custodian.sync() == len(world.log.leaves)
        other.custodian.close()


class TestOneHistory:
    def fork(self, leaves: Sequence[bytes], at: int) -> list[bytes]:
        """Return the same number of leaves with another one at ``at``."""
        return [*leaves[:at], b"another entry", *leaves[at + 1 :]]

    @pytest.mark.parametrize("size", [3, 4])
    def test_a_cosigned_checkpoint_of_another_history_stops_every_release(
        self, opened: Open, one: Participant, size: int
    ) -> None:
        world = opened.world
        fill(world, 3)
        world.custodian.sync()
        note = world.log.note(leaves=self.fork(world.log.leaves, 2)[:size])
        assert opened.reason(note=note, index=1) == "! log-forked"
        assert world.custodian.forks() == (note,)
        world.reopen()
        assert opened.reason() == "log-forked"
        assert reason_of(world.ask(one, opened.segments)) == "log-forked"

    def test_admission_goes_on_after_a_fork(self, opened: Open, one: Participant) -> None:
        world = opened.world
        world.custodian.sync()
        opened.reason(note=world.log.note(leaves=self.fork(world.log.leaves, 2)), index=1)
        assert opened.reason(grant=None, request=None) == "not-asked"
        row = world.store.database.row("SELECT n FROM heads WHERE tag = ?", one.tag)
        assert row == (1,)

    def test_a_forked_note_without_a_witness_is_no_evidence(self, opened: Open) -> None:
        world = opened.world
        world.custodian.sync()
        note = world.log.note(leaves=self.fork(world.log.leaves, 2), witnesses=())
        assert opened.reason(note=note, index=1) == "! not-witnessed"
        assert world.custodian.forks() == ()
        assert opened.reason() == "released"

    def test_syncing_to_another_history_is_refused(self, opened: Open) -> None:
        world = opened.world
        world.custodian.sync()
        world.log.leaves = self.fork(world.log.leaves, 2)
        with pytest.raises(CustodyRefusedError, match="log-forked"):
            world.custodian.sync()
        fill(world, 2)
        with pytest.raises(CustodyRefusedError, match="not-consistent"):
            world.custodian.sync()

    def test_a_log_that_begins_with_another_document_is_not_ours(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.pin()
        other = signed_document(programme_document(made_at=7))
        for first in ([], [b"garbage"]):
            world.log.leaves = list(first)
            world.log.append(ProgrammeLeaf(document=other))
            with pytest.raises(CustodyRefusedError, match="foreign-log"):
                world.custodian.sync()
            assert world.custodian.entries(0, 9) == ()
        world.custodian.close()

    def test_seeded_fault_a_mirror_that_believes_would_release_from_another_history(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = opened.world
        world.custodian.sync()
        monkeypatch.setattr(Mirror, "is_forked", False)
        opened.reason(note=world.log.note(leaves=self.fork(world.log.leaves, 2)), index=1)
        assert opened.reason() == "released"


def test_what_was_released_is_what_the_witnessed_entry_names(opened: Open) -> None:
    world = opened.world
    answer = world.open(world.delivery(opened.entered, opened.grant, opened.request))
    assert list(released_halves(answer, opened.entered.raw, opened.request)) == opened.segments
