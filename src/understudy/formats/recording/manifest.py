"""The manifest of a recording file: what it is, where it belongs, and how it was redacted.

Rules

* Titles, instructions and exact times stand here, inside the seal, and nowhere outside it.
* A file from a recorder carries a redaction stamp. A synthetic file says so: no person did it.
* The grid of times is at least 250 ms; nothing finer can be written.

Fields: ``docs/formats/recording.md``, section 4.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Digest, Name, RecordingId, Text, Time, Value
from understudy.formats.elements import is_sorted_set
from understudy.formats.recording.bounds import MAX_SECONDS
from understudy.formats.recording.errors import Code
from understudy.formats.screen import Screen
from understudy.sealing.signing import Document

DEFAULT_GRID_MS: Final = 1_000

Source = Annotated[str, Meta(pattern=r"^(recorder|synthetic|import:[a-z0-9][a-z0-9._-]{0,62})$(?!\n)")]
Locale = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,7}$(?!\n)")]
"""A language tag in the form of BCP 47; ``und`` where the language is not known."""
GridMs = Annotated[int, Meta(ge=250, le=10_000)]


class Outcome(StrEnum):
    """Whether the task was done, where the task itself can tell."""

    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RedactionStamp(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rules ran: hash of the rule set and the names of the layers, sorted. No content, no counts.

    Its document hash is what the segment's header carries.
    """

    CONTEXT: ClassVar[Context] = Context.REDACTION_STAMP

    rules: Digest
    layers: Annotated[tuple[Name, ...], Meta(max_length=16)]


class Manifest(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recording file says about itself."""

    recording: RecordingId
    ordinal: Annotated[int, Meta(ge=0, le=1_000_000)]
    title: Annotated[str, Meta(max_length=200)]
    task: Name
    application_group: Name
    started_at: Time
    ended_at: Time
    screen: Screen
    source: Source
    redaction: RedactionStamp | None
    instruction: Text | None = None
    locale: Locale = "und"
    fonts: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=8)] = ()
    outcome: Outcome = Outcome.UNKNOWN
    time_grid_ms: GridMs = DEFAULT_GRID_MS
    kind: Literal["recording"] = "recording"
    version: Literal[1] = 1

    @property
    def duration_ms(self) -> int:
        """Length of the segment in milliseconds."""
        return (self.ended_at - self.started_at) * 1_000

    @property
    def last_ms(self) -> int:
        """The latest time that the segment may name: its length, rounded up to the grid."""
        return -(-self.duration_ms // self.time_grid_ms) * self.time_grid_ms

    @property
    def is_synthetic(self) -> bool:
        """Whether no person did this."""
        return self.source == "synthetic"

    def on_grid(self, milliseconds: int) -> int:
        """Return a time since the start, rounded down to the grid."""
        return milliseconds - milliseconds % self.time_grid_ms


def manifest_problems(manifest: Manifest) -> Iterator[tuple[Code, str]]:
    """Yield a (code, message) for each rule between fields that the manifest breaks."""
    if not 0 <= manifest.ended_at - manifest.started_at <= MAX_SECONDS:
        yield Code.MANIFEST_TIMES, f"the segment must last 0 to {MAX_SECONDS} seconds"
    if manifest.redaction is None:
        if manifest.source == "recorder":
            yield Code.UNREDACTED, "a recorder's file without a redaction stamp"
    elif not is_sorted_set(manifest.redaction.layers):
        yield Code.NOT_SORTED, "layers of the redaction stamp"
