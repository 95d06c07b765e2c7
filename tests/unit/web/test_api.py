"""What the server answers about segments and requests: to each caller what is theirs, and nothing more."""

import dataclasses
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from tests.cast import stranger
from tests.simulator import Simulator, parse_grant
from understudy.access.actors import credential_of
from understudy.access.errors import RequestNotFoundError
from understudy.consent.consent import Standing, StandingState
from understudy.consent.decisions import Allowed, Refused
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError
from understudy.consent.purposes import Activity
from understudy.contract.body import write_body
from understudy.contract.messages import RequestState, SignedCall
from understudy.contract.ports import CustodianPort
from understudy.contract.routes import CUSTODIAN_SWITCH, UPLOAD_CHUNK
from understudy.custody.grant import AccessRequest, Grant, GrantRevocation
from understudy.sealing.errors import FormatError
from understudy.sealing.signing import SigningKey, sign
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.trust import log_trust
from understudy.web.api import switch, uploads
from understudy.web.api.log import LogCalls
from understudy.web.api.opens import served as opens
from understudy.web.api.requests import RequestCalls
from understudy.web.api.segments import SegmentCalls
from understudy.web.broker import Broker
from understudy.web.calls import Call


class Stage:
    """A programme whose server was composed as the process composes it."""

    def __init__(self, root: Path) -> None:
        self.world = Simulator(root)
        self.ana, self.ben = self.world.participant("ana"), self.world.participant("ben")
        self.of_ana, self.of_ben = self.ana.share(2), self.ben.share(1)
        self.grant = self.world.grant()
        self.world.stop("server")
        (witness,) = log_trust(self.world.programme.key_set).witnesses
        self.broker = Broker.compose(
            self.world.home("server"),
            self.world.document,
            [cast("CustodianPort", self.world.custodian_line)],
            [WitnessLink(witness, self.world.witness_line)],
            self.world.clock,
        )
        self.broker.publish()
        self.segments = SegmentCalls(self.broker)
        self.requests = RequestCalls(self.broker, lambda: None)

    def key(self, name: str) -> SigningKey:
        return self.world.cast.person(name)

    def listed(self, key: SigningKey, **query: str) -> set[str]:
        page = self.segments.segments(Call({}, query, b"", key.public))
        return {entry.segment for entry in page.segments}

    def call(self, key: SigningKey, body: bytes = b"", **query: str) -> Call:
        return Call({}, query, body, key.public)

    def request(self, key: SigningKey, request: str) -> RequestState:
        return self.requests.request(Call({"request_id": request}, {}, b"", key.public))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.broker.close()
    made.world.custodian.close()
    made.world.witness.close()


def test_a_reader_sees_what_the_grant_covers(stage: Stage) -> None:
    assert stage.listed(stage.key("reader"), grant=stage.grant) == {*stage.of_ana, *stage.of_ben}


def test_nobody_lists_under_somebody_elses_grant(stage: Stage) -> None:
    for key in (stage.key("researcher"), stage.key("steward"), stranger(), stage.ana.device.personal.signing):
        with pytest.raises(RefusedError) as refused:
            stage.listed(key, grant=stage.grant)
        assert refused.value.reason == "grant-unknown"


def test_a_participant_sees_their_own_and_only_their_own(stage: Stage) -> None:
    assert stage.listed(stage.ana.device.personal.signing) == set(stage.of_ana)
    assert stage.listed(stage.ben.device.personal.signing) == set(stage.of_ben)
    assert stage.listed(stage.key("steward")) == set()


def test_whoever_paused_is_left_out_of_the_list(stage: Stage) -> None:
    _stand(stage, StandingState.PAUSED)
    assert stage.listed(stage.key("reader"), grant=stage.grant) == set(stage.of_ben)


def test_a_list_of_which_nothing_is_left_says_why(stage: Stage) -> None:
    stage.world.clock.advance(2 * 3_600)
    with pytest.raises(RefusedError) as refused:
        stage.listed(stage.key("reader"), grant=stage.grant)
    assert refused.value.reason == "grant-expired"


