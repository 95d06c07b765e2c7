"""No key without a log entry: the custodian gives its half against a witnessed, numbered, authorised entry.

The broker here is dishonest, and where a test says so a reader or the witness is on its side.
Shows R-32, R-33, R-34 and R-36 for the second key holder.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cast import stranger
from tests.promises.attacker import Asked, DishonestBroker, Entered
from tests.promises.attempts import ATTEMPTS, same_request_again
from tests.promises.conftest import LATER, Faults
from tests.promises.scene import Scene
from tests.simulator import Simulator
from understudy.consent.errors import UnavailableError
from understudy.consent.primitives import encode_bytes
from understudy.custody import door as door_module
from understudy.custody import entry as entry_module
from understudy.custody.admission import Admission
from understudy.custody.pinning import Pinned
from understudy.custody.rules import RULES, request_is_new
from understudy.sealing import signing
from understudy.transparency.checkpoint import CosignedCheckpoint, verify_checkpoint
from understudy.transparency.errors import RolledBackError
from understudy.transparency.leaves import Opening, encode_leaf, leaf_digest
from understudy.transparency.merkle import MemoryTree
from understudy.transparency.mirror import Mirror
from understudy.transparency.note import cosign_text, parse_note

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def shared_broker(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DishonestBroker]:
    """One dishonest broker for many attempts: each leaves the scene as it was, but for used numbers."""
    root = tmp_path_factory.mktemp("attempts") / "world"
    shutil.copytree(prepared, root)
    with Simulator(root, at=LATER) as world:
        yield DishonestBroker(Scene(world))


@pytest.fixture
def broker(scene: Scene) -> DishonestBroker:
    """A dishonest broker on a scene of its own."""
    return DishonestBroker(scene)


class TestRules:
    """Each rule of release stops what it is there for, and nothing else would."""

    def test_the_honest_way_is_open(self, shared_broker: DishonestBroker) -> None:
        scene = shared_broker.scene
        assert shared_broker.open({scene.ana.tag: scene.segments(scene.ana)}) == "released"
        assert set(shared_broker.loot) == set(scene.segments(scene.ana))

    @pytest.mark.parametrize("name", ATTEMPTS)
    def test_refused_for_its_reason_and_released_without_the_rule(
        self, shared_broker: DishonestBroker, faults: Faults, name: str
    ) -> None:
        attempt, world = ATTEMPTS[name], shared_broker.scene.world
        assert attempt.make(shared_broker, world.custodian) == attempt.reason
        without = world.custodian_with(tuple(rule for rule in RULES if rule not in attempt.rules))
        faults.caught(f"no rule against: {name}", caught=attempt.make(shared_broker, without) == "released")

    def test_a_request_is_released_once(self, broker: DishonestBroker) -> None:
        """Two lines: the rule, and the table of releases, which takes a request once."""
        world = broker.scene.world
        assert same_request_again(broker, world.custodian) == "already-released"
        without = world.custodian_with(tuple(rule for rule in RULES if rule is not request_is_new))
        assert same_request_again(broker, without) != "released"

    def test_every_rule_has_an_attempt(self) -> None:
        elsewhere = {"log_has_one_history", "segments_are_here", "request_is_new"}
        tested = {rule.__name__ for attempt in ATTEMPTS.values() for rule in attempt.rules}
        assert tested | elsewhere == {rule.__name__ for rule in RULES}


def _of_ana(broker: DishonestBroker) -> tuple[Asked, list[Opening]]:
    """Return a genuine reader's request for ana's segments, and the opening that belongs to it."""
    scene = broker.scene
    segments = scene.segments(scene.ana)
    return broker.ask(segments), [broker.opening(scene.ana.tag, segments)]


def _unlogged(broker: DishonestBroker) -> str:
    """An entry that only the broker's copy of the log holds, under a checkpoint that nobody cosigned."""
    asked, openings = _of_ana(broker)
    entered, raw = broker.enter_privately(broker.leaf(asked, openings), openings)
    return broker.bring(entered, asked, leaves=_leaves(broker, raw))


