"""Off at one signature, at once, whoever can be reached; on only with the lift keys and the custodian."""

import pytest
from msgspec import structs

from tests.cast import PROGRAMME, STARTED_AT, stranger
from tests.unit.programme.stage import ALL, Stage
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.custody.switch import LiftBundle, SwitchOrder, SwitchStatus
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import Signed, sign
from understudy.transparency.leaves import SwitchLeaf, decode_leaf


def switch_leaves(stage: Stage) -> list[SwitchLeaf]:
    leaves = [decode_leaf(raw) for raw in stage.log.store.entries(0, stage.log.store.size)]
    return [leaf for leaf in leaves if isinstance(leaf, SwitchLeaf)]


def test_a_new_server_has_everything_off(stage: Stage) -> None:
    assert stage.programme.switch_status().off == tuple(sorted(ALL))
    assert all(stage.programme.is_off(activity) for activity in Activity)


@pytest.mark.parametrize("name", ["steward", "approver-1", "researcher", "reader", "auditor", "server"])
def test_one_signature_stops(stage: Stage, name: str) -> None:
    stage.lift()
    status = stage.programme.switch_off(stage.order(Activity.READS, by=name))
    assert status.off == (Activity.READS,)
    assert stage.custodian.switch_status().off == (Activity.READS,)


@pytest.mark.parametrize("name", ["custodian", "lift-1", "recovery-1", "witness"])
def test_nobody_else_stops(stage: Stage, name: str) -> None:
    stage.lift()
    with pytest.raises(RefusedError) as caught:
        stage.programme.switch_off(stage.order(by=name))
    assert caught.value.reason == "switch-order"
    assert stage.programme.switch_status().off == ()


def test_somebody_elses_signature_beside_a_members_does_not_hold_up_a_stop(stage: Stage) -> None:
    stage.lift()
    both = stage.order(Activity.READS).with_signature(SwitchOrder, stranger())
    assert stage.programme.switch_off(both).off == (Activity.READS,)
    assert stage.custodian.switch_status().off == (Activity.READS,)


def test_a_wrong_signature_beside_a_members_is_refused(stage: Stage) -> None:
    stage.lift()
    order = stage.order(Activity.READS)
    (signature,) = order.signatures
    forged = structs.replace(signature, key=stranger().public)
    with pytest.raises(SignatureError):
        stage.programme.switch_off(Signed(body=order.body, signatures=(signature, forged)))
    assert stage.programme.switch_status().off == ()


def test_an_order_of_another_programme_stops_nothing(stage: Stage) -> None:
    stage.lift()
    order = SwitchOrder(
        programme=PROGRAMME[:-1] + "Q",
        off=ALL,
        nonce=encode_bytes(bytes(32)),
        reason="a test",
        ordered_at=STARTED_AT,
    )
    with pytest.raises(RefusedError):
        stage.programme.switch_off(sign(order, stage.cast.person("steward")))


def test_a_stop_waits_for_nobody_and_survives(stage: Stage) -> None:
    stage.lift()
    stage.line.is_cut = stage.log_line.is_cut = True
    stage.programme.switch_off(stage.order(Activity.CAPTURE))
    assert stage.programme.is_off(Activity.CAPTURE)
    stage.restart()
    assert stage.programme.is_off(Activity.CAPTURE)
    assert Activity.CAPTURE not in stage.custodian.switch_status().off
    stage.line.is_cut = stage.log_line.is_cut = False
    stage.programme.flush()
    assert Activity.CAPTURE in stage.custodian.switch_status().off


def test_every_change_is_in_the_log_in_the_end_and_once(stage: Stage) -> None:
    stage.lift()
    order = stage.order(Activity.READS)
    stage.programme.switch_off(order)
    assert stage.programme.switch_status().queued == 2
    stage.log_line.loses_answers = True
    with pytest.raises(UnavailableError):
        stage.programme.switch.log_changes()
    stage.log_line.loses_answers = False
    stage.programme.switch.log_changes()
    assert stage.programme.switch_status().queued == 0
    told = [(leaf.by, leaf.revision, leaf.off) for leaf in switch_leaves(stage)]
    assert sorted(told) == [
        ("first", 1, ()),
        ("first", 2, (Activity.READS,)),
        ("server", 1, ()),
        ("server", 2, (Activity.READS,)),
    ]
    stage.custodian.sync()
    assert stage.custodian.switch_status().queued == 0
    assert stage.programme.switch.log_changes() == 0


def test_the_same_order_again_changes_nothing_even_after_a_lift(stage: Stage) -> None:
    stage.lift()
    order = stage.order(Activity.READS)
    stage.programme.switch_off(order)
    stage.lift()
    assert stage.programme.switch_off(order).off == ()


def test_a_lift_takes_the_lift_keys_at_their_threshold(stage: Stage) -> None:
    bundle = stage.bundle().verify(LiftBundle)
    people = ("lift-1",), ("lift-1", "steward"), ("steward", "approver-1"), ("recovery-1", "recovery-2")
    for names in people:
        with pytest.raises(RefusedError) as caught:
            stage.programme.lift(sign(bundle, *(stage.cast.person(name) for name in names)))
        assert caught.value.reason == "lift-keys"
    twice = sign(bundle, stage.cast.person("lift-1"), stage.cast.person("lift-1"))
    with pytest.raises(SignatureError):
        stage.programme.lift(twice)
    assert stage.programme.is_off(Activity.CAPTURE)


