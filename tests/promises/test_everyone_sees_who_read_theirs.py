"""Everyone sees who read theirs, and can check by themselves that the list is complete.

Shows R-39 for reads: who, when, why, which segments and what came of it. What a dishonest server does to the
list is in ``test_a_dishonest_broker``; here the custodian may be dishonest, too.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.cast import personal_seed, stranger
from tests.promises.attacker import DishonestBroker
from tests.promises.conftest import Faults
from tests.promises.scene import Scene
from tests.promises.search import hits
from tests.simulator import Participant, Party
from understudy.client.mine import Mine, reads_of_mine
from understudy.client.reader import Reader
from understudy.consent.consent import StandingState
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import RefusedError, UnavailableError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import ReasonCode
from understudy.contract.messages import OpeningsAnswer
from understudy.custody import disclosure
from understudy.custody.head import Head, OpeningMessage, Outcome, SealedOpening
from understudy.custody.openings import OpeningsRequest
from understudy.sealing.canonical import canonical, octets, parse
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.info import info_for
from understudy.sealing.signing import Signed, SigningKey, sign


def mine_from(scene: Scene, *sources: Any, whose: Participant | None = None) -> Mine:
    """Return the list as these custodians tell it."""
    device = (whose or scene.ana).device
    return reads_of_mine(
        device.personal,
        scene.world.programme,
        device.enrolment.hash(EnrolmentRecord),
        sources,
        scene.world.server,
        scene.world.clock,
    )


class TestTheList:
    def test_it_says_who_when_why_and_which(self, scene: Scene) -> None:
        world = scene.world
        at = world.clock.now()
        world.read(scene.grant)
        (read,) = world.mine(scene.ana).reads
        assert (read.n, read.purpose, read.actor) == (1, "train", world.cast.credential_hash("reader"))
        assert (read.grant, read.time, read.segments) == (scene.grant, at, scene.segments(scene.ana))
        assert (read.outcome, read.reason) == ("released", "")

    def test_everybody_sees_their_own_part_and_nobody_elses(self, scene: Scene) -> None:
        scene.world.read(scene.grant)
        for participant in (scene.ana, scene.ben):
            (read,) = scene.world.mine(participant).reads
            assert read.segments == scene.segments(participant)

    def test_who_was_not_read_sees_an_empty_list_that_is_complete(self, scene: Scene) -> None:
        scene.world.read(scene.world.grant(tags=(scene.ben.tag,)))
        assert scene.world.mine(scene.ana).reads == ()

    def test_ones_own_look_is_on_it(self, scene: Scene) -> None:
        world, key = scene.world, scene.ana.device.personal.signing
        entries = world.port.segments(key).segments
        reader = Reader(world.port, world.programme, key, world.clock)
        assert dict(reader.open(world.own_grant(scene.ana), ReasonCode.OWN_COPY, entries))
        assert [read.purpose for read in world.mine(scene.ana).reads] == ["own"]

    def test_what_the_custodian_refused_is_on_it(self, scene: Scene) -> None:
        """The entry was made, the custodian said no: the participant sees both."""
        broker = DishonestBroker(scene)
        scene.ana.stand(StandingState.OBJECTING)
        assert broker.open({scene.ana.tag: scene.segments(scene.ana)}) == "not-available"
        (read,) = scene.world.mine(scene.ana).reads
        assert (read.outcome, read.reason) == ("refused", "not-available")

    def test_many_reads_come_in_pages_and_in_order(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(disclosure, "PAGE_OPENINGS", 3)
        for _ in range(8):
            scene.world.read(scene.grant)
        assert [read.n for read in scene.world.mine(scene.ana).reads] == list(range(1, 9))

    @pytest.mark.parametrize("party", ["server", "custodian", "witness"])
    def test_a_restart_forgets_nothing(self, scene: Scene, party: Party) -> None:
        scene.world.read(scene.grant)
        scene.world.restart(party)
        scene.world.read(scene.grant)
        assert len(scene.world.mine(scene.ana).reads) == 2

    def test_the_recovery_code_alone_finds_it(self, scene: Scene) -> None:
        """Device lost: seed and enrolment record are enough."""
        scene.world.read(scene.grant)
        seed = type(personal_seed("ana")).from_recovery_code(personal_seed("ana").recovery_code())
        record = scene.ana.device.enrolment.hash(EnrolmentRecord)
        world = scene.world
        found = reads_of_mine(seed, world.programme, record, [world.custodian], world.server, world.clock)
        assert len(found.reads) == 1


class TestWhoMayAsk:
    def test_through_the_server_it_is_the_same_list_and_the_server_learns_nothing(self, scene: Scene) -> None:
        scene.world.read(scene.grant)
        seen: list[bytes] = []

        class Server:
            def openings(self, request: Signed) -> OpeningsAnswer:
                answer = scene.world.server.openings(request)
                seen.append(msgspec.json.encode(answer))
                return answer

        assert mine_from(scene, Server()).reads == scene.world.mine(scene.ana).reads
        needles = [*scene.segments(scene.ana), scene.grant]
        assert hits(needles, seen) == set()

    @pytest.mark.parametrize("who", ["ben", "server", "steward", "stranger"])
    def test_nobody_else_gets_a_page(self, scene: Scene, who: str) -> None:
        scene.world.read(scene.grant)
        keys = {"ben": scene.ben.device.personal.signing, "stranger": stranger()}
        key = keys.get(who) or scene.world.cast.person(who)
        for reader in ("participant", "auditor"):
            with pytest.raises(RefusedError, match="openings-reader"):
                scene.world.custodian.openings(self.request(scene, reader, key))

    def test_the_auditor_reads_the_same_entries_with_the_auditors_own_key(self, scene: Scene) -> None:
        scene.world.read(scene.grant)
        cast = scene.world.cast
        answer = scene.world.custodian.openings(self.request(scene, "auditor", cast.person("auditor")))
        (sealed,) = answer.openings
        info = info_for(OpeningMessage.CONTEXT, sealed.address)
        message = parse(OpeningMessage, cast.auditor_hpke.open(info, octets(sealed.sealed)))
        assert message.segments == scene.segments(scene.ana)
        assert sealed.outcome.verify(Outcome, [cast.custodian.signing.public]).outcome == "released"

    def test_a_request_of_another_minute_is_not_answered(self, scene: Scene) -> None:
        request = self.request(scene, "participant", scene.ana.device.personal.signing)
        scene.world.clock.advance(3_600)
        with pytest.raises(RefusedError, match="clock"):
            scene.world.custodian.openings(request)

    def request(self, scene: Scene, reader: Any, key: SigningKey) -> Signed:
        asked = OpeningsRequest(
            programme=scene.world.programme.programme,
            tag=scene.ana.tag,
            after=0,
            reader=reader,
            nonce="A" * 43,
            time=scene.world.clock.now(),
        )
        return sign(asked, key)


Trick = Callable[[Scene, OpeningsAnswer], OpeningsAnswer]


def _message(scene: Scene, sealed: SealedOpening, **changes: Any) -> SealedOpening:
    """Return an opening whose content a dishonest custodian has changed and sealed anew."""
    device = scene.ana.device
    info = info_for(OpeningMessage.CONTEXT, sealed.address)
    message = parse(OpeningMessage, device.personal.hpke.open(info, octets(sealed.sealed)))
    changed = canonical(msgspec.structs.replace(message, **changes))
    public = HpkePublicKey.from_text(device.personal.hpke.public.text)
    return msgspec.structs.replace(sealed, sealed=encode_bytes(public.seal(info, changed)))


def _first(answer: OpeningsAnswer, opening: SealedOpening) -> OpeningsAnswer:
    return msgspec.structs.replace(answer, openings=(opening, *answer.openings[1:]))


def _one_segment_left_out(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    segments = scene.segments(scene.ana)[:1]
    return _first(answer, _message(scene, answer.openings[0], segments=segments))


def _another_salt(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    return _first(answer, _message(scene, answer.openings[0], salt="A" * 43))


def _another_entry(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    """A leaf that says another purpose: it is not in the tree."""
    raw = scene.world.server.log.store.entry(_index(answer)) or b""
    changed = encode_bytes(raw.replace(b'"train"', b'"debug"'))
    return _first(answer, _message(scene, answer.openings[0], leaf=changed))


def _another_place(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    return _first(answer, _message(scene, answer.openings[0], index=_index(answer) - 1))


def _an_outcome_of_another_entry(_: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    first, second = answer.openings
    return _first(answer, msgspec.structs.replace(first, outcome=second.outcome))


def _an_outcome_by_the_server(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    """Released is what happened; the server says that it was refused."""
    first = answer.openings[0]
    told = msgspec.structs.replace(first.outcome.verify(Outcome), outcome="refused", reason="switch-off")
    return _first(answer, msgspec.structs.replace(first, outcome=sign(told, scene.world.cast.server)))


def _a_head_by_a_stranger(_: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    head = msgspec.structs.replace(answer.head.verify(Head), n=1)
    return OpeningsAnswer(openings=answer.openings[:1], head=sign(head, stranger()))


def _a_head_that_hides_the_last(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    """Signed by the custodian itself, with the number of before and the commitment of now."""
    head = msgspec.structs.replace(answer.head.verify(Head), n=1)
    signed = sign(head, scene.world.cast.custodian.signing)
    return OpeningsAnswer(openings=answer.openings[:1], head=signed)


def _the_head_of_somebody_else(scene: Scene, _: OpeningsAnswer) -> OpeningsAnswer:
    return OpeningsAnswer(
        openings=(), head=scene.world.custodian.head(scene.world.visitor("cleo").enrol().tag)
    )


def _the_page_of_somebody_else(scene: Scene, answer: OpeningsAnswer) -> OpeningsAnswer:
    """Ben's openings, sealed to ben."""
    caught: list[OpeningsAnswer] = []

    class Catch:
        def openings(self, request: Signed) -> OpeningsAnswer:
            caught.append(scene.world.custodian.openings(request))
            return caught[0]

    mine_from(scene, Catch(), whose=scene.ben)
    return msgspec.structs.replace(answer, openings=caught[0].openings)


