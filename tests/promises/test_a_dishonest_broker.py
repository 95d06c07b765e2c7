"""A dishonest broker gets nothing unlogged, and what it has logged is on the participant's own list.

It has the server's machine, database, objects, log key and server key. It swaps keys, labels, numbers,
tags, forges approvals, replays, drops, hides and withholds. The rules of release, and what an entry
must be, are in ``test_no_key_without_an_entry``; here is everything around them.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cast import STARTED_AT, stranger
from tests.lines import between
from tests.promises.attacker import DishonestBroker
from tests.promises.conftest import Faults
from tests.promises.scene import Scene
from understudy.access import events
from understudy.access.decide import Decider
from understudy.access.ports import Log
from understudy.client.errors import EntryError
from understudy.client.mine import reads_of_mine
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Allowed
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import RefusedError, UnderstudyError
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.purposes import Activity, Purpose
from understudy.contract.messages import OpenAnswer, OpenCall, OpeningsAnswer, UploadCall
from understudy.custody.admission import Admission
from understudy.programme.switch import ServerSwitch
from understudy.recorder.device import Device
from understudy.recorder.errors import PinError
from understudy.sealing.canonical import canonical
from understudy.sealing.errors import HalfError, SealError, SignatureError
from understudy.sealing.header import SegmentHeader
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.signing import Signed, document_hash, sign
from understudy.transparency.draft import Appended, Draft


@pytest.fixture
def broker(scene: Scene) -> DishonestBroker:
    """The attacker on a scene of their own."""
    return DishonestBroker(scene)


@contextmanager
def database(scene: Scene, name: str) -> Iterator[sqlite3.Connection]:
    """Write to a file of the server, behind its back."""
    connection = sqlite3.connect(scene.world.home("server") / name)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def refusal(scene: Scene, grant: str | None = None) -> str:
    """Have the genuine reader read through the broker; return why it fails."""
    with pytest.raises(UnderstudyError) as caught:
        scene.world.read(grant or scene.grant)
    return str(getattr(caught.value, "reason", type(caught.value).__name__))


class TestWhatItGetsIsSeen:
    def test_with_a_reader_on_its_side_every_half_it_gets_is_on_the_list(
        self, broker: DishonestBroker
    ) -> None:
        """Broker and authorised reader together, past the door: they can read, and everybody sees it."""
        scene = broker.scene
        mine, others = scene.segments(scene.ana), scene.segments(scene.ben)
        assert broker.open({scene.ana.tag: mine[:1]}) == "released"
        assert broker.open({scene.ana.tag: mine[1:], scene.ben.tag: others}) == "released"
        listed = {
            (segment, read.index)
            for participant in (scene.ana, scene.ben)
            for read in scene.world.mine(participant).reads
            if read.outcome == "released"
            for segment in read.segments
        }
        assert set(broker.loot.items()) == listed
        assert set(broker.loot) == {*mine, *others}

    def test_a_custodian_that_hides_an_entry_is_found_out(
        self, broker: DishonestBroker, monkeypatch: pytest.MonkeyPatch, faults: Faults
    ) -> None:
        """The control: were an entry released without its number, the list would not close."""
        scene = broker.scene
        with monkeypatch.context() as patch:
            patch.setattr(Admission, "_number", lambda *_: None)
            assert broker.open({scene.ana.tag: scene.segments(scene.ana)}) == "released"
        listed = {segment for read in scene.world.mine(scene.ana).reads for segment in read.segments}
        faults.caught("custody: released without a number", caught=not set(broker.loot) <= listed)

    def test_a_denied_open_leaves_its_trace_in_the_log(self, scene: Scene) -> None:
        world = scene.world
        before = world.server.log.store.size
        grant = world.grant(tags=(scene.ben.tag,))
        with pytest.raises(RefusedError):
            world.reader().obtain_halves(grant, world.reason, scene.segments(scene.ana))
        kinds = [
            msgspec.json.decode(leaf)["kind"]
            for leaf in world.server.log.store.entries(before, world.server.log.store.size)
        ]
        assert kinds == ["grant", "denied"]


class TestSwappedKeys:
    def test_a_programme_document_with_the_attackers_custodian_is_pinned_by_nobody(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        world = scene.world
        evil = self.evil_document(scene)
        with pytest.raises(PinError):
            Device.create(tmp_path / "new", evil, pinned=document_hash(world.programme))

    def test_a_device_that_was_tricked_into_it_can_share_nothing(self, scene: Scene, tmp_path: Path) -> None:
        """Pinned by the attacker's own hash: custodian and honest server refuse the other key set."""
        world = scene.world
        evil = self.evil_document(scene)
        tricked = Device.create(tmp_path / "new", evil, pinned=evil.hash(ProgrammeDocument))
        record = EnrolmentRecord(
            programme=world.programme.programme,
            tag=tricked.tag,
            number=1,
            previous=None,
            personal_signing=tricked.personal.signing.public,
            personal_hpke=tricked.personal.hpke.public.text,
            devices=(tricked.key.public,),
            key_set=tricked.key_set_hash,
            made_at=world.clock.now(),
        )
        signed = sign(record, tricked.personal.signing, tricked.key)
        for party in (world.custodian, world.server):
            with pytest.raises(UnderstudyError) as caught:
                party.enrol(signed)
            assert getattr(caught.value, "reason", "") in {"key-set", "key-set-mismatch"}

    def test_a_device_of_the_attackers_speaks_for_nobody(self, scene: Scene) -> None:
        """Another device under ana's tag needs ana's personal signature."""
        ana, mine = scene.ana.device, stranger("device")
        record = msgspec.structs.replace(
            ana.enrolment.verify(EnrolmentRecord),
            number=2,
            previous=ana.enrolment.hash(EnrolmentRecord),
            devices=(ana.key.public, mine.public),
        )
        for signers in ([mine], [mine, scene.world.cast.server], [mine, stranger()]):
            with pytest.raises(SignatureError):
                scene.world.custodian.enrol(sign(record, *signers))

    def test_a_header_that_another_device_signed_is_not_deposited(self, scene: Scene) -> None:
        call = self.unsent(scene)
        mine = stranger("device")
        header = msgspec.structs.replace(call.header.verify(SegmentHeader), device=mine.public)
        assert self.deposit_refusal(scene, sign(header, mine), call) == "unknown-device"

    def test_a_header_under_another_key_set_is_not_deposited(self, scene: Scene) -> None:
        call = self.unsent(scene)
        header = call.header.verify(SegmentHeader)
        seal = msgspec.structs.replace(header.seal, key_set="A" * 43)
        resigned = sign(msgspec.structs.replace(header, seal=seal), scene.ana.device.key)
        assert self.deposit_refusal(scene, resigned, call) == "key-set"

    def test_the_half_of_another_segment_beside_a_genuine_header_is_not_deposited(self, scene: Scene) -> None:
        first, second = self.unsent(scene), self.unsent(scene)
        mixed = msgspec.structs.replace(first, halves=second.halves)
        assert self.deposit_refusal(scene, first.header, mixed) == "wrong-half"
        with pytest.raises(HalfError):
            scene.world.server.begin_upload(mixed)

    def evil_document(self, scene: Scene) -> Signed:
        """Return document 1 with the attacker's HPKE key as the custodian's."""
        cast, mine = scene.world.cast, HpkePrivateKey.generate().public.text
        key_set = scene.world.programme.key_set
        custodian = msgspec.structs.replace(key_set.custodians[0], hpke=mine)
        keys = msgspec.structs.replace(key_set, custodians=(custodian,))
        document = msgspec.structs.replace(scene.world.programme, key_set=keys)
        return sign(document, cast.server, cast.escrow_issuer, cast.log)

    def unsent(self, scene: Scene) -> UploadCall:
        """Return a genuine bundle of ana's that was not sent yet."""
        recording, _ = scene.ana.record()
        (segment,) = scene.ana.outbox.seal(scene.ana.held, recording)
        (path,) = (scene.ana.device.home / "outbox").glob(f"*-{segment}/bundle.json")
        return msgspec.json.decode(path.read_bytes(), type=UploadCall)

    def deposit_refusal(self, scene: Scene, header: Signed, call: UploadCall) -> str:
        with pytest.raises(RefusedError) as caught:
            scene.world.custodian.deposit(header, call.halves[1])
        return caught.value.reason


