import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.sealing.signing import SigningKey
from understudy.transparency.errors import MalformedError, UntrustedCheckpointError
from understudy.transparency.note import (
    COSIGNATURE,
    MAX_NOTE_BYTES,
    Note,
    NoteSignature,
    VerifierKey,
    cosign_text,
    parse_note,
    parse_signatures,
    sign_text,
)

KEY = SigningKey.from_seed(bytes(range(32)))
LOG = VerifierKey.log("log.example/one", KEY.public)
WITNESS = VerifierKey.witness("witness.example/w", KEY.public)
TEXT = b"first\n\nthird line of the text\n"

# The example of C2SP signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuw"
    "HjG1Yu72IneyaQM=\n"
).encode()


def signed(text: bytes = TEXT) -> Note:
    return Note(text, (sign_text(text, LOG.name, KEY), cosign_text(text, WITNESS.name, KEY, 1_700_000_000)))


def test_the_note_in_the_specification_verifies_with_its_key() -> None:
    key = VerifierKey.from_vkey(SPEC_KEY)
    assert key.vkey == SPEC_KEY
    assert parse_note(SPEC_NOTE).verified(key) == (0,)
    assert parse_note(SPEC_NOTE).to_bytes() == SPEC_NOTE


def test_the_specifications_note_with_another_text_does_not_verify() -> None:
    changed = SPEC_NOTE.replace(b"example message", b"exemple message")
    with pytest.raises(UntrustedCheckpointError):
        parse_note(changed).verified(VerifierKey.from_vkey(SPEC_KEY))


def test_a_note_survives_its_bytes_and_both_signatures_verify() -> None:
    note = parse_note(signed().to_bytes())
    assert note == signed()
    assert note.verified(LOG) == (0,)
    assert note.verified(WITNESS) == (1_700_000_000,)


def test_one_key_has_different_ids_for_different_types_and_names() -> None:
    other = VerifierKey.log("log.example/two", KEY.public)
    as_witness = VerifierKey.witness(LOG.name, KEY.public)
    assert len({LOG.key_id, other.key_id, as_witness.key_id}) == 3


def test_a_log_signature_is_no_cosignature_and_the_other_way_round() -> None:
    line = sign_text(TEXT, LOG.name, KEY)
    posing = NoteSignature(WITNESS.name, WITNESS.key_id, bytes(8) + line.signature)
    with pytest.raises(UntrustedCheckpointError):
        Note(TEXT, (posing,)).verified(WITNESS)
    cosigned = cosign_text(TEXT, WITNESS.name, KEY, 5)
    with pytest.raises(UntrustedCheckpointError):
        Note(TEXT, (NoteSignature(LOG.name, LOG.key_id, cosigned.signature[8:]),)).verified(LOG)


def test_a_cosignature_with_another_time_does_not_verify() -> None:
    line = cosign_text(TEXT, WITNESS.name, KEY, 1_700_000_000)
    later = (1_700_000_060).to_bytes(8, "big") + line.signature[8:]
    with pytest.raises(UntrustedCheckpointError):
        Note(TEXT, (NoteSignature(line.name, line.key_id, later),)).verified(WITNESS)


def test_signatures_by_unknown_keys_are_ignored() -> None:
    stranger = NoteSignature(LOG.name, b"\x00\x00\x00\x01", b"not even a signature")
    namesake = NoteSignature("log.example/other", LOG.key_id, bytes(64))
    note = Note(TEXT, (stranger, namesake, sign_text(TEXT, LOG.name, KEY)))
    assert parse_note(note.to_bytes()).verified(LOG) == (0,)


def test_a_wrong_signature_by_a_known_key_beside_a_right_one_is_an_error() -> None:
    wrong = NoteSignature(LOG.name, LOG.key_id, bytes(64))
    with pytest.raises(UntrustedCheckpointError):
        Note(TEXT, (sign_text(TEXT, LOG.name, KEY), wrong)).verified(LOG)


