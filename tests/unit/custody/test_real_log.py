"""The custodian with the real log: sequencer, witness and custodian over their own stores."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.unit.custody.test_disclosure import asked, checked_chain
from tests.unit.custody.world import (
    ORIGIN,
    PROGRAMME,
    WITNESS,
    World,
    custodian_keys,
    decoded,
    key,
    reason_of,
    released_halves,
)
from understudy.consent.primitives import encode_bytes
from understudy.custody.custodian import Custodian
from understudy.custody.delivery import Delivery
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import Behind, CustodianAnswer, Head
from understudy.custody.store import Store
from understudy.sealing.signing import Signed
from understudy.transparency.checkpoint import CosignedCheckpoint
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.draft import Appended, DraftParticipant
from understudy.transparency.leaves import Leaf, OpenLeaf, ProgrammeLeaf, SwitchLeaf, encode_leaf
from understudy.transparency.note import VerifierKey
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.store import create_log
from understudy.transparency.witness import LocalCosigner, Witness


@dataclass(frozen=True)
class PlainDraft:
    """A leaf that is known beforehand."""

    content: Leaf
    request_key: str | None = None
    participants: Mapping[str, DraftParticipant] = field(default_factory=dict)

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        del index, time, root
        return encode_leaf(self.content)


@dataclass(frozen=True)
class OpenDraft:
    """One opening, as a server drafts it."""

    fields: dict[str, Any]
    participants: Mapping[str, DraftParticipant]
    request_key: str

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        del index
        placed = {"time": time, "participants": len(self.participants), "root": encode_bytes(root or b"")}
        return encode_leaf(OpenLeaf(**(self.fields | placed)))


class Source:
    """The sequencer's store, as the custodian pulls from it."""

    def __init__(self, sequencer: Sequencer) -> None:
        self.sequencer = sequencer

    def entries(self, start: int, end: int) -> tuple[bytes, ...]:
        return self.sequencer.store.entries(start, end)

    def checkpoint(self) -> bytes:
        return self.sequencer.fresh(30).note


class Real(World):
    """The world again, with a log that is a sequencer and a witness."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.custodian.close()
        self.path.unlink()
        checkpoint_key, cosigning = key("log checkpoint"), key("witness cosigning")
        create_log(folder / "log.db", origin=ORIGIN, key=checkpoint_key)
        Witness.create(folder / "witness.db", name=WITNESS, key=cosigning)
        log_key = VerifierKey.log(ORIGIN, checkpoint_key.public)
        self.witness = Witness(
            folder / "witness.db", name=WITNESS, key=cosigning, logs=[log_key], clock=self.clock
        )
        link = WitnessLink(VerifierKey.witness(WITNESS, cosigning.public), LocalCosigner(self.witness))
        self.sequencer = Sequencer(
            folder / "log.db", key=checkpoint_key, witnesses=[link], quorum=1, clock=self.clock
        )
        self.sequencer.append(PlainDraft(ProgrammeLeaf(document=self.document)))
        self.store = Store.create(self.path)
        self.custodian = Custodian(
            self.store, custodian_keys(), self.clock, Source(self.sequencer), rules=self.rules
        )

    def log_switch(self) -> None:
        """Log every queued change of the switch and let the custodian see it."""
        for change in self.custodian.queue():
            leaf = SwitchLeaf(
                programme=PROGRAMME,
                order=change.order,
                off=change.off,
                revision=change.revision,
                by="first",
                time=self.clock.now(),
            )
            self.sequencer.append(PlainDraft(leaf))
        self.custodian.sync()

    def append(self, grant: Signed, request: Signed, parts: Mapping[str, list[str]]) -> Appended:
        """Append the entry of a request."""
        fields = self.leaf_fields(grant, request)
        participants = {
            tag: DraftParticipant(
                segments=tuple(sorted(segments)),
                first_prev=self.log.heads[tag][1],
            )
            for tag, segments in parts.items()
        }
        return self.sequencer.append(OpenDraft(fields, participants, f"open:{fields['request']}"))

    def brought(
        self,
        index: int,
        grant: Signed | None = None,
        request: Signed | None = None,
        checkpoint: CosignedCheckpoint | None = None,
    ) -> CustodianAnswer:
        """Deliver the entry at ``index`` from the sequencer's table, and what has to come before it."""
        store = self.sequencer.store
        delivery = Delivery(
            index=index,
            openings=tuple(committed.opening for committed in store.openings_at(index)),
            start=0,
            leaves=tuple(encode_bytes(leaf) for leaf in store.entries(0, 200)),
            checkpoint=encode_bytes((checkpoint or self.sequencer.fresh(30)).note),
            grant=grant,
            request=request,
        )
        while isinstance(answer := decoded(self.custodian.open(delivery)), Behind):
            for missing in answer.missing:
                (found,) = store.openings_of(missing.tag, after=missing.n - 1, limit=1)
                self.brought(found.index)
        return answer


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    world = Real(tmp_path)
    world.start()
    yield world
    world.custodian.close()
    world.sequencer.close()
    world.witness.close()


def test_an_open_goes_through_sequencer_witness_and_custodian(real: Real) -> None:
    one, two = real.join("one"), real.join("two")
    parts = {one.tag: [real.share(one), real.share(one)], two.tag: [real.share(two)]}
    grant = real.grant()
    request = real.request(grant, [segment for part in parts.values() for segment in part])
    appended = real.append(grant, request, parts)
    answer = real.brought(appended.index, grant, request, appended.checkpoint)
    halves = released_halves(answer, appended.leaf, request)
    assert sorted(halves) == sorted(segment for part in parts.values() for segment in part)
    for person in (one, two):
        (outcome,) = checked_chain(person, real.custodian.openings(asked(person)))
        assert (outcome.outcome, outcome.index) == ("released", appended.index)


def test_an_entry_that_was_never_delivered_does_not_block_the_next(real: Real) -> None:
    one = real.join("one")
    segments = [real.share(one)]
    grant = real.grant()
    for _ in range(3):
        real.append(grant, real.request(grant, segments), {one.tag: segments})
    request = real.request(grant, segments)
    appended = real.append(grant, request, {one.tag: segments})
    assert reason_of(real.brought(appended.index, grant, request)) == "released"
    outcomes = checked_chain(one, real.custodian.openings(asked(one)))
    assert [outcome.outcome for outcome in outcomes] == ["admitted"] * 3 + ["released"]


def test_an_idle_log_is_cosigned_again_on_demand(real: Real) -> None:
    one = real.join("one")
    segments = [real.share(one)]
    grant = real.grant()
    request = real.request(grant, segments)
    appended = real.append(grant, request, {one.tag: segments})
    real.clock.advance(300)
    with pytest.raises(CustodyRefusedError, match="stale-cosignature"):
        real.brought(appended.index, grant, request, appended.checkpoint)
    assert reason_of(real.brought(appended.index, grant, request)) == "released"


def test_the_head_is_the_sequencers_head(real: Real) -> None:
    one = real.join("one")
    segments = [real.share(one)]
    grant = real.grant()
    for n in range(1, 4):
        request = real.request(grant, segments)
        appended = real.append(grant, request, {one.tag: segments})
        assert reason_of(real.brought(appended.index, grant, request)) == "released"
        head = real.custodian.head(one.tag).verify(Head)
        assert (head.n, head.commitment) == real.sequencer.store.head(one.tag)
        assert head.n == n
