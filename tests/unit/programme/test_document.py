"""A programme document is what everybody it names has signed; its successor, what they have signed too."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.cast import LIFT, RECOVERY, ROLES, STARTED_AT, Cast, stranger
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import Profile, ProgrammeDocument
from understudy.consent.purposes import Purpose
from understudy.consent.succession import Succession
from understudy.programme.document import (
    MAX_TERMS_BYTES,
    from_toml,
    read_terms,
    required_signers,
    verify_document,
    verify_successor,
)
from understudy.programme.errors import DocumentError, SuccessionError, TermsFileError
from understudy.sealing.canonical import canonical
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, document_hash, sign

CAST = Cast()
FIRST = CAST.document()
SIGNED = CAST.signed_document()
EVERYBODY = (
    CAST.server,
    CAST.escrow_issuer,
    CAST.log,
    CAST.witness,
    CAST.custodian.signing,
    *(CAST.person(name) for name in ROLES),
)
OLD_SIGNERS = (
    CAST.person("steward"),
    CAST.person("approver-1"),
    CAST.person("approver-2"),
    CAST.custodian.signing,
)

TERMS_FILE = """
profile = "embedded"

[terms]
title = "Synthetic programme"
notice = "Nobody is recorded here."
contact = "steward@understudy.example"
purposes = ["train"]
streams = ["elements"]

[[terms.application_groups]]
name = "forms"
sites = ["forms.understudy.example"]

