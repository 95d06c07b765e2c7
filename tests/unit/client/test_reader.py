"""The reader decrypts nothing before the entry is proved, and says whose half was wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import stranger
from tests.lines import between
from tests.simulator import Simulator
from tests.unit.client.stage import Stage
from understudy.client.errors import EntryError
from understudy.consent.errors import RefusedError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.contract.messages import OpenAnswer, OpenCall, SegmentEntry
from understudy.custody.head import ReleaseReply
from understudy.sealing.canonical import octets
from understudy.sealing.errors import HalfError, SealError
from understudy.sealing.half import Half
from understudy.sealing.header import SegmentHeader
from understudy.sealing.hpke import HpkePrivateKey, HpkePublicKey
from understudy.sealing.release import ReleaseContext, seal_halves
from understudy.sealing.signing import Signed, SigningKey, sign
from understudy.transparency.leaves import decode_leaf, encode_leaf, leaf_digest


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One programme for the whole file; tests change answers, not what is stored."""
    with Simulator(Path(tmp_path_factory.mktemp("stage")) / "world") as world:
        yield Stage(world)


def replies(answer: OpenAnswer) -> dict[str, Signed]:
    return {reply.verify(ReleaseReply).role: reply for reply in answer.replies}


def with_replies(answer: OpenAnswer, **changed: Signed) -> OpenAnswer:
    return msgspec.structs.replace(answer, replies=tuple({**replies(answer), **changed}.values()))


def resigned(reply: Signed, key: SigningKey, **changes: Any) -> Signed:
    return sign(msgspec.structs.replace(reply.verify(ReleaseReply), **changes), key)


class TestOpening:
    def test_every_byte_comes_back(self, stage: Stage) -> None:
        assert stage.read_with() == stage.payloads

    def test_every_request_has_its_own_key(self, stage: Stage) -> None:
        seen: list[OpenCall] = []

        def note(call: OpenCall) -> OpenAnswer:
            seen.append(call)
            return stage.world.port.open(call)

        for _ in range(2):
            stage.read_with(open=note)
        keys = [msgspec.json.decode(call.request.raw)["reader_key"] for call in seen]
        assert len(set(keys)) == 2

    def test_segments_are_asked_for_once_each_in_order(self, stage: Stage) -> None:
        reader = stage.world.reader()
        twice = [*stage.segments[::-1], *stage.segments]
        halves = reader.obtain_halves(stage.grant, stage.world.reason, twice)
        assert tuple(halves) == stage.segments

    def test_a_refusal_keeps_its_reason(self, stage: Stage) -> None:
        with pytest.raises(RefusedError) as caught:
            stage.world.reader("researcher").obtain_halves(stage.grant, stage.world.reason, stage.segments)
        assert caught.value.reason


