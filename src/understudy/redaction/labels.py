"""Which class a label announces: what stands before a field, or names it, in English and German.

Rules

* The first class whose words occur in a label is its class; ``NO_LABEL`` words are taken out before.
* Labels are compared without case, accents and punctuation; ``cardNumber`` and ``card-number`` are two words.
* A field's label may hold more words ("Your e-mail address (optional)"). What stands beside static text must
  be a label and nothing else.

Example

>>> label_class("Your e-mail address *"), label_class("cardNumber"), label_class("Find a flight")
(<EntityClass.EMAIL: 'email'>, <EntityClass.CARD: 'card'>, None)
>>> exact_label_class("Telefon:"), exact_label_class("Phone is busy")
(<EntityClass.PHONE: 'phone'>, None)
"""

import re
from functools import lru_cache
from typing import Final

from understudy.redaction.folding import PLAIN
from understudy.redaction.kinds import EntityClass

MAX_LABEL: Final = 120
"""A longer text is prose, not a label."""

NO_LABEL: Final = (
    "account (?:type|menu|settings|overview|options)",
    "(?:file|folder|host|domain|product|project|event|item|list|class|tag|group|team|channel|column) ?name",
    (
        "(?:table|field|game|song|movie|colou?r|branch|repo(?:sitory)?|package|variable|function|device|network"
        "|layer|sheet|city|country|shop|store|template|playlist|album|series|datei|ordner|produkt|projekt"
        "|gerate) ?name"
    ),
    "e ?mail (?:subject|body|settings|list|type|inbox)",
    "(?:phone|card|address|id|token) (?:type|book|count|kind|art)",
    "token (?:count|limit|budget)",
    "pin (?:to|it|board|message|post|tab|chat|this)",
    "(?:key ?word|key ?board|short ?key)s?",
    "secret santa",
)
"""Words that hold a word of the table below but announce something else."""

