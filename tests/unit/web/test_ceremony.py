"""The key ceremony: in order, by everybody, once; and each party refuses what it should not sign or pin."""

import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.unit.web.homes import Homes
from understudy.consent.clock import SystemClock
from understudy.consent.programme import Delays, ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.custody.errors import CustodyRefusedError
from understudy.programme.document import required_signers, verify_document
from understudy.programme.errors import DocumentError
from understudy.sealing.canonical import parse
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.leaves import ProgrammeLeaf, decode_leaf
from understudy.transparency.store import open_log
from understudy.web.ceremony import MEMBERS, SHORTENED, shortened
from understudy.web.config import WitnessConfig
from understudy.web.document import merge, read_document, sign_as_member, unsigned, write_document
from understudy.web.errors import AlreadyRunningError, CeremonyError, HomeError
from understudy.web.home import LOG_STORE, WITNESS_STORE, make_witness, read_public
from understudy.web.listening import HomeLock
from understudy.web.pinning import core_of, pin_custodian, pin_witness, sign_custodian, sign_witness
from understudy.web.publication import publish_document, sign_server

CLOCK = SystemClock()


def test_everybody_signs_the_whole_document(homes: Homes) -> None:
    verify_document(homes.signed)
    assert homes.signed.signers == required_signers(homes.document)


def test_the_steps_come_in_the_order_of_the_protocol(fresh: Homes) -> None:
    verbs = [f"{command[0]} {command[1]}" for command in fresh.commands]
    assert set(verbs[:3]) == {"witness init", "custodian init", "serve init"}
    assert set(verbs[3:6]) == {"custodian sign", "witness sign", "serve sign"}
    assert verbs[6] == "serve publish"
    assert set(verbs[7:]) == {"custodian pin", "witness pin"}


def test_a_second_performance_changes_nothing(fresh: Homes) -> None:
    before = {path: path.read_bytes() for path in fresh.root.rglob("*.json")}
    fresh.commands.clear()
    assert fresh.ceremony.perform(fresh.ports, delays="standard") == fresh.signed
    assert fresh.commands == []
    assert {path: path.read_bytes() for path in fresh.root.rglob("*.json")} == before


@pytest.mark.parametrize("verb", ["sign", "publish", "pin"])
def test_a_ceremony_that_was_interrupted_goes_on_where_it_stood(tmp_path: Path, verb: str) -> None:
    class Interrupted(Homes):
        def _run(self, commands: object) -> None:
            for command in list(commands):  # type: ignore[call-overload]
                if command[1] == verb and not (tmp_path / "went-on").exists():
                    raise InterruptedError(verb)
                super()._run([command])

    with pytest.raises(InterruptedError):
        Interrupted(tmp_path)
    (tmp_path / "went-on").touch()
    homes = Interrupted(tmp_path)
    assert verify_document(homes.signed) == homes.document


def test_the_document_is_entry_0_of_the_log(homes: Homes) -> None:
    store = open_log(homes.root / "server" / LOG_STORE)
    try:
        leaf = decode_leaf(store.entry(0) or b"")
    finally:
        store.close()
    assert isinstance(leaf, ProgrammeLeaf)
    assert leaf.document == homes.signed


def test_the_switch_is_off_until_the_first_lift(fresh: Homes) -> None:
    core = core_of(fresh.root / "custodian", CLOCK)
    try:
        status = core.switch_status()
    finally:
        core.close()
    assert (status.revision, set(status.off)) == (0, set(Activity))


