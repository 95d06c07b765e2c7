"""Make this folder's vectors anew: ``python -m tests.vectors.programme.make`` from the repository root.

Everything comes from fixed seeds, so the file comes out the same each time. The committed vectors are
normative: make them anew only together with a new version of the format.
"""

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.cast import PROGRAMME, RECOVERY, ROLES, STARTED_AT, TERMS, Cast, personal_seed, seed_of
from understudy.consent.consent import Consent, ConsentReceipt, Standing, StandingReceipt, StandingState
from understudy.consent.enrolment import EnrolmentReceipt, EnrolmentRecord
from understudy.consent.keyset import EscrowKey
from understudy.consent.lease import Lease, LeaseRequest
from understudy.consent.primitives import Document, encode_bytes
from understudy.consent.programme import Profile, ProgrammeDocument
from understudy.consent.purposes import Activity, Purpose, Stream
from understudy.consent.succession import Succession
from understudy.custody.coverage import Coverage, LeasePresentation, lease_root
from understudy.custody.switch import LiftBundle, StatementForDevice, SwitchOrder, SwitchStatement
from understudy.programme.events import ConsentEvent, EventKind, event_commitment, padded_commitments
from understudy.programme.rules import check_document
from understudy.sealing.canonical import canonical
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.notice import notice_hash
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.transparency.merkle import tree_root

FOLDER = Path(__file__).parent
SALT = encode_bytes(seed_of("vector salt"))
NONCE = encode_bytes(seed_of("vector nonce"))


def identifier(prefix: str) -> str:
    """Return the id that stands in vectors."""
    return f"{prefix}_" + "A" * 22


def signed_documents() -> dict[str, tuple[type[Document], Signed]]:
    """Return one valid, signed document of every type."""
    cast = Cast()
    document = cast.document()
    seed = personal_seed("vector")
    device = SigningKey.from_seed(seed_of("vector device"))
    tag = seed.tag(PROGRAMME)
    key_set = document_hash(document.key_set)
    record = EnrolmentRecord(
        programme=PROGRAMME,
        tag=tag,
        number=1,
        previous=None,
        personal_signing=seed.signing.public,
        personal_hpke=seed.hpke.public.text,
        devices=(device.public,),
        key_set=key_set,
        made_at=STARTED_AT,
    )
    consent = Consent(
        programme=PROGRAMME,
        document=document_hash(document),
        tag=tag,
        device=device.public,
        purposes=(Purpose.TRAIN,),
        streams=(Stream.ELEMENTS,),
        application_groups=("forms",),
        notice=notice_hash(TERMS),
        given_at=STARTED_AT,
    )
    receipt = ConsentReceipt(
        consent=document_hash(consent),
        programme=PROGRAMME,
        document=document_hash(document),
        tag=tag,
        in_force_at=STARTED_AT,
    )
    lease = Lease(
        lease=identifier("lea"),
        programme=PROGRAMME,
        document=document_hash(document),
        device=device.public,
        consent=document_hash(consent),
        streams=(Stream.ELEMENTS,),
        not_before=STARTED_AT,
        not_after=STARTED_AT + 60,
    )
    statement = SwitchStatement(
        programme=PROGRAMME,
        custodian=cast.custodian.name,
        epoch=1,
        revision=1,
        off=(Activity.TRAINING,),
        nonces=1,
        nonce_root=encode_bytes(tree_root([seed_of("vector nonce")])),
        time=STARTED_AT,
    )
    signed_lease = sign(lease, cast.server)
    signed_statement = sign(statement, cast.custodian.signing)
    coverage = Coverage(
        leases=(signed_lease,),
        statements=(StatementForDevice(statement=signed_statement, index=0, path=()),),
    )
    presentation = LeasePresentation(
        segment=identifier("seg"),
        salt=SALT,
        coverage=coverage,
        started_at=STARTED_AT,
        ended_at=STARTED_AT + 30,
    )
    recovered = replace(
        document,
        number=2,
        previous=document_hash(document),
        key_set=replace(document.key_set, log=replace(document.key_set.log, epoch=2)),
    )
    succession = Succession(
        programme=PROGRAMME,
        previous=document_hash(document),
        document=document_hash(recovered),
        log_epoch=2,
        reason="the steward's and the log's keys were lost",
        made_at=STARTED_AT,
    )
    escrow = EscrowKey(
        escrow_key=identifier("esc"),
        programme=PROGRAMME,
        tag=tag,
        epoch=1,
        public=HpkePrivateKey.from_seed(seed_of("vector escrow")).public.text,
        key_set=key_set,
        made_at=STARTED_AT,
    )
    enrolment_receipt = EnrolmentReceipt(
        enrolment=document_hash(record),
        tag=tag,
        number=1,
        custodian=cast.custodian.name,
        epoch=1,
        received_at=STARTED_AT,
    )
    standing = Standing(
        programme=PROGRAMME, tag=tag, number=1, state=StandingState.WITHDRAWN, made_at=STARTED_AT
    )
    standing_receipt = StandingReceipt(
        standing=document_hash(standing),
        tag=tag,
        number=1,
        state=StandingState.WITHDRAWN,
        custodian=cast.custodian.name,
        epoch=1,
        received_at=STARTED_AT,
    )
    request = LeaseRequest(
        programme=PROGRAMME,
        tag=tag,
        device=device.public,
        consent=document_hash(consent),
        streams=(Stream.ELEMENTS,),
        nonce=NONCE,
        asked_at=STARTED_AT,
    )
    order = SwitchOrder(
        programme=PROGRAMME,
        off=(Activity.CAPTURE, Activity.INGEST),
        nonce=NONCE,
        reason="a vector",
        ordered_at=STARTED_AT,
    )
    bundle = LiftBundle(
        programme=PROGRAMME,
        on=(Activity.CAPTURE,),
        custodian=cast.custodian.name,
        epoch=1,
        revision=1,
        evidence=(encode_bytes(seed_of("vector evidence")),),
        made_at=STARTED_AT,
    )
    lift = [cast.person(name) for name in ("lift-1", "lift-2")]
    recovery = [cast.person(name) for name in RECOVERY[:2]]
    return {
        "programme": (ProgrammeDocument, cast.signed_document()),
        "succession": (Succession, sign(succession, *recovery)),
        "enrolment": (EnrolmentRecord, sign(record, seed.signing, device)),
        "enrolment-receipt": (EnrolmentReceipt, sign(enrolment_receipt, cast.custodian.signing)),
        "consent": (Consent, sign(consent, seed.signing)),
        "consent-receipt": (ConsentReceipt, sign(receipt, cast.server, cast.custodian.signing)),
        "standing": (Standing, sign(standing, seed.signing)),
        "standing-receipt": (StandingReceipt, sign(standing_receipt, cast.custodian.signing)),
        "escrow-key": (EscrowKey, sign(escrow, cast.escrow_issuer)),
        "lease-request": (LeaseRequest, sign(request, device)),
        "lease": (Lease, signed_lease),
        "switch-order": (SwitchOrder, sign(order, cast.person("steward"))),
        "lift-bundle": (LiftBundle, sign(bundle, *lift)),
        "switch-statement": (SwitchStatement, signed_statement),
        "lease-presentation": (LeasePresentation, sign(presentation, device)),
    }


