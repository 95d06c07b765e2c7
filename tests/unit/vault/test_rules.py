"""Coverage is exact to the second and believes nobody's lease or statement but the right party's."""

import dataclasses
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.cast import PROGRAMME, STARTED_AT, Cast, stranger
from tests.unit.programme.stage import Person
from understudy.consent.consent import Consent
from understudy.consent.decisions import Allowed, Decision, Refused
from understudy.consent.lease import Lease
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.purposes import Activity, Purpose, Stream
from understudy.custody.coverage import Coverage, LeasePresentation, lease_root
from understudy.custody.switch import StatementForDevice, SwitchStatement
from understudy.programme.people import KnownConsent
from understudy.sealing.header import HalfRecord, SealContext, SegmentHeader, Threshold
from understudy.sealing.notice import notice_hash
from understudy.sealing.padding import CIPHERTEXT_SIZES
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.vault.rules import check_consent, check_header, covers, union_covers

CAST = Cast()
DOCUMENT = CAST.document()
ANNA = Person("anna")
CONSENT = Consent(
    programme=PROGRAMME,
    document=document_hash(DOCUMENT),
    tag=ANNA.tag,
    device=ANNA.device.public,
    purposes=(Purpose.TRAIN,),
    streams=(Stream.ELEMENTS,),
    application_groups=("forms",),
    notice=notice_hash(DOCUMENT.terms),
    given_at=STARTED_AT,
)
KNOWN = KnownConsent(
    consent=CONSENT,
    hash=document_hash(CONSENT),
    receipt=Signed(body="AAAA", signatures=()),
    in_force_at=STARTED_AT,
    is_in_force=True,
    ended_by=None,
)
SALT = encode_bytes(bytes(32))
TOLERANCE = 5


def lease(begin: int, key: SigningKey = CAST.server, **changes: Any) -> Signed:
    fields: dict[str, Any] = {
        "lease": new_id("lea"),
        "programme": PROGRAMME,
        "document": document_hash(DOCUMENT),
        "device": ANNA.device.public,
        "consent": KNOWN.hash,
        "streams": (Stream.ELEMENTS,),
        "not_before": begin,
        "not_after": begin + 60,
    }
    return sign(Lease(**(fields | changes)), key)


def statement(time: int, key: SigningKey = CAST.custodian.signing, **changes: Any) -> StatementForDevice:
    fields: dict[str, Any] = {
        "programme": PROGRAMME,
        "custodian": "first",
        "epoch": 1,
        "revision": 1,
        "off": (),
        "nonces": 1,
        "nonce_root": "A" * 43,
        "time": time,
    }
    word = sign(SwitchStatement(**(fields | changes)), key)
    return StatementForDevice(statement=word, index=0, path=())


def header(coverage: Coverage, **changes: Any) -> SegmentHeader:
    seal = SealContext(
        kind="recording",
        programme=PROGRAMME,
        tag=ANNA.tag,
        recording=new_id("rec"),
        segment="seg_" + "A" * 22,
        consent=KNOWN.hash,
        key_set=document_hash(DOCUMENT.key_set),
        escrow_key=new_id("esc"),
        application_group="forms",
        task_label="task",
    )
    whole = SegmentHeader(
        seal=seal,
        previous=None,
        lease_root=lease_root(SALT, coverage),
        redaction="A" * 43,
        ciphertext_bytes=min(CIPHERTEXT_SIZES),
        ciphertext_hash="A" * 43,
        halves=tuple(HalfRecord(role=role, commitment="A" * 43, sealed_hash="A" * 43) for role in ("p", "c")),
        custodians=Threshold(k=1, n=1),
        device=ANNA.device.public,
    )
    return replace(whole, **changes)


