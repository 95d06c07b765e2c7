"""Reading a body: strict JSON of exactly one value.

Rules

* Unknown fields, wrong types and a second field of the same name are refused. Spacing and order do not
  matter: what is signed travels inside, as its own exact bytes.
* Bodies are written in canonical form.

Example

>>> from understudy.contract.messages import Problem
>>> read_body(Problem, write_body(Problem(type="t", title="x", status=400))).status
400
"""

import json
from typing import TypeVar

import msgspec

from understudy.consent.primitives import Value
from understudy.sealing.errors import FormatError

T = TypeVar("T")


def write_body(value: Value) -> bytes:
    """Return ``value`` as JSON with sorted fields."""
    return msgspec.json.encode(value, order="sorted")


def read_body(kind: type[T], raw: bytes) -> T:
    """Return the ``kind`` that ``raw`` spells.

    Raises:
        FormatError: not JSON, a wrong type, an unknown or a doubled field.
    """
    try:
        value: T = msgspec.json.decode(raw, type=kind, strict=True)
        json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        name = getattr(kind, "__name__", "body")
        raise FormatError(f"not a valid {name}") from error
    return value


def _once(pairs: list[tuple[str, object]]) -> None:
    """Refuse an object that names a field twice; build nothing."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a field stands twice")