class TestEntry:
    def test_a_leaf_of_another_request_is_refused(self, stage: Stage) -> None:
        others: list[OpenAnswer] = []

        def note(answer: OpenAnswer) -> OpenAnswer:
            others.append(answer)
            return answer

        stage.open_with(note)
        with pytest.raises(EntryError, match="not for this request"):
            stage.open_with(lambda _: others[0])

    @pytest.mark.parametrize(
        "changes",
        [{"purpose": "evaluate"}, {"not_after": 1}, {"participants": 2}, {"root": "A" * 43}, {"object": "x"}],
    )
    def test_a_leaf_that_says_something_else_is_not_in_the_tree(
        self, stage: Stage, changes: dict[str, Any]
    ) -> None:
        def forge(answer: OpenAnswer) -> OpenAnswer:
            leaf = msgspec.structs.replace(decode_leaf(octets(answer.leaf)), **changes)
            return msgspec.structs.replace(answer, leaf=encode_bytes(encode_leaf(leaf)))

        with pytest.raises(UnderstudyError):
            stage.open_with(forge)

    @pytest.mark.parametrize("field", ["grant", "request", "reader_key", "actor"])
    def test_a_leaf_that_names_others_is_refused(self, stage: Stage, field: str) -> None:
        def forge(answer: OpenAnswer) -> OpenAnswer:
            leaf = msgspec.structs.replace(decode_leaf(octets(answer.leaf)), **{field: "A" * 43})
            return msgspec.structs.replace(answer, leaf=encode_bytes(encode_leaf(leaf)))

        with pytest.raises(EntryError, match="not for this request"):
            stage.open_with(forge)

    def test_a_leaf_of_another_kind_is_refused(self, stage: Stage) -> None:
        leaf = stage.world.server.log.store.entry(0) or b""
        with pytest.raises(EntryError):
            stage.open_with(lambda answer: msgspec.structs.replace(answer, leaf=encode_bytes(leaf)))

    @pytest.mark.parametrize("offset", [-1, 1])
    def test_another_index_is_refused(self, stage: Stage, offset: int) -> None:
        with pytest.raises(UnderstudyError):
            stage.open_with(lambda answer: msgspec.structs.replace(answer, index=answer.index + offset))

    @pytest.mark.parametrize("other", ["shorter", "cut", "longer", "none"])
    def test_another_path_is_refused(self, stage: Stage, other: str) -> None:
        def forge(answer: OpenAnswer) -> OpenAnswer:
            path = answer.path
            paths = {"shorter": path[1:], "cut": path[:-1], "longer": (*path, "A" * 43), "none": ()}
            return msgspec.structs.replace(answer, path=paths[other])

        with pytest.raises(UnderstudyError):
            stage.open_with(forge)

    def test_an_older_checkpoint_does_not_hold_the_entry(self, stage: Stage) -> None:
        old = encode_bytes(stage.world.server.checkpoint())
        with pytest.raises(UnderstudyError):
            stage.open_with(lambda answer: msgspec.structs.replace(answer, checkpoint=old))

    def test_a_checkpoint_without_its_cosignature_is_refused(self, stage: Stage) -> None:
        def strip(answer: OpenAnswer) -> OpenAnswer:
            note = octets(answer.checkpoint)
            text, _, signatures = note.partition(b"\n\n")
            log = signatures.splitlines(keepends=True)[0]
            return msgspec.structs.replace(answer, checkpoint=encode_bytes(text + b"\n\n" + log))

        with pytest.raises(UnderstudyError):
            stage.open_with(strip)

    @given(
        field=st.sampled_from(["leaf", "checkpoint", "path", "replies"]),
        which=st.integers(0, 63),
        at=st.integers(0, 10_000),
        bit=st.integers(0, 7),
    )
    def test_one_changed_bit_anywhere_is_an_error(
        self, stage: Stage, field: str, which: int, at: int, bit: int
    ) -> None:
        """Of leaf, path, checkpoint and replies; heads are for whoever keeps them."""

        def flip(answer: OpenAnswer) -> OpenAnswer:
            if field in {"leaf", "checkpoint"}:
                return msgspec.structs.replace(answer, **{field: _flipped(getattr(answer, field), at, bit)})
            parts = list(getattr(answer, field))
            place = which % len(parts)
            if field == "path":
                parts[place] = _flipped(parts[place], at, bit)
            else:
                body = _flipped(parts[place].body, at, bit)
                parts[place] = msgspec.structs.replace(parts[place], body=body)
            return msgspec.structs.replace(answer, **{field: tuple(parts)})

        with pytest.raises(UnderstudyError):
            stage.open_with(flip)


class TestReplies:
    @pytest.mark.parametrize("role", ["p", "c"])
    def test_a_missing_reply_names_its_holder(self, stage: Stage, role: str) -> None:
        def drop(answer: OpenAnswer) -> OpenAnswer:
            kept = [reply for name, reply in replies(answer).items() if name != role]
            return msgspec.structs.replace(answer, replies=(*kept, *kept))

        with pytest.raises(EntryError, match=f"no {role} half"):
            stage.open_with(drop)

    @pytest.mark.parametrize("role", ["p", "c"])
    @pytest.mark.parametrize("signer", ["stranger", "other holder", "log"])
    def test_a_reply_by_another_key_is_refused(self, stage: Stage, role: str, signer: str) -> None:
        cast = stage.world.cast
        other = cast.custodian.signing if role == "p" else cast.server
        key = {"stranger": stranger(), "other holder": other, "log": cast.checkpoint}[signer]
        with pytest.raises(EntryError, match=f"the {role} reply"):
            stage.open_with(
                lambda answer: with_replies(answer, **{role: resigned(replies(answer)[role], key)})
            )

    @pytest.mark.parametrize("field", ["leaf", "request"])
    def test_a_reply_for_another_entry_is_refused(self, stage: Stage, field: str) -> None:
        key = stage.world.cast.server
        with pytest.raises(EntryError, match="another entry"):
            stage.open_with(
                lambda answer: with_replies(
                    answer, p=resigned(replies(answer)["p"], key, **{field: "A" * 43})
                )
            )

    def test_the_brokers_half_in_the_custodians_place_is_refused(self, stage: Stage) -> None:
        """The broker alone cannot give both."""
        key = stage.world.cast.server
        with pytest.raises(UnderstudyError):
            stage.open_with(
                lambda answer: with_replies(answer, c=resigned(replies(answer)["p"], key, role="c"))
            )

    def test_a_message_sealed_to_another_key_is_refused(self, stage: Stage) -> None:
        def forge(answer: OpenAnswer) -> OpenAnswer:
            public = HpkePrivateKey.generate().public
            return _p_sealed_anew(stage, answer, public, {name: bytes(32) for name in stage.segments})

        with pytest.raises(SealError):
            stage.open_with(forge)

    def test_a_segment_left_out_of_a_reply_names_its_holder(self, stage: Stage) -> None:
        with pytest.raises(EntryError, match="no p half"):
            self.with_p_halves(stage, {stage.segments[0]: bytes(32)})

    def with_p_halves(self, stage: Stage, halves: dict[str, bytes]) -> dict[str, tuple[Half, Half]]:
        """Open through a broker that sends these halves, correctly sealed and signed."""
        calls: list[OpenCall] = []

        def forged(call: OpenCall) -> OpenAnswer:
            calls.append(call)
            key = HpkePublicKey.from_text(msgspec.json.decode(call.request.raw)["reader_key"])
            return _p_sealed_anew(stage, stage.world.port.open(call), key, halves)

        reader = stage.world.reader(port=between(stage.world.port, open=forged))
        return reader.obtain_halves(stage.grant, stage.world.reason, stage.segments)


