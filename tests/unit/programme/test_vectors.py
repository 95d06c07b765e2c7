"""The committed vectors of ``docs/formats/programme.md`` hold, and the page names every field."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.vectors.programme import make
from understudy.consent.keyset import AuditorKey, CustodianKeys, KeySet, LogKey, WitnessKey
from understudy.consent.primitives import Document, Value, decode_bytes, encode_bytes
from understudy.consent.programme import (
    ApplicationGroup,
    Delays,
    ProgrammeDocument,
    RosterMember,
    Terms,
    Threshold,
)
from understudy.custody.coverage import Coverage, LeasePresentation, lease_root
from understudy.custody.statement import verify_answer
from understudy.custody.switch import StatementForDevice
from understudy.programme.document import from_toml, verify_document
from understudy.programme.rules import check_document
from understudy.sealing.canonical import parse
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.personal import participant_tag
from understudy.sealing.signing import Signature, Signed, document_hash
from understudy.transparency.merkle import tree_root

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats" / "programme.md").read_text(encoding="utf-8")
KNOWN: dict[str, Any] = json.loads(
    (ROOT / "tests/vectors/programme/vectors.json").read_text(encoding="utf-8")
)
MADE = make.signed_documents()
PARTS: tuple[type[Value], ...] = (
    KeySet,
    CustodianKeys,
    WitnessKey,
    LogKey,
    AuditorKey,
    Terms,
    Delays,
    ApplicationGroup,
    RosterMember,
    Threshold,
    Coverage,
    StatementForDevice,
)


def signed(name: str) -> Signed:
    vector = KNOWN["documents"][name]
    signatures = tuple(Signature(key=key, signature=value) for key, value in vector["signatures"].items())
    return Signed(body=encode_bytes(vector["bytes"].encode()), signatures=signatures)


@pytest.mark.parametrize("name", KNOWN["documents"])
def test_every_type_reads_its_vector_and_hashes_it_as_the_page_says(name: str) -> None:
    kind: type[Document] = MADE[name][0]
    vector = KNOWN["documents"][name]
    document = signed(name).verify(kind)
    assert document_hash(document) == vector["hash"]
    plain = hashlib.sha256(kind.CONTEXT.value.encode() + b"\x00" + vector["bytes"].encode()).digest()
    assert encode_bytes(plain) == vector["hash"]


@pytest.mark.parametrize("name", KNOWN["documents"])
def test_a_vector_under_another_types_context_is_refused(name: str) -> None:
    for other, (kind, _) in MADE.items():
        if other != name:
            with pytest.raises((SignatureError, FormatError)):
                signed(name).verify(kind)


def test_the_vectors_come_out_the_same_today() -> None:
    assert make.vectors() == KNOWN


def test_the_programme_vector_is_a_valid_document() -> None:
    document = verify_document(signed("programme"), KNOWN["documents"]["programme"]["hash"])
    assert document_hash(document.key_set) == KNOWN["key_set"]["hash"]
    assert len(signed("programme").signers) == KNOWN["signers"]["programme"]


def test_tag_notice_coverage_and_nonce() -> None:
    tag, notice, coverage = KNOWN["tag"], KNOWN["notice"], KNOWN["coverage"]
    assert participant_tag(tag["programme"], tag["personal_signing"]) == tag["tag"]
    plain = hashlib.sha256(b"understudy/v1/notice\x00" + notice["terms"].encode()).digest()
    assert encode_bytes(plain) == notice["hash"]
    shown = parse(Coverage, coverage["bytes"].encode())
    assert lease_root(coverage["salt"], shown) == coverage["lease_root"]
    document = parse(ProgrammeDocument, KNOWN["documents"]["programme"]["bytes"].encode())
    statement = StatementForDevice(
        statement=signed("switch-statement"), index=KNOWN["nonce"]["index"], path=()
    )
    verify_answer(document.key_set, document.programme, statement, KNOWN["nonce"]["nonce"])
    with pytest.raises(FormatError):
        verify_answer(document.key_set, document.programme, statement, "A" * 43)


def test_a_consent_event() -> None:
    known = KNOWN["consent_event"]
    plain = hashlib.sha256(
        b"understudy/v1/consent-event\x00" + decode_bytes(known["salt"]) + known["event"].encode()
    ).digest()
    assert encode_bytes(plain) == known["commitment"]
    batch = [decode_bytes(one) for one in known["batch"]]
    assert batch == sorted(batch)
    assert encode_bytes(tree_root(batch)) == known["root"]


@pytest.mark.parametrize("vector", KNOWN["refused"], ids=lambda vector: vector["name"])
def test_what_must_be_refused_is(vector: dict[str, Any]) -> None:
    document = parse(ProgrammeDocument, vector["bytes"].encode())
    assert check_document(document) == vector["problems"]
    assert vector["problems"]


def fields() -> set[str]:
    kinds: list[type[Value]] = [*PARTS, *(kind for kind, _ in MADE.values())]
    return {field for kind in kinds for field in kind.__struct_fields__}


def test_the_page_names_every_field() -> None:
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
    assert fields() - {"version"} <= named
    assert "unheard_of" not in named


def test_the_page_gives_every_delay_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", PAGE, re.MULTILINE))
    told = {name: int(value.replace(",", "")) for name, value in rows.items()}
    assert told == msgspec.structs.asdict(Delays())


def test_the_terms_file_on_the_page_is_one() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    cast = parse(ProgrammeDocument, KNOWN["documents"]["programme"]["bytes"].encode())
    document = from_toml(
        text,
        programme=cast.programme,
        roster=cast.roster,
        key_set=cast.key_set,
        recovery_keys=cast.recovery.keys,
        lift_keys=cast.lift.keys,
        made_at=cast.made_at,
    )
    assert check_document(document) == []
    assert isinstance(signed("lease-presentation").verify(LeasePresentation), LeasePresentation)
