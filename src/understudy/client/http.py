"""One party's address: bounded, typed HTTP calls over kept connections.

Rules

* Plain http goes to this machine's loopback only. Anywhere else it needs ``allow_plain``, which warns.
* No redirect is followed, no proxy or other environment is read, no answer is longer than its route allows.
* An error that the other side raised on purpose is raised here: same class, reason and hint.
* Only calls marked ``repeatable`` are sent twice, and only when no answer came or the other side said "not
  now".
* Whatever goes wrong on the way is ``UnavailableError``. Whether the other side did something is then
  unknown.

httpx2 was measured against http.client on loopback: 0.5 ms against 0.3 ms a call. Three calls of an open lose
0.6 ms of its 10 ms, for which there is one pool, one timeout rule and TLS. Figures: ``docs/operator.md``.

Example: ``Connection("http://127.0.0.1:8470").call(DOCUMENT)`` returns the body.
"""

import ssl
import time
import weakref
from collections.abc import Mapping
from typing import Final

import httpx2

from understudy.consent.clock import Clock, SystemClock
from understudy.consent.errors import UnavailableError
from understudy.contract.address import checked_address
from understudy.contract.auth import sign_request
from understudy.contract.errors import AnswerError
from understudy.contract.problems import error_of_answer
from understudy.contract.routes import Route
from understudy.sealing.signing import SigningKey

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 30.0
"""Longer than the log's and the custodian's own bounds, so that their answer comes first."""
POOL_SECONDS: Final = 5.0
REPEATS: Final = 2
REPEAT_AFTER_SECONDS: Final = (0.05, 0.25)
MAX_CONNECTIONS: Final = 32
KEEP_ALIVE_SECONDS: Final = 20.0
MAX_PROBLEM_BYTES: Final = 16 << 10


class Connection:
    """Calls to one address. Safe for several threads; close it when done."""

    def __init__(
        self,
        address: str,
        *,
        clock: Clock | None = None,
        allow_plain: bool = False,
        trust_file: str | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            address: ``https://host[:port]``, or ``http://`` on loopback.
            clock: for authenticated calls.
            allow_plain: plain http to other machines too; warns.
            trust_file: PEM certificates to trust instead of the system's.
            read_seconds: how long to wait for an answer.

        Raises:
            InsecureError: plain http to another machine.
            AnswerError: not an address.
        """
        self.address: Final = checked_address(address, allow_plain=allow_plain)
        self._clock: Final = clock or SystemClock()
        verify = ssl.create_default_context(cafile=trust_file) if self.address.startswith("https") else False
        self._client: Final = httpx2.Client(
            base_url=self.address,
            verify=verify,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(
                connect=CONNECT_SECONDS, read=read_seconds, write=read_seconds, pool=POOL_SECONDS
            ),
            limits=httpx2.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
            ),
            headers={"accept-encoding": "identity", "user-agent": "understudy"},
        )

        # Whoever forgets to close it leaves no socket behind.
        self._close: Final = weakref.finalize(self, self._client.close)

    def call(
        self,
        route: Route,
        body: bytes = b"",
        *,
        query: Mapping[str, str] | None = None,
        key: SigningKey | None = None,
        audience: str = "",
        parts: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the answer's body.

        Args:
            route: which call.
            body: what to send.
            query: query values; empty ones are left out.
            key: signs an authenticated call.
            audience: the answering party's signing key, with ``key``.
            parts: values for the places in the path.

        Raises:
            UnavailableError: no answer, or "not now".
            AnswerError: an answer that is too long or is no answer.
            UnderstudyError: what the other side raised.
        """
        target = route.target(parts, query=query)
        attempt = 0
        while True:
            headers = {"content-type": "application/json"} if body else {}
            if key is not None:  # signed anew each time: a nonce counts once
                headers["authorization"] = sign_request(
                    key,
                    audience=audience,
                    method=route.method,
                    target=target,
                    body=body,
                    now=self._clock.now(),
                )
            try:
                return self._send(route, target, body, headers)
            except UnavailableError:
                if not route.repeatable or attempt == REPEATS:
                    raise
            time.sleep(REPEAT_AFTER_SECONDS[attempt])
            attempt += 1

    def exchange(self, route: Route, body: bytes, *, seconds: float) -> tuple[int, bytes]:
        """Return status and body of one call, whatever the status; for protocols that are not ours.

        Raises:
            httpx2.HTTPError: no answer within ``seconds`` of silence.
            AnswerError: an answer that is too long.
        """
        with self._client.stream(
            route.method, self.address + route.target(), content=body, timeout=seconds
        ) as answer:
            return answer.status_code, _read(answer, route.answer_limit)

    def close(self) -> None:
        """Close the kept connections. Idempotent."""
        self._close()

    def _send(self, route: Route, target: str, body: bytes, headers: dict[str, str]) -> bytes:
        try:
            with self._client.stream(
                route.method, self.address + target, content=body or None, headers=headers
            ) as answer:
                if answer.is_success:
                    return _read(answer, route.answer_limit)
                raise error_of_answer(answer.status_code, _read(answer, MAX_PROBLEM_BYTES))
        except httpx2.TimeoutException as error:
            raise UnavailableError(
                f"{self.address} did not answer in time", hint="see whether the other process runs"
            ) from error
        except (httpx2.HTTPError, httpx2.StreamError) as error:
            raise UnavailableError(
                f"{self.address} cannot be reached", hint="see whether the other process runs"
            ) from error


def _read(answer: httpx2.Response, limit: int) -> bytes:
    """Return the body, giving up at the first byte over ``limit``."""
    pieces: list[bytes] = []
    size = 0
    for piece in answer.iter_raw():
        size += len(piece)
        if size > limit:
            raise AnswerError(f"an answer of more than {limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)
