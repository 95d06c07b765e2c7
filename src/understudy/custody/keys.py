"""A custodian's own keys: who it is in the key set.

Rules

* The custodian makes them in its own process; the private parts never leave it.
* ``epoch`` rises when a custodian starts over, from a backup for instance. Heads of different epochs never
  compare.

Example

>>> signing, hpke = SigningKey.generate(), HpkePrivateKey.generate()
>>> CustodianKeyPair(name="first", epoch=1, signing=signing, hpke=hpke).public.name
'first'
"""

from dataclasses import dataclass

from understudy.consent.keyset import CustodianKeys
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.signing import SigningKey


@dataclass(frozen=True, slots=True)
class CustodianKeyPair:
    """Name, epoch and private keys of one custodian."""

    name: str
    epoch: int
    signing: SigningKey
    hpke: HpkePrivateKey

    @property
    def public(self) -> CustodianKeys:
        """What stands in the key set."""
        return CustodianKeys(
            name=self.name, epoch=self.epoch, signing=self.signing.public, hpke=self.hpke.public.text
        )