def test_a_list_is_given_while_reads_are_stopped_and_ciphertext_is_not(stage: Stage) -> None:
    segment = next(iter(stage.of_ana))
    stage.broker.programme.switch_off(stage.world.order(Activity.READS))
    assert segment in stage.listed(stage.key("reader"), grant=stage.grant)
    with pytest.raises(RefusedError):
        _fetch(stage, stage.key("reader"), segment)


def test_ciphertext_goes_to_readers_and_owners_and_to_nobody_else(stage: Stage) -> None:
    segment = next(iter(stage.of_ana))
    whole = _fetch(stage, stage.key("reader"), segment)
    assert _fetch(stage, stage.ana.device.personal.signing, segment) == whole
    for key in (stage.ben.device.personal.signing, stage.key("steward"), stage.key("approver-1"), stranger()):
        with pytest.raises(RefusedError):
            _fetch(stage, key, segment)


def test_a_segment_that_does_not_exist_is_refused_like_one_that_is_not_shown(stage: Stage) -> None:
    with pytest.raises((RefusedError, NotFoundError)):
        _fetch(stage, stage.key("reader"), "seg_" + "A" * 22)


@pytest.mark.parametrize(
    ("name", "known"),
    [("reader", True), ("steward", True), ("lift-1", False), ("recovery-1", False)],
)
def test_a_caller_is_known_by_roster_or_grant(stage: Stage, name: str, *, known: bool) -> None:
    assert stage.segments.is_known(stage.key(name).public) is known


def test_a_participant_is_known_and_a_device_key_is_not(stage: Stage) -> None:
    assert stage.segments.is_known(stage.ana.device.personal.signing.public)
    assert not stage.segments.is_known(stage.ana.device.key.public)
    assert not stage.segments.is_known(stranger().public)


def test_requests_are_shown_to_the_roster_and_to_the_readers_they_name(stage: Stage) -> None:
    (state,) = stage.requests.requests(stage.call(stage.key("auditor"))).requests
    request = state.request.verify(AccessRequest).request
    assert stage.request(stage.key("reader"), request) == state
    for key in (stage.ana.device.personal.signing, stranger()):
        assert stage.requests.requests(stage.call(key)).requests == ()
        with pytest.raises(RequestNotFoundError):
            stage.request(key, request)


def test_nothing_is_asked_granted_or_opened_before_the_server_is_ready(stage: Stage) -> None:
    def not_ready() -> None:
        raise UnavailableError("not in the log yet")

    calls = RequestCalls(stage.broker, not_ready)
    (state,) = stage.requests.requests(stage.call(stage.key("steward"))).requests
    body = write_body(SignedCall(document=state.request))
    (door, _) = opens(stage.broker, not_ready)
    for respond in (calls.submit, calls.approve, calls.own, door.respond):
        with pytest.raises(UnavailableError):
            respond(Call({"request_id": "req_" + "A" * 22}, {}, body, ""))


def test_the_responder_for_tiles_never_gives_raw_leaves_whatever_the_router_let_through(stage: Stage) -> None:
    log = LogCalls(stage.broker, lambda: None)
    assert log.entries(Call({"path": "000.p/1"}, {}, b"", "")).body
    with pytest.raises(RefusedError):
        log.tile(Call({"path": "entries/000.p/1"}, {}, b"", ""))


def test_whoever_gets_a_stale_checkpoint_has_it_cosigned_again(stage: Stage) -> None:
    asked: list[int] = []
    log = LogCalls(stage.broker, lambda: asked.append(stage.world.clock.now()))
    stage.broker.log.fresh(0)
    log.checkpoint(Call({}, {}, b"", ""))
    assert asked == []
    stage.world.clock.advance(stage.broker.document.delays.cosignature_seconds + 1)
    log.checkpoint(Call({}, {}, b"", ""))
    assert asked == [stage.world.clock.now()]


