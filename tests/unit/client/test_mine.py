"""The participant's list: complete up to a head that a custodian signed, or an error."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import stranger
from tests.simulator import Simulator
from tests.unit.client.stage import Stage
from understudy.client.errors import EntryError
from understudy.client.mine import reads_of_mine
from understudy.consent.errors import UnavailableError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.contract.messages import OpeningsAnswer
from understudy.custody.head import Head, Outcome, SealedOpening
from understudy.sealing.canonical import octets
from understudy.sealing.signing import Signed, sign

READS = 3
Openings = tuple[SealedOpening, ...]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Ana was read three times; tests change answers, not what is stored."""
    with Simulator(Path(tmp_path_factory.mktemp("stage")) / "world") as world:
        made = Stage(world)
        for _ in range(READS):
            world.reader().obtain_halves(made.grant, world.reason, made.segments)
        yield made


def honest(answer: OpeningsAnswer) -> OpeningsAnswer:
    return answer


def head_of(stage: Stage, signed: Signed, **changes: Any) -> Signed:
    """Return a head with ``changes``, signed by the custodian itself."""
    head = msgspec.structs.replace(signed.verify(Head), **changes)
    return sign(head, stage.world.cast.custodian.signing)


def test_it_is_complete_and_in_order(stage: Stage) -> None:
    mine = stage.mine()
    assert [read.n for read in mine.reads] == [1, 2, 3]
    assert {read.segments for read in mine.reads} == {stage.segments}
    assert mine.head.verify(Head).n == READS
    assert mine.tree_size == stage.world.server.log.store.size


def test_too_few_custodians_are_no_answer(stage: Stage) -> None:
    device, world = stage.ana.device, stage.world
    with pytest.raises(EntryError, match="must answer"):
        reads_of_mine(device.personal, world.programme, "A" * 43, [], world.server, world.clock)


def test_an_unreachable_custodian_is_not_an_empty_list(stage: Stage) -> None:
    def silent(_: OpeningsAnswer) -> OpeningsAnswer:
        raise UnavailableError("no answer")

    with pytest.raises(UnavailableError):
        stage.mine(silent)