LABELS: Final[tuple[tuple[EntityClass, tuple[str, ...]], ...]] = (
    (
        EntityClass.CARD_CODE,
        (
            "cv[cv]2?",
            "cvn",
            "card ?(?:security|verification) ?(?:code|number|value)",
            "kartenprufnummer",
            "prufziffer",
            "cc ?csc",
        ),
    ),
    (
        EntityClass.ONE_TIME_CODE,
        (
            "one ?time ?(?:code|password|passcode|pin)",
            "otp",
            "totp",
            "(?:verification|confirmation|security|authentication|sms|login|recovery|backup) ?codes?",
            "(?:2fa|mfa|two ?factor)(?: ?code)?",
            "einmal ?(?:code|passwort|kennwort)",
            "bestatigungs ?code",
            "sicherheits ?code",
            "m?tan",
        ),
    ),
    (
        EntityClass.PIN,
        ("pin", "pin ?(?:code|number|nummer)", "geheimzahl", "personal identification number", "passcode"),
    ),
    (
        EntityClass.PASSWORD,
        (
            "pass ?words?",
            "pass ?phrases?",
            "passwd",
            "pwd",
            "passwort(?:er)?",
            "kennwort(?:er)?",
            "losungswort",
            "(?:security|sicherheits) ?(?:answer|antwort|question|frage)",
            "mot de passe",
            "contrasena",
        ),
    ),
    (
        EntityClass.TOKEN,
        (
            "(?:api|access|auth|bearer|refresh|session|personal access|deploy|bot|security|id) ?tokens?",
            "(?:api|secret|private|access|encryption|signing|licen[cs]e|product|recovery|ssh|account) ?keys?",
            "client ?secrets?",
            "app ?secrets?",
            "(?:webhook|shared|signing) ?secrets?",
            "secrets?",
            "tokens?",
            "(?:api|zugangs|sicherheits|privater?|geheimer?|lizenz) ?schlussel",
            "seed ?phrase",
            "connection ?string",
        ),
    ),
    (EntityClass.IBAN, ("iban", "international bank account number")),
    (
        EntityClass.CARD,
        (
            "(?:credit|debit|payment|bank|gift)? ?card ?(?:number|no|num|nr)",
            "(?:kredit|bank|giro|debit)? ?karten? ?(?:nummer|nr)",
            "cc ?(?:number|num|no)",
            "ccnum",
            "(?:credit|debit) ?card",
            "kreditkarte",
        ),
    ),
    (
        EntityClass.EMAIL,
        ("e ?mails?", "e ?mail ?(?:address|adresse)(?:es)?", "mail ?(?:address|adresse)", "courriel"),
    ),
    (EntityClass.IP, ("ip(?:v[46])? ?(?:address|adresse)", "ip")),
    (
        EntityClass.PHONE,
        (
            "(?:tele)?phone(?: ?(?:number|no))?",
            "tel",
            "mobile?(?: ?(?:number|no|phone|nummer))?",
            "cell(?: ?(?:phone|number))",
            "(?:tele)?fax(?: ?(?:number|nummer))?",
            "telefon(?: ?(?:nummer|nr))?",
            "handy(?: ?(?:nummer|nr))?",
            "ruf ?nummer",
            "whatsapp",
        ),
    ),
    (
        EntityClass.BIRTH_DATE,
        (
            "dates? of birth",
            "birth ?(?:date|day)",
            "dob",
            "born(?: on)?",
            "geburts ?(?:datum|tag)",
            "geboren(?: am)?",
            "bday",
        ),
    ),
    (
        EntityClass.IDENTITY,
        (
            "ssn",
            "social security(?: ?(?:number|no))?",
            "sozialversicherungs ?(?:nummer|nr)",
            (
                "(?:national|citizen|resident|personal) ?(?:id|identity|identification)"
                "(?: ?(?:number|no|card|code))?"
            ),
            "(?:id|identity) ?card ?(?:number|no)",
            "passport(?: ?(?:number|no))?",
            "(?:reise)?pass ?(?:nummer|nr)",
            "(?:personal)?ausweis ?(?:nummer|nr)?",
            "(?:driver|driving)s? ?licen[cs]e(?: ?(?:number|no))?",
            "fuhrerschein ?(?:nummer|nr)?",
            "tax ?(?:id|number|payer|identification)(?: ?(?:number|no))?",
            "tin",
            "steuer ?(?:id|nummer|nr|identifikationsnummer)",
            "(?:nhs|nino|national insurance)(?: ?(?:number|no))?",
            "(?:medicare|health insurance)(?: ?(?:number|no|id))",
            "kranken(?:versicherungs|versicherten)? ?(?:nummer|nr)",
            "(?:licen[cs]e|number) ?plate",
            "kennzeichen",
            "(?:patient|case|medical record) ?(?:id|number|no)",
            "mrn",
        ),
    ),
    (
        EntityClass.EMPLOYEE,
        (
            "(?:employee|staff|personnel|worker|badge|payroll) ?(?:id|number|no|code)",
            "(?:personal|mitarbeiter|angestellten) ?(?:nummer|nr|id)",
        ),
    ),
    (
        EntityClass.SALARY,
        (
            "salar(?:y|ies)",
            "wages?",
            "(?:gross|net|annual|monthly|yearly|household)? ?income",
            "(?:base|annual|monthly|hourly)? ?(?:pay|compensation)",
            "(?:brutto|netto|jahres|monats)? ?(?:gehalt|lohn|einkommen|verdienst)",
            "bonus(?: amount)?",
        ),
    ),
    (
        EntityClass.HEALTH,
        (
            "diagnos(?:is|es|e|en)",
            "(?:medical|health) ?(?:condition|history|record|note)s?",
            "(?:current )?medications?",
            "medikamente?",
            "allerg(?:y|ies|ie|ien)",
            "befunde?",
            "krankheit(?:en)?",
            "symptoms?",
            "blood ?(?:type|group)",
            "blutgruppe",
            "disabilit(?:y|ies)",
        ),
    ),
    (
        EntityClass.ACCOUNT,
        (
            "(?:bank|savings|checking|customer|client)? ?account ?(?:number|no|nr|id)?",
            "acct(?: ?(?:number|no))?",
            (
                "(?:customer|client|member|membership|policy|insurance|patient|subscriber|contract|loyalty|user)"
                " ?(?:id|number|no)"
            ),
            "(?:kunden|konto|mitglieds|vertrags|versicherungs|policen|patienten|benutzer) ?(?:nummer|nr|id)",
            "konto",
            "routing(?: ?(?:number|no))?",
            "sort ?code",
            "bankleitzahl",
            "blz",
            "swift(?: ?code)?",
            "bic",
        ),
    ),
    (
        EntityClass.USERNAME,
        (
            "user ?names?",
            "log ?in ?(?:name|id)?",
            "user",
            "handle",
            "nick ?name",
            "screen ?name",
            "benutzer(?:name|kennung)?",
            "anmelde ?name",
            "nutzer ?name",
        ),
    ),
    (
        EntityClass.ADDRESS,
        (
            "(?:street|postal|mailing|shipping|billing|delivery|home)? ?address(?: ?line)?(?: ?\\d)?",
            "(?:work|residential) address",
            "street(?: ?(?:name|and (?:house )?number))?",
            "strasse(?:(?: und| ?/)? ?(?:haus)?(?:nummer|nr))?",
            "(?:haus|post) ?(?:nummer|anschrift|adresse)",
            "(?:liefer|rechnungs|wohn|privat|heimat)? ?(?:adresse|anschrift)",
            "zip(?: ?code)?",
            "post(?:al)? ?code",
            "postleitzahl",
            "plz",
            "(?:home|birth)? ?town",
            "city",
            "(?:wohn|geburts)? ?ort",
            "stadt",
            "apartment",
            "suite",
        ),
    ),
    (
        EntityClass.NAME,
        (
            (
                "(?:first|last|full|middle|given|family|sur|maiden|legal|real|display|birth|your|contact|customer"
                "|client|patient|employee|guest|traveller|traveler|passenger|recipient|sender|author|member|student"
                "|owner|holder|cardholder|account|company contact|emergency contact) ?names?"
            ),
            "name on card",
            "fname",
            "lname",
            "surname",
            "forename",
            "cardholder",
            "name",
            "(?:vor|nach|familien|zu|geburts|vollstandiger ?|voller ?|ihr ?|kunden|ruf) ?name",
            "customer",
            "client",
            "patient(?:in)?",
            "(?:emergency )?contact(?: person)?",
            "kunde|kundin",
            "ansprech ?partner(?:in)?",
            "empfanger(?:in)?",
            "recipient",
            "sender",
            "absender(?:in)?",
            "passenger|traveller|traveler|guest",
            "assignee|reporter|requester|attendees?",
            "vorgesetzter?|manager|supervisor",
        ),
    ),
)
"""Classes in the order in which they are tried, and their words as patterns over plain words."""