[delays]
hold_seconds = 60
"""


def successor(**changes: object) -> ProgrammeDocument:
    fields: dict[str, object] = {"number": 2, "previous": document_hash(FIRST), "made_at": STARTED_AT + 60}
    return replace(FIRST, **(fields | changes))


def recovered() -> ProgrammeDocument:
    log = replace(FIRST.key_set.log, epoch=2, checkpoint=stranger("new log").public)
    return successor(key_set=replace(FIRST.key_set, log=log))


def succession(document: ProgrammeDocument, /, *signers: str, **changes: object) -> Signed:
    word = Succession(
        programme=FIRST.programme,
        previous=document_hash(FIRST),
        document=document_hash(document),
        log_epoch=document.key_set.log.epoch,
        reason="the log key was lost",
        made_at=STARTED_AT + 60,
    )
    return sign(replace(word, **changes), *(CAST.person(name) for name in signers or RECOVERY[:2]))


def test_document_1_is_taken_when_everybody_signed() -> None:
    assert verify_document(SIGNED) == FIRST
    assert verify_document(SIGNED, document_hash(FIRST)) == FIRST
    assert required_signers(FIRST) == SIGNED.signers


@pytest.mark.parametrize("place", range(len(EVERYBODY)))
def test_document_1_lacks_nobodys_signature(place: int) -> None:
    missing = EVERYBODY[place].public
    signatures = tuple(signature for signature in SIGNED.signatures if signature.key != missing)
    with pytest.raises(SignatureError, match="lacks the signature of"):
        verify_document(replace(SIGNED, signatures=signatures))


def test_nobody_else_signs_it() -> None:
    with pytest.raises(DocumentError, match="a key that it does not name"):
        verify_document(SIGNED.with_signature(ProgrammeDocument, stranger()))


def test_another_document_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(DocumentError, match="not the document that was pinned"):
        verify_document(SIGNED, "A" * 43)


def test_a_document_that_breaks_a_rule_is_refused_however_many_signed() -> None:
    broken = replace(FIRST, terms=replace(FIRST.terms, purposes=(Purpose.OWN,)))
    with pytest.raises(DocumentError) as caught:
        verify_document(sign(broken, *EVERYBODY))
    assert len(caught.value.problems) == 1


def test_a_later_document_never_stands_alone_unpinned() -> None:
    later = sign(successor(), *EVERYBODY)
    with pytest.raises(DocumentError, match="predecessor, or pinned"):
        verify_document(later)
    assert verify_document(later, document_hash(successor())).number == 2


def test_a_document_too_large_for_the_log_is_refused() -> None:
    sites = tuple(f"{'x' * 190}{number}" for number in range(300))
    group = replace(FIRST.terms.application_groups[0], sites=sites)
    large = replace(FIRST, terms=replace(FIRST.terms, application_groups=(group,)))
    with pytest.raises(DocumentError, match="too large for a log entry"):
        verify_document(sign(large, *EVERYBODY))


def test_a_normal_successor_needs_steward_two_members_and_the_custodian() -> None:
    document = successor(terms=replace(FIRST.terms, retention_days=30))
    assert verify_successor(FIRST, sign(document, *OLD_SIGNERS)) == document
    for left_out in range(len(OLD_SIGNERS)):
        fewer = OLD_SIGNERS[:left_out] + OLD_SIGNERS[left_out + 1 :]
        with pytest.raises(SignatureError):
            verify_successor(FIRST, sign(document, *fewer))


def test_new_keys_sign_a_successor_too() -> None:
    added = replace(
        FIRST.roster[1],
        name="approver-4",
        credential=replace(FIRST.roster[1].credential, public_key=stranger().public),
    )
    document = successor(roster=(*FIRST.roster, added))
    with pytest.raises(SignatureError, match="new roster member approver-4"):
        verify_successor(FIRST, sign(document, *OLD_SIGNERS))
    assert verify_successor(FIRST, sign(document, *OLD_SIGNERS, stranger())) == document


def test_a_strangers_signature_spoils_a_successor() -> None:
    with pytest.raises(DocumentError, match="neither document names"):
        verify_successor(FIRST, sign(successor(), *OLD_SIGNERS, stranger()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"number": 3}, "number is 3"),
        ({"previous": "A" * 43}, "does not name the document in force"),
        ({"programme": "prg_" + "B" * 21 + "A"}, "another programme"),
        ({"made_at": STARTED_AT - 1}, "made before"),
    ],
)
def test_a_successor_follows_in_order(change: dict[str, object], told: str) -> None:
    with pytest.raises(SuccessionError, match=told):
        verify_successor(FIRST, sign(successor(**change), *EVERYBODY))


def test_epochs_never_go_down() -> None:
    high = replace(FIRST.key_set, custodians=(replace(FIRST.key_set.custodians[0], epoch=3),))
    before = replace(FIRST, key_set=high)
    document = successor(previous=document_hash(before))
    with pytest.raises(SuccessionError, match="epoch of custodian first goes down"):
        verify_successor(before, sign(document, *EVERYBODY))
    log = replace(FIRST, key_set=replace(FIRST.key_set, log=replace(FIRST.key_set.log, epoch=2)))
    with pytest.raises(SuccessionError, match="an epoch goes down"):
        verify_successor(log, sign(successor(previous=document_hash(log)), *EVERYBODY))


def test_production_is_not_left() -> None:
    before = replace(FIRST, profile=Profile.PRODUCTION)
    document = successor(previous=document_hash(before))
    with pytest.raises(SuccessionError, match="stays in it"):
        verify_successor(before, sign(document, *EVERYBODY))


def test_recovery_keys_name_a_successor_with_a_new_log_epoch() -> None:
    document = recovered()
    assert verify_successor(FIRST, sign(document, *EVERYBODY), succession(document)) == document


@pytest.mark.parametrize(
    ("signers", "changes", "told"),
    [
        (RECOVERY[:1], {}, "needs 2 recovery keys"),
        (("recovery-1", "steward"), {}, "recovery keys only"),
        (LIFT, {}, "recovery keys only"),
        (RECOVERY, {"document": "A" * 43}, "names other documents"),
        (RECOVERY, {"previous": "A" * 43}, "names other documents"),
        (RECOVERY, {"log_epoch": 3}, "new log epoch"),
    ],
)
def test_recovery_keys_do_one_thing_only(
    signers: tuple[str, ...], changes: dict[str, object], told: str
) -> None:
    document = recovered()
    with pytest.raises(SuccessionError, match=told):
        verify_successor(FIRST, sign(document, *EVERYBODY), succession(document, *signers, **changes))


def test_a_recovered_successor_in_the_old_log_epoch_is_refused() -> None:
    with pytest.raises(SuccessionError, match="new log epoch"):
        verify_successor(FIRST, sign(successor(), *EVERYBODY), succession(successor()))


def test_a_recovered_successor_is_signed_by_everyparty_it_names() -> None:
    document = recovered()
    with pytest.raises(SignatureError, match="lacks the signature of"):
        verify_successor(FIRST, sign(document, *EVERYBODY[1:]), succession(document))


def test_a_terms_file_becomes_a_document() -> None:
    document = from_toml(
        TERMS_FILE,
        programme=FIRST.programme,
        roster=FIRST.roster,
        key_set=FIRST.key_set,
        recovery_keys=FIRST.recovery.keys,
        lift_keys=FIRST.lift.keys,
        made_at=STARTED_AT,
    )
    assert (document.number, document.previous, document.delays.hold_seconds) == (1, None, 60)
    assert verify_document(sign(document, *EVERYBODY)) == document
    following = from_toml(
        TERMS_FILE,
        programme=FIRST.programme,
        roster=FIRST.roster,
        key_set=FIRST.key_set,
        recovery_keys=FIRST.recovery.keys,
        lift_keys=FIRST.lift.keys,
        made_at=STARTED_AT,
        previous=document,
    )
    assert (following.number, following.previous) == (2, document_hash(document))


def test_a_terms_file_is_production_unless_it_says_otherwise() -> None:
    with pytest.raises(DocumentError, match="profile production"):
        from_toml(
            TERMS_FILE.replace('profile = "embedded"', ""),
            programme=FIRST.programme,
            roster=FIRST.roster,
            key_set=FIRST.key_set,
            recovery_keys=FIRST.recovery.keys,
            lift_keys=FIRST.lift.keys,
            made_at=STARTED_AT,
        )


@pytest.mark.parametrize(
    "text",
    [
        TERMS_FILE.replace('["train"]', '["performance"]'),
        TERMS_FILE.replace('["train"]', '["train", "pay"]'),
        TERMS_FILE.replace("hold_seconds", "hold_second"),
        TERMS_FILE + "\nextra = 1",
        TERMS_FILE.replace('title = "Synthetic programme"', ""),
        TERMS_FILE + '\n[[roster]]\nname = "mallory"',
        "a = ",
        "#" * (MAX_TERMS_BYTES + 1),
        "a = " + "[" * 3_000,
    ],
)
def test_a_terms_file_holds_nothing_foreign(text: str) -> None:
    with pytest.raises(TermsFileError):
        read_terms(text)


@given(st.text(max_size=400))
def test_any_text_is_terms_or_a_typed_error(text: str) -> None:
    with pytest.raises(TermsFileError):
        read_terms(text)


@given(st.integers(0, len(TERMS_FILE) - 1), st.characters(codec="utf-8"))
def test_a_terms_file_with_one_slip_is_terms_or_a_typed_error(place: int, character: str) -> None:
    with contextlib.suppress(TermsFileError):
        read_terms(TERMS_FILE[:place] + character + TERMS_FILE[place + 1 :])


@given(st.data())
def test_damaged_bytes_are_never_a_document(data: st.DataObject) -> None:
    raw = SIGNED.raw
    kind = data.draw(st.sampled_from(["cut", "flip", "twice", "unknown"]))
    if kind == "cut":
        damaged = raw[: data.draw(st.integers(0, len(raw) - 1))]
    elif kind == "flip":
        place, bit = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, 7))
        damaged = raw[:place] + bytes([raw[place] ^ 1 << bit]) + raw[place + 1 :]
    elif kind == "twice":
        damaged = raw[:-1] + b"," + raw[1:]
    else:
        damaged = canonical(FIRST).replace(b'"version":1}', b'"version":1,"zeal":1}')
    with pytest.raises((SignatureError, FormatError)):
        verify_document(Signed(body=encode_bytes(damaged), signatures=SIGNED.signatures))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":1', b'"version":2'),
        (b'"number":1', b'"number":1,"x":1'),
        (b'"profile":"embedded"', b'"profile":"covert"'),
    ],
)
def test_an_unknown_version_field_or_profile_is_refused_even_signed(old: bytes, new: bytes) -> None:
    raw = canonical(FIRST).replace(old, new)
    assert raw != canonical(FIRST)
    context = ProgrammeDocument.CONTEXT
    signatures = tuple(
        msgspec.structs.replace(signature, key=key.public, signature=key.sign_bytes(context, raw))
        for signature, key in zip(SIGNED.signatures, EVERYBODY, strict=True)
    )
    with pytest.raises(FormatError):
        verify_document(Signed(body=encode_bytes(raw), signatures=signatures))
