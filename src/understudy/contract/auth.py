"""Authenticating a call that carries no signed document of its own.

Rules

* Header ``Authorization: Understudy <base64url of a Signed HttpRequest>``, with exactly one signature. It
  names the audience (the answering party's signing key), the method, the target with its query, and the hash
  of the body: nothing of one call can be used for another.
* It counts for ``WINDOW_SECONDS`` before and after its time, and its nonce counts once. A process that has
  just started refuses headers made before it started, because it no longer knows which nonces it has seen.
* A caller who is not expected leaves nothing in memory. When the memory is full, calls are refused.
* It says who calls. Whether they may is decided by whoever answers.

Example

>>> from understudy.consent.clock import FixedClock
>>> from understudy.sealing.signing import SigningKey
>>> caller, clock = SigningKey.generate(), FixedClock(1_700_000_000)
>>> desk = Doorman(audience="A" * 43, clock=clock)
>>> header = sign_request(caller, audience="A" * 43, method="GET", target="/v1/segments", now=clock.now())
>>> desk.identify(header, method="GET", target="/v1/segments") == caller.public
True
"""

import secrets
import threading
from collections.abc import Callable
from typing import Final

from understudy.consent.clock import Clock
from understudy.consent.contexts import Context
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.contract.messages import HttpRequest
from understudy.contract.routes import Method
from understudy.sealing.canonical import canonical, digest, parse
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, SigningKey, sign

SCHEME: Final = "Understudy"
WINDOW_SECONDS: Final = 60
MAX_HEADER_CHARACTERS: Final = 8_000
MAX_NONCES: Final = 200_000
"""Nonces kept for one window; about 30 MiB. Beyond it calls are refused, never accepted unchecked."""


def sign_request(
    key: SigningKey, *, audience: str, method: Method, target: str, body: bytes = b"", now: int
) -> str:
    """Return the value of the ``Authorization`` header for one call."""
    request = HttpRequest(
        audience=audience,
        method=method,
        target=target,
        body_hash=digest(Context.HTTP_BODY, body),
        nonce=encode_bytes(secrets.token_bytes(32)),
        time=now,
    )
    return f"{SCHEME} {encode_bytes(canonical(sign(request, key)))}"


class Doorman:
    """Knows who calls: checks the header, and that it is used once. Safe for several threads."""

    def __init__(self, *, audience: str, clock: Clock, max_nonces: int = MAX_NONCES) -> None:
        self._audience = audience
        self._clock = clock
        self._since = clock.now()
        self._max_nonces = max_nonces
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()

    def identify(
        self,
        header: str | None,
        *,
        method: str,
        target: str,
        body: bytes = b"",
        expected: Callable[[str], bool] = lambda _key: True,
    ) -> str:
        """Return the public key that signed this call.

        Args:
            header: the ``Authorization`` header as received, or None.
            method: the method as received.
            target: path and query as received.
            body: the body as received.
            expected: says whether a key may call at all; asked once the signature is known to be right.

        Raises:
            SignatureError: no header, a damaged one, one for another call, or one used before.
            RefusedError: ``clock`` (made too long ago or in the future), ``caller-unknown``.
            UnavailableError: too many calls in one window.
        """
        signed, request = _read(header)
        caller = signed.signatures[0].key
        claims = (request.audience, request.method, request.target, request.body_hash)
        if claims != (self._audience, method, target, digest(Context.HTTP_BODY, body)):
            raise SignatureError("the call was signed for something else")
        now = self._clock.now()
        if abs(now - request.time) > WINDOW_SECONDS or request.time < self._since:
            raise RefusedError("clock", hint="set the clock, and sign the call anew")
        signed.verify(HttpRequest)  # first: whether a key is known is nobody's business but its holder's
        if not expected(caller):
            raise RefusedError(
                "caller-unknown", hint="use a key that the programme document or a grant names"
            )
        self._use(request.nonce, now)
        return caller

    def _use(self, nonce: str, now: int) -> None:
        with self._lock:
            if nonce in self._seen:
                raise SignatureError("the call was made before", hint="sign the call anew")
            if len(self._seen) >= self._max_nonces:
                self._forget(now)
            self._seen[nonce] = now

    def _forget(self, now: int) -> None:
        # A header is refused on its time two windows after it was first seen at the latest.
        self._seen = {nonce: at for nonce, at in self._seen.items() if now - at <= 2 * WINDOW_SECONDS}
        if len(self._seen) >= self._max_nonces:
            raise UnavailableError("too many calls at once", hint="try again in a minute")


def _read(header: str | None) -> tuple[Signed, HttpRequest]:
    if header is None:
        raise SignatureError("this call must be signed", hint="send an Authorization header")
    scheme, _, text = header.partition(" ")
    if scheme != SCHEME or not text or len(header) > MAX_HEADER_CHARACTERS:
        raise SignatureError("not a signed call", hint=f"use the {SCHEME} scheme")
    try:
        signed = parse(Signed, decode_bytes(text), limit=MAX_HEADER_CHARACTERS)
        request = parse(HttpRequest, signed.raw, limit=MAX_HEADER_CHARACTERS)
    except (FormatError, ValueError) as error:
        raise SignatureError("not a signed call") from error
    if len(signed.signatures) != 1:
        raise SignatureError("a call is signed by exactly one key")
    return signed, request
