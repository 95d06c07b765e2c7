"""Which segments a grant covers: a conjunction over fields of the sealed header.

Rules

* A field that is ``None`` does not restrict; an empty tuple covers nothing.
* Every field given must hold. There is no "or", no pattern and no negation, so what a scope covers can be
  read off it.
* The custodian evaluates the scope on the headers that devices deposited, never on the server's copy.

Example

>>> from types import SimpleNamespace
>>> fields = SimpleNamespace(programme="p", tag="t", recording="r", application_group="web",
...                          task_label="form", consent="c")
>>> Scope(programme="p", task_labels=("mail",)).covers(fields).reason
'scope-task-label'
"""

from typing import Annotated, Protocol

from msgspec import Meta

from understudy.consent.decisions import Allowed, Decision, Refused
from understudy.consent.primitives import Digest, Name, ParticipantTag, ProgrammeId, RecordingId, Value

MAX_SCOPE_VALUES = 1_000


class HeaderFields(Protocol):
    """The fields of a segment header that a scope may speak of."""

    @property
    def programme(self) -> str:
        """Programme id."""
        ...

    @property
    def tag(self) -> str | None:
        """Participant tag; None for pooled objects."""
        ...

    @property
    def recording(self) -> str:
        """Recording id."""
        ...

    @property
    def application_group(self) -> str:
        """Application group."""
        ...

    @property
    def task_label(self) -> str:
        """Task label."""
        ...

    @property
    def consent(self) -> str:
        """Consent version hash."""
        ...


class Scope(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A conjunction: every field that is not ``None`` must hold."""

    programme: ProgrammeId
    tags: Annotated[tuple[ParticipantTag, ...], Meta(max_length=MAX_SCOPE_VALUES)] | None = None
    recordings: Annotated[tuple[RecordingId, ...], Meta(max_length=MAX_SCOPE_VALUES)] | None = None
    application_groups: Annotated[tuple[Name, ...], Meta(max_length=MAX_SCOPE_VALUES)] | None = None
    task_labels: Annotated[tuple[Name, ...], Meta(max_length=MAX_SCOPE_VALUES)] | None = None
    consents: Annotated[tuple[Digest, ...], Meta(max_length=MAX_SCOPE_VALUES)] | None = None

    def covers(self, fields: HeaderFields) -> Decision:
        """Return ``Allowed``, or ``Refused`` with the first field that does not hold."""
        checks: tuple[tuple[str, str | None, tuple[str, ...] | None], ...] = (
            ("programme", fields.programme, (self.programme,)),
            ("tag", fields.tag, self.tags),
            ("recording", fields.recording, self.recordings),
            ("application-group", fields.application_group, self.application_groups),
            ("task-label", fields.task_label, self.task_labels),
            ("consent", fields.consent, self.consents),
        )
        for name, value, allowed in checks:
            if allowed is not None and value not in allowed:
                return Refused(
                    reason=f"scope-{name}", hint="ask for a grant whose scope covers these segments"
                )
        return Allowed(because=("scope",))