def _cosigned_by_a_stranger(broker: DishonestBroker) -> str:
    """The same, cosigned under the witness's name by somebody else."""
    asked, openings = _of_ana(broker)
    entered, raw = broker.enter_privately(broker.leaf(asked, openings), openings)
    text = parse_note(entered.note).text
    world = broker.scene.world
    forged = cosign_text(text, world.witness.key.name, stranger(), world.clock.now())
    note = encode_bytes(entered.note + forged.to_bytes())
    return broker.bring(entered, asked, leaves=_leaves(broker, raw), checkpoint=note)


def _never_entered(broker: DishonestBroker) -> str:
    """No entry at all: the index of an entry that does not exist yet."""
    asked, openings = _of_ana(broker)
    world = broker.scene.world
    note = world.server.log.fresh(0).note
    missing = Entered(world.server.log.store.size, broker.leaf(asked, openings), tuple(openings), note)
    return broker.bring(missing, asked)


def _other_leaves(broker: DishonestBroker) -> str:
    """A genuine, cosigned checkpoint, beside another leaf than the one it covers; the log lies likewise."""
    asked, openings = _of_ana(broker)
    harmless = broker.append(encode_leaf(broker.leaf(asked, openings, object="harmless")))
    world = broker.scene.world
    forged = encode_leaf(broker.leaf(asked, openings))
    leaves = [*world.server.log.store.entries(0, harmless.index), forged]
    entered = Entered(harmless.index, broker.leaf(asked, openings), tuple(openings), harmless.checkpoint.note)
    world.log_line.entries = lambda start, end: leaves[start:end]  # type: ignore[method-assign]
    return broker.bring(entered, asked, leaves=tuple(encode_bytes(leaf) for leaf in leaves))


def _stale(broker: DishonestBroker) -> str:
    """A cosignature that is older than the programme allows."""
    asked, openings = _of_ana(broker)
    entered = broker.enter(broker.leaf(asked, openings), openings)
    delays = broker.scene.world.programme.delays
    broker.scene.world.clock.advance(delays.cosignature_seconds + delays.clock_skew_seconds + 1)
    return broker.bring(entered, asked)


def _a_number_left_out(broker: DishonestBroker) -> str:
    """Number 2 before number 1: what number 1 was, ana would never see."""
    asked, (opening,) = _of_ana(broker)
    skipped = msgspec.structs.replace(opening, n=opening.n + 1)
    return broker.bring(broker.enter(broker.leaf(asked, [skipped]), [skipped]), asked)


def _a_number_used_before(broker: DishonestBroker) -> str:
    """Two entries with number 1: only one would be on ana's list."""
    asked, openings = _of_ana(broker)
    first = broker.ask(openings[0].segments)
    assert broker.bring(broker.enter(broker.leaf(first, openings), openings), first) == "released"
    broker.loot.clear()
    return broker.bring(broker.enter(broker.leaf(asked, openings), openings), asked)


def _another_predecessor(broker: DishonestBroker) -> str:
    """A chain that does not begin with ana's enrolment."""
    asked, (opening,) = _of_ana(broker)
    other = msgspec.structs.replace(opening, prev="A" * 43)
    return broker.bring(broker.enter(broker.leaf(asked, [other]), [other]), asked)


def _other_openings(broker: DishonestBroker) -> str:
    """The entry commits to one segment, what is brought names another."""
    scene = broker.scene
    first, second = scene.segments(scene.ana)
    asked = broker.ask([second])
    logged, brought = broker.opening(scene.ana.tag, [first]), broker.opening(scene.ana.tag, [second])
    entered = broker.enter(broker.leaf(asked, [logged]), [logged])
    return broker.bring(
        Entered(entered.index, entered.leaf, (brought,), entered.note), asked, openings=(brought,)
    )