class TestChangedDatabase:
    def test_labels_in_the_catalogue_do_not_widen_a_scope(self, broker: DishonestBroker) -> None:
        """Ana's mail, relabelled as forms: the custodian looks at the header that the device signed."""
        scene = broker.scene
        mail = scene.world.participant("mail").consent(groups=("forms", "mail"))
        (segment,) = mail.share(group="mail")
        grant = scene.world.grant(application_groups=("forms",))
        with database(scene, "server.sqlite") as rows:
            rows.execute("UPDATE segment SET application_group = 'forms' WHERE id = ?", (segment,))
        assert refusal(scene, grant) == "scope-application-group"
        held = scene.world.server.grants.find(grant)
        assert held is not None
        asked = broker.ask([segment], grant=grant)
        entered = broker.enter_for(asked, {mail.tag: [segment]})
        assert broker.bring(entered, asked, grant=held.signed) == "scope-application-group"

    def test_a_grants_row_cannot_be_widened(self, scene: Scene) -> None:
        """A year instead of an hour, in the database: the approvers did not sign that."""
        wider = msgspec.structs.replace(scene.terms, not_after=scene.terms.not_after + 31_536_000)
        forged = msgspec.structs.replace(scene.signed_grant, body=sign(wider).body)
        with database(scene, "server.sqlite") as rows:
            for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                rows.execute(f"DROP TRIGGER {name}")
            rows.execute("UPDATE access_grant SET signed = ?", (canonical(forged),))
        scene.world.restart("server")
        assert refusal(scene) == "SignatureError"

    def test_policies_that_permit_everything_open_nothing(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server's own decision is replaced by yes; the custodian decides by itself."""
        monkeypatch.setattr(Decider, "decide_all", lambda *_: Allowed())
        grant = scene.world.grant(purpose=Purpose.TRAIN, tags=(scene.narrow.tag,))
        assert refusal(scene, grant) == "purpose-not-consented"
        grant = scene.world.grant(tags=(scene.ben.tag,))
        with pytest.raises(RefusedError, match="scope-tag"):
            scene.world.reader().obtain_halves(grant, scene.world.reason, scene.segments(scene.ana))

    def test_a_switch_that_claims_to_be_lifted_starts_nothing(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = scene.world
        grant = scene.grant
        world.port.switch_off(world.order(*Activity))
        world.server.flush()
        monkeypatch.setattr(ServerSwitch, "is_off", lambda *_: False)
        assert refusal(scene, grant) == "switch-off"
        with pytest.raises(UnderstudyError):
            scene.ana.keeper.renew()

    def test_halves_swapped_in_the_key_store_are_noticed(self, scene: Scene) -> None:
        first, second = scene.segments(scene.ana)
        with database(scene, "keystore.sqlite") as rows:
            (one,) = rows.execute("SELECT sealed FROM half WHERE segment = ?", (first,)).fetchone()
            rows.execute("UPDATE half SET sealed = ? WHERE segment = ?", (one, second))
        assert refusal(scene) == "HalfError"

    def test_ciphertexts_swapped_in_the_object_store_are_noticed(self, scene: Scene) -> None:
        first, second = (
            next((scene.world.home("server") / "objects").rglob(segment))
            for segment in scene.segments(scene.ana)
        )
        shutil.copyfile(first, second)
        with pytest.raises(SealError):
            scene.world.read(scene.grant)

    def test_a_participant_taken_out_of_the_servers_tables_is_still_heard(self, scene: Scene) -> None:
        """The server forgets a pause; the custodian does not."""
        scene.ana.stand(StandingState.PAUSED)
        with database(scene, "server.sqlite") as rows:
            rows.execute("DELETE FROM standing")
        assert refusal(scene) == "not-available"


class TestSkippedLog:
    def test_an_entry_that_was_never_appended_releases_nothing(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch, faults: Faults
    ) -> None:
        """The door is patched to make up entries; the reader never gets the custodian's half."""
        world, grant = scene.world, scene.grant
        monkeypatch.setattr(events, "enter", _made_up)
        with pytest.raises(UnderstudyError):
            world.read(grant)
        faults.caught("door: skips the log", caught=world.mine(scene.ana).reads == ())

    def test_an_answer_without_its_entry_is_refused_by_the_reader(self, scene: Scene) -> None:
        """Two parties collude, broker and custodian: the reader still wants the entry."""
        world = scene.world

        def hide(call: OpenCall) -> OpenAnswer:
            answer = world.server.open(call)
            return msgspec.structs.replace(answer, index=answer.index - 1)

        reader = world.reader(port=between(world.port, open=hide))
        with pytest.raises(UnderstudyError):
            reader.obtain_halves(scene.grant, world.reason, scene.segments(scene.ana))


class TestReplays:
    def test_an_answer_of_before_is_refused(self, scene: Scene) -> None:
        world, segments = scene.world, scene.segments(scene.ana)
        seen: list[OpenAnswer] = []

        def record(call: OpenCall) -> OpenAnswer:
            seen.append(world.server.open(call))
            return seen[0]

        reader = world.reader(port=between(world.port, open=record))
        assert reader.obtain_halves(scene.grant, world.reason, segments)
        with pytest.raises(EntryError):
            reader.obtain_halves(scene.grant, world.reason, segments)

    def test_an_open_delivered_again_gives_the_same_bytes_to_the_same_key(
        self, broker: DishonestBroker
    ) -> None:
        scene = broker.scene
        segments = scene.segments(scene.ana)
        asked = broker.ask(segments)
        entered = broker.enter_for(asked, {scene.ana.tag: segments})
        delivery = broker.delivery(entered, asked)
        first = broker.custodian.open(delivery)
        assert broker.custodian.open(delivery) == first
        mine = msgspec.structs.replace(delivery, request=broker.ask(segments).signed)
        assert broker.custodian.open(mine) == first

    def test_an_old_lift_does_not_undo_a_new_stop(self, scene: Scene) -> None:
        world = scene.world
        world.port.switch_off(world.order(Activity.READS))
        bundle = world.bundle()
        world.port.lift(bundle)
        world.port.switch_off(world.order(Activity.READS))
        for party in (world.custodian, world.server):
            with suppress(RefusedError):
                party.lift(bundle)
            assert Activity.READS in world.custodian.switch_status().off
        world.server.flush()
        assert refusal(scene) == "switch-off"


class TestHiding:
    """What stands between the participant and their list."""

    def test_withheld_openings_are_an_error_and_not_a_shorter_list(self, scene: Scene) -> None:
        for _ in range(3):
            scene.world.read(scene.grant)
        tricks = {
            "the last one dropped": lambda answer: self.changed(answer, answer.openings[:-1]),
            "the first one dropped": lambda answer: self.changed(answer, answer.openings[1:]),
            "one in the middle dropped": lambda answer: self.changed(answer, answer.openings[::2]),
            "none at all": lambda answer: self.changed(answer, ()),
            "in another order": lambda answer: self.changed(answer, answer.openings[::-1]),
            "one twice": lambda answer: self.changed(answer, (answer.openings[0], *answer.openings)),
        }
        for trick in tricks.values():
            with pytest.raises(UnderstudyError):
                self.mine(scene, trick)
        assert len(scene.world.mine(scene.ana).reads) == 3

    def test_an_old_answer_is_found_out_even_by_whoever_never_looked_before(self, scene: Scene) -> None:
        """Page and head of yesterday, whole and genuine: they answer another question."""
        world = scene.world
        world.read(scene.grant)
        old = world.custodian.openings(self.asked(scene))
        world.read(scene.grant)
        newer = world.mine(scene.ana).head
        for seen in ((), (newer,)):
            with pytest.raises(EntryError, match="another question"):
                self.mine(scene, lambda _: old, seen=seen)

    def test_a_log_that_shows_an_older_tree_is_found_out(self, scene: Scene) -> None:
        world = scene.world
        old = world.server.checkpoint()
        world.read(scene.grant)
        world.server.checkpoint = lambda: old  # type: ignore[method-assign]
        with pytest.raises(EntryError, match="older"):
            world.mine(scene.ana)

    def test_a_log_that_shows_an_uncosigned_tree_is_not_believed(self, broker: DishonestBroker) -> None:
        world = broker.scene.world
        asked = broker.ask(broker.scene.segments(broker.scene.ana))
        openings = [broker.opening(broker.scene.ana.tag, broker.scene.segments(broker.scene.ana))]
        private, _ = broker.enter_privately(broker.leaf(asked, openings), openings)
        world.server.checkpoint = lambda: private.note  # type: ignore[method-assign]
        with pytest.raises(UnderstudyError):
            world.mine(broker.scene.ana)

    def changed(self, answer: OpeningsAnswer, openings: Any) -> OpeningsAnswer:
        return msgspec.structs.replace(answer, openings=openings)

    def asked(self, scene: Scene) -> Signed:
        """Return a genuine request for ana's openings."""
        caught: list[Signed] = []

        class Catch:
            def openings(self, request: Signed) -> OpeningsAnswer:
                caught.append(request)
                raise InterruptedError

        with pytest.raises(InterruptedError):
            self.mine_from(scene, Catch())
        return caught[0]

    def mine(self, scene: Scene, trick: Any, seen: tuple[Signed, ...] = ()) -> Any:
        world = scene.world

        class Relay:
            def openings(self, request: Signed) -> OpeningsAnswer:
                answer: OpeningsAnswer = trick(world.server.openings(request))
                return answer

        return self.mine_from(scene, Relay(), seen)

    def mine_from(self, scene: Scene, source: Any, seen: tuple[Signed, ...] = ()) -> Any:
        device = scene.ana.device
        return reads_of_mine(
            device.personal,
            scene.world.programme,
            device.enrolment.hash(EnrolmentRecord),
            [source],
            scene.world.server,
            scene.world.clock,
            seen=seen,
        )


def _made_up(log: Log, draft: Draft) -> Appended:
    """Return an entry that was never appended, beside the newest genuine checkpoint."""
    newest = log.fresh(0)
    index = newest.checkpoint.size - 1
    return Appended(index, draft.leaf(index, STARTED_AT, bytes(32)), (), newest)
