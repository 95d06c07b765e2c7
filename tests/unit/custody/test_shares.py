"""Two of three custodians: each holds one share, releases it under its own role, and opens nothing alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    SIGNERS,
    Log,
    Participant,
    World,
    custodian_keys,
    decoded,
    digest_of,
    fixed_id,
    hpke,
    key,
    key_set,
    programme_document,
    receipt_for,
)
from understudy.consent.clock import FixedClock
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity
from understudy.custody.custodian import Custodian
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import Released, ReleaseReply
from understudy.custody.store import Store
from understudy.custody.switch import LiftBundle
from understudy.sealing.canonical import octets
from understudy.sealing.errors import HalfError
from understudy.sealing.half import Half, Role
from understudy.sealing.header import SealContext, SegmentHeader
from understudy.sealing.release import ReleaseContext, open_halves
from understudy.sealing.segment import open_half, open_segment, seal_segment
from understudy.sealing.signing import document_hash, sign
from understudy.transparency.leaves import SwitchLeaf, leaf_digest

NAMES = ("first", "second", "third")
ROLES: tuple[Role, ...] = ("c1", "c2", "c3")


class Three(World):
    """The world again, around three custodians."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(NOW)
        self.key_set = key_set(
            custodians=tuple(custodian_keys(name).public for name in NAMES), custodian_threshold=2
        )
        self.programme = programme_document(key_set=self.key_set)
        labels = (*SIGNERS, "custodian second", "custodian third")
        self.document = sign(self.programme, *(key(label) for label in labels))
        self.log = Log(self.clock, self.document)
        self.table = {}
        self.custodians = [self._custodian(name) for name in NAMES]

    def _custodian(self, name: str) -> Custodian:
        store = Store.create(self.folder / f"{name}.db")
        custodian = Custodian(store, custodian_keys(name), self.clock, self.log)
        custodian.pin(self.document, self.document.hash(ProgrammeDocument))
        bundle = LiftBundle(
            programme=PROGRAMME, on=tuple(Activity), custodian=name, epoch=1, revision=0, made_at=NOW
        )
        custodian.lift(sign(bundle, key("lift-1"), key("lift-2")))
        (change,) = custodian.queue()
        self.log.append(
            SwitchLeaf(
                programme=PROGRAMME,
                order=change.order,
                off=change.off,
                revision=change.revision,
                by=name,
                time=NOW,
            )
        )
        return custodian


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Three]:
    world = Three(tmp_path)
    yield world
    for custodian in world.custodians:
        custodian.close()


def test_any_two_of_three_open_a_segment_and_one_does_not(three: Three) -> None:
    one = Participant("one")
    record = one.enrolment(key_set=document_hash(three.key_set))
    consent = one.consent(document=document_hash(three.programme))
    bundle = seal_segment(
        b"synthetic",
        SealContext(
            kind="recording",
            programme=PROGRAMME,
            tag=one.tag,
            recording=fixed_id("rec", "one"),
            segment=fixed_id("seg", "one"),
            consent=document_hash(consent),
            key_set=document_hash(three.key_set),
            escrow_key=fixed_id("esc", "one"),
            application_group="mail",
            task_label="form",
        ),
        previous=None,
        lease_root=digest_of("leases"),
        redaction=digest_of("redaction"),
        device=one.device,
        escrow=hpke("escrow").public,
        custodian=(hpke("first").public, hpke("second").public, hpke("third").public),
    )
    segment = fixed_id("seg", "one")
    for place, custodian in enumerate(three.custodians):
        custodian.enrol(record)
        custodian.countersign(sign(consent, one.seed.signing), receipt_for(consent))
        for other, half in enumerate(bundle.halves[1:]):
            if other != place:
                with pytest.raises(CustodyRefusedError, match="deposit-role"):
                    custodian.deposit(bundle.header, half)
        custodian.deposit(bundle.header, bundle.halves[1 + place])

    three.log.heads[one.tag] = (0, record.hash(EnrolmentRecord))
    grant = three.grant()
    request = three.request(grant, [segment])
    entered = three.enter(grant, request, {one.tag: [segment]})
    shares = []
    for custodian, role, name in zip(three.custodians, ROLES, NAMES, strict=True):
        answer = decoded(custodian.open(three.delivery(entered, grant, request)))
        assert isinstance(answer, Released)
        reply = answer.reply.verify(ReleaseReply, {key(f"custodian {name}").public})
        assert reply.role == role
        context = ReleaseContext(role=role, leaf=leaf_digest(entered.raw), request=reply.request)
        shares.append(open_halves(context, octets(reply.sealed), hpke("ephemeral"))[segment])

    header = bundle.header.verify(SegmentHeader)
    raw = [bytes(share.raw) for share in shares]
    for pair in ((0, 1), (0, 2), (1, 2)):
        half_p = open_half("p", header, bundle.halves[0], hpke("escrow"))
        some = tuple(Half(ROLES[place], raw[place]) for place in pair)
        assert open_segment(header, bundle.ciphertext, half_p, some) == b"synthetic"
    half_p = open_half("p", header, bundle.halves[0], hpke("escrow"))
    with pytest.raises(HalfError):
        open_segment(header, bundle.ciphertext, half_p, (Half("c1", raw[0]),))
