"""Credentials: the keys by which people and services sign.

Rules

* A credential is its public key and, for WebAuthn, where it may be used. It names nobody.
* It is referred to by its hash, which appears in grants, requests and log leaves.
* ``webauthn`` belongs to the format from version 1; a verifier that cannot check it refuses it.

Example

>>> Ed25519Credential(public_key="A" * 43).public_key[:3]
'AAA'
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Bytes, Document, Line, PublicKey


class Ed25519Credential(
    Document, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ed25519", tag_field="kind"
):
    """An Ed25519 key, on the command line or in a service."""

    CONTEXT: ClassVar[Context] = Context.CREDENTIAL
    public_key: PublicKey


class WebAuthnCredential(
    Document, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="webauthn", tag_field="kind"
):
    """A WebAuthn key (COSE), pinned to its relying party and origins."""

    CONTEXT: ClassVar[Context] = Context.CREDENTIAL
    public_key: Bytes
    rp_id: Line
    origins: Annotated[tuple[Line, ...], Meta(min_length=1, max_length=8)]


Credential = Ed25519Credential | WebAuthnCredential