CUTS: dict[str, Callable[[Openings], Openings]] = {
    "none": lambda _: (),
    "without the first": lambda openings: openings[1:],
    "without the last": lambda openings: openings[:-1],
    "every second": lambda openings: openings[::2],
    "backwards": lambda openings: openings[::-1],
    "one twice in place of another": lambda openings: (openings[0], openings[0], openings[2]),
    "the last twice": lambda openings: (*openings, openings[-1]),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_missing_repeated_or_misplaced_number_is_an_error(stage: Stage, cut: str) -> None:
    with pytest.raises(EntryError):
        stage.mine(lambda answer: msgspec.structs.replace(answer, openings=CUTS[cut](answer.openings)))


class TestHead:
    @pytest.mark.parametrize("n", [0, READS - 1, READS + 1, 2**53 - 1])
    def test_a_head_with_another_number_is_an_error(self, stage: Stage, n: int) -> None:
        """Signed by the custodian: too low hides entries, too high promises what does not come."""

        def lie(answer: OpeningsAnswer) -> OpeningsAnswer:
            return msgspec.structs.replace(
                answer, openings=answer.openings[:n], head=head_of(stage, answer.head, n=n)
            )

        with pytest.raises(EntryError):
            stage.mine(lie)

    def test_a_head_with_another_commitment_is_an_error(self, stage: Stage) -> None:
        def lie(answer: OpeningsAnswer) -> OpeningsAnswer:
            return msgspec.structs.replace(answer, head=head_of(stage, answer.head, commitment="A" * 43))

        with pytest.raises(EntryError, match="contradicts"):
            stage.mine(lie)

    @pytest.mark.parametrize("changes", [{"tag": "A" * 43}, {"custodian": "second"}])
    def test_a_head_of_somebody_else_is_an_error(self, stage: Stage, changes: dict[str, Any]) -> None:
        def lie(answer: OpeningsAnswer) -> OpeningsAnswer:
            return msgspec.structs.replace(answer, head=head_of(stage, answer.head, **changes))

        with pytest.raises(EntryError):
            stage.mine(lie)

    @pytest.mark.parametrize("signer", ["server", "stranger"])
    def test_a_head_by_another_key_is_an_error(self, stage: Stage, signer: str) -> None:
        key = stage.world.cast.server if signer == "server" else stranger()

        def lie(answer: OpeningsAnswer) -> OpeningsAnswer:
            return msgspec.structs.replace(answer, head=sign(answer.head.verify(Head), key))

        with pytest.raises(EntryError):
            stage.mine(lie)

    def test_an_older_log_than_the_custodians_is_an_error(self, stage: Stage) -> None:
        class Old:
            def checkpoint(self) -> bytes:
                return old

            def read(self, path: str) -> bytes:
                return stage.world.server.read(path)

        old = stage.world.server.checkpoint()
        stage.world.server.log.fresh(0)
        size = stage.world.server.log.store.size

        def ahead(answer: OpeningsAnswer) -> OpeningsAnswer:
            return msgspec.structs.replace(answer, head=head_of(stage, answer.head, tree_size=size + 1))

        with pytest.raises(EntryError, match="older"):
            stage.mine(ahead, log=Old())


class TestContradiction:
    """Two custodians, or one at two times: chains of which neither is the beginning of the other."""

    def test_two_that_agree_are_one_list(self, stage: Stage) -> None:
        assert stage.mine(honest, honest).reads == stage.mine().reads

    def test_one_that_is_behind_agrees(self, stage: Stage) -> None:
        def behind(answer: OpeningsAnswer) -> OpeningsAnswer:
            second = answer.openings[1].outcome.verify(Outcome)
            head = head_of(stage, answer.head, n=2, commitment=second.commitment)
            return OpeningsAnswer(openings=answer.openings[:2], head=head)

        assert len(stage.mine(behind, honest).reads) == READS

    def test_one_that_tells_another_chain_is_found_out(self, stage: Stage) -> None:
        def other(answer: OpeningsAnswer) -> OpeningsAnswer:
            head = head_of(stage, answer.head, n=2, commitment="A" * 43)
            return OpeningsAnswer(openings=answer.openings[:2], head=head)

        with pytest.raises(EntryError, match="contradicts"):
            stage.mine(other, honest)

    def test_a_head_seen_before_must_lie_on_the_chain(self, stage: Stage) -> None:
        head = stage.mine().head
        assert len(stage.mine(seen=[head]).reads) == READS
        for changes in ({"n": READS + 1}, {"commitment": "A" * 43}, {"n": 1}):
            with pytest.raises(EntryError, match="contradicts"):
                stage.mine(seen=[head_of(stage, head, **changes)])

    def test_a_forged_head_of_before_accuses_nobody(self, stage: Stage) -> None:
        head = sign(msgspec.structs.replace(stage.mine().head.verify(Head), n=99), stranger())
        with pytest.raises(EntryError, match="not the custodian's"):
            stage.mine(seen=[head])


class TestOutcome:
    @pytest.mark.parametrize("signer", ["server", "stranger"])
    def test_an_outcome_by_another_key_is_an_error(self, stage: Stage, signer: str) -> None:
        key = stage.world.cast.server if signer == "server" else stranger()

        def lie(answer: OpeningsAnswer) -> OpeningsAnswer:
            first = answer.openings[0]
            changed = msgspec.structs.replace(first, outcome=sign(first.outcome.verify(Outcome), key))
            return msgspec.structs.replace(answer, openings=(changed, *answer.openings[1:]))

        with pytest.raises(EntryError):
            stage.mine(lie)

    @pytest.mark.parametrize("field", ["leaf", "commitment"])
    def test_an_outcome_about_something_else_is_an_error(self, stage: Stage, field: str) -> None:
        def lie(answer: OpeningsAnswer) -> OpeningsAnswer:
            first = answer.openings[0]
            told = msgspec.structs.replace(first.outcome.verify(Outcome), **{field: "A" * 43})
            signed = sign(told, stage.world.cast.custodian.signing)
            changed = msgspec.structs.replace(first, outcome=signed)
            return msgspec.structs.replace(answer, openings=(changed, *answer.openings[1:]))

        with pytest.raises(EntryError, match="something else"):
            stage.mine(lie)


@given(place=st.integers(0, READS - 1), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_changed_bit_in_an_opening_is_an_error(stage: Stage, place: int, at: int, bit: int) -> None:
    def flip(answer: OpeningsAnswer) -> OpeningsAnswer:
        raw = bytearray(octets(answer.openings[place].sealed))
        raw[at % len(raw)] ^= 1 << bit
        changed = list(answer.openings)
        changed[place] = msgspec.structs.replace(changed[place], sealed=encode_bytes(bytes(raw)))
        return msgspec.structs.replace(answer, openings=tuple(changed))

    with pytest.raises(UnderstudyError):
        stage.mine(flip)
