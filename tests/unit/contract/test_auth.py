"""Who calls: the signed header, and everything that must not count as one."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.clock import FixedClock
from understudy.consent.contexts import Context
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.contract.auth import MAX_HEADER_CHARACTERS, SCHEME, WINDOW_SECONDS, Doorman, sign_request
from understudy.contract.messages import HttpRequest
from understudy.custody.grant import GrantRevocation
from understudy.sealing.canonical import canonical, digest, parse
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signature, Signed, SigningKey, sign

NOW = 1_800_000_000
DESK = SigningKey.generate().public
CALLER = SigningKey.generate()
BODY = b'{"x":1}'
TARGET = "/v1/deposits?a=b"


def doorman(clock: FixedClock | None = None, *, max_nonces: int = 100) -> Doorman:
    return Doorman(audience=DESK, clock=clock or FixedClock(NOW), max_nonces=max_nonces)


def header(key: SigningKey = CALLER, *, now: int = NOW, audience: str = DESK) -> str:
    return sign_request(key, audience=audience, method="POST", target=TARGET, body=BODY, now=now)


def identify(desk: Doorman, given_header: str | None, **changed: object) -> str:
    call = {"method": "POST", "target": TARGET, "body": BODY} | changed
    return desk.identify(given_header, **call)  # type: ignore[arg-type]


def test_a_signed_call_says_who_calls() -> None:
    assert identify(doorman(), header()) == CALLER.public


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"target": "/v1/deposits"},
        {"target": TARGET + "c"},
        {"body": BODY + b" "},
        {"body": b""},
    ],
)
def test_a_header_counts_for_exactly_one_call(changed: dict[str, object]) -> None:
    with pytest.raises(SignatureError, match="something else"):
        identify(doorman(), header(), **changed)


def test_a_header_for_another_party_is_refused() -> None:
    with pytest.raises(SignatureError, match="something else"):
        identify(doorman(), header(audience=SigningKey.generate().public))


def test_a_header_counts_once() -> None:
    desk, made = doorman(), header()
    identify(desk, made)
    with pytest.raises(SignatureError, match="before"):
        identify(desk, made)


def test_of_many_threads_with_one_header_one_gets_in() -> None:
    desk, made, let_in = doorman(), header(), []

    def attempt() -> None:
        try:
            let_in.append(identify(desk, made))
        except SignatureError:
            return

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_in == [CALLER.public]


@pytest.mark.parametrize("seconds", [-WINDOW_SECONDS - 1, WINDOW_SECONDS + 1])
def test_a_header_outside_the_window_is_refused_as_a_matter_of_clocks(seconds: int) -> None:
    clock = FixedClock(NOW - 10_000)
    desk = doorman(clock)
    clock.at = NOW
    with pytest.raises(RefusedError) as refused:
        identify(desk, header(now=NOW + seconds))
    assert refused.value.reason == "clock"


def test_a_header_made_before_the_process_started_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        identify(doorman(FixedClock(NOW)), header(now=NOW - 1))
    assert refused.value.reason == "clock"


def test_a_nonce_is_remembered_for_as_long_as_its_header_could_count() -> None:
    clock = FixedClock(NOW)
    desk, made = doorman(clock, max_nonces=2), header(now=NOW + WINDOW_SECONDS)
    identify(desk, made)
    clock.advance(2 * WINDOW_SECONDS)
    identify(desk, header(now=clock.now()))  # fills the memory and makes it forget what is over
    with pytest.raises(SignatureError, match="before"):
        identify(desk, made)


def test_a_full_memory_refuses_instead_of_forgetting() -> None:
    desk = doorman(max_nonces=2)
    identify(desk, header())
    identify(desk, header())
    with pytest.raises(UnavailableError):
        identify(desk, header())


def test_whoever_is_not_expected_leaves_no_trace_in_memory() -> None:
    desk = doorman(max_nonces=1)
    for _ in range(3):
        with pytest.raises(RefusedError) as refused:
            identify(desk, header(), expected=lambda _key: False)
        assert refused.value.reason == "caller-unknown"
    assert identify(desk, header()) == CALLER.public


def test_whether_a_key_is_known_is_told_to_its_holder_only() -> None:
    # A forged header must get one answer for a known key and for an unknown one.
    signed = _signed(header())
    forged = Signature(
        key=CALLER.public, signature=SigningKey.generate().sign_bytes(HttpRequest.CONTEXT, b"")
    )
    made = _header(Signed(body=signed.body, signatures=(forged,)))
    for answer in (True, False):
        with pytest.raises(SignatureError, match="does not verify"):
            identify(doorman(), made, expected=lambda _key, answer=answer: answer)


def test_an_unsigned_or_twice_signed_call_is_refused() -> None:
    signed = _signed(header())
    none = Signed(body=signed.body, signatures=())
    both = signed.with_signature(HttpRequest, SigningKey.generate())
    for other in (none, both):
        with pytest.raises(SignatureError):
            identify(doorman(), _header(other))


def test_somebody_elses_signature_under_ones_own_key_is_refused() -> None:
    signed = _signed(header())
    stolen = Signature(key=SigningKey.generate().public, signature=signed.signatures[0].signature)
    with pytest.raises(SignatureError):
        identify(doorman(), _header(Signed(body=signed.body, signatures=(stolen,))))


def test_another_kind_of_signed_document_is_no_header() -> None:
    other = GrantRevocation(programme="prg_" + "A" * 22, grant="A" * 43, made_at=NOW)
    with pytest.raises(SignatureError):
        identify(doorman(), _header(sign(other, CALLER)))


def test_the_same_bytes_signed_under_another_context_are_refused() -> None:
    signed = _signed(header())
    moved = Signature(key=CALLER.public, signature=CALLER.sign_bytes(Context.GRANT, signed.raw))
    with pytest.raises(SignatureError):
        identify(doorman(), _header(Signed(body=signed.body, signatures=(moved,))))


@pytest.mark.parametrize(
    "broken", [None, "", "Bearer x", SCHEME, f"{SCHEME} ", f"{SCHEME} ****", "x" * 9_000]
)
def test_a_missing_or_foreign_header_is_refused(broken: str | None) -> None:
    with pytest.raises(SignatureError):
        identify(doorman(), broken)


def test_a_header_of_unreasonable_length_is_not_even_read() -> None:
    with pytest.raises(SignatureError):
        identify(doorman(), f"{SCHEME} {'A' * MAX_HEADER_CHARACTERS}")


@given(st.text(max_size=200))
def test_no_text_is_taken_for_a_header(text: str) -> None:
    with pytest.raises(SignatureError):
        identify(doorman(), f"{SCHEME} {text}")


@given(place=st.integers(min_value=0, max_value=10_000), bit=st.integers(min_value=0, max_value=7))
@settings(max_examples=60)
def test_a_header_with_one_bit_flipped_never_counts(place: int, bit: int) -> None:
    raw = bytearray(decode_bytes(HEADER.partition(" ")[2]))
    raw[place % len(raw)] ^= 1 << bit
    with pytest.raises((SignatureError, RefusedError)):
        identify(doorman(), f"{SCHEME} {encode_bytes(bytes(raw))}")


@given(length=st.integers(min_value=0, max_value=400))
@settings(max_examples=30)
def test_a_header_cut_short_never_counts(length: int) -> None:
    with pytest.raises((SignatureError, FormatError)):
        identify(doorman(), HEADER[: len(SCHEME) + 1 + length])


def test_the_body_is_bound_by_its_hash() -> None:
    request = parse(HttpRequest, _signed(header()).raw)
    assert request.body_hash == digest(Context.HTTP_BODY, BODY)


HEADER = header()


def _signed(text: str) -> Signed:
    return parse(Signed, decode_bytes(text.partition(" ")[2]))


def _header(signed: Signed) -> str:
    return f"{SCHEME} {encode_bytes(canonical(signed))}"