def test_keys_are_for_their_owners_eyes_only(homes: Homes) -> None:
    for folder in (homes.root / name for name in ("people", "server/keys", "custodian/keys", "witness/keys")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_private_key_lies_in_two_homes(homes: Homes) -> None:
    contents = [path.read_bytes() for path in homes.root.rglob("keys/*.json")]
    contents += [path.read_bytes() for path in (homes.root / "people").iterdir()]
    assert len(set(contents)) == len(contents)


def test_the_demonstration_names_what_it_shortens(homes: Homes) -> None:
    standard = Delays()
    assert shortened(homes.document) == {
        name: (getattr(standard, name), value) for name, value in SHORTENED.items()
    }


def test_nobody_signs_a_document_that_does_not_name_them(homes: Homes, tmp_path: Path) -> None:
    stranger = make_witness(tmp_path, WitnessConfig(name="understudy.local/other")).keys
    keys = replace(homes.document.key_set, witnesses=(stranger,))
    other = unsigned(replace(homes.document, key_set=keys))
    with pytest.raises(CeremonyError) as refused:
        sign_witness(homes.root / "witness", other)
    assert refused.value.reason == "not-in-key-set"
    sign_custodian(homes.root / "custodian", other)  # still named, so it may


@pytest.mark.parametrize("party", ["server", "custodian"])
def test_a_swapped_key_of_ones_own_is_noticed_when_signing(homes: Homes, party: str) -> None:
    keys = homes.document.key_set
    if party == "server":
        keys = replace(keys, log=replace(keys.log, checkpoint=SigningKey.generate().public))
    else:
        swapped = replace(keys.custodians[0], signing=SigningKey.generate().public)
        keys = replace(keys, custodians=(swapped,))
    other = unsigned(replace(homes.document, key_set=keys))
    signer = sign_server if party == "server" else sign_custodian
    with pytest.raises(CeremonyError):
        signer(homes.root / party, other)


def test_whoever_has_no_duty_does_not_sign(homes: Homes) -> None:
    with pytest.raises(CeremonyError) as refused:
        sign_as_member(homes.signed, [SigningKey.generate()])
    assert refused.value.reason == "no-duty"


def test_a_document_that_breaks_a_rule_is_signed_by_nobody(homes: Homes) -> None:
    broken = unsigned(replace(homes.document, delays=replace(homes.document.delays, lease_seconds=61)))
    with pytest.raises(CeremonyError) as refused:
        sign_as_member(broken, [homes.ceremony.people.key("steward")])
    assert refused.value.reason == "document-rules"


def test_a_pin_needs_the_hash_from_elsewhere(fresh: Homes) -> None:
    (fresh.root / "witness" / "document.json").unlink()
    with pytest.raises(CeremonyError):
        pin_witness(fresh.root / "witness", fresh.signed, "A" * 43)
    assert not (fresh.root / "witness" / "document.json").exists()
    found = document_hash(fresh.document)
    assert pin_witness(fresh.root / "witness", fresh.signed, found) == found


def test_what_is_pinned_stays_pinned(fresh: Homes) -> None:
    people = fresh.ceremony.people
    other = replace(fresh.document, terms=replace(fresh.document.terms, retention_days=1))
    signed = sign(other, *people.keys(tuple(MEMBERS)))
    for signer, name in ((sign_server, "server"), (sign_custodian, "custodian"), (sign_witness, "witness")):
        signed = signer(fresh.root / name, signed)
    verify_document(signed)
    with pytest.raises(CeremonyError):
        pin_witness(fresh.root / "witness", signed, document_hash(other))
    with pytest.raises(CustodyRefusedError):
        pin_custodian(fresh.root / "custodian", signed, document_hash(other), CLOCK)
    with pytest.raises(CeremonyError):
        publish_document(fresh.root / "server", signed, CLOCK)


@pytest.mark.parametrize("name", ["steward", "auditor", "approver-2"])
def test_a_document_without_one_signature_is_pinned_and_published_nowhere(tmp_path: Path, name: str) -> None:
    homes = Homes(tmp_path)
    key = homes.ceremony.people.key(name).public
    rest = tuple(signature for signature in homes.signed.signatures if signature.key != key)
    without = Signed(body=homes.signed.body, signatures=rest)
    (tmp_path / "witness" / "document.json").unlink()
    with pytest.raises(SignatureError):
        pin_witness(tmp_path / "witness", without, document_hash(homes.document))
    with pytest.raises(SignatureError):
        publish_document(tmp_path / "server", without, CLOCK)


def test_a_stranger_cannot_sign_along(homes: Homes) -> None:
    along = homes.signed.with_signature(ProgrammeDocument, SigningKey.generate())
    with pytest.raises(DocumentError):
        verify_document(along)


def test_copies_of_one_document_are_merged_and_of_two_are_not(homes: Homes, tmp_path: Path) -> None:
    blank, people = unsigned(homes.document), homes.ceremony.people
    copies = [sign_as_member(blank, [people.key(name)]) for name in ("steward", "auditor")]
    merged = merge(copies)
    assert merged.signers == {people.key("steward").public, people.key("auditor").public}
    write_document(tmp_path / "d.json", merged)
    assert parse(ProgrammeDocument, read_document(tmp_path / "d.json").raw) == homes.document
    with pytest.raises(CeremonyError):
        merge([merged, unsigned(replace(homes.document, number=2, previous="A" * 43))])


def test_a_lost_store_is_not_replaced_by_an_empty_one(fresh: Homes) -> None:
    (fresh.root / "witness" / WITNESS_STORE).unlink()
    config = WitnessConfig(name=read_public(fresh.root / "witness" / "public.json").keys.name)  # type: ignore[union-attr]
    with pytest.raises(HomeError, match="gone"):
        make_witness(fresh.root / "witness", config)


def test_a_name_is_for_ever(fresh: Homes) -> None:
    with pytest.raises(HomeError, match="another name"):
        make_witness(fresh.root / "witness", WitnessConfig(name="understudy.local/other"))


def test_nothing_is_pinned_under_a_running_process(fresh: Homes) -> None:
    lock = HomeLock(fresh.root / "custodian")
    try:
        with pytest.raises(AlreadyRunningError):
            HomeLock(fresh.root / "custodian")
    finally:
        lock.release()
