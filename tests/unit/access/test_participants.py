"""What participants said is read anew for every decision, and nothing counts before it is confirmed."""

from tests.unit.access.world import DIGEST, Person, World
from understudy.access.actors import credential_of
from understudy.access.ports import Said
from understudy.consent.consent import StandingState
from understudy.consent.purposes import Purpose
from understudy.programme.database import writing
from understudy.programme.tables import ConsentRow, EnrolmentReceiptRow
from understudy.sealing.signing import Signed


def test_personal_key_and_console_credential_speak_for_a_participant(shared: World, somebody: Person) -> None:
    speaks = shared.participants.speaks_for
    assert speaks(somebody.tag, credential_of(somebody.seed.signing.public))
    assert speaks(somebody.tag, credential_of(somebody.console.public))
    assert not speaks(somebody.tag, credential_of(somebody.device.public))
    assert not speaks(DIGEST, credential_of(somebody.seed.signing.public))


def said(world: World, person: Person, consent: str = "") -> Said:
    key = (person.tag, consent or person.consent)
    return world.participants.said([key])[key]


def test_an_enrolment_without_its_receipts_is_none(world: World) -> None:
    anna = world.join("anna")
    assert said(world, anna).first_hash is not None
    with writing(world.engine) as session:
        session.query(EnrolmentReceiptRow).delete()
    assert said(world, anna).first_hash is None
    assert not world.participants.speaks_for(anna.tag, credential_of(anna.seed.signing.public))


def test_a_consent_counts_for_its_giver_and_with_all_signatures(world: World) -> None:
    anna, ben = world.join("anna"), world.join("ben")
    assert said(world, anna).purposes == (Purpose.TRAIN,)
    assert said(world, ben, anna.consent).purposes == ()
    assert said(world, anna, DIGEST).purposes == ()
    with writing(world.engine) as session:
        row = session.get_one(ConsentRow, anna.consent)
        server = tuple(
            signature for signature in row.receipt.signatures if signature.key == world.cast.server.public
        )
        row.receipt = Signed(body=row.receipt.body, signatures=server)
    assert said(world, anna).purposes == ()


def test_a_withdrawn_consent_stays_withdrawn(world: World) -> None:
    anna = world.join("anna")
    assert said(world, anna).standing is StandingState.ACTIVE
    world.stand(anna, StandingState.WITHDRAWN)
    world.stand(anna, StandingState.ACTIVE)
    assert said(world, anna).standing is StandingState.WITHDRAWN
    assert said(world, anna, DIGEST).standing is StandingState.ACTIVE


def test_nobody_known_said_nothing(world: World) -> None:
    key = (DIGEST, DIGEST)
    assert world.participants.said([key])[key] == Said(
        purposes=(), standing=StandingState.ACTIVE, first_hash=None
    )
    assert world.participants.said([]) == {}
