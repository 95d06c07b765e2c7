"""Assembling document 1: the steward's terms, everybody's public keys, and the parties' own.

Rules

* Only public keys come in. Parties bring ``public.json``; people bring a key, which the steward writes down
  in one TOML file with their names and roles.
* There is one server; custodians and witnesses stand in the document in the order they were given.
* A document that breaks a rule is not assembled; every problem is listed.

Example: ``assemble(terms, read_people(text), parties, custodian_threshold=2, witness_quorum=2,
made_at=now)``.
"""

import tomllib
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from understudy.consent.credentials import Ed25519Credential
from understudy.consent.keyset import AuditorKey, CustodianKeys, KeySet, WitnessKey
from understudy.consent.primitives import Name, PublicKey, Value, new_id
from understudy.consent.programme import ProgrammeDocument, Role, RosterMember
from understudy.programme.document import from_toml
from understudy.web.errors import ConfigError
from understudy.web.home import CustodianParty, PartyKeys, ServerParty


class Person(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One roster member: a pseudonymous name, roles, and the public key they brought."""

    name: Name
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=6)]
    key: PublicKey


class PeopleFile(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the steward writes down of the people."""

    member: Annotated[tuple[Person, ...], Meta(min_length=1, max_length=64)]
    auditor: AuditorKey
    recovery: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=16)]
    lift: Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=16)]


def read_people(text: str) -> PeopleFile:
    """Return the people that a TOML ``text`` lists.

    Raises:
        ConfigError: not TOML, or a field is missing, unknown or out of bounds.
    """
    try:
        return msgspec.convert(tomllib.loads(text), PeopleFile)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the people file is not TOML: {error}") from error
    except (msgspec.ValidationError, RecursionError) as error:
        raise ConfigError(f"the people file does not fit: {error}") from error


def assemble(
    terms: str,
    people: PeopleFile,
    parties: Iterable[PartyKeys],
    *,
    custodian_threshold: int,
    witness_quorum: int,
    made_at: int,
) -> ProgrammeDocument:
    """Return document 1 of a new programme, ready to be signed.

    Args:
        terms: the steward's terms file, TOML.
        people: who signs and decides.
        parties: public keys of one server, of custodians and of witnesses.
        custodian_threshold: how many custodians a key takes.
        witness_quorum: how many witnesses a checkpoint takes.
        made_at: the time.

    Raises:
        ConfigError: not exactly one server, or no custodian or witness.
        TermsFileError, DocumentError: the terms or the whole break a rule.
    """
    servers: list[ServerParty] = []
    custodians: list[CustodianKeys] = []
    witnesses: list[WitnessKey] = []
    for party in parties:
        if isinstance(party, ServerParty):
            servers.append(party)
        elif isinstance(party, CustodianParty):
            custodians.append(party.keys)
        else:
            witnesses.append(party.keys)
    if len(servers) != 1 or not custodians or not witnesses:
        raise ConfigError(
            "a programme has one server, and at least one custodian and one witness",
            hint="give the public.json of each",
        )
    key_set = KeySet(
        server=servers[0].server,
        escrow_issuer=servers[0].escrow_issuer,
        custodians=tuple(custodians),
        custodian_threshold=custodian_threshold,
        witnesses=tuple(witnesses),
        witness_quorum=witness_quorum,
        log=servers[0].log,
        auditor=people.auditor,
    )
    return from_toml(
        terms,
        programme=new_id("prg"),
        roster=tuple(
            RosterMember(name=one.name, roles=one.roles, credential=Ed25519Credential(public_key=one.key))
            for one in people.member
        ),
        key_set=key_set,
        recovery_keys=people.recovery,
        lift_keys=people.lift,
        made_at=made_at,
    )
