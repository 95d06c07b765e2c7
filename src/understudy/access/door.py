"""The door: the only way to a key.

Rules

* The order is fixed: signature, decision, entry, custodians, own halves. Nothing leaves before the entry is durable
  and cosigned, and the custodian is asked only then. It gets openings from the door, never halves.
* The only durable write is the entry. The same signed request is the same entry, for ever: asking again after a
  lost answer brings the custodian's stored reply and our halves sealed anew.
* Every decision is made anew, also for a request that was opened before: what was stopped or withdrawn since counts.
* A known credential's denial is an entry; a stranger's is counted. What the custodian refuses stays in the log as
  an entry that opened nothing.
* No other way in: no administrator's read, none for debugging, none for a job of the system.

Example: ``door.open(OpenCall(request=signed, segments=ids))`` is an ``OpenAnswer`` or a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.access import events
from understudy.access.carrier import Carrier
from understudy.access.ceiling import Ceiling
from understudy.access.errors import NotDeliveredError, refusal
from understudy.access.events import OpenDraft
from understudy.access.grants import Grants, HeldGrant
from understudy.access.openings import release_reply, verified_reply
from understudy.access.ports import Catalogue, Log, ParticipantHalves, Participants, Switch
from understudy.access.reading import Reading
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Decision, Refused
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.contract.messages import OpenAnswer, OpenCall
from understudy.custody.grant import OpenRequest, segments_root
from understudy.custody.head import NotReleased, Released
from understudy.sealing.header import SegmentHeader
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.signing import Signed, SigningKey
from understudy.transparency.draft import Appended, DraftParticipant
from understudy.transparency.leaves import leaf_digest
from understudy.transparency.merkle import inclusion_path
