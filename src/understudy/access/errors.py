"""What can go wrong at the door.

::

    UnderstudyError
      + AccessError
      |   + PolicyError            the policies do not parse, do not fit their schema, or lack a reason
      |   + EntryMissingError      the log's table lacks an entry that a custodian asks for
      |   + CustodianAnswerError   a custodian answered something that is no answer
      + NotFoundError
      |   + RequestNotFoundError   no such access request
      |   + GrantNotFoundError     no such grant
      + UnavailableError
      |   + NotLoggedError         the log did not acknowledge the entry; nothing was opened
      |   + NotDeliveredError      the entry is in the log, but too few custodians answered
      + RefusedError               made by ``refusal(reason)``, or by a policy with its own reason
          + ConflictError          made by ``conflict(reason)``

Rules

* A reason code never changes its meaning; a new meaning takes a new code.
* Reasons of rules stand beside the rules, in ``policies/*.cedar``. ``REASONS`` holds those that no policy can
  give, because what was asked is not even a question for one. ``docs/formats/access.md`` lists both.
"""

from typing import Final

from understudy.consent.errors import (
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnderstudyError,
)

NO_PERMIT: Final = "no-permit"
POLICY_ERROR: Final = "policy-error"

REASONS: Final = {
    "credential-kind": "sign with an Ed25519 credential; WebAuthn is not checked here yet",
    "erased": "leave out segments that were erased",
    "grant-mismatch": "sign exactly the bytes of the grant that the server shows for this request",
    "grant-unknown": "use the hash of a grant in force",
    NO_PERMIT: "no rule allows this; ask the steward what your roles are",
    "object-label": "only recorded segments are opened here",
    "own-grant": "one tag, one reader, signed by that participant alone",
    POLICY_ERROR: "tell the operator; a rule could not be evaluated, so the answer is no",
    "programme-mismatch": "this server runs another programme",
    "replayed": "sign a new request; this one was already used for something else",
    "request-conflict": "give the request a new id; this id was used before",
    "request-mismatch": "send exactly the segments that the signed request commits to",
    "revocation-signer": "a self-grant is ended by the participant who signed it",
    "unauthenticated": "sign with a credential of the roster, of a grant or of an enrolment record",
    "unknown-participant": "wait until the participant's enrolment has its receipts",
    "unknown-segment": "use the ids that the catalogue lists",
}
"""Every reason code of this package that is not a policy's, with its hint."""


class AccessError(UnderstudyError):
    """Root of the errors of this package that are no refusals."""


class PolicyError(AccessError):
    """The policy set cannot be used; ``problems`` lists every reason. Nothing is decided without it."""

    hint = "restore the policies that came with the program; the server does not start without them"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(f"the policies cannot be used: {'; '.join(problems)}")
        self.problems = problems


class EntryMissingError(AccessError):
    """The log's table has no opening for an entry that a custodian asks for."""

    hint = "restore the log from a mirror, or look whether the participant was erased"


class CustodianAnswerError(AccessError):
    """A custodian answered something that is no answer."""

    hint = "see that the custodian runs the same version; keep the answer as evidence"


class RequestNotFoundError(NotFoundError):
    """There is no access request with this id."""

    hint = "use the id of a submitted request"


class GrantNotFoundError(NotFoundError):
    """There is no grant with this hash."""

    hint = "use the hash of a grant that came into force"


class NotLoggedError(UnavailableError):
    """The log did not acknowledge the entry: nothing was opened."""

    hint = "send the same request again when the log and its witnesses answer"


class NotDeliveredError(UnavailableError):
    """The entry is in the log and cosigned, but too few custodians answered."""

    hint = "send the same request again before it expires: it gets the same entry"


def refusal(reason: str) -> RefusedError:
    """Return the refusal for ``reason``, with its hint."""
    return RefusedError(reason, hint=REASONS[reason])


def conflict(reason: str) -> ConflictError:
    """Return the conflict for ``reason``, with its hint."""
    return ConflictError(reason, hint=REASONS[reason])