def _index(answer: OpeningsAnswer) -> int:
    return answer.openings[0].outcome.verify(Outcome).index


class TestNobodyIsFooled:
    @pytest.mark.parametrize(
        "trick",
        [
            _one_segment_left_out,
            _another_salt,
            _another_entry,
            _another_place,
            _an_outcome_of_another_entry,
            _an_outcome_by_the_server,
            _a_head_by_a_stranger,
            _a_head_that_hides_the_last,
            _the_head_of_somebody_else,
            _the_page_of_somebody_else,
        ],
    )
    def test_a_changed_answer_is_an_error(self, scene: Scene, faults: Faults, trick: Trick) -> None:
        for _ in range(2):
            scene.world.read(scene.grant)
        world = scene.world

        class Custodian:
            def openings(self, request: Signed) -> OpeningsAnswer:
                return trick(scene, world.custodian.openings(request))

        try:
            mine_from(scene, Custodian())
        except UnderstudyError:
            noticed = True
        else:
            noticed = False
        faults.caught(f"list: {trick.__name__.strip('_')}", caught=noticed)
        assert len(mine_from(scene, world.custodian).reads) == 2

    def test_no_custodian_no_list(self, scene: Scene) -> None:
        """Silence is an error, never an empty list."""

        class Silent:
            def openings(self, _: Signed) -> OpeningsAnswer:
                raise UnavailableError("it does not answer")

        with pytest.raises(UnavailableError):
            mine_from(scene, Silent())
        with pytest.raises(UnderstudyError):
            mine_from(scene)