def decide(
    leases: list[Signed], statements: list[StatementForDevice], stretch: tuple[int, int], **changes: Any
) -> Decision:
    coverage = Coverage(leases=tuple(leases), statements=tuple(statements))
    presentation = LeasePresentation(
        segment="seg_" + "A" * 22,
        salt=SALT,
        coverage=coverage,
        started_at=stretch[0],
        ended_at=stretch[1],
    )
    fields: dict[str, Any] = {
        "known": KNOWN,
        "documents": {document_hash(DOCUMENT): DOCUMENT},
        "tolerance": TOLERANCE,
        "now": STARTED_AT + 10_000,
    }
    return covers(presentation, header(coverage), **(fields | changes))


def reason(decision: Decision) -> str:
    return decision.reason if isinstance(decision, Refused) else ""


HONEST = ([lease(STARTED_AT)], [statement(STARTED_AT)])


def test_one_lease_and_one_word_cover_a_minute_and_the_tolerance() -> None:
    assert isinstance(decide(*HONEST, (STARTED_AT, STARTED_AT + 60)), Allowed)
    assert isinstance(decide(*HONEST, (STARTED_AT - TOLERANCE, STARTED_AT + 60 + TOLERANCE)), Allowed)
    assert reason(decide(*HONEST, (STARTED_AT, STARTED_AT + 61 + TOLERANCE))) == "lease-expired"


def test_a_stretch_of_no_length_is_still_a_second() -> None:
    assert isinstance(decide(*HONEST, (STARTED_AT, STARTED_AT)), Allowed)
    late = STARTED_AT + 60 + TOLERANCE
    assert reason(decide(*HONEST, (late, late))) == "lease-expired"


def test_the_word_of_the_custodian_is_needed_for_every_second_too() -> None:
    leases = [lease(STARTED_AT), lease(STARTED_AT + 60)]
    stretch = (STARTED_AT, STARTED_AT + 120)
    assert reason(decide(leases, [statement(STARTED_AT)], stretch)) == "statement-old"
    both = [statement(STARTED_AT + 60), statement(STARTED_AT)]
    assert isinstance(decide(leases, both, stretch), Allowed)
    stopped = [statement(STARTED_AT), statement(STARTED_AT + 60, off=(Activity.CAPTURE,))]
    assert reason(decide(leases, stopped, stretch)) == "statement-old"
    other = [statement(STARTED_AT), statement(STARTED_AT + 60, off=(Activity.READS,))]
    assert isinstance(decide(leases, other, stretch), Allowed)


def test_only_the_right_keys_count() -> None:
    stretch = (STARTED_AT, STARTED_AT + 30)
    for key in (stranger(), ANNA.device, CAST.custodian.signing):
        assert reason(decide([lease(STARTED_AT, key)], HONEST[1], stretch)) == "lease-mismatch"
    for key in (stranger(), ANNA.device, CAST.server):
        assert reason(decide(HONEST[0], [statement(STARTED_AT, key)], stretch)) == "lease-mismatch"
    for changes in ({"epoch": 2}, {"custodian": "second"}, {"programme": PROGRAMME[:-1] + "Q"}):
        assert reason(decide(HONEST[0], [statement(STARTED_AT, **changes)], stretch)) == "lease-mismatch"


def test_a_lease_is_bound_to_everything_it_names() -> None:
    for changes in (
        {"device": stranger().public},
        {"consent": "A" * 43},
        {"programme": PROGRAMME[:-1] + "Q"},
        {"document": "A" * 43},
        {"streams": (Stream.ELEMENTS, Stream.INPUT)},
        {"not_after": STARTED_AT + 61},
        {"not_after": STARTED_AT - 1},
    ):
        decision = decide([lease(STARTED_AT, **changes)], HONEST[1], (STARTED_AT, STARTED_AT + 30))
        assert reason(decision) == "lease-mismatch", changes


def test_one_bad_lease_among_good_ones_spoils_all() -> None:
    leases = [lease(STARTED_AT), lease(STARTED_AT, stranger())]
    assert reason(decide(leases, HONEST[1], (STARTED_AT, STARTED_AT + 30))) == "lease-mismatch"