_SPLIT: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER: Final = re.compile(r"[^\w]+|_+")
_NOT_A_LABEL: Final = re.compile(r"\b(?:" + "|".join(NO_LABEL) + r")\b")
_ANY: Final = re.compile(
    "|".join(f"(?P<c{n}>\\b(?:{'|'.join(words)})\\b)" for n, (_, words) in enumerate(LABELS))
)
_RULES: Final = tuple((kind, re.compile(rf"\b(?:{'|'.join(words)})\b")) for kind, words in LABELS)
_DECORATION: Final = re.compile(
    r"\b(?:the|a|an|your|my|our|enter|new|old|current|confirm|repeat|retype|verify|required|optional|please|ihre?"
    r"|dein|deine|neues|altes|aktuelles|wiederholen|bestatigen|eingeben|pflichtfeld|field|input|value|txt|primary"
    r"|alternative|secondary|work|home|private|business|privat|dienstlich|geschaftlich)\b"
)
_WHOSE: Final = re.compile(
    r"^(?:user|customer|client|contact|account|member|billing|shipping|profile|author|sender|recipient|employee"
    r"|patient|company|guest|kunden|kontakt|rechnungs|liefer) (?=.)"
)


@lru_cache(maxsize=8192)
def words_of(label: str) -> str:
    """Return a label as plain lower-case words with single spaces."""
    plain = _SPLIT.sub(" ", PLAIN.of(label[: MAX_LABEL + 1])).casefold()
    return " ".join(_OTHER.sub(" ", PLAIN.of(plain)).split())


@lru_cache(maxsize=8192)
def label_class(label: str) -> EntityClass | None:
    """Return the class that a field's label announces, if it does."""
    if len(label) > MAX_LABEL:
        return None
    words = _NOT_A_LABEL.sub(" ", words_of(label))
    if not _ANY.search(words):
        return None
    return next(kind for kind, pattern in _RULES if pattern.search(words))


@lru_cache(maxsize=8192)
def exact_label_class(label: str) -> EntityClass | None:
    """Return the class of a text that is a label and nothing else."""
    if len(label) > MAX_LABEL:
        return None
    words = " ".join(_DECORATION.sub(" ", words_of(label)).split())
    bare = _WHOSE.sub("", words)
    return next(
        (kind for kind, pattern in _RULES if pattern.fullmatch(words) or pattern.fullmatch(bare)), None
    )