@pytest.mark.parametrize("time", [0, -1, 2**63])
def test_a_cosignature_needs_a_time(time: int) -> None:
    with pytest.raises(MalformedError):
        cosign_text(TEXT, WITNESS.name, KEY, time)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\n- log.example/one AAAAAAAA\n",
        "text\n\n— log.example/one AAAAAAAA".encode(),
        "text\n\n— log.example/one AAAAAA==\n".encode(),
        "text\n\n— log.example/one AAAAAAA\n".encode(),
        "text\n\n— log.example/one AAAAAAB=\n".encode(),
        "text\n\n— log.example/one\n".encode(),
        "text\n\n—  AAAAAAAA\n".encode(),
        "text\n\n— a+b AAAAAAAA\n".encode(),
        "text\n\n— a\u2003b AAAAAAAA\n".encode(),
        "te\rxt\n\n— a AAAAAAAA\n".encode(),
        "te\x00xt\n\n— a AAAAAAAA\n".encode(),
        b"te\xffxt\n\n" + "— a AAAAAAAA\n".encode(),
        b"text\n\n" + "— a".encode() + b"\xff AAAAAAAA\n",
        "text\n\n— a AAAAAAAA extra\n".encode(),
        "text\n\n— a AAAAAAAA\n\n".encode(),
        "— a AAAAAAAA\n".encode(),
    ],
)
def test_what_is_no_note_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_note(raw)


def test_sixty_four_signatures_are_read_and_one_more_is_refused() -> None:
    line = NoteSignature("a", b"\x01\x02\x03\x04", b"x")
    assert len(parse_note(Note(TEXT, (line,) * 64).to_bytes()).signatures) == 64
    with pytest.raises(MalformedError):
        parse_note(Note(TEXT, (line,) * 65).to_bytes())


def test_an_oversized_note_is_refused() -> None:
    text = b"x" * MAX_NOTE_BYTES + b"\n"
    with pytest.raises(MalformedError):
        parse_note(Note(text, (sign_text(text, LOG.name, KEY),)).to_bytes())


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a",
        "a+b",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("example.com/foo", "example.com/fop"),
        SPEC_KEY[:-4],
        SPEC_KEY + "=",
        "example.com/foo+530d903a+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "exa mple+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedError):
        VerifierKey.from_vkey(vkey)


def test_verifier_keys_survive_their_spelling() -> None:
    assert VerifierKey.from_vkey(WITNESS.vkey) == WITNESS
    assert VerifierKey.from_vkey(WITNESS.vkey).algorithm == COSIGNATURE


@pytest.mark.parametrize("public", ["", "AA", "not base64!"])
def test_what_is_no_public_key_makes_no_verifier(public: str) -> None:
    with pytest.raises(MalformedError):
        VerifierKey.log("log.example/one", public)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_in_its_only_spelling_or_refused(raw: bytes) -> None:
    try:
        note = parse_note(raw)
    except MalformedError:
        return
    assert note.to_bytes() == raw


@given(st.data())
def test_a_damaged_note_is_refused_or_no_longer_verifies(data: st.DataObject) -> None:
    raw = bytearray(signed().to_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        note = parse_note(bytes(raw))
        times = (note.verified(LOG), note.verified(WITNESS))
    except (MalformedError, UntrustedCheckpointError):
        return
    # A flip in a name or key id makes one of the two a stranger's signature; the other still holds.
    assert note.text == TEXT
    assert times in {((0,), ()), ((), (1_700_000_000,))}


@given(st.integers(0, 400))
def test_a_truncated_note_is_refused_or_lacks_a_signature(length: int) -> None:
    raw = signed().to_bytes()
    if length >= len(raw):
        return
    try:
        note = parse_note(raw[:length])
    except MalformedError:
        return
    assert note.signatures == signed().signatures[:1]


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b/c", "é"]), st.binary(min_size=1, max_size=80)), min_size=1)
)
def test_signature_lines_survive_their_bytes(lines: list[tuple[str, bytes]]) -> None:
    made = tuple(NoteSignature(name, b"\x00\x01\x02\x03", raw) for name, raw in lines[:64])
    assert parse_signatures(b"".join(line.to_bytes() for line in made)) == made