def test_a_lease_under_an_earlier_document_still_counts() -> None:
    later = replace(DOCUMENT, number=2, previous=document_hash(DOCUMENT))
    documents = {document_hash(one): one for one in (later, DOCUMENT)}
    assert isinstance(decide(*HONEST, (STARTED_AT, STARTED_AT + 60), documents=documents), Allowed)


def test_a_stretch_lies_in_the_past_and_runs_forward() -> None:
    stretch = (STARTED_AT, STARTED_AT + 30)
    assert reason(decide(*HONEST, (STARTED_AT + 9, STARTED_AT))) == "lease-stretch"
    assert reason(decide(*HONEST, stretch, now=STARTED_AT + 23)) == "lease-stretch"
    assert isinstance(decide(*HONEST, stretch, now=STARTED_AT + 25), Allowed)


def test_nothing_before_the_consent() -> None:
    known = replace_known(in_force_at=STARTED_AT + TOLERANCE + 1)
    assert reason(decide(*HONEST, (STARTED_AT, STARTED_AT + 30), known=known)) == "consent-not-yet"


def replace_known(**changes: Any) -> KnownConsent:
    return dataclasses.replace(KNOWN, **changes)


def test_a_consent_permits_only_what_it_says_while_it_says_it() -> None:
    whole = header(Coverage(leases=tuple(HONEST[0]), statements=tuple(HONEST[1])))
    terms = DOCUMENT.terms
    assert isinstance(check_consent(whole, KNOWN, terms), Allowed)
    assert reason(check_consent(whole, None, terms)) == "consent-unknown"
    assert reason(check_consent(whole, replace_known(is_in_force=False), terms)) == "consent-unknown"
    assert reason(check_consent(whole, replace_known(ended_by=3), terms)) == "consent-ended"
    other = replace(whole, seal=replace(whole.seal, application_group="mail"))
    assert reason(check_consent(other, KNOWN, terms)) == "consent-wider"
    assert reason(check_consent(replace(whole, device=stranger().public), KNOWN, terms)) == "consent-wider"
    foreign = replace(whole, seal=replace(whole.seal, tag="A" * 43))
    assert reason(check_consent(foreign, KNOWN, terms)) == "consent-unknown"
    for narrower in (
        replace(terms, purposes=(Purpose.EVALUATE,)),
        replace(terms, streams=(Stream.FRAMES,)),
        replace(terms, application_groups=terms.application_groups[1:]),
    ):
        assert reason(check_consent(whole, KNOWN, narrower)) == "consent-narrowed"


def test_a_header_fits_the_document_in_force() -> None:
    whole = header(Coverage(leases=tuple(HONEST[0]), statements=tuple(HONEST[1])))
    key_set = document_hash(DOCUMENT.key_set)
    assert isinstance(check_header(whole, DOCUMENT, key_set), Allowed)
    assert reason(check_header(whole, DOCUMENT, "A" * 43)) == "key-set"
    three = replace(whole, custodians=Threshold(k=2, n=3))
    assert reason(check_header(three, DOCUMENT, key_set)) == "key-set"
    for kind in ("derived", "pooled"):
        other = replace(whole, seal=replace(whole.seal, kind=kind))
        assert reason(check_header(other, DOCUMENT, key_set)) == "object-kind"
    foreign = replace(whole, seal=replace(whole.seal, programme=PROGRAMME[:-1] + "Q"))
    assert reason(check_header(foreign, DOCUMENT, key_set)) == "programme"


INTERVAL = st.tuples(st.integers(0, 40), st.integers(0, 40))


@given(st.lists(INTERVAL, max_size=8), INTERVAL)
def test_a_union_covers_what_each_second_says(
    intervals: list[tuple[int, int]], span: tuple[int, int]
) -> None:
    begin, end = span
    covered = {second for first, last in intervals for second in range(first, last)}
    assert union_covers(intervals, begin, end) == (set(range(begin, end)) <= covered)