def _a_changed_request(broker: DishonestBroker) -> str:
    """The reader's request, its ephemeral key replaced by the attacker's, the signature left as it was."""
    asked, _ = _of_ana(broker)
    mine, openings = _of_ana(broker)
    changed = msgspec.structs.replace(asked.request, reader_key=mine.ephemeral.public.text)
    body = signing.sign(changed).body
    forged = Asked(msgspec.structs.replace(asked.signed, body=body), mine.ephemeral)
    return broker.bring(broker.enter(broker.leaf(forged, openings), openings), forged)


def _a_changed_grant(broker: DishonestBroker) -> str:
    """The grant's row in the broker's database, its end moved, the signatures left as they were."""
    widened = msgspec.structs.replace(broker.scene.terms, ceiling=100_000)
    forged = msgspec.structs.replace(broker.scene.signed_grant, body=signing.sign(widened).body)
    scene = broker.scene
    segments = scene.segments(scene.ana)
    asked = broker.ask(segments, grant=forged.hash(type(scene.terms)))
    return broker.bring(broker.enter_for(asked, {scene.ana.tag: segments}), asked, grant=forged)


def _no_cosignature_asked(patch: pytest.MonkeyPatch) -> None:
    def verify(pinned: Pinned, note: bytes) -> CosignedCheckpoint:
        return verify_checkpoint(note, log_key=pinned.trust.log_key, witnesses=(), quorum=0)

    patch.setattr(door_module, "verify_note", verify)
    _no_freshness_asked(patch)


def _any_cosignature_will_do(patch: pytest.MonkeyPatch) -> None:
    _no_cosignature_asked(patch)


def _no_freshness_asked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(door_module, "_staleness", lambda *_: None)


def _roots_not_compared(patch: pytest.MonkeyPatch) -> None:
    def extend(self: Mirror, leaves: Sequence[bytes], checkpoint: CosignedCheckpoint) -> None:
        rows = list(enumerate(leaves, start=self.size))
        self._database.write_many("INSERT INTO leaves(position, leaf) VALUES (?, ?)", rows)
        del checkpoint

    patch.setattr(Mirror, "extend", extend)


def _numbers_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Admission, "missing", lambda *_: ())


def _numbers_not_unique(patch: pytest.MonkeyPatch) -> None:
    _numbers_not_looked_at(patch)
    patch.setattr(Admission, "_number", lambda *_: None)


def _commitments_not_compared(patch: pytest.MonkeyPatch) -> None:
    def read(cls: Any, index: int, raw: bytes, openings: tuple[Opening, ...], programme: str) -> Any:
        del programme
        tree = MemoryTree([bytes(32) for _ in openings])
        return cls(
            index=index,
            raw=raw,
            leaf=entry_module.open_leaf(raw),
            hash=leaf_digest(raw),
            openings=openings,
            commitments=tuple("A" * 43 for _ in openings),
            tree=tree,
        )

    patch.setattr(entry_module.Entry, "read", classmethod(read))


