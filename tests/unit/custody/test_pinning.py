"""What a custodian pins: one document, signed by everybody, by a hash that the server cannot choose."""

from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import (
    SIGNERS,
    World,
    credential,
    custodian_keys,
    hpke,
    key,
    key_set,
    programme_document,
    sign_raw,
    signed_document,
)
from understudy.consent.credentials import WebAuthnCredential
from understudy.consent.keyset import WitnessKey
from understudy.consent.programme import Delays, Profile, ProgrammeDocument, Role, RosterMember, Threshold
from understudy.consent.purposes import Purpose
from understudy.custody.custodian import Custodian
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.store import Store
from understudy.sealing.errors import FormatError
from understudy.sealing.signing import Signed, document_hash, sign


def pin(world: World, signed: Signed) -> None:
    world.custodian.pin(signed, signed.hash(ProgrammeDocument))


def changed(**fields: Any) -> Signed:
    return signed_document(programme_document(**fields))


def refusal(world: World, signed: Signed, expected: str | None = None) -> CustodyRefusedError:
    with pytest.raises(CustodyRefusedError) as caught:
        world.custodian.pin(signed, expected or signed.hash(ProgrammeDocument))
    assert not world.custodian.is_pinned
    return caught.value


def test_nothing_works_before_a_document_is_pinned(empty: World) -> None:
    calls = (
        empty.custodian.document,
        lambda: empty.custodian.head("A" * 43),
        lambda: empty.custodian.statements(("A" * 43,)),
        empty.custodian.sync,
        lambda: empty.custodian.enrol(empty.document),
    )
    for call in calls:
        with pytest.raises(CustodyRefusedError, match="not-pinned"):
            call()
    assert empty.custodian.identity().document is None


def test_a_pinned_document_survives_a_restart_and_shows_its_fingerprint(empty: World) -> None:
    pin(empty, empty.document)
    custodian = empty.reopen()
    identity = custodian.identity()
    assert identity.document == empty.document.hash(ProgrammeDocument)
    assert identity.key_set == document_hash(key_set())
    assert identity.keys == custodian_keys().public
    assert custodian.document() == empty.document


def test_pinning_again_changes_nothing(empty: World) -> None:
    pin(empty, empty.document)
    pin(empty, empty.document)


def test_the_hash_is_the_operators_not_the_servers(empty: World) -> None:
    other = changed(made_at=5)
    assert refusal(empty, other, empty.document.hash(ProgrammeDocument)).reason == "document-hash"


@pytest.mark.parametrize("missing", SIGNERS)
def test_everybody_has_to_sign(empty: World, missing: str) -> None:
    signed = sign(programme_document(), *(key(label) for label in SIGNERS if label != missing))
    assert refusal(empty, signed).reason == "document-signatures"


def test_a_wrong_signature_among_good_ones_refuses_the_whole(empty: World) -> None:
    extra = sign(programme_document(made_at=1), key("somebody")).signatures
    signed = Signed(body=empty.document.body, signatures=(*empty.document.signatures, *extra))
    assert refusal(empty, signed).reason == "document-signatures"


def test_another_type_of_document_is_not_pinned(empty: World) -> None:
    record = sign(key_set(), key("server"))
    assert refusal(empty, record).reason == "document-signatures"


@pytest.mark.parametrize("extra", [{"zz": 1}, {"version": 2}])
def test_a_document_with_unknown_fields_or_version_is_not_pinned(empty: World, extra: dict[str, int]) -> None:
    fields = msgspec.json.decode(empty.document.raw) | extra
    with pytest.raises(FormatError):
        pin(empty, sign_raw(ProgrammeDocument, fields, *(key(label) for label in SIGNERS)))


@pytest.mark.parametrize(
    "keys",
    [
        custodian_keys("other"),
        custodian_keys("first", epoch=2),
        msgspec.structs.replace(custodian_keys().public, hpke=hpke("other").public.text),
    ],
    ids=["name", "epoch", "hpke"],
)
def test_a_custodian_finds_itself_in_the_key_set(empty: World, keys: Any) -> None:
    public = keys if hasattr(keys, "__struct_fields__") else keys.public
    changes = {"custodians": (msgspec.structs.replace(public, signing=key("custodian first").public),)}
    document = programme_document(key_set=key_set(**changes))
    assert refusal(empty, signed_document(document)).reason == "not-in-key-set"


def test_other_keys_do_not_take_up_a_pinned_store(empty: World) -> None:
    pin(empty, empty.document)
    empty.custodian.close()
    store = Store(empty.path)
    with pytest.raises(CustodyRefusedError, match="not-in-key-set"):
        Custodian(store, custodian_keys("other"), empty.clock, empty.log)
    store.close()
    empty.reopen()


