"""What a programme document must hold to: pure checks, every problem listed.

Rules

* A document is checked as a whole and every problem is told at once, so that a steward corrects it in one go.
* One key, one duty: no public key stands in two places, or a signature would be worth two. The one
  exception is the auditor's signing key, which may be the credential of a roster member who is an auditor
  and nothing else.
* ``production`` is for people: three roster members, two approvers, two witnesses, two of three
  custodians, and no delay shorter than the minimums. ``embedded`` may be smaller, and says so wherever it
  is shown.
* A promise's upper bounds (a lease of 60 s, say) hold for every profile.

Example

>>> delays = Delays(lease_seconds=61)
>>> delay_problems(delays, Profile.EMBEDDED)
['delays.lease_seconds is 61; at most 60']
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from understudy.consent.credentials import Ed25519Credential
from understudy.consent.keyset import KeySet
from understudy.consent.programme import (
    MAXIMUMS,
    PRODUCTION_MINIMUMS,
    Delays,
    Profile,
    ProgrammeDocument,
    Role,
    Terms,
    Threshold,
)
from understudy.consent.purposes import OFFERED
from understudy.sealing.errors import FormatError
from understudy.sealing.hpke import HpkePublicKey

MIN_APPROVERS: Final = 2
MIN_RECOVERY_KEYS: Final = 3
MIN_RECOVERY_THRESHOLD: Final = 2
PRODUCTION_MEMBERS: Final = 3
PRODUCTION_WITNESSES: Final = 2
PRODUCTION_LIFT_THRESHOLD: Final = 2
CUSTODIAN_SHAPES: Final = {Profile.EMBEDDED: ((1, 1), (2, 3)), Profile.PRODUCTION: ((2, 3),)}
"""The (k, n) that a profile accepts; sealing knows no other."""

_POSITIVE: Final = (
    "segment_seconds",
    "lease_seconds",
    "statement_seconds",
    "open_seconds",
    "cosignature_seconds",
    "consent_batch_seconds",
    "consent_batch_multiple",
    "grant_seconds",
    "grant_unused_seconds",
)
MAX_BATCH_MULTIPLE: Final = 4_096


def check_document(document: ProgrammeDocument) -> list[str]:
    """Return every problem of ``document``, empty when there is none.

    Signatures are not looked at; ``document.verify_document`` does that.
    """
    problems = [
        *_number_problems(document),
        *_terms_problems(document.terms),
        *delay_problems(document.delays, document.profile),
        *_roster_problems(document),
        *_key_set_problems(document.key_set, document.profile),
        *_threshold_problems(document),
    ]
    return problems + list(_duty_problems(document))


def delay_problems(delays: Delays, profile: Profile) -> list[str]:
    """Return every bound of ``profile`` that ``delays`` breaks."""
    problems = [f"delays.{name} is 0" for name in _POSITIVE if getattr(delays, name) == 0]
    problems += [
        f"delays.{name} is {getattr(delays, name)}; at most {most}"
        for name, most in MAXIMUMS.items()
        if getattr(delays, name) > most
    ]
    if profile is Profile.PRODUCTION:
        problems += [
            f"delays.{name} is {getattr(delays, name)}; profile production needs at least {least}"
            for name, least in PRODUCTION_MINIMUMS.items()
            if getattr(delays, name) < least
        ]
    if delays.consent_batch_multiple > MAX_BATCH_MULTIPLE:
        problems.append(f"delays.consent_batch_multiple is above {MAX_BATCH_MULTIPLE}")
    return problems


def signing_keys(document: ProgrammeDocument) -> dict[str, str]:
    """Return the keys whose owners sign a first document, by what they are: ``{key: duty}``.

    Members with a WebAuthn credential are left out; ``check_document`` reports them.
    """
    keys = document.key_set
    signers = {
        keys.server: "server",
        keys.escrow_issuer: "escrow issuer",
        keys.log.signing: "log",
        **{custodian.signing: f"custodian {custodian.name}" for custodian in keys.custodians},
        **{witness.signing: f"witness {witness.name}" for witness in keys.witnesses},
    }
    for member in document.roster:
        if isinstance(member.credential, Ed25519Credential):
            signers[member.credential.public_key] = f"roster member {member.name}"
    return signers


def _number_problems(document: ProgrammeDocument) -> Iterator[str]:
    if (document.number == 1) != (document.previous is None):
        yield "document 1 has no predecessor, every later one names its"


def _terms_problems(terms: Terms) -> Iterator[str]:
    for purpose in terms.purposes:
        if purpose not in OFFERED:
            yield f"terms.purposes: {purpose.value} is not a purpose that a programme may offer"
    yield from _repeated("terms.purposes", terms.purposes)
    yield from _repeated("terms.streams", terms.streams)
    yield from _repeated("terms.application_groups", (group.name for group in terms.application_groups))
    for group in terms.application_groups:
        if not group.applications and not group.sites:
            yield f"terms.application_groups: {group.name} names no application and no site"
    if not terms.notice.strip():
        yield "terms.notice is empty"


def _roster_problems(document: ProgrammeDocument) -> Iterator[str]:
    yield from _repeated("roster", (member.name for member in document.roster))
    for member in document.roster:
        yield from _repeated(f"roster: roles of {member.name}", member.roles)
        if not isinstance(member.credential, Ed25519Credential):
            yield f"roster: {member.name} cannot sign a document with a WebAuthn credential in version 1"
        if Role.SERVICE in member.roles and len(member.roles) > 1:
            yield f"roster: {member.name} is a service and holds another role"
    if not document.members(Role.STEWARD):
        yield "roster: there is no steward"
    if len(document.members(Role.APPROVER)) < MIN_APPROVERS:
        yield f"roster: fewer than {MIN_APPROVERS} approvers"
    people = [member for member in document.roster if Role.SERVICE not in member.roles]
    if document.profile is Profile.PRODUCTION and len(people) < PRODUCTION_MEMBERS:
        yield f"roster: profile production needs {PRODUCTION_MEMBERS} members who are people"


def _key_set_problems(keys: KeySet, profile: Profile) -> Iterator[str]:
    shape = (keys.custodian_threshold, len(keys.custodians))
    if shape not in CUSTODIAN_SHAPES[profile]:
        allowed = " or ".join(f"{k} of {n}" for k, n in CUSTODIAN_SHAPES[profile])
        yield f"key_set.custodians: {shape[0]} of {shape[1]}; profile {profile.value} needs {allowed}"
    yield from _repeated("key_set.custodians", (custodian.name for custodian in keys.custodians))
    yield from _repeated("key_set.witnesses", (witness.name for witness in keys.witnesses))
    if keys.witness_quorum > len(keys.witnesses):
        yield "key_set.witness_quorum is above the number of witnesses"
    if profile is Profile.PRODUCTION:
        if len(keys.witnesses) < PRODUCTION_WITNESSES:
            yield f"key_set.witnesses: profile production needs {PRODUCTION_WITNESSES}"
        if 2 * keys.witness_quorum <= len(keys.witnesses):
            yield "key_set.witness_quorum: profile production needs more than half of the witnesses"
    for name, public in _hpke_places(keys):
        try:
            HpkePublicKey.from_text(public)
        except FormatError:
            yield f"{name} is not an HPKE public key"
    yield from _repeated("HPKE keys", (public for _, public in _hpke_places(keys)), show=False)


def _threshold_problems(document: ProgrammeDocument) -> Iterator[str]:
    for name, group in (("recovery", document.recovery), ("lift", document.lift)):
        yield from _repeated(f"{name}.keys", group.keys, show=False)
        if group.threshold > len(group.keys):
            yield f"{name}.threshold is above the number of its keys"
    if len(document.recovery.keys) < MIN_RECOVERY_KEYS:
        yield f"recovery.keys: fewer than {MIN_RECOVERY_KEYS}"
    if document.recovery.threshold < MIN_RECOVERY_THRESHOLD:
        yield f"recovery.threshold is below {MIN_RECOVERY_THRESHOLD}"
    if document.profile is Profile.PRODUCTION and document.lift.threshold < PRODUCTION_LIFT_THRESHOLD:
        yield f"lift.threshold: profile production needs {PRODUCTION_LIFT_THRESHOLD}"


def _repeated(where: str, values: Iterable[str], *, show: bool = True) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{where}: {value} stands there twice" if show else f"{where}: one stands there twice"


def _hpke_places(keys: KeySet) -> list[tuple[str, str]]:
    places = [
        (f"key_set.custodians: hpke of {custodian.name}", custodian.hpke) for custodian in keys.custodians
    ]
    return [*places, ("key_set.auditor.hpke", keys.auditor.hpke)]


def _duty_problems(document: ProgrammeDocument) -> Iterator[str]:
    duties: dict[str, list[str]] = {}
    for key, duty in _places(document):
        duties.setdefault(key, []).append(duty)
    auditors = {member.credential.public_key for member in document.roster if member.roles == (Role.AUDITOR,)}
    for key, held in duties.items():
        allowed = 2 if key == document.key_set.auditor.signing and key in auditors else 1
        if len(held) > allowed:
            yield f"one public key has two duties: {' and '.join(held)}"


def _places(document: ProgrammeDocument) -> list[tuple[str, str]]:
    """Return every Ed25519 key of the document with its duty; keys inside one threshold are checked apart."""
    keys = document.key_set
    return [
        (keys.server, "server"),
        (keys.escrow_issuer, "escrow issuer"),
        (keys.log.checkpoint, "log checkpoint"),
        (keys.log.signing, "log"),
        (keys.auditor.signing, "auditor"),
        *((custodian.signing, f"custodian {custodian.name}") for custodian in keys.custodians),
        *((witness.cosigning, f"cosignature of witness {witness.name}") for witness in keys.witnesses),
        *((witness.signing, f"witness {witness.name}") for witness in keys.witnesses),
        *((member.credential.public_key, f"roster member {member.name}") for member in document.roster),
        *((key, "recovery") for key in dict.fromkeys(document.recovery.keys)),
        *((key, "lift") for key in dict.fromkeys(document.lift.keys)),
    ]


def quorum_of(group: Threshold, signers: Iterable[str]) -> bool:
    """Return whether enough of the group's keys are among ``signers``."""
    return len(set(group.keys) & set(signers)) >= group.threshold