def test_a_revocation_is_in_force_here_and_at_the_custodian_at_once(stage: Stage) -> None:
    revocation = GrantRevocation(
        programme=stage.world.programme.programme, grant=stage.grant, made_at=stage.world.clock.now()
    )
    body = write_body(SignedCall(document=sign(revocation, stage.key("steward"))))
    stage.requests.revoke(stage.call(stage.key("steward"), body))
    with pytest.raises(RefusedError) as refused:
        stage.listed(stage.key("reader"), grant=stage.grant)
    assert refused.value.reason == "revoked"
    assert "revoke" in [name for name, _ in stage.world.custodian_line.calls]


def test_a_decision_is_explained_to_whoever_may_ask(stage: Stage) -> None:
    segment = next(iter(stage.of_ana))
    about = credential_of(stage.key("reader").public)
    explained = stage.requests.explain(stage.call(stage.key("steward"), segment=segment, credential=about))
    assert isinstance(explained.decision, Allowed)
    own = stage.requests.explain(stage.call(stage.key("researcher"), segment=segment))
    assert isinstance(own.decision, Refused)
    ana, ben = (person.device.personal.signing for person in (stage.ana, stage.ben))
    told = stage.requests.explain(stage.call(ana, segment=segment, credential=about))
    details = [{c.rule: c.detail for c in each.conditions}["read-available"] for each in (told, explained)]
    assert details == ["active", ""]
    for named in ({"credential": about}, {"credential": credential_of(ben.public)}, {}):
        with pytest.raises(RefusedError) as refused:
            stage.requests.explain(stage.call(ben, b"", segment=segment, **named))
        assert refused.value.reason == "no-permit"
    with pytest.raises(FormatError):
        stage.requests.explain(stage.call(stage.key("steward"), segment=segment, purpose="productivity"))


def test_an_approval_of_other_bytes_than_the_grants_is_refused(stage: Stage) -> None:
    (state,) = stage.requests.requests(stage.call(stage.key("steward"))).requests
    request = state.request.verify(AccessRequest).request
    wider = replace(parse_grant(state), ceiling=9_999)
    body = write_body(SignedCall(document=sign(wider, stage.key("approver-3"))))
    with pytest.raises(RefusedError) as refused:
        stage.requests.approve(Call({"request_id": request}, {}, body, ""))
    assert refused.value.reason == "grant-mismatch"
    assert sign(wider).hash(Grant) != stage.grant


def _stand(stage: Stage, state: StandingState) -> None:
    standing = Standing(
        programme=stage.world.programme.programme,
        tag=stage.ana.tag,
        number=1,
        state=state,
        made_at=stage.world.clock.now(),
    )
    stage.broker.programme.stand(sign(standing, stage.ana.device.personal.signing))


def _fetch(stage: Stage, key: SigningKey, segment: str) -> bytes:
    return stage.segments.ciphertext(Call({"segment": segment}, {}, b"", key.public)).body


def test_a_name_that_is_no_segment_is_a_bad_call(stage: Stage) -> None:
    append = next(item for item in uploads.served(stage.broker.vault) if item.route is UPLOAD_CHUNK)
    for name in (".x", "..", "seg_short", "seg_" + "A" * 22 + "\n"):
        with pytest.raises(FormatError, match="segment id"):
            append.respond(Call({"segment": name}, {"offset": "0"}, b"x", ""))


def test_a_custodian_that_hangs_costs_one_thread_however_many_ask(stage: Stage) -> None:
    gate, asked = threading.Event(), threading.Event()

    class Hanging:
        def switch_status(self) -> None:
            asked.set()
            gate.wait(10)

    broker = dataclasses.replace(stage.broker, custodians=(cast("CustodianPort", Hanging()),))
    route = next(item for item in switch.served(broker, lambda: None) if item.route is CUSTODIAN_SWITCH)
    assert not route.is_urgent
    call = Call({}, {}, b"", "")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(route.respond, call)
        assert asked.wait(10)
        for _ in range(20):
            with pytest.raises(UnavailableError):
                route.respond(call)
        gate.set()
        first.result()
