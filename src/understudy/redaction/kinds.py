"""What an entity can be, and which layers look for it.

Rules

* A class says how an entity is replaced, so classes that are replaced alike are one class.
* A placeholder is one word that no label and no pattern knows, so that it announces nothing itself.
* Secrets have a fixed placeholder for each class. Nothing about the secret, not even its length, shows in it.
* Names of layers stand in redaction stamps: they never change their meaning.

Example

>>> sorted(layer.value for layer in ALL_LAYERS)
['patterns', 'pixels', 'propagation', 'special', 'structure']
"""

from enum import StrEnum
from typing import Final


class EntityClass(StrEnum):
    """What kind of personal datum or secret a text is."""

    ACCOUNT = "account"
    ADDRESS = "address"
    BIRTH_DATE = "birth-date"
    CARD = "card"
    CARD_CODE = "card-code"
    EMAIL = "email"
    EMPLOYEE = "employee"
    HEALTH = "health"
    IBAN = "iban"
    IDENTITY = "identity"
    IP = "ip"
    NAME = "name"
    ONE_TIME_CODE = "one-time-code"
    PASSWORD = "password"  # noqa: S105 - a class, not a secret
    PHONE = "phone"
    PIN = "pin"
    SALARY = "salary"
    TOKEN = "token"  # noqa: S105 - a class, not a secret
    URL = "url"
    USERNAME = "username"


class Layer(StrEnum):
    """What runs over a stretch; the names are part of the redaction stamp."""

    STRUCTURE = "structure"
    PATTERNS = "patterns"
    PROPAGATION = "propagation"
    SPECIAL = "special"
    PIXELS = "pixels"


ALL_LAYERS: Final = frozenset(Layer)

PLACEHOLDERS: Final = {
    EntityClass.CARD_CODE: "hiddencardcode",
    EntityClass.ONE_TIME_CODE: "hiddencode",
    EntityClass.PASSWORD: "hiddenpassword",
    EntityClass.PIN: "hiddenpin",
    EntityClass.TOKEN: "hiddentoken",
}
"""What stands for a secret."""
HIDDEN: Final = "hiddentext"
"""What stands for a text that could not be replaced in part."""
SECRETS: Final = frozenset(PLACEHOLDERS)
