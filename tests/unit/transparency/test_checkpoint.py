import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import (
    Checkpoint,
    CosignedCheckpoint,
    add_cosignatures,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from understudy.transparency.errors import (
    CheckpointError,
    MalformedError,
    QuorumError,
    UntrustedCheckpointError,
)
from understudy.transparency.merkle import EMPTY_ROOT
from understudy.transparency.note import Note, NoteSignature, VerifierKey, cosign_text, parse_note, sign_text

ORIGIN = "log.example/one"
LOG = SigningKey.from_seed(bytes([1]) * 32)
LOG_KEY = VerifierKey.log(ORIGIN, LOG.public)
WITNESSES = [SigningKey.from_seed(bytes([2 + place]) * 32) for place in range(3)]
WITNESS_KEYS = [
    VerifierKey.witness(f"witness.example/{place}", key.public) for place, key in enumerate(WITNESSES)
]
TREE = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))


def cosigned(*times: int, tree: Checkpoint = TREE, log: SigningKey = LOG) -> bytes:
    note = sign_checkpoint(tree, log)
    lines = [
        cosign_text(tree.text, key.name, witness, time)
        for key, witness, time in zip(WITNESS_KEYS, WITNESSES, times, strict=False)
    ]
    return add_cosignatures(note, *lines)


def verify(note: bytes, quorum: int = 2) -> CosignedCheckpoint:
    return verify_checkpoint(note, log_key=LOG_KEY, witnesses=WITNESS_KEYS, quorum=quorum)


def test_the_checkpoint_in_the_specification_reads_as_it_says() -> None:
    text = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    tree = parse_checkpoint(text)
    assert (tree.origin, tree.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert tree.text == text


def test_a_checkpoint_signed_by_the_log_and_a_quorum_is_believed() -> None:
    believed = verify(cosigned(100, 200))
    assert believed.checkpoint == TREE
    assert dict(believed.cosignatures) == {"witness.example/0": 100, "witness.example/1": 200}


def test_too_few_cosignatures_are_refused() -> None:
    with pytest.raises(QuorumError):
        verify(cosigned(100))


def test_one_witness_twice_is_one_witness() -> None:
    first = cosign_text(TREE.text, WITNESS_KEYS[0].name, WITNESSES[0], 100)
    again = cosign_text(TREE.text, WITNESS_KEYS[0].name, WITNESSES[0], 160)
    note = add_cosignatures(sign_checkpoint(TREE, LOG), first, again)
    with pytest.raises(QuorumError):
        verify(note)
    assert verify(note, quorum=1).cosignatures["witness.example/0"] == 160


def test_a_strangers_cosignature_does_not_count() -> None:
    stranger = SigningKey.from_seed(bytes([99]) * 32)
    line = cosign_text(TREE.text, WITNESS_KEYS[1].name, stranger, 100)
    with pytest.raises(QuorumError):
        verify(add_cosignatures(cosigned(100), line))


def test_a_wrong_cosignature_of_a_known_witness_refuses_the_whole() -> None:
    wrong = NoteSignature(WITNESS_KEYS[2].name, WITNESS_KEYS[2].key_id, bytes(72))
    with pytest.raises(UntrustedCheckpointError):
        verify(add_cosignatures(cosigned(100, 100), wrong))


def test_a_checkpoint_without_the_logs_signature_is_refused() -> None:
    lines = parse_note(cosigned(100, 100)).signatures[1:]
    with pytest.raises(UntrustedCheckpointError):
        verify(Note(TREE.text, lines).to_bytes())


def test_another_logs_checkpoint_is_refused_even_if_our_key_signed_it() -> None:
    other = Checkpoint("log.example/other", 3, bytes(32))
    note = Note(other.text, (sign_text(other.text, ORIGIN, LOG),)).to_bytes()
    with pytest.raises(UntrustedCheckpointError):
        verify(note, quorum=0)


def test_another_key_under_the_logs_name_is_refused() -> None:
    with pytest.raises(UntrustedCheckpointError):
        verify(cosigned(100, 100, log=SigningKey.from_seed(bytes([77]) * 32)))


def test_an_empty_log_with_another_root_is_refused() -> None:
    with pytest.raises(MalformedError):
        verify(cosigned(1, 1, tree=Checkpoint(ORIGIN, 0, bytes(32))))
    assert verify(cosigned(1, 1, tree=Checkpoint(ORIGIN, 0, EMPTY_ROOT))).checkpoint.size == 0


@pytest.mark.parametrize(
    ("times", "quorum", "expected"),
    [((100, 300, 200), 1, 300), ((100, 300, 200), 2, 200), ((100, 300, 200), 3, 100), ((100,), 1, 100)],
)
def test_freshness_is_the_time_by_which_a_quorum_had_cosigned(
    times: tuple[int, ...], quorum: int, expected: int
) -> None:
    assert verify(cosigned(*times), quorum=quorum).newest_quorum_time == expected


def test_without_a_quorum_nothing_is_ever_fresh() -> None:
    assert CosignedCheckpoint(TREE, b"", {}, 1).newest_quorum_time == 0
    assert CosignedCheckpoint(TREE, b"", {"a": 9}, 0).newest_quorum_time == 0


@pytest.mark.parametrize("quorum", [-1, 4])
def test_a_policy_that_cannot_be_met_is_an_error(quorum: int) -> None:
    with pytest.raises(QuorumError):
        verify(cosigned(1, 1, 1), quorum=quorum)


def test_one_key_under_two_names_is_no_policy() -> None:
    twice = [WITNESS_KEYS[0], VerifierKey.witness("witness.example/alias", WITNESSES[0].public)]
    for witnesses in (twice, [WITNESS_KEYS[0]] * 2, [VerifierKey.witness("w", LOG.public)], [LOG_KEY]):
        with pytest.raises(QuorumError):
            verify_checkpoint(cosigned(1), log_key=LOG_KEY, witnesses=witnesses, quorum=1)


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\nextension\n",
        f"\n1\n{ROOT}\n",
        f"a b\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n1 \n{ROOT}\n",
        f"a\n\u0661\n{ROOT}\n",
        f"a\n{2**53}\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"a\n1\n{ROOT.replace('A=', 'B=')}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse_checkpoint(text.encode())


@given(st.integers(0, 2**53 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_survive_their_text(size: int, root: bytes) -> None:
    tree = Checkpoint(ORIGIN, size, root)
    assert parse_checkpoint(tree.text) == tree


@given(st.binary(max_size=120))
def test_any_text_is_a_checkpoint_in_its_only_spelling_or_refused(text: bytes) -> None:
    try:
        tree = parse_checkpoint(text)
    except MalformedError:
        return
    assert tree.text == text


@given(st.data())
def test_a_checkpoint_with_one_bit_flipped_is_never_believed_as_another(data: st.DataObject) -> None:
    raw = bytearray(cosigned(100, 200, 300))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        believed = verify(bytes(raw), quorum=2)
    except (MalformedError, CheckpointError):
        return
    assert believed.checkpoint == TREE