def test_a_later_document_is_refused_in_so_many_words(empty: World) -> None:
    pin(empty, empty.document)
    later = changed(number=2, previous=empty.document.hash(ProgrammeDocument))
    with pytest.raises(CustodyRefusedError, match="succession-unsupported"):
        pin(empty, later)
    assert empty.custodian.document() == empty.document


def _member(name: str, label: str, *roles: Role) -> RosterMember:
    return RosterMember(name=name, roles=roles or (Role.APPROVER,), credential=credential(key(label)))


ROSTER = programme_document().roster
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "number": ({"number": 2, "previous": "A" * 43}, "not document 1"),
    "predecessor": ({"previous": "A" * 43}, "not document 1"),
    "purpose": (
        {"terms": msgspec.structs.replace(programme_document().terms, purposes=(Purpose.EVIDENCE,))},
        "purpose",
    ),
    "delay": ({"delays": Delays(cosignature_seconds=61)}, "cosignature_seconds is above 60"),
    "steward": ({"roster": ROSTER[1:]}, "no steward"),
    "name twice": ({"roster": (*ROSTER, _member("steward", "another"))}, "name twice"),
    "credential twice": ({"roster": (*ROSTER, _member("another", "approver-1"))}, "two duties"),
    "server approves": ({"roster": (*ROSTER, _member("another", "server"))}, "two duties"),
    "auditor approves": ({"roster": (*ROSTER, _member("another", "auditor"))}, "two duties"),
    "approver lifts": (
        {"lift": Threshold(threshold=1, keys=(key("approver-1").public,))},
        "two duties",
    ),
    "lift threshold": ({"lift": Threshold(threshold=2, keys=(key("lift-1").public,))}, "lift threshold"),
    "recovery threshold": (
        {"recovery": Threshold(threshold=2, keys=(key("recovery-1").public,))},
        "recovery threshold",
    ),
    "webauthn": (
        {
            "roster": (
                *ROSTER,
                RosterMember(
                    name="hardware",
                    roles=(Role.APPROVER,),
                    credential=WebAuthnCredential(public_key="AA", rp_id="test", origins=("test",)),
                ),
            )
        },
        "WebAuthn",
    ),
    "witness quorum": ({"key_set": key_set(witness_quorum=2)}, "witness quorum"),
    "custodians": ({"key_set": key_set(custodian_threshold=2)}, "number of custodians"),
    "auditor reads halves": (
        {
            "key_set": key_set(
                auditor=msgspec.structs.replace(key_set().auditor, hpke=hpke("first").public.text)
            )
        },
        "HPKE key with two duties",
    ),
    "production": ({"profile": Profile.PRODUCTION}, "number of custodians"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_document_that_breaks_a_rule_is_refused(empty: World, case: str) -> None:
    fields, message = BROKEN[case]
    document = programme_document(**fields)
    refused = refusal(empty, signed_document(document))
    assert refused.reason == "document-rules"
    assert message in str(refused)


def test_the_auditors_key_may_be_that_of_a_member_who_only_audits(empty: World) -> None:
    auditor = _member("audit", "auditor", Role.AUDITOR)
    document = programme_document(roster=(*ROSTER, auditor))
    pin(empty, signed_document(document).with_signature(ProgrammeDocument, key("auditor")))


def test_production_takes_three_custodians_two_witnesses_and_its_delays(empty: World) -> None:
    custodians = (custodian_keys().public, custodian_keys("second").public, custodian_keys("third").public)
    witnesses = tuple(
        WitnessKey(name=f"w{n}", cosigning=key(f"w{n} cosigning").public, signing=key(f"w{n}").public)
        for n in (1, 2)
    )
    keys = key_set(custodians=custodians, custodian_threshold=2, witnesses=witnesses, witness_quorum=2)
    labels = (*SIGNERS[:-2], "custodian first", "custodian second", "custodian third", "w1", "w2")
    short = programme_document(profile=Profile.PRODUCTION, key_set=keys, delays=Delays(hold_seconds=60))
    assert "hold_seconds is below" in str(refusal(empty, sign(short, *map(key, labels))))
    lone = programme_document(
        profile=Profile.PRODUCTION, key_set=msgspec.structs.replace(keys, witness_quorum=1)
    )
    assert "2 witnesses" in str(refusal(empty, sign(lone, *map(key, labels))))
    pin(empty, sign(programme_document(profile=Profile.PRODUCTION, key_set=keys), *map(key, labels)))