class TestContents:
    def test_a_wrong_half_names_who_sent_it(self, stage: Stage) -> None:
        def forged(call: OpenCall) -> OpenAnswer:
            key = HpkePublicKey.from_text(msgspec.json.decode(call.request.raw)["reader_key"])
            halves = {name: bytes([number]) * 32 for number, name in enumerate(stage.segments)}
            return _p_sealed_anew(stage, stage.world.port.open(call), key, halves)

        with pytest.raises(HalfError) as caught:
            stage.read_with(open=forged)
        assert caught.value.role == "p"

    def test_halves_swapped_between_segments_are_noticed(self, stage: Stage) -> None:
        def swapped(call: OpenCall) -> OpenAnswer:
            key = HpkePublicKey.from_text(msgspec.json.decode(call.request.raw)["reader_key"])
            halves = stage.world.server.vault.open_halves(
                list(stage.world.server.vault.headers(list(stage.segments)).values())
            )
            first, second = (bytes(halves[name].raw) for name in stage.segments)
            mixed = dict(zip(stage.segments, (second, first), strict=True))
            return _p_sealed_anew(stage, stage.world.port.open(call), key, mixed)

        with pytest.raises(HalfError):
            stage.read_with(open=swapped)

    def test_headers_swapped_between_segments_are_noticed(self, stage: Stage) -> None:
        entries = stage.world.entries(stage.grant)
        first, second = entries
        mixed = [
            msgspec.structs.replace(first, header=second.header),
            msgspec.structs.replace(second, header=first.header),
        ]
        with pytest.raises((HalfError, SealError)):
            self.read(stage, mixed)

    def test_a_header_that_somebody_else_signed_opens_nothing(self, stage: Stage) -> None:
        """A broker that writes its own header still lacks a key made with the custodian's half."""
        entry = stage.world.entries(stage.grant)[0]
        header = entry.header.verify(SegmentHeader)
        mine = stranger("device")
        forged = sign(msgspec.structs.replace(header, device=mine.public, ciphertext_hash="A" * 43), mine)
        with pytest.raises(SealError):
            self.read(stage, [msgspec.structs.replace(entry, header=forged)])

    @pytest.mark.parametrize("other", ["shorter", "longer", "none", "backwards"])
    def test_another_ciphertext_is_refused(self, stage: Stage, other: str) -> None:
        def fetch(segment: str, key: SigningKey, *, grant: str = "") -> bytes:
            raw = stage.world.port.ciphertext(segment, key, grant=grant)
            return {"shorter": raw[:-1], "longer": raw + b"x", "none": b"", "backwards": raw[::-1]}[other]

        with pytest.raises(SealError):
            stage.read_with(ciphertext=fetch)

    def read(self, stage: Stage, entries: list[SegmentEntry]) -> dict[str, bytes]:
        return dict(stage.world.reader().open(stage.grant, stage.world.reason, entries))


def _p_sealed_anew(
    stage: Stage, answer: OpenAnswer, key: HpkePublicKey, halves: dict[str, bytes]
) -> OpenAnswer:
    """Return the answer with other halves in the broker's own reply, sealed and signed as it should be."""
    told = replies(answer)["p"].verify(ReleaseReply)
    context = ReleaseContext(role="p", leaf=leaf_digest(octets(answer.leaf)), request=told.request)
    sealed = seal_halves(context, {name: Half("p", raw) for name, raw in halves.items()}, key)
    changed = msgspec.structs.replace(told, sealed=encode_bytes(sealed))
    return with_replies(answer, p=sign(changed, stage.world.cast.server))


def _flipped(text: str, at: int, bit: int) -> str:
    raw = bytearray(octets(text))
    raw[at % len(raw)] ^= 1 << bit
    return encode_bytes(bytes(raw))
