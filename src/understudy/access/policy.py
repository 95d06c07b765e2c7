"""The policy set: Cedar files, their schema, and what each rule says in words.

Rules

* The policies are files of the program. They are parsed once, and validated against their schema before
  anything is decided; a set that does not validate decides nothing.
* Every policy has an ``@id`` and says in ``@says`` what holds when it lets pass. Every ``forbid`` has the
  ``@reason`` and ``@hint`` it refuses with. Actions are named; no policy speaks of all of them.
* Rules keep the order of their files, sorted by name: of the ``forbid`` rules that fire, the first gives the
  reason.
* ``policy_hash`` covers every byte of schema and policies; it stands in every entry that was decided by them.

Normative: ``docs/formats/access.md``. The language is Cedar (cedarpolicy.com), evaluated through cedarpy with
pre-parsed handles.

Example

>>> rules = shipped().rules
>>> rules["grant-approvals"].reason
'approvals'
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

import cedarpy
from cedarpy import pst
from msgspec import Struct

from understudy.access.errors import PolicyError
from understudy.consent.contexts import Context
from understudy.consent.primitives import Value
from understudy.sealing.canonical import canonical, digest

NAMESPACE: Final = "Understudy"
SCHEMA_FILE: Final = "schema.cedarschema"
POLICY_SUFFIX: Final = ".cedar"
_REQUIRED: Final = {"permit": ("id", "says"), "forbid": ("id", "says", "reason", "hint")}


class Action(StrEnum):
    """What can be asked at the door; the names of the schema's actions."""

    REQUEST = "request"
    APPROVE = "approve"
    GRANT = "grant"
    OPEN = "open"
    FETCH = "fetch"
    FETCH_OWN = "fetchOwn"
    READ_LOG = "readLog"
    SUSPEND = "suspend"
    LIFT = "lift"
    EXPLAIN = "explain"


class PolicyFile(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the set."""

    name: str
    text: str


class PolicyListing(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``policy_hash`` is taken over: every file, sorted by name, the schema among them."""

    version: int = 1
    files: tuple[PolicyFile, ...]


class Rule(Struct, frozen=True, kw_only=True):
    """One policy, as its annotations describe it."""

    id: str
    place: int
    is_permit: bool
    actions: frozenset[Action]
    says: str
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Policies:
    """A parsed, validated policy set.

    Attributes:
        schema: the parsed schema.
        handle: the whole set, parsed.
        permits: the ``permit`` policies alone; they explain, they never decide.
        rules: every policy by its id, in order.
        policy_hash: the digest of all files.
    """

    schema: cedarpy.Schema
    handle: cedarpy.PolicySet
    permits: cedarpy.PolicySet
    rules: Mapping[str, Rule]
    policy_hash: str

    def rules_for(self, action: Action) -> tuple[Rule, ...]:
        """Return the rules that speak of ``action``, in order."""
        return tuple(rule for rule in self.rules.values() if action in rule.actions)


def load(texts: Mapping[str, str]) -> Policies:
    """Return the policy set of ``texts``, by file name.

    Raises:
        PolicyError: no schema, a policy that does not parse or validate, or one without its annotations.
    """
    names = sorted(name for name in texts if name.endswith(POLICY_SUFFIX))
    if SCHEMA_FILE not in texts or set(texts) != {SCHEMA_FILE, *names}:
        raise PolicyError((f"the files are not {SCHEMA_FILE} and *{POLICY_SUFFIX}",))
    source = "\n".join(texts[name] for name in names)
    try:
        schema = cedarpy.Schema.from_str(texts[SCHEMA_FILE])
        handle = cedarpy.PolicySet.from_str(source)
        nodes = handle.to_pst()
    except ValueError as error:
        raise PolicyError((str(error),)) from error
    validation = cedarpy.validate_policies(source, schema)
    if not validation.validation_passed:
        raise PolicyError(tuple(str(problem) for problem in validation.errors))
    if nodes.templates:
        raise PolicyError(("templates are not used here",))
    listing = PolicyListing(files=tuple(PolicyFile(name=name, text=texts[name]) for name in sorted(texts)))
    permits = {name: node for name, node in nodes.static_policies.items() if node.effect == "permit"}
    return Policies(
        schema=schema,
        handle=handle,
        permits=cedarpy.PolicySet.from_pst(
            pst.PolicySet(templates={}, static_policies=permits, template_links=())
        ),
        rules=_rules(nodes),
        policy_hash=digest(Context.POLICY, canonical(listing)),
    )


@cache
def shipped() -> Policies:
    """Return the policy set that comes with the program.

    Raises:
        PolicyError: the installed files were changed into something that is no policy set.
    """
    return load(shipped_texts())


def shipped_texts() -> dict[str, str]:
    """Return the files of the policy set that comes with the program, by name."""
    folder = files("understudy.access") / "policies"
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name == SCHEMA_FILE or entry.name.endswith(POLICY_SUFFIX)
    }


def _rules(nodes: pst.PolicySet) -> dict[str, Rule]:
    problems: list[str] = []
    rules: dict[str, Rule] = {}
    # Parsing numbers policies policy0, policy1, … in the order of the text.
    ordered = sorted(nodes.static_policies.items(), key=lambda item: int(item[0].removeprefix("policy")))
    for place, (name, node) in enumerate(ordered):
        notes = node.annotations
        missing = [note for note in _REQUIRED[node.effect] if not notes.get(note)]
        problems += [f"{notes.get('id', name)} lacks @{note}" for note in missing]
        actions = _actions(node.action)
        if not actions:
            problems.append(f"{notes.get('id', name)} names no action of this door")
        if notes.get("id") in rules:
            problems.append(f"two policies are called {notes['id']}")
        rules[notes.get("id", name)] = Rule(
            id=notes.get("id", name),
            place=place,
            is_permit=node.effect == "permit",
            actions=actions,
            says=notes.get("says", ""),
            reason=notes.get("reason", ""),
            hint=notes.get("hint", ""),
        )
    if problems:
        raise PolicyError(tuple(problems))
    return rules


def _actions(constraint: pst.ActionConstraint) -> frozenset[Action]:
    named: tuple[pst.EntityUid, ...]
    if isinstance(constraint, pst.ActionEq):
        named = (constraint.entity,)
    elif isinstance(constraint, pst.ActionIn):
        named = constraint.entities
    else:
        named = ()
    known = {action.value for action in Action}
    return frozenset(Action(uid.id) for uid in named if uid.id in known)