def _signatures_not_verified(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(signing, "verify_note", lambda *_: None)


class TestEntries:
    """What the custodian checks about the entry itself, before any rule is asked."""

    @pytest.mark.parametrize(
        ("attempt", "reason", "fault"),
        [
            (_unlogged, "not-witnessed", _no_cosignature_asked),
            (_cosigned_by_a_stranger, "not-witnessed", _any_cosignature_will_do),
            (_other_leaves, "not-consistent", _roots_not_compared),
            (_stale, "stale-cosignature", _no_freshness_asked),
            (_a_number_left_out, "behind", _numbers_not_looked_at),
            (_a_number_used_before, "not-next", _numbers_not_unique),
            (_another_predecessor, "wrong-previous", _numbers_not_looked_at),
            (_other_openings, "wrong-commitment", _commitments_not_compared),
            (_a_changed_request, "bad-signature", _signatures_not_verified),
            (_a_changed_grant, "bad-signature", _signatures_not_verified),
        ],
    )
    def test_refused_for_its_reason_and_released_by_a_custodian_with_the_fault(
        self,
        copied: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        faults: Faults,
        attempt: Callable[[DishonestBroker], str],
        reason: str,
        fault: Patch,
    ) -> None:
        other = tmp_path / "other"
        shutil.copytree(copied, other)
        with Simulator(copied, at=LATER) as world:
            honest = DishonestBroker(Scene(world))
            assert attempt(honest) == reason
            assert honest.loot == {}
        with Simulator(other, at=LATER) as world:
            broker = DishonestBroker(Scene(world))
            _ = broker.scene.grant
            with monkeypatch.context() as patch:
                fault(patch)
                faults.caught(f"custody: {fault.__name__}", caught=attempt(broker) == "released")

    def test_no_entry_at_all(self, broker: DishonestBroker) -> None:
        assert _never_entered(broker) == "not-witnessed"
        assert broker.loot == {}


class TestOrder:
    """The key leaves after the entry is durable and cosigned, and not before."""

    def test_without_a_witness_nobody_is_even_asked_for_a_half(self, scene: Scene) -> None:
        world = scene.world
        grant = scene.grant
        world.witness_line.is_cut = True
        world.custodian_line.calls.clear()
        with pytest.raises(UnavailableError):
            world.read(grant)
        assert [name for name, _ in world.custodian_line.calls if name == "open"] == []

    def test_what_was_logged_meanwhile_is_on_the_list_as_not_released(self, scene: Scene) -> None:
        """A lost witness after the entry: the entry stays, and says that nothing came of it."""
        world = scene.world
        grant = scene.grant
        world.witness_line.loses_answers = True
        with pytest.raises(UnavailableError):
            world.read(grant)
        world.witness_line.loses_answers = False
        assert world.read(grant)
        outcomes = [read.outcome for read in world.mine(scene.ana).reads]
        assert outcomes == ["admitted", "released"]
        world.clock.advance(world.programme.delays.open_seconds + 1)
        assert [read.outcome for read in world.mine(scene.ana).reads] == ["refused", "released"]


class TestHistory:
    """One log, one history: what was cosigned stays, or nothing is released any more."""

    def test_a_log_restored_from_an_old_copy_does_not_start(self, scene: Scene, tmp_path: Path) -> None:
        world = scene.world
        world.stop("server")
        old = tmp_path / "old.sqlite"
        shutil.copy(world.home("server") / "log.sqlite", old)
        world.start("server")
        world.read(scene.grant)
        world.stop("server")
        for leftover in world.home("server").glob("log.sqlite*"):
            leftover.unlink()
        shutil.copy(old, world.home("server") / "log.sqlite")
        with pytest.raises(RolledBackError):
            world.start("server")

    def test_with_the_witness_on_its_side_a_second_history_ends_all_releases(
        self, broker: DishonestBroker, faults: Faults
    ) -> None:
        """Broker and witness together can tell two stories; the custodian notices and keeps the proof."""
        world = broker.scene.world
        asked, openings = _of_ana(broker)
        private, raw = broker.enter_privately(broker.leaf(asked, openings), openings)
        leaves = _leaves(broker, raw)
        broker.append(encode_leaf(broker.leaf(asked, openings, object="harmless")))
        world.custodian.sync()
        text = parse_note(private.note).text
        line = cosign_text(text, world.witness.key.name, world.cast.cosigning, world.clock.now())
        forked = encode_bytes(private.note + line.to_bytes())
        assert broker.bring(private, asked, leaves=leaves, checkpoint=forked) == "log-forked"
        assert len(world.custodian.forks()) == 1
        segments = broker.scene.segments(broker.scene.ben)
        assert broker.open({broker.scene.ben.tag: segments}) == "log-forked"
        left = tuple(rule for rule in RULES if rule.__name__ != "log_has_one_history")
        asked = broker.ask(segments)
        entered = broker.enter_for(asked, {broker.scene.ben.tag: segments})
        again = broker.bring(entered, asked, custodian=world.custodian_with(left))
        faults.caught("no rule against: a forked log", caught=again == "released")


def _leaves(broker: DishonestBroker, raw: bytes) -> tuple[str, ...]:
    """Return the log's leaves followed by one that is not in it."""
    store = broker.scene.world.server.log.store
    return tuple(encode_bytes(leaf) for leaf in (*store.entries(0, store.size), raw))
