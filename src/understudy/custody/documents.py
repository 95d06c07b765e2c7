"""Reading the grant and the request that were delivered with an entry.

Rules

* The entry names both by hash; other documents say nothing about it. Signatures do not count for the hash,
  so they are verified here, every one of them.
* Documents that cannot be read decide nothing: whoever delivers junk beside a genuine entry must not be
  able to spend the reader's one release. The entry stays undecided until the right documents come or its
  time is over.
* A grant is used for many opens; one that was verified is remembered as the bytes that were verified.

Example: ``read_documents(delivery.grant, delivery.request, entry.leaf).grant.ceiling``.
"""

from functools import lru_cache

from understudy.custody.errors import CustodyRefusedError
from understudy.custody.grant import Grant, OpenRequest
from understudy.custody.reasons import RefusalReason
from understudy.custody.rules import Documents
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.signing import Signed
from understudy.transparency.leaves import OpenLeaf


def read_documents(grant: Signed | None, request: Signed | None, leaf: OpenLeaf) -> Documents:
    """Return both documents, verified.

    Raises:
        CustodyRefusedError: absent, not those that the entry names, a wrong signature, or unreadable.
    """
    if grant is None or request is None:
        raise CustodyRefusedError(RefusalReason.NOT_ASKED)
    try:
        if grant.hash(Grant) != leaf.grant:
            raise CustodyRefusedError(RefusalReason.GRANT_MISMATCH)
        request_hash = request.hash(OpenRequest)
        if request_hash != leaf.request:
            raise CustodyRefusedError(RefusalReason.REQUEST_MISMATCH)
        asked = request.verify(OpenRequest)
        return Documents(
            grant=_verified_grant(grant),
            grant_hash=leaf.grant,
            grant_signers=grant.signers,
            request=asked,
            request_hash=request_hash,
            request_signers=request.signers,
            reader=HpkePublicKey.from_text(asked.reader_key),
        )
    except SignatureError as error:
        raise CustodyRefusedError(RefusalReason.BAD_SIGNATURE, message=str(error)) from error
    except FormatError as error:
        raise CustodyRefusedError(RefusalReason.BAD_DOCUMENT, message=str(error)) from error


@lru_cache(maxsize=256)
def _verified_grant(signed: Signed) -> Grant:
    """Return the grant; body and signatures together are what is remembered."""
    return signed.verify(Grant)
