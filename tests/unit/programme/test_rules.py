"""A programme document breaks no rule silently: each fault alone is named, and a sound document has none."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.cast import Cast, seed_of
from understudy.consent.credentials import WebAuthnCredential
from understudy.consent.keyset import CustodianKeys, WitnessKey
from understudy.consent.programme import (
    MAXIMUMS,
    PRODUCTION_MINIMUMS,
    ApplicationGroup,
    Delays,
    Profile,
    ProgrammeDocument,
    Role,
    RosterMember,
    Threshold,
)
from understudy.consent.purposes import OFFERED, Purpose
from understudy.programme.rules import check_document, delay_problems, quorum_of, signing_keys
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.signing import SigningKey

CAST = Cast()
SOUND = CAST.document()


def custodian(name: str) -> CustodianKeys:
    return CustodianKeys(
        name=name,
        epoch=1,
        signing=key(name),
        hpke=HpkePrivateKey.from_seed(seed_of(f"hpke {name}")).public.text,
    )


def key(name: str) -> str:
    return SigningKey.from_seed(seed_of(name)).public


def witness(name: str) -> WitnessKey:
    return WitnessKey(name=name, cosigning=key(f"{name} cosigning"), signing=key(f"{name} signing"))


def production() -> ProgrammeDocument:
    keys = replace(
        SOUND.key_set,
        custodians=(custodian("first"), custodian("second"), custodian("third")),
        custodian_threshold=2,
        witnesses=(witness("understudy.example/w1"), witness("understudy.example/w2")),
        witness_quorum=2,
    )
    return replace(SOUND, profile=Profile.PRODUCTION, key_set=keys)


def test_a_sound_document_has_no_problem() -> None:
    assert check_document(SOUND) == []
    assert check_document(production()) == []


def terms(**changes: object) -> ProgrammeDocument:
    return replace(SOUND, terms=replace(SOUND.terms, **changes))


def keys(**changes: object) -> ProgrammeDocument:
    return replace(SOUND, key_set=replace(SOUND.key_set, **changes))


def without(name: str) -> ProgrammeDocument:
    return replace(SOUND, roster=tuple(member for member in SOUND.roster if member.name != name))


def member(name: str, /, **changes: object) -> ProgrammeDocument:
    roster = tuple(replace(one, **changes) if one.name == name else one for one in SOUND.roster)
    return replace(SOUND, roster=roster)


def smaller(**changes: object) -> ProgrammeDocument:
    document = production()
    return replace(document, key_set=replace(document.key_set, **changes))


FAULTS: list[tuple[str, Callable[[], ProgrammeDocument], str]] = [
    ("number", lambda: replace(SOUND, number=2), "names its"),
    ("predecessor", lambda: replace(SOUND, previous="A" * 43), "no predecessor"),
    ("purpose", lambda: terms(purposes=(Purpose.OWN,)), "own is not a purpose"),
    ("purpose twice", lambda: terms(purposes=(Purpose.TRAIN, Purpose.TRAIN)), "train stands there twice"),
    ("notice", lambda: terms(notice=" \n"), "notice is empty"),
    ("empty group", lambda: terms(application_groups=(ApplicationGroup(name="a"),)), "no application"),
    (
        "group twice",
        lambda: terms(application_groups=(ApplicationGroup(name="a", sites=("x",)),) * 2),
        "a stands there twice",
    ),
    ("steward", lambda: without("steward"), "no steward"),
    (
        "approvers",
        lambda: replace(SOUND, roster=tuple(m for m in SOUND.roster if Role.APPROVER not in m.roles)),
        "fewer than 2 approvers",
    ),
    ("name twice", lambda: member("approver-1", name="approver-2"), "approver-2 stands there twice"),
    (
        "service with a second role",
        lambda: member("reader", roles=(Role.SERVICE, Role.APPROVER)),
        "reader is a service",
    ),
    (
        "webauthn",
        lambda: member(
            "steward", credential=WebAuthnCredential(public_key="AAAA", rp_id="x", origins=("https://x",))
        ),
        "WebAuthn",
    ),
    ("one key twice", lambda: keys(server=SOUND.key_set.escrow_issuer), "server and escrow issuer"),
    (
        "cosigning is signing",
        lambda: keys(witnesses=(replace(SOUND.key_set.witnesses[0], cosigning=CAST.witness.public),)),
        "cosignature of witness",
    ),
    (
        "auditor who approves",
        lambda: member("auditor", roles=(Role.AUDITOR, Role.APPROVER)),
        "auditor and roster member auditor",
    ),
    (
        "lift is roster",
        lambda: replace(SOUND, lift=Threshold(threshold=2, keys=(key("lift-1"), key("steward")))),
        "roster member steward and lift",
    ),
    (
        "lift is recovery",
        lambda: replace(SOUND, lift=Threshold(threshold=2, keys=(key("lift-1"), key("recovery-1")))),
        "recovery and lift",
    ),
    ("one of three", lambda: keys(custodians=(custodian("a"), custodian("b"), custodian("c"))), "1 of 3"),
    ("quorum", lambda: keys(witness_quorum=2), "witness_quorum is above"),
    (
        "hpke",
        lambda: keys(custodians=(replace(SOUND.key_set.custodians[0], hpke="_" * 1621 + "w"),)),
        "is not an HPKE public key",
    ),
    (
        "hpke twice",
        lambda: keys(auditor=replace(SOUND.key_set.auditor, hpke=SOUND.key_set.custodians[0].hpke)),
        "HPKE keys: one stands there twice",
    ),
    (
        "recovery keys",
        lambda: replace(SOUND, recovery=Threshold(threshold=2, keys=(key("recovery-1"), key("recovery-2")))),
        "fewer than 3",
    ),
    ("recovery threshold", lambda: replace(SOUND, recovery=replace(SOUND.recovery, threshold=1)), "below 2"),
    (
        "recovery out of reach",
        lambda: replace(SOUND, recovery=replace(SOUND.recovery, threshold=4)),
        "above the number",
    ),
    (
        "lift keys equal",
        lambda: replace(SOUND, lift=Threshold(threshold=2, keys=(key("lift-1"),) * 2)),
        "lift.keys: one stands there twice",
    ),
    (
        "production: members",
        lambda: replace(
            production(), roster=tuple(m for m in SOUND.roster if m.name in {"approver-1", "reader"})
        ),
        "3 members who are people",
    ),
    (
        "production: custodians",
        lambda: smaller(custodians=SOUND.key_set.custodians, custodian_threshold=1),
        "1 of 1; profile production needs 2 of 3",
    ),
    (
        "production: witnesses",
        lambda: smaller(witnesses=SOUND.key_set.witnesses, witness_quorum=1),
        "profile production needs 2",
    ),
    ("production: quorum", lambda: smaller(witness_quorum=1), "more than half"),
    (
        "production: lift",
        lambda: replace(production(), lift=replace(SOUND.lift, threshold=1)),
        "lift.threshold: profile production",
    ),
]


@pytest.mark.parametrize(
    ("make", "told"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_each_fault_is_named(make: Callable[[], ProgrammeDocument], told: str) -> None:
    assert any(told in problem for problem in check_document(make())), check_document(make())


def test_every_purpose_that_is_offered_is_fine() -> None:
    assert check_document(terms(purposes=tuple(OFFERED))) == []


@pytest.mark.parametrize("name", MAXIMUMS)
def test_no_profile_goes_above_a_promise(name: str) -> None:
    for profile in Profile:
        assert delay_problems(replace(Delays(), **{name: MAXIMUMS[name] + 1}), profile)
        assert not delay_problems(replace(Delays(), **{name: MAXIMUMS[name]}), profile)


@pytest.mark.parametrize("name", PRODUCTION_MINIMUMS)
def test_only_embedded_goes_below_what_protects_people(name: str) -> None:
    short = replace(Delays(), **{name: PRODUCTION_MINIMUMS[name] - 1})
    assert delay_problems(short, Profile.PRODUCTION)
    assert not delay_problems(short, Profile.EMBEDDED)


def test_the_auditor_may_be_a_roster_member_and_nothing_else() -> None:
    assert CAST.person("auditor").public == SOUND.key_set.auditor.signing
    assert any(one.roles == (Role.AUDITOR,) for one in SOUND.roster)


def test_everyparty_signs() -> None:
    duties = set(signing_keys(SOUND).values())
    assert {"server", "escrow issuer", "log", "custodian first", "roster member steward"} <= duties
    assert len(duties) == 5 + len(SOUND.roster)


def test_a_quorum_counts_different_keys_of_the_group_only() -> None:
    lift = SOUND.lift
    assert quorum_of(lift, lift.keys)
    assert not quorum_of(lift, [lift.keys[0], lift.keys[0], key("steward")])


def test_a_member_twice_is_one_member() -> None:
    roster = (
        *SOUND.roster,
        RosterMember(name="double", roles=(Role.APPROVER,), credential=SOUND.roster[1].credential),
    )
    assert any(
        "approver-1 and roster member double" in problem
        for problem in check_document(replace(SOUND, roster=roster))
    )
