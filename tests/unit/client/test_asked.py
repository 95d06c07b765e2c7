"""An approver's program signs only what a member of the pinned roster asked for, word for word."""

from typing import Any

import msgspec
import pytest

from tests.cast import Cast, stranger
from understudy.client.asked import checked_request
from understudy.client.errors import EntryError
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import encode_bytes
from understudy.consent.programme import ProgrammeDocument, RosterMember
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.contract.messages import RequestState
from understudy.custody.grant import AccessRequest, Grant
from understudy.sealing.canonical import canonical
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign

CAST = Cast()
DOCUMENT = CAST.document()
REQUEST = "req_" + "A" * 22
OTHER_PROGRAMME = "prg_" + "B" * 21 + "A"


def request(by: SigningKey | None = None, **changes: Any) -> AccessRequest:
    signer = by or CAST.person("researcher")
    fields: dict[str, Any] = {
        "request": REQUEST,
        "requester": document_hash(Ed25519Credential(public_key=signer.public)),
        "scope": Scope(programme=DOCUMENT.programme, application_groups=("forms",)),
        "purpose": Purpose.TRAIN,
        "reason": ReasonCode.MODEL_IMPROVEMENT,
        "ticket": "TEST-1",
        "readers": (CAST.credential("reader"),),
        "not_before": 100,
        "not_after": 200,
        "ceiling": 10,
        "made_at": 100,
    }
    return AccessRequest(**(fields | changes))


def state(signed: Signed, *, in_force: bool = False, **changes: Any) -> RequestState:
    """Return what a server shows: the grant built as it should be, but for ``changes``."""
    asked = msgspec.json.decode(signed.raw, type=AccessRequest)
    fields: dict[str, Any] = {
        "grant": "grt_" + "A" * 22,
        "programme": DOCUMENT.programme,
        "request": signed.hash(AccessRequest),
        **{name: getattr(asked, name) for name in ("requester", "scope", "purpose", "reason", "label")},
        **{name: getattr(asked, name) for name in ("readers", "not_before", "not_after", "ceiling")},
    }
    grant = Grant(**(fields | changes))
    return RequestState(
        request=signed,
        grant_body=encode_bytes(canonical(grant)),
        grant=sign(grant, CAST.person("approver-1")) if in_force else None,
        state="in-force" if in_force else "waiting",
        approvals=0,
        needed=2,
    )


def genuine() -> Signed:
    return sign(request(), CAST.person("researcher"))


def check(shown: RequestState, document: ProgrammeDocument = DOCUMENT) -> Any:
    return checked_request(shown, document, REQUEST)


def test_who_asks_and_who_would_read_are_named_by_the_roster() -> None:
    readers = (CAST.credential("reader"), Ed25519Credential(public_key=stranger().public))
    signed = sign(request(readers=readers), CAST.person("researcher"))
    asked = check(state(signed))
    assert asked.requester.name == "researcher"
    assert [member and member.name for _, member in asked.readers] == ["reader", None]
    assert asked.readers[1][0].public_key == stranger().public
    assert asked.grant.request == signed.hash(AccessRequest)


@pytest.mark.parametrize("name", ["steward", "researcher", "reader", "approver-3"])
def test_researchers_stewards_and_services_may_ask(name: str) -> None:
    key = CAST.person(name)
    assert check(state(sign(request(key), key))).requester.name == name


@pytest.mark.parametrize("name", ["approver-1", "auditor"])
def test_other_roles_may_not_ask(name: str) -> None:
    key = CAST.person(name)
    with pytest.raises(EntryError, match="no role"):
        check(state(sign(request(key), key)))


def test_a_throwaway_key_asks_for_nothing() -> None:
    """The attack: whoever runs the server makes a key, a request by it, and a reader."""
    with pytest.raises(EntryError, match="not on the roster") as caught:
        check(state(sign(request(stranger()), stranger())))
    assert "auditor" in caught.value.hint


def test_a_throwaway_key_cannot_ask_in_a_members_name() -> None:
    with pytest.raises(EntryError, match="not signed by the requester"):
        check(state(sign(request(), stranger())))


def test_a_second_signature_is_one_too_many() -> None:
    with pytest.raises(EntryError, match="not signed by the requester"):
        check(state(sign(request(), CAST.person("researcher"), stranger())))


def test_a_wrong_or_missing_signature_is_refused() -> None:
    signed = genuine()
    body = encode_bytes(canonical(request(ceiling=1_000)))
    for wrong in (Signed(body=body, signatures=signed.signatures), Signed(body=body, signatures=())):
        with pytest.raises(SignatureError):
            check(state(wrong))


def test_the_roster_is_the_pinned_documents_and_not_the_servers() -> None:
    """Another document with the stranger on its roster changes nothing for whoever holds this one."""
    member = RosterMember(
        name="mallory",
        roles=DOCUMENT.roster[0].roles,
        credential=Ed25519Credential(public_key=stranger().public),
    )
    other = msgspec.structs.replace(DOCUMENT, roster=(*DOCUMENT.roster, member))
    shown = state(sign(request(stranger()), stranger()))
    assert check(shown, other).requester.name == "mallory"
    with pytest.raises(EntryError, match="not on the roster"):
        check(shown)


@pytest.mark.parametrize(
    "changes",
    [
        {"programme": OTHER_PROGRAMME},
        {"request": None},
        {"request": "A" * 43},
        {"requester": CAST.credential_hash("steward")},
        {"scope": Scope(programme=DOCUMENT.programme)},
        {"purpose": Purpose.EVALUATE},
        {"reason": ReasonCode.SAFETY_RESEARCH},
        {"label": "derived"},
        {"readers": (CAST.credential("steward"),)},
        {"readers": (CAST.credential("reader"), CAST.credential("steward"))},
        {"not_before": 99},
        {"not_after": 201},
        {"ceiling": 11},
    ],
    ids=[
        "programme",
        "no request",
        "another request",
        "requester",
        "wider scope",
        "purpose",
        "reason",
        "label",
        "another reader",
        "one more reader",
        "from earlier",
        "for longer",
        "more an hour",
    ],
)
def test_a_grant_that_differs_in_one_field_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(EntryError, match=f"differs from the signed request in {next(iter(changes))}"):
        check(state(genuine(), **changes))


def test_every_field_of_a_grant_is_compared_but_its_own_id() -> None:
    compared = {"programme", "request", "requester", "scope", "purpose", "reason", "label", "readers"}
    compared |= {"not_before", "not_after", "ceiling", "version"}
    assert set(Grant.__struct_fields__) - compared == {"grant"}


def test_a_request_about_another_programme_is_not_signed() -> None:
    signed = sign(request(scope=Scope(programme=OTHER_PROGRAMME)), CAST.person("researcher"))
    with pytest.raises(EntryError, match="another programme"):
        check(state(signed))


def test_the_request_shown_is_the_one_asked_for() -> None:
    signed = sign(request(request="req_" + "B" * 21 + "A"), CAST.person("researcher"))
    with pytest.raises(EntryError, match="another request"):
        check(state(signed))


def test_a_grant_in_force_is_the_one_that_was_built() -> None:
    shown = state(genuine(), in_force=True)
    assert check(shown).grant.grant == "grt_" + "A" * 22
    other = state(genuine(), in_force=True, grant="grt_" + "B" * 21 + "A")
    with pytest.raises(EntryError, match="in force"):
        check(msgspec.structs.replace(shown, grant=other.grant))


def test_bytes_that_are_no_grant_are_refused() -> None:
    with pytest.raises(FormatError):
        check(msgspec.structs.replace(state(genuine()), grant_body=encode_bytes(b"{}")))
