"""The door's entries in the log, as drafts for the sequencer.

Rules

* Each draft has a request key, so that appending it again after a crash gives the same entry. The key of an
  ``open`` is its request's hash: one signed request is one entry, for ever.
* ``not_after`` of an ``open`` is the earliest of the request's end, the grant's end, and ``open_seconds``
  after the entry's own time.
* An entry holds hashes and codes; nothing in it names a participant.

Example

>>> denied("prg_", request="A" * 43, actor="B" * 43, purpose=Purpose.TRAIN, reason="ceiling",
...        policy="C" * 43).request_key.startswith("denied:")
True
"""

from collections.abc import Mapping
from dataclasses import dataclass

from understudy.access.errors import NotLoggedError, refusal
from understudy.access.ports import Log
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose
from understudy.custody.grant import Grant, OpenRequest
from understudy.programme.events import PlainDraft
from understudy.sealing.signing import document_hash
from understudy.transparency.draft import Appended, Draft, DraftParticipant
from understudy.transparency.errors import DraftError, RequestConflictError, TransparencyError
from understudy.transparency.leaves import (
    DenialsLeaf,
    DeniedLeaf,
    GrantLeaf,
    OpenLeaf,
    PolicyLeaf,
    encode_leaf,
)


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """One opening: what was asked, under which grant and policies, and whose segments."""

    request: OpenRequest
    grant: Grant
    reader_key: str
    policy: str
    open_seconds: int
    participants: Mapping[str, DraftParticipant]

    @property
    def request_key(self) -> str:
        """The key under which the same request is the same entry."""
        return open_key(document_hash(self.request))

    def leaf(self, index: int, time: int, root: bytes | None) -> bytes:
        """Return the canonical leaf; its place does not matter to it."""
        del index
        return encode_leaf(
            OpenLeaf(
                programme=self.request.programme,
                grant=self.request.grant,
                request=document_hash(self.request),
                purpose=self.grant.purpose,
                actor=self.request.credential,
                reader_key=self.reader_key,
                object=self.grant.label,
                policy=self.policy,
                time=time,
                not_after=min(self.request.not_after, self.grant.not_after, time + self.open_seconds),
                participants=len(self.participants),
                root=encode_bytes(root or b""),
            )
        )


def enter(log: Log, draft: Draft) -> Appended:
    """Return the entry of ``draft``, durable and cosigned.

    Raises:
        RefusedError: ``replayed``: the same request made an entry before, with other content.
        NotLoggedError: the log or its witnesses did not answer.
        DraftError: the draft can never become an entry.
    """
    try:
        return log.append(draft)
    except RequestConflictError as error:
        raise refusal("replayed") from error
    except DraftError:
        raise
    except TransparencyError as error:
        raise NotLoggedError(str(error)) from error


def open_key(request: str) -> str:
    """Return the request key of the ``open`` entry for the request with this hash."""
    return f"open:{request}"


def denied(
    programme: str, *, request: str, actor: str, purpose: Purpose, reason: str, policy: str
) -> PlainDraft:
    """Return the entry of an authenticated denial; the same denial of the same request is one entry."""
    return PlainDraft(
        request_key=f"denied:{request}:{actor}:{reason}:{policy}",
        build=lambda time: DeniedLeaf(
            programme=programme,
            request=request,
            actor=actor,
            purpose=purpose,
            reason=reason,
            policy=policy,
            time=time,
        ),
    )


def denials(programme: str, *, count: int, since: int, until: int, nonce: str) -> PlainDraft:
    """Return the entry that counts unauthenticated denials of one stretch of time."""
    return PlainDraft(
        request_key=f"denials:{since}:{until}:{nonce}",
        build=lambda _: DenialsLeaf(programme=programme, count=count, since=since, until=until),
    )


def granted(grant: str, terms: Grant, *, request: str, approvers: tuple[str, ...]) -> PlainDraft:
    """Return the entry of a grant that comes into force.

    Args:
        grant: the grant's hash.
        terms: the grant.
        request: the hash of the access request it answers.
        approvers: the approvers' credential hashes, sorted.
    """
    return PlainDraft(
        request_key=f"grant:{grant}",
        build=lambda time: GrantLeaf(
            programme=terms.programme,
            grant=grant,
            request=request,
            purpose=terms.purpose,
            approvers=approvers,
            not_after=terms.not_after,
            time=time,
        ),
    )


def policy_changed(programme: str, *, number: int, policy: str) -> PlainDraft:
    """Return the entry from which on the policy set with this hash decides."""
    return PlainDraft(
        request_key=f"policy:{number}:{policy}",
        build=lambda time: PolicyLeaf(programme=programme, policy=policy, time=time),
    )