def test_a_lift_can_be_partial(stage: Stage) -> None:
    stage.programme.lift(stage.bundle(Activity.INGEST))
    assert not stage.programme.is_off(Activity.INGEST)
    assert stage.programme.is_off(Activity.CAPTURE)


def test_nothing_is_lifted_that_the_custodian_did_not_lift(stage: Stage) -> None:
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.programme.lift(stage.bundle())
    stage.line.is_cut = False
    with pytest.raises(RefusedError):
        stage.programme.lift(stage.bundle(revision=7))
    assert stage.programme.is_off(Activity.CAPTURE)


def test_a_lost_answer_to_a_lift_is_asked_again(stage: Stage) -> None:
    bundle = stage.bundle()
    stage.line.loses_answers = True
    with pytest.raises(UnavailableError):
        stage.programme.lift(bundle)
    assert stage.programme.is_off(Activity.CAPTURE)
    stage.line.loses_answers = False
    assert stage.programme.lift(bundle).off == ()


def test_an_old_lift_is_not_replayed_after_a_new_stop(stage: Stage) -> None:
    bundle = stage.bundle()
    stage.programme.lift(bundle)
    stage.programme.switch_off(stage.order())
    assert stage.programme.lift(bundle).off == tuple(sorted(ALL))


def test_an_old_bundle_that_the_server_never_saw_lifts_nothing(stage: Stage) -> None:
    """The custodian was lifted directly, then both were stopped: the bundle is no word about now."""
    bundle = stage.bundle()
    stage.custodian.lift(bundle)
    stage.programme.switch_off(stage.order())
    with pytest.raises(RefusedError):
        stage.programme.lift(bundle)
    assert stage.programme.switch_status().off == tuple(sorted(ALL))


@pytest.mark.parametrize("says", ["off", "revision"])
def test_the_server_follows_only_a_custodian_that_is_on(stage: Stage, says: str) -> None:
    class Placid:
        """A custodian that answers every bundle with success and its present state."""

        name = "first"

        def lift(self, bundle: Signed) -> SwitchStatus:
            asked = bundle.verify(LiftBundle)
            return SwitchStatus(
                by="first",
                epoch=1,
                revision=asked.revision + (1 if says == "off" else 2),
                off=(Activity.READS,) if says == "off" else (),
                queued=0,
            )

    bundle = stage.bundle()
    stage.line.party = Placid()
    with pytest.raises(RefusedError, match="lift-stale"):
        stage.programme.lift(bundle)
    assert stage.programme.is_off(Activity.READS)


def test_a_bundle_that_was_kept_lifts_nothing(stage: Stage) -> None:
    bundle = stage.bundle()
    stage.clock.advance(66)
    with pytest.raises(RefusedError, match="lift-expired"):
        stage.programme.lift(bundle)
    assert stage.programme.is_off(Activity.READS)


def test_a_stop_on_its_way_to_the_custodian_holds_every_lift(stage: Stage) -> None:
    stage.lift()
    bundle = stage.bundle()
    stage.line.is_cut = True
    stage.programme.switch_off(stage.order())
    with pytest.raises(UnavailableError):
        stage.programme.lift(bundle)
    stage.line.is_cut = False
    with pytest.raises(RefusedError):
        stage.programme.lift(bundle)
    assert stage.programme.is_off(Activity.CAPTURE)


def test_a_lift_does_not_overtake_a_stop_that_the_custodian_has_not_heard(stage: Stage) -> None:
    class Deaf:
        """A custodian that orders to stop do not reach."""

        name = "first"

        def switch_off(self, _order: object) -> None:
            raise UnavailableError("not now")

        def lift(self, bundle: Signed) -> object:
            return stage.custodian.lift(bundle)

    stage.line.party = Deaf()
    stage.programme.switch_off(stage.order(Activity.READS))
    with pytest.raises(UnavailableError, match="switch-queue"):
        stage.programme.lift(stage.bundle())
    assert stage.programme.is_off(Activity.READS)


def test_a_stop_during_a_lift_wins(stage: Stage) -> None:
    stop = stage.order(Activity.CAPTURE)

    class Meanwhile:
        name = "first"

        def lift(self, bundle: Signed) -> SwitchStatus:
            stage.line.party = stage.custodian
            lifted = stage.custodian.lift(bundle)
            stage.programme.switch_off(stop)
            return lifted

    bundle = stage.bundle()
    stage.line.party = Meanwhile()
    with pytest.raises(UnavailableError):
        stage.programme.lift(bundle)
    assert stage.programme.is_off(Activity.CAPTURE)


def test_a_lift_for_an_unknown_custodian_is_refused(stage: Stage) -> None:
    bundle = LiftBundle(
        programme=PROGRAMME, on=ALL, custodian="second", epoch=1, revision=0, made_at=STARTED_AT
    )
    with pytest.raises(RefusedError):
        stage.programme.lift(sign(bundle, stage.cast.person("lift-1"), stage.cast.person("lift-2")))