def refused_documents() -> dict[str, ProgrammeDocument]:
    """Return documents that break one rule each."""
    document = Cast().document()
    keys, steward = document.key_set, document.roster[0]
    return {
        "a purpose that no programme offers": replace(
            document, terms=replace(document.terms, purposes=(Purpose.OWN,))
        ),
        "a lease of more than a minute": replace(document, delays=replace(document.delays, lease_seconds=61)),
        "one key with two duties": replace(
            document, key_set=replace(keys, server=steward.credential.public_key)
        ),
        "one of three custodians": replace(
            document, key_set=replace(keys, custodians=keys.custodians * 3, custodian_threshold=1)
        ),
        "two recovery keys": replace(
            document, recovery=replace(document.recovery, keys=document.recovery.keys[:2])
        ),
        "production with one witness": replace(document, profile=Profile.PRODUCTION),
    }


def vectors() -> dict[str, Any]:
    """Return everything that stands in ``vectors.json``."""
    documents = signed_documents()
    presentation = documents["lease-presentation"][1].verify(LeasePresentation)
    record = documents["enrolment"][1].verify(EnrolmentRecord)
    event = ConsentEvent(kind=EventKind.CONSENT, document=documents["consent"][1].hash(Consent))
    commitment = event_commitment(event, SALT)
    batch = [commitment, seed_of("vector commitment")]
    padded = padded_commitments(batch, 2)
    return {
        "documents": {
            name: {
                "bytes": signed.raw.decode(),
                "hash": signed.hash(kind),
                "signatures": {one.key: one.signature for one in signed.signatures},
            }
            for name, (kind, signed) in documents.items()
        },
        "key_set": {"hash": document_hash(Cast().key_set()), "bytes": canonical(Cast().key_set()).decode()},
        "tag": {
            "programme": PROGRAMME,
            "personal_signing": record.personal_signing,
            "tag": record.tag,
        },
        "notice": {"terms": canonical(TERMS).decode(), "hash": notice_hash(TERMS)},
        "coverage": {
            "salt": presentation.salt,
            "bytes": canonical(presentation.coverage).decode(),
            "lease_root": lease_root(presentation.salt, presentation.coverage),
        },
        "nonce": {"nonce": NONCE, "index": 0, "path": []},
        "consent_event": {
            "event": canonical(event).decode(),
            "salt": SALT,
            "commitment": encode_bytes(commitment),
            "batch": [encode_bytes(one) for one in sorted(batch)],
            "root": encode_bytes(tree_root([padded[:32], padded[32:]])),
        },
        "refused": [
            {"name": name, "bytes": canonical(one).decode(), "problems": check_document(one)}
            for name, one in refused_documents().items()
        ],
        "signers": {"programme": len(ROLES) + 5},
    }


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1, sort_keys=True, ensure_ascii=False)
    (FOLDER / "vectors.json").write_text(text + "\n", encoding="utf-8")
