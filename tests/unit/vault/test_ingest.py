"""A segment is taken only whole, from an enrolled device, under a consent that stands, and under leases."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from tests.cast import PROGRAMME, stranger
from tests.unit.programme.stage import Person
from tests.unit.vault.stage import PAYLOAD, Upload, VaultStage
from understudy.consent.consent import StandingState
from understudy.consent.errors import ConflictError, RefusedError, UnavailableError
from understudy.consent.lease import Lease
from understudy.consent.primitives import new_id
from understudy.consent.purposes import Activity
from understudy.consent.scope import Scope
from understudy.custody.coverage import Coverage, LeasePresentation
from understudy.custody.head import DepositReceipt
from understudy.programme.database import reading
from understudy.sealing.errors import FormatError, HalfError, SignatureError
from understudy.sealing.header import SealedHalf
from understudy.sealing.segment import open_half, open_segment
from understudy.sealing.signing import Signed, document_hash, sign
from understudy.vault.errors import FINAL, OffsetError, SegmentMissingError

EVERYTHING = Scope(programme=PROGRAMME)


def refused(stage: VaultStage, upload: Upload) -> str:
    with pytest.raises(RefusedError) as caught:
        stage.send(upload)
    assert stage.vault.select(EVERYTHING).segments == ()
    return caught.value.reason


def test_what_is_acknowledged_is_listed_receipted_and_opens(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload = stage.seal(anna, consent)
    state = stage.send(upload)
    assert (state.offset, state.length) == (len(upload.ciphertext), len(upload.ciphertext))
    receipt = state.receipts[0].verify(DepositReceipt, [stage.cast.custodian.signing.public])
    assert receipt.header == document_hash(upload.header)
    stage.restart()
    listed = stage.vault.select(EVERYTHING).segments
    assert [entry.segment for entry in listed] == [upload.segment]
    assert listed[0].header == upload.sealed.header
    assert stage.vault.ciphertext(upload.segment) == upload.ciphertext
    assert stage.vault.ciphertext(upload.segment, 10, 20) == upload.ciphertext[10:30]
    half_p = stage.vault.open_halves([upload.header])[upload.segment]
    half_c = open_half("c", upload.header, upload.sealed.halves[1], stage.cast.custodian.hpke)
    assert open_segment(upload.header, upload.ciphertext, half_p, half_c) == PAYLOAD


def test_the_server_keeps_no_time_no_lease_and_no_half_beside_the_key_store(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload = stage.seal(anna, consent)
    stage.send(upload)
    assert not list((stage.home / "vault" / "uploads").iterdir())
    salts = (upload.presentation.salt, upload.presentation.coverage.leases[0].body)
    halves = tuple(half.sealed for half in upload.sealed.halves)
    kept = b"".join(path.read_bytes() for path in stage.home.glob("server.db*"))
    for secret in (*salts, *halves, str(upload.presentation.started_at)):
        assert secret.encode() not in kept
    with reading(stage.engine) as session:
        row = session.execute(text("select * from segment")).mappings().one()
    assert not [value for value in row.values() if isinstance(value, int) and value > 1_000_000_000]
    assert row["upload_day"] == "2027-01-15"


def test_the_same_bundle_again_gets_the_same_answer(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    state = stage.send(upload)
    stage.clock.advance(86_400)
    assert stage.vault.begin_upload(upload.call) == state
    assert stage.vault.append_upload(upload.segment, 0, b"anything") == state
    assert stage.send(upload) == state


def test_another_header_under_the_same_id_is_a_conflict(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    segment = new_id("seg")
    first, second = (stage.seal(anna, consent, segment=segment) for _ in range(2))
    stage.vault.begin_upload(first.call)
    with pytest.raises(ConflictError):
        stage.vault.begin_upload(second.call)
    stage.send(first)
    with pytest.raises(ConflictError):
        stage.vault.begin_upload(second.call)
    assert stage.vault.ciphertext(segment) == first.ciphertext


def test_an_upload_goes_on_where_it_stood(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    stage.vault.begin_upload(upload.call)
    stage.vault.append_upload(upload.segment, 0, upload.ciphertext[:1000])
    stage.restart()
    assert stage.vault.begin_upload(upload.call).offset == 1000
    with pytest.raises(OffsetError) as caught:
        stage.vault.append_upload(upload.segment, 500, b"x")
    assert caught.value.offset == 1000
    assert stage.send(upload).receipts


def test_a_damaged_upload_starts_again(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    stage.vault.begin_upload(upload.call)
    damaged = bytes([upload.ciphertext[0] ^ 1]) + upload.ciphertext[1:]
    with pytest.raises(RefusedError) as caught:
        stage.vault.append_upload(upload.segment, 0, damaged)
    assert caught.value.reason == "ciphertext-hash"
    assert stage.vault.select(EVERYTHING).segments == ()
    assert stage.vault.begin_upload(upload.call).offset == 0
    assert stage.send(upload).receipts


def test_no_more_bytes_than_the_header_says(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    stage.vault.begin_upload(upload.call)
    with pytest.raises(RefusedError) as caught:
        stage.vault.append_upload(upload.segment, 0, upload.ciphertext + b"x")
    assert caught.value.reason == "too-long"


def test_ciphertext_without_a_beginning_is_refused(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    with pytest.raises(SegmentMissingError):
        stage.vault.append_upload(upload.segment, 0, upload.ciphertext)
    with pytest.raises(SegmentMissingError):
        stage.vault.ciphertext(upload.segment)


CONTEXTS: list[tuple[str, dict[str, Any], str]] = [
    ("another programme", {"programme": PROGRAMME[:-1] + "Q"}, "programme"),
    ("a swapped key set", {"key_set": "A" * 43}, "key-set"),
    ("an unknown escrow key", {"escrow_key": new_id("esc")}, "escrow-key"),
    ("somebody else's tag", {"tag": Person("berta").tag}, "not-enrolled"),
    ("an unknown consent", {"consent": "A" * 43}, "consent-unknown"),
    ("a group that was not agreed to", {"application_group": "mail"}, "consent-wider"),
    ("other leases than it commits to", {"lease_root": "A" * 43}, "lease-mismatch"),
]


@pytest.mark.parametrize(
    ("changes", "reason"), [case[1:] for case in CONTEXTS], ids=[case[0] for case in CONTEXTS]
)
def test_a_header_that_does_not_fit_is_refused(
    stage: VaultStage, anna: Person, consent: str, changes: dict[str, Any], reason: str
) -> None:
    assert refused(stage, stage.seal(anna, consent, **changes)) == reason


def test_another_participants_escrow_key_is_refused(stage: VaultStage, anna: Person, consent: str) -> None:
    berta = Person("berta")
    stage.agree(berta)
    assert (
        refused(stage, stage.seal(anna, consent, escrow_key=stage.escrow(berta).escrow_key)) == "escrow-key"
    )


def test_a_strangers_device_is_refused(stage: VaultStage, anna: Person, consent: str) -> None:
    assert refused(stage, stage.seal(anna, consent, device=stranger())) == "device-unknown"


def test_a_removed_device_is_refused(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    tablet = stranger("tablet")
    previous = document_hash(stage.record(anna, made_at=stage.clock.now() - 30))
    record = stage.record(anna, number=2, previous=previous, devices=(tablet.public,))
    stage.programme.enrol(sign(record, anna.seed.signing, tablet))
    assert refused(stage, upload) == "device-unknown"


def test_signatures_and_halves_belong_to_the_header(stage: VaultStage, anna: Person, consent: str) -> None:
    upload, other = stage.seal(anna, consent), stage.seal(anna, consent)
    calls = [
        replace(
            upload.call, header=Signed(body=other.call.header.body, signatures=upload.call.header.signatures)
        ),
        replace(upload.call, presentation=sign(upload.presentation, stranger())),
        replace(upload.call, presentation=sign(upload.presentation, anna.device, stranger())),
        replace(upload.call, presentation=upload.call.header),
        replace(upload.call, header=sign(upload.header, anna.device, stranger())),
        replace(upload.call, halves=other.call.halves),
        replace(upload.call, halves=upload.call.halves[::-1]),
        replace(upload.call, halves=(upload.call.halves[0], other.call.halves[1])),
    ]
    for call in calls:
        with pytest.raises((SignatureError, HalfError, FormatError)):
            stage.vault.begin_upload(call)
    assert stage.send(upload).receipts


def with_statement_off(stage: VaultStage, anna: Person, consent: str) -> Upload:
    """Return a segment whose lease is fine and whose statement says that capture was off."""
    lease = stage.lease(anna, consent).lease
    stage.custodian.switch_off(stage.order(Activity.CAPTURE, nonce=5))
    statements = stage.custodian.statements(("A" * 43,))
    upload = stage.seal(anna, consent, coverage=Coverage(leases=(lease,), statements=statements))
    stage.lift()
    return upload


def with_old_lease(stage: VaultStage, anna: Person, consent: str) -> Upload:
    coverage = stage.coverage(anna, consent)
    stage.clock.advance(60)
    return stage.seal(anna, consent, coverage=coverage)


def with_gap(stage: VaultStage, anna: Person, consent: str) -> Upload:
    first = stage.coverage(anna, consent)
    begin = stage.clock.now()
    stage.clock.advance(75)
    second = stage.coverage(anna, consent)
    both = Coverage(leases=first.leases + second.leases, statements=first.statements + second.statements)
    return stage.seal(anna, consent, coverage=both, stretch=(begin, begin + 100))


def with_berts_lease(stage: VaultStage, anna: Person, consent: str) -> Upload:
    bert = Person("bert")
    coverage = stage.coverage(bert, stage.agree(bert))
    return stage.seal(anna, consent, coverage=coverage)


def with_own_lease(stage: VaultStage, anna: Person, consent: str) -> Upload:
    genuine = stage.coverage(anna, consent)
    lease = replace(_lease(genuine), not_after=_lease(genuine).not_after + 30)
    forged = replace(genuine, leases=(sign(lease, anna.device),))
    return stage.seal(anna, consent, coverage=forged)


def with_long_lease(stage: VaultStage, anna: Person, consent: str) -> Upload:
    genuine = stage.coverage(anna, consent)
    lease = replace(_lease(genuine), not_after=_lease(genuine).not_after + 1)
    return stage.seal(anna, consent, coverage=replace(genuine, leases=(sign(lease, stage.cast.server),)))


def with_own_statement(stage: VaultStage, anna: Person, consent: str) -> Upload:
    genuine = stage.coverage(anna, consent)
    word = genuine.statements[0].statement
    forged = replace(
        genuine.statements[0],
        statement=Signed(body=word.body, signatures=()).with_signature(LeasePresentation, anna.device),
    )
    return stage.seal(anna, consent, coverage=replace(genuine, statements=(forged,)))


def from_tomorrow(stage: VaultStage, anna: Person, consent: str) -> Upload:
    begin = stage.clock.now()
    upload = stage.seal(anna, consent, stretch=(begin + 20, begin + 50))
    stage.clock.at = begin + 30
    return upload


def backwards(stage: VaultStage, anna: Person, consent: str) -> Upload:
    begin = stage.clock.now()
    return stage.seal(anna, consent, stretch=(begin + 10, begin + 5))


def before_the_consent(stage: VaultStage, anna: Person, consent: str) -> Upload:
    begin = stage.clock.now()
    return stage.seal(anna, consent, stretch=(begin - 20, begin + 10))


def of_another_segment(stage: VaultStage, anna: Person, consent: str) -> Upload:
    return stage.seal(anna, consent, presented={"segment": new_id("seg")})


def _lease(coverage: Coverage) -> Lease:
    return coverage.leases[0].verify(Lease)


LEASES: list[tuple[Callable[[VaultStage, Person, str], Upload], str]] = [
    (with_statement_off, "statement-old"),
    (with_old_lease, "lease-expired"),
    (with_gap, "lease-expired"),
    (with_berts_lease, "lease-mismatch"),
    (with_own_lease, "lease-mismatch"),
    (with_long_lease, "lease-mismatch"),
    (with_own_statement, "lease-mismatch"),
    (from_tomorrow, "lease-stretch"),
    (backwards, "lease-stretch"),
    (before_the_consent, "consent-not-yet"),
    (of_another_segment, "lease-mismatch"),
]


@pytest.mark.parametrize(("make", "reason"), LEASES, ids=[make.__name__ for make, _ in LEASES])
def test_every_second_was_recorded_with_permission(
    stage: VaultStage,
    anna: Person,
    consent: str,
    make: Callable[[VaultStage, Person, str], Upload],
    reason: str,
) -> None:
    assert refused(stage, make(stage, anna, consent)) == reason


def test_renewed_leases_cover_a_longer_stretch(stage: VaultStage, anna: Person, consent: str) -> None:
    begin = stage.clock.now()
    parts = []
    for _ in range(3):
        parts.append(stage.coverage(anna, consent))
        stage.clock.advance(50)
    together = Coverage(
        leases=tuple(part.leases[0] for part in parts),
        statements=tuple(part.statements[0] for part in parts),
    )
    assert stage.send(stage.seal(anna, consent, coverage=together, stretch=(begin, begin + 150))).receipts


@pytest.mark.parametrize("state", [StandingState.WITHDRAWN, StandingState.OBJECTING])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_nothing_is_taken_from_somebody_who_left(
    stage: VaultStage, anna: Person, consent: str, state: StandingState, when: str
) -> None:
    upload = stage.seal(anna, consent)
    if when == "meanwhile":
        stage.vault.begin_upload(upload.call)
        stage.vault.append_upload(upload.segment, 0, upload.ciphertext[:-1])
    stage.stand(anna, state)
    reason = refused(stage, upload)
    assert reason in FINAL
    assert not list((stage.home / "vault" / "objects").rglob("seg_*"))


def test_a_pause_does_not_hold_back_what_was_recorded_before(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload = stage.seal(anna, consent)
    stage.stand(anna, StandingState.PAUSED)
    assert stage.send(upload).receipts


def test_terms_that_no_longer_offer_a_purpose_refuse_what_was_recorded_for_it(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload = stage.seal(anna, consent)
    first = stage.cast.document()
    signers = [stage.cast.person(name) for name in ("steward", "approver-1", "approver-2", "custodian")]
    wider = replace(
        first, number=2, previous=document_hash(first), terms=replace(first.terms, retention_days=9)
    )
    stage.programme.documents.adopt(sign(wider, *signers))
    assert stage.vault.begin_upload(upload.call).offset == 0
    terms = replace(wider.terms, purposes=first.terms.purposes[1:])
    narrow = replace(wider, number=3, previous=document_hash(wider), terms=terms)
    stage.programme.documents.adopt(sign(narrow, *signers))
    assert refused(stage, upload) == "consent-narrowed"


def test_ingest_that_is_switched_off_takes_nothing_and_loses_nothing(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    upload = stage.seal(anna, consent)
    stage.vault.begin_upload(upload.call)
    stage.vault.append_upload(upload.segment, 0, upload.ciphertext[:1000])
    stage.programme.switch_off(stage.order(Activity.INGEST))
    with pytest.raises(RefusedError) as caught:
        stage.vault.append_upload(upload.segment, 1000, upload.ciphertext[1000:])
    assert caught.value.reason == "ingest-off"
    with pytest.raises(RefusedError):
        stage.vault.begin_upload(upload.call)
    stage.lift()
    assert stage.vault.begin_upload(upload.call).offset == 1000
    assert stage.send(upload).receipts


def test_without_the_custodian_nothing_is_acknowledged(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.send(upload)
    assert stage.vault.select(EVERYTHING).segments == ()
    stage.line.is_cut = False
    state = stage.vault.begin_upload(upload.call)
    assert state.receipts
    assert state.offset == len(upload.ciphertext)


def test_a_receipt_for_something_else_is_no_receipt(stage: VaultStage, anna: Person, consent: str) -> None:
    first = stage.seal(anna, consent)
    receipt = stage.send(first).receipts[0]

    class Lazy:
        name = "first"

        def deposit(self, _header: Signed, _half: object) -> Signed:
            return receipt

    second = stage.seal(anna, consent, previous=document_hash(first.header))
    stage.line.party = Lazy()
    with pytest.raises(RefusedError) as caught:
        stage.send(second)
    assert caught.value.reason == "custodian-receipt"
    stage.line.party = stage.custodian
    assert stage.send(second).receipts


def test_a_devices_segments_form_one_chain(stage: VaultStage, anna: Person, consent: str) -> None:
    first = stage.seal(anna, consent)
    stage.send(first)
    second = stage.seal(anna, consent, previous=document_hash(first.header))
    stage.send(second)
    for previous in (None, document_hash(first.header)):
        with pytest.raises(RefusedError) as caught:
            stage.send(stage.seal(anna, consent, previous=previous))
        assert caught.value.reason == "previous"
    other = Person("berta")
    assert stage.send(stage.seal(other, stage.agree(other))).receipts
    assert len(stage.vault.select(EVERYTHING).segments) == 3


def test_what_was_left_alone_is_forgotten(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.send(upload)
    stage.line.is_cut = False
    assert list((stage.home / "vault" / "objects").rglob("seg_*"))
    stage.clock.advance(6 * 86_400)
    assert stage.vault.flush() == 0
    stage.clock.advance(2 * 86_400)
    assert stage.vault.flush() == 1
    assert not list((stage.home / "vault").rglob("seg_*"))
    with pytest.raises(SegmentMissingError):
        stage.vault.open_halves([upload.header])
    assert stage.vault.begin_upload(upload.call).offset == 0


def test_a_derived_object_is_not_a_recording(stage: VaultStage, anna: Person, consent: str) -> None:
    upload = stage.seal(anna, consent)
    header = replace(
        upload.header,
        seal=replace(upload.header.seal, kind="pooled", tag=None),
    )
    with pytest.raises((FormatError, RefusedError)):
        stage.vault.begin_upload(replace(upload.call, header=sign(header, anna.device)))


def test_somebody_who_leaves_at_the_last_moment_is_not_in_the_catalogue(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    class Slow:
        """A custodian that answers after the participant has told the server that they leave."""

        name = "first"

        def deposit(self, header: Signed, half: SealedHalf) -> Signed:
            receipt = stage.custodian.deposit(header, half)
            stage.stand(anna, StandingState.WITHDRAWN)
            return receipt

        def stand(self, _standing: Signed) -> None:
            raise UnavailableError("not now")

    upload = stage.seal(anna, consent)
    stage.line.party = Slow()
    assert refused(stage, upload) == "consent-ended"
    assert not list((stage.home / "vault").rglob("seg_*"))
    with pytest.raises(SegmentMissingError):
        stage.vault.open_halves([upload.header])


def test_nothing_is_deposited_for_somebody_who_left_before(
    stage: VaultStage, anna: Person, consent: str
) -> None:
    class Counting:
        """A custodian that has not heard of anybody leaving."""

        name = "first"
        deposits = 0

        def deposit(self, header: Signed, half: SealedHalf) -> Signed:
            self.deposits += 1
            return stage.custodian.deposit(header, half)

        def stand(self, _standing: Signed) -> None:
            raise UnavailableError("not now")

    upload = stage.seal(anna, consent)
    stage.line.party = custodian = Counting()
    stage.vault.begin_upload(upload.call)
    stage.stand(anna, StandingState.OBJECTING)
    with pytest.raises(RefusedError) as caught:
        stage.vault.append_upload(upload.segment, 0, upload.ciphertext)
    assert caught.value.reason == "standing-objecting"
    assert custodian.deposits == 0
