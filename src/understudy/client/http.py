"""One party's address: bounded, typed HTTP calls over kept connections.

Rules

* Plain http goes to this machine's loopback only. Anywhere else it needs ``allow_plain``, which warns.
* No redirect is followed, no proxy or other environment is read, no answer is longer than its route allows.
* An error that the other side raised on purpose is raised here: same class, reason and hint.
* Only calls marked ``repeatable`` are sent twice, and only when no answer came or the other side said "not
  now".
* Whatever goes wrong on the way is ``UnavailableError``. Whether the other side did something is then
  unknown.

The transport is the standard library's ``http.client``. It was measured against httpx2 on loopback with
pauses of 10 ms between calls, as they come in an open: 0.6 ms against 1.1 ms a call, and an open takes three
of its 10 ms.

Example: ``Connection("http://127.0.0.1:8470").call(DOCUMENT)`` returns the body.
"""

import http.client
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from understudy.client.errors import NoAnswerError
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
REPEATS: Final = 2
REPEAT_AFTER_SECONDS: Final = (0.05, 0.25)
MAX_KEPT: Final = 32
KEEP_SECONDS: Final = 20.0
MAX_PROBLEM_BYTES: Final = 16 << 10
_PIECE_BYTES: Final = 1 << 16
_SUCCESS: Final = range(200, 300)


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
        repeats: int = REPEATS,
    ) -> None:
        """Prepare calls; nothing is sent yet.

        Args:
            address: ``https://host[:port]``, or ``http://`` on loopback.
            clock: for authenticated calls.
            allow_plain: plain http to other machines too; warns.
            trust_file: PEM certificates to trust instead of the system's.
            read_seconds: how long to wait for an answer.
            repeats: how often a repeatable call is sent again, at most ``REPEATS`` times.

        Raises:
            InsecureError: plain http to another machine.
            AnswerError: not an address.
        """
        self.address: Final = checked_address(address, allow_plain=allow_plain)
        self._clock: Final = clock or SystemClock()
        self._repeats: Final = min(repeats, REPEATS)
        self._links: Final = _Links(self.address, trust_file, read_seconds)
        # Whoever forgets to close it leaves no socket behind.
        self._close: Final = weakref.finalize(self, self._links.close)

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
                status, answer = self._links.exchange(route, target, body, headers)
                if status in _SUCCESS:
                    return answer
                raise error_of_answer(status, answer)
            except UnavailableError:
                if not route.repeatable or attempt == self._repeats:
                    raise
            time.sleep(REPEAT_AFTER_SECONDS[attempt])
            attempt += 1

    def exchange(self, route: Route, body: bytes, *, seconds: float) -> tuple[int, bytes]:
        """Return status and body of one call, whatever the status; for protocols that are not ours.

        Raises:
            NoAnswerError: no answer, or none within ``seconds`` of silence.
            AnswerError: an answer that is too long.
        """
        return self._links.exchange(route, route.target(), body, {}, seconds=seconds)

    def close(self) -> None:
        """Close the kept connections. Idempotent."""
        self._close()


class _Links:
    """The kept connections of one address."""

    def __init__(self, address: str, trust_file: str | None, read_seconds: float) -> None:
        parts = urlsplit(address)
        self._address = address
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = ssl.create_default_context(cafile=trust_file) if parts.scheme == "https" else None
        self._read_seconds = read_seconds
        self._lock = threading.Lock()
        self._kept: list[tuple[float, http.client.HTTPConnection]] = []

    def exchange(
        self,
        route: Route,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        seconds: float | None = None,
    ) -> tuple[int, bytes]:
        """Send one request and return status and body."""
        link = self._take()
        try:
            self._open(link, seconds or self._read_seconds)
            link.request(
                route.method,
                target,
                body or None,
                {"accept-encoding": "identity", "user-agent": "understudy", **headers},
            )
            answer = link.getresponse()
            is_good = answer.status in _SUCCESS
            raw = _read(answer, route.answer_limit if is_good else min(MAX_PROBLEM_BYTES, route.answer_limit))
        except ssl.SSLCertVerificationError as error:
            link.close()
            raise AnswerError(
                f"the certificate of {self._address} is not trusted",
                hint="see trust_file in docs/operator.md",
            ) from error
        except TimeoutError as error:
            link.close()
            raise NoAnswerError(f"{self._address} did not answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            link.close()
            raise NoAnswerError(f"{self._address} cannot be reached") from error
        except BaseException:
            link.close()
            raise
        if answer.will_close:
            link.close()
        else:
            self._keep(link)
        return answer.status, raw

    def close(self) -> None:
        """Close what is kept."""
        with self._lock:
            kept, self._kept = self._kept, []
        for _, link in kept:
            link.close()

    def _open(self, link: http.client.HTTPConnection, seconds: float) -> None:
        if link.sock is None:
            link.connect()
        link.sock.settimeout(seconds)

    def _take(self) -> http.client.HTTPConnection:
        """Return a kept connection that still stands, or a new one."""
        oldest = time.monotonic() - KEEP_SECONDS
        while True:
            with self._lock:
                if not self._kept:
                    break
                since, link = self._kept.pop()
            if since > oldest and not _is_over(link.sock):
                return link
            link.close()
        if self._tls is not None:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=CONNECT_SECONDS, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_SECONDS)

    def _keep(self, link: http.client.HTTPConnection) -> None:
        with self._lock:
            if len(self._kept) < MAX_KEPT:
                self._kept.append((time.monotonic(), link))
                return
        link.close()


def _is_over(sock: socket.socket | None) -> bool:
    """Return whether the other side has closed: an idle connection has nothing to say."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])


def _read(answer: http.client.HTTPResponse, limit: int) -> bytes:
    """Return the body, giving up at the first byte over ``limit``."""
    if answer.length is not None and answer.length > limit:
        raise AnswerError(f"an answer of {answer.length} bytes; at most {limit} were expected")
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read(min(_PIECE_BYTES, limit + 1 - size)):
        size += len(piece)
        if size > limit:
            raise AnswerError(f"an answer of more than {limit} bytes")
        pieces.append(piece)
    if answer.length:  # http.client takes a body that was cut off for a whole one when read in pieces
        raise http.client.IncompleteRead(b"", answer.length)
    return b"".join(pieces)
