"""Every path of every party, in one table: method, who may call it, and how large a body.

Rules

* Client and server read the same table. A path that is not in it does not exist, and a test compares it with
  what each process really serves.
* ``PUBLIC`` answers anybody and holds nothing about a person. ``SIGNED`` takes a document that proves itself:
  its signature is checked by whoever uses it. ``AUTHENTICATED`` needs the header of ``contract.auth``.
* ``repeatable`` calls may be sent again when no answer came: the same call has the same effect once.
* The log's paths are those of C2SP tlog-tiles under ``/log``, the witness's those of C2SP tlog-witness. Raw
  leaves (``tile/entries``) go to auditors and mirrors only.

Example

>>> CIPHERTEXT.target({"segment": "seg_AAAAAAAAAAAAAAAAAAAAAA"})
'/v1/segments/seg_AAAAAAAAAAAAAAAAAAAAAA/ciphertext'
>>> SEGMENTS.target(query={"grant": "abc", "cursor": ""})
'/v1/segments?grant=abc'
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import quote, urlencode

import msgspec

Method = Literal["GET", "POST", "PUT"]


class Access(StrEnum):
    """Who may call a route."""

    PUBLIC = "public"
    SIGNED = "signed"
    AUTHENTICATED = "authenticated"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One path template and its conditions; ``{name}`` is one path segment, ``{name:path}`` the rest."""

    method: Method
    path: str
    access: Access
    body_limit: int = 0
    answer_limit: int = 1 << 20
    repeatable: bool = True

    def target(
        self, parts: Mapping[str, str] | None = None, *, query: Mapping[str, str] | None = None
    ) -> str:
        """Return the request target with ``parts`` in the path; empty query values are left out."""
        given = parts or {}
        path = _PLACE.sub(lambda place: quote(given[place[1]], safe="/" if place[2] else ""), self.path)
        kept = {name: value for name, value in (query or {}).items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path

    @property
    def litestar_path(self) -> str:
        """The template as the web framework spells it."""
        return _PLACE.sub(lambda place: f"{{{place[1]}:{'path' if place[2] else 'str'}}}", self.path)


_PLACE: Final = re.compile(r"\{([a-z_]+)(:path)?\}")
_KIB: Final = 1 << 10
_MIB: Final = 1 << 20

DOCUMENT_LIMIT: Final = 2 * _MIB
"""A signed document of the largest accepted size, in base64url, with room for its signatures."""
CHUNK_LIMIT: Final = 4 * _MIB
"""Ciphertext bytes one append may carry."""


def _get(path: str, access: Access = Access.PUBLIC, *, answer: int = _MIB) -> Route:
    return Route(method="GET", path=path, access=access, answer_limit=answer)


def _post(
    path: str, access: Access = Access.SIGNED, *, body: int = DOCUMENT_LIMIT, answer: int = DOCUMENT_LIMIT
) -> Route:
    return Route(method="POST", path=path, access=access, body_limit=body, answer_limit=answer)


# What every party answers.
HEALTH: Final = _get("/v1/health", answer=4 * _KIB)
IDENTITY: Final = _get("/v1/identity", answer=16 * _KIB)
METRICS: Final = _get("/metrics")

# What server and custodian both answer, each from its own knowledge.
DOCUMENT: Final = _get("/v1/document", answer=DOCUMENT_LIMIT)
ENROLMENTS: Final = _post("/v1/enrolments")
STANDINGS: Final = _post("/v1/standings")
OPENINGS: Final = _post("/v1/openings", answer=64 * _MIB)
SWITCH: Final = _get("/v1/switch", answer=16 * _KIB)
SWITCH_OFF: Final = _post("/v1/switch/off", body=64 * _KIB)
SWITCH_LIFT: Final = _post("/v1/switch/lift")

# The server.
STATUS_PAGE: Final = _get("/")
CONSENTS: Final = _post("/v1/consents")
LEASES: Final = _post("/v1/leases")
UPLOADS: Final = _post("/v1/uploads")
UPLOAD_CHUNK: Final = Route(
    method="PUT", path="/v1/uploads/{segment}", access=Access.SIGNED, body_limit=CHUNK_LIMIT, repeatable=False
)
SEGMENTS: Final = _get("/v1/segments", Access.AUTHENTICATED, answer=16 * _MIB)
CIPHERTEXT: Final = _get("/v1/segments/{segment}/ciphertext", Access.AUTHENTICATED, answer=1 << 30)
REQUESTS: Final = _post("/v1/requests")
REQUEST_LIST: Final = _get("/v1/requests", Access.AUTHENTICATED, answer=64 * _MIB)
REQUEST: Final = _get("/v1/requests/{request_id}", Access.AUTHENTICATED, answer=DOCUMENT_LIMIT)
APPROVALS: Final = _post("/v1/requests/{request_id}/approvals")
OWN_GRANTS: Final = _post("/v1/grants/own")
REVOCATIONS: Final = _post("/v1/grants/revocations")
EXPLANATION: Final = _get("/v1/explanation", Access.AUTHENTICATED)
OPENS: Final = _post("/v1/opens", body=512 * _KIB, answer=16 * _MIB)
CUSTODIAN_SWITCH: Final = _get("/v1/switch/custodian", answer=16 * _KIB)
LOG_CHECKPOINT: Final = _get("/log/checkpoint", answer=64 * _KIB)
LOG_ENTRIES: Final = _get("/log/tile/entries/{path:path}", Access.AUTHENTICATED, answer=32 * _MIB)
LOG_TILE: Final = _get("/log/tile/{path:path}", answer=16 * _KIB)

# The custodian; ``AUTHENTICATED`` means: as the server of the pinned key set.
COUNTERSIGNATURES: Final = _post("/v1/countersignatures", Access.AUTHENTICATED)
DEPOSITS: Final = _post("/v1/deposits", Access.AUTHENTICATED)
CUSTODIAN_OPENS: Final = _post("/v1/opens", Access.AUTHENTICATED, body=32 * _MIB, answer=16 * _MIB)
HEAD: Final = _get("/v1/heads/{tag}", Access.AUTHENTICATED, answer=16 * _KIB)
STATEMENTS: Final = _post("/v1/statements", Access.AUTHENTICATED, body=128 * _KIB, answer=4 * _MIB)
QUEUE: Final = _get("/v1/switch/queue", Access.AUTHENTICATED)

# The witness (C2SP tlog-witness): the note in the body carries the log's signature.
ADD_CHECKPOINT: Final = _post("/add-checkpoint", body=64 * _KIB, answer=16 * _KIB)

SERVER_ROUTES: Final = (
    STATUS_PAGE,
    HEALTH,
    IDENTITY,
    METRICS,
    DOCUMENT,
    ENROLMENTS,
    CONSENTS,
    STANDINGS,
    LEASES,
    UPLOADS,
    UPLOAD_CHUNK,
    SEGMENTS,
    CIPHERTEXT,
    REQUESTS,
    REQUEST_LIST,
    REQUEST,
    APPROVALS,
    OWN_GRANTS,
    REVOCATIONS,
    EXPLANATION,
    OPENS,
    OPENINGS,
    LOG_CHECKPOINT,
    LOG_ENTRIES,
    LOG_TILE,
    SWITCH,
    CUSTODIAN_SWITCH,
    SWITCH_OFF,
    SWITCH_LIFT,
)
CUSTODIAN_ROUTES: Final = (
    HEALTH,
    IDENTITY,
    DOCUMENT,
    ENROLMENTS,
    COUNTERSIGNATURES,
    STANDINGS,
    DEPOSITS,
    CUSTODIAN_OPENS,
    HEAD,
    OPENINGS,
    REVOCATIONS,
    STATEMENTS,
    SWITCH,
    SWITCH_OFF,
    SWITCH_LIFT,
    QUEUE,
)
WITNESS_ROUTES: Final = (HEALTH, IDENTITY, ADD_CHECKPOINT)
