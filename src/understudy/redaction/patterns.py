# ruff: noqa: E501, RUF001 - a wrapped expression is hard to read; quotation marks are what people type
r"""The patterns of the second layer: shapes that give a text away wherever it stands.

Rules

* Patterns are in RE2's language: time is linear in the text. Group 1, where there is one, is the entity.
* A pattern may name a check (``checks.py``) that looks at a hit; a shape that only looks alike is let go.
* ``TOKENS`` stand for themselves. ``SPOKEN`` are things said in a sentence or beside a label: the words around
  give the class. ``TWIN`` ones run over letters and digits alone, where spaces cannot break them.
* Adding, changing or removing a row changes the hash of the rule set.

Shapes of provider tokens: each provider's documentation; those of gitleaks (MIT) were used for comparison.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from understudy.redaction.kinds import EntityClass


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """One shape: its name, the class of what it finds, the expression, and the check of a hit."""

    name: Annotated[str, Meta(min_length=1)]
    kind: EntityClass
    expression: str
    check: str | None = None


def _p(name: str, kind: EntityClass, expression: str, check: str | None = None) -> Pattern:
    return Pattern(name=name, kind=kind, expression=expression, check=check)


_T = EntityClass.TOKEN
_EXTENSION: Final = r"(?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?"
TOKENS: Final = (
    _p("email", EntityClass.EMAIL, r"[\pL\pN._%+'-]+@[\pL\pN](?:[\pL\pN-]*[\pL\pN])?(?:\.[\pL\pN-]+)*\.[\pL]{2,24}", "email"),
    _p("phone-plus", EntityClass.PHONE, r"\+[1-9](?:[ ./()-]{0,3}[0-9]){7,14}" + _EXTENSION + r"\b", "phone"),
    _p("phone-nanp", EntityClass.PHONE, r"(?:^|[^\w./+-])((?:1[ .-])?(?:\([2-9][0-9]{2}\)[ .-]?|[2-9][0-9]{2}[ .-]{1,2})[0-9]{3}[ .-][0-9]{4}" + _EXTENSION + r")\b", "phone"),
    _p("phone-national", EntityClass.PHONE, r"(?:^|[^\w./,:+ -]|[^0-9] )(\(?0[1-9][0-9]{1,4}\)?[ /.-]{1,3}[0-9]{2,}(?:[ .-]?[0-9]{2,}){0,4})\b", "phone"),
    _p("phone-area", EntityClass.PHONE, r"\([0-9]{2,5}\)[ /-]?[0-9]{2,4}[ -][0-9]{2,5}\b", "phone-shape"),
    _p("iban", EntityClass.IBAN, r"(?i)\b([A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?)\b", "iban"),
    _p("card", EntityClass.CARD, r"\b[1-6](?:[ -]?[0-9]){11,18}\b", "card"),
    _p("ip4", EntityClass.IP, r"(?:^|[^\w.])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?:$|[^\w.]|\.(?:$|\s))", "ip"),
    _p("ip6", EntityClass.IP, r"(?i)(?:^|[^\w:.])((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:[0-9.]{7,15})?)(?:$|[^\w:])", "ip"),
    _p("mac", EntityClass.IP, r"(?i)\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", "mac"),
    _p("ssn", EntityClass.IDENTITY, r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b", "ssn"),
    _p("nino", EntityClass.IDENTITY, r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b", "nino"),
    _p("dni", EntityClass.IDENTITY, r"(?i)\b(?:[0-9]{8}|[XYZ][0-9]{7})-?[A-Z]\b", "dni"),
    _p("codice-fiscale", EntityClass.IDENTITY, r"(?i)\b[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]\b", "codice"),
    _p("hetu", EntityClass.IDENTITY, r"\b[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]\b", "hetu"),
    _p("personnummer", EntityClass.IDENTITY, r"\b(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}\b", "personnummer"),
    _p("ahv", EntityClass.IDENTITY, r"\b756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}\b", "ahv"),
    _p("cpf", EntityClass.IDENTITY, r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", "cpf"),
    _p("nir", EntityClass.IDENTITY, r"\b[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b", "nir"),
    _p("eleven-digits", EntityClass.IDENTITY, r"\b[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b", "eleven"),
    _p("sin", EntityClass.IDENTITY, r"\b[1-79][0-9]{2}[ -][0-9]{3}[ -][0-9]{3}\b", "sin"),
    _p("aadhaar", EntityClass.IDENTITY, r"\b[2-9][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}\b", "aadhaar"),
    _p("url", EntityClass.URL, r"(?i)\b(?:https?|ftps?|wss?|ssh|git|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|redis|amqps?)://[^\s<>\"'`]+", "url"),
    _p("www", EntityClass.URL, r"(?i)\bwww\.[\pL\pN-]+(?:\.[\pL\pN-]+)+[/?][^\s<>\"'`]+", "url"),
    _p("unix-path", EntityClass.USERNAME, r"(?:^|[^\w.])(?:/(?:home|Users|export/home|var/home)/)([^/\s:\"'<>|]{2,32})", "user-folder"),
    _p("windows-path", EntityClass.USERNAME, r"(?i)\b[a-z]:[\\/]+(?:Users|Documents and Settings)[\\/]+([^\\/:*?\"<>|]{2,32})", "user-folder"),
    _p("aws-key-id", _T, r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{16}\b"),
    _p("github", _T, r"\b(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{20,255})"),
    _p("gitlab", _T, r"\bgl(?:pat|dt|rt|soat|cbt|ptt|ft|imt|agent|oas)-[A-Za-z0-9_-]{20,}"),
    _p("slack", _T, r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}"),
    _p("slack-hook", _T, r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/+_-]{20,}"),
    _p("google", _T, r"\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}"),
    _p("jwt", _T, r"\bey[A-Za-z0-9_-]{10,}\.ey[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"),
    _p("pem", _T, r"(?s)-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CERTIFICATE)[A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]+-----|$)"),
    _p("stripe", _T, r"\b(?:[sr]k|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/=]{20,}"),
    _p("openai", _T, r"\bsk-(?:proj-|ant-|svcacct-|or-|live-)?[A-Za-z0-9_-]{20,}"),
    _p("hugging-face", _T, r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}"),
    _p("package-index", _T, r"\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50,}|\brubygems_[a-f0-9]{48}"),
    _p("mail-service", _T, r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|\bkey-[0-9a-f]{32}\b|\bxkeysib-[a-f0-9]{40,}[A-Za-z0-9-]*"),
    _p("twilio", _T, r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    _p("cloud", _T, r"\bdo[oprt]_v1_[a-f0-9]{64}|\bdapi[a-f0-9]{32}|\bhv[sb]\.[A-Za-z0-9_-]{20,}|\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"
       r"|\bEAA[A-Za-z0-9]{30,}|\bsq0[a-z]{3}-[A-Za-z0-9_-]{22,}|\bglsa_[A-Za-z0-9_]{30,}|\bPMAK-[a-f0-9-]{50,}|\blin_api_[A-Za-z0-9]{30,}"),
    _p("telegram", _T, r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"),
    _p("azure", _T, r"(?i)\b(?:AccountKey|SharedAccessKey|sig)=([A-Za-z0-9+/%]{30,}=*)"),
    _p("bearer", _T, r"(?i)\b(?:bearer|basic) ([A-Za-z0-9+/_.~-]{16,}=*)", "random"),
    _p("assigned", _T, r"(?i)(?:^|[^\pL])(?:[a-z0-9]+[_-])*(?:api[_ -]?key|secret(?:[_ -]?key)?|(?:access|auth|refresh|session|api)[_ -]?token|private[_ -]?key"
       r"|client[_ -]?secret|access[_ -]?key(?:[_ -]?id)?|token|key)[\"']?\s*(?::=?|=>?)\s*[\"']?([^\s\"',;)]{8,})", "assigned"),
    _p("random", _T, r"[A-Za-z0-9+/=_~-]*[A-Za-z0-9]{3}[A-Za-z0-9+/=_~-]{9,}", "random"),
)  # fmt: skip

_VALUE: Final = r"[\"'“”„«‘`]?([^\s\"'“”«»,;)`]+)"
_QUOTED: Final = r"[\"“„«‘']([^\"”“«»’']{1,200}?)[\"”“»’']"
_PERSON: Final = r"(\pL[\pL\pM'’.-]*(?: +(?:(?:von|van|de|der|den|di|da|la|le|du|el|al|bin|zu|zur) +)*\pL[\pL\pM'’.-]*){0,3})"
_CAPITAL: Final = r"(\p{Lu}[\pL\pM'’.-]*(?: +(?:(?:von|van|de|der|den|di|da|la|le|du|el|al|bin|zu|zur) +)*\p{Lu}[\pL\pM'’.-]*){0,3})"
_IS: Final = r"(?: *[:=] *| +(?:is|ist|lautet)(?: now| jetzt)?:? +)"
_TITLE: Final = r"(?:(?:Herrn?|Frau|Mrs?|Ms|Miss|Mx|Dr|Prof|Sir|Madam)\.? +)*"
_PASS: Final = r"(?:pass ?(?:word|phrase|code)|passwd|pwd|passwort|kennwort)"  # noqa: S105 - words for passwords

SPOKEN: Final = (
    _p("said-password", EntityClass.PASSWORD, r"(?i)\b" + _PASS + r"s?\b" + _IS + _VALUE, "spoken-secret"),
    _p("quoted-password", EntityClass.PASSWORD, r"(?i)\b" + _PASS + r"s?(?: *[:=]| +(?:is|ist|as|to|with|of))? *" + _QUOTED, "value"),
    _p("quoted-username", EntityClass.USERNAME, r"(?i)\b(?:user ?name|login|user|benutzer(?:name)?|nutzer)(?: *[:=]| +(?:is|ist|as|to))? *" + _QUOTED, "value"),
    _p("said-username", EntityClass.USERNAME, r"(?i)\b(?:user ?name|user id|login|benutzername|nutzername)" + _IS + _VALUE, "spoken-value"),
    _p("said-pin", EntityClass.PIN, r"(?i)\b(?:pin|geheimzahl)(?: ?(?:code|number))?(?: *[:=]| +(?:is|ist|lautet))? *[\"'“]?([0-9]{3,12})\b"),
    _p("said-code", EntityClass.ONE_TIME_CODE, r"(?i)\b(?:(?:verification|security|confirmation|login|one[ -]?time|sms|2fa|otp|best[aä]tigungs|sicherheits|einmal)[ -]?(?:code|pass(?:word|code))?"
       r"|otp|m?tan)(?: *[:=]| +(?:is|ist|lautet))* *[\"'“]?([0-9](?:[ -]?[0-9]){3,9})\b"),
    _p("code-said", EntityClass.ONE_TIME_CODE, r"(?i)\b([0-9](?:[ -]?[0-9]){3,9}) is your (?:\w+ ){0,3}(?:code|otp|pin)\b"),
    _p("said-card-code", EntityClass.CARD_CODE, r"(?i)\b(?:cv[cv]2?|cvn)(?: *[:=]| +(?:is|ist))? *([0-9]{3,4})\b"),
    _p("said-token", EntityClass.TOKEN, r"(?i)\b(?:api|access|auth|bearer|secret) ?(?:token|key|schl[uü]ssel)" + _IS + _VALUE, "spoken-secret"),
    _p("said-birth", EntityClass.BIRTH_DATE, r"(?i)\b(?:date of birth|birth ?(?:date|day)|dob|born(?: on)?|geburtsdatum|geburtstag|geboren(?: am)?|geb\.)(?: *[:=]| +(?:is|ist))? *"
       r"([0-9]{1,4}[./ -] ?(?:[0-9]{1,2}|\pL{3,9})\.?[./ ,-] ?[0-9]{2,4}|\pL{3,9}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})"),
    _p("said-salary", EntityClass.SALARY, r"(?i)\b(?:salary|wage|income|compensation|gehalt|lohn|einkommen)(?: *[:=]| +(?:is|ist|of|von|to|auf))+ *((?:[$€£]|USD|EUR|GBP|CHF)? ?[0-9][0-9.,' ]*[0-9]k?(?: ?(?:[$€£]|USD|EUR|GBP|CHF))?)"),
    _p("said-number", EntityClass.ACCOUNT, r"(?i)\b(?:account|acct|customer|client|member|policy|contract|konto|kunden|vertrags|mitglieds|versicherungs)[ -]?(?:number|no|nr|id|nummer)\.?(?: *[:=#]| +(?:is|ist|lautet))* *#?([\pL\pN][\pL\pN./-]*(?: [0-9]{2,})*)", "has-digits"),
    _p("said-employee", EntityClass.EMPLOYEE, r"(?i)\b(?:employee|staff|personnel|badge|personal|mitarbeiter)[ -]?(?:number|no|nr|id|nummer)\.?(?: *[:=#]| +(?:is|ist|lautet))* *#?([\pL\pN][\pL\pN./-]*)", "has-digits"),
    _p("said-identity", EntityClass.IDENTITY, r"(?i)\b(?:ssn|social security(?: number)?|passport(?: (?:number|no))?|national id|tax id|steuer-?(?:id|nummer)|steueridentifikationsnummer|reisepass(?:nummer)?|ausweisnummer|driver'?s licen[cs]e|license plate|kennzeichen)\.?(?: *[:=#]| +(?:is|ist|lautet|number|no))* *#?"
       r"([\pL\pN][\pL\pN./-]*(?: [\pL\pN]*[0-9][\pL\pN]*)*)", "has-digits"),
    _p("said-phone", EntityClass.PHONE, r"(?i)\b(?:(?:tele)?phone|tel|mobile?|cell|fax|telefon|handy|rufnummer|whatsapp)(?: ?(?:number|no|nr|nummer))?\.?(?:\s*[:=#]| +(?:is|ist|lautet))+\s*(\+?[0-9(](?:[ ./()-]{0,3}[0-9]){4,16})"),
    _p("called", EntityClass.PHONE, r"(?i)\b(?:call|text|ring|dial|reach|phone|answering|messages?|anrufen|erreichen|erreichbar)(?: \pL+){0,3}? (?:on|at|to|from|under|unter) *(\+?[0-9(](?:[ ./()-]{0,3}[0-9]){6,16})\b"),
    _p("number-said", EntityClass.PHONE, r"(?i)(?:^|\s)(\+?[0-9(](?:[ ./()-]{0,3}[0-9]){6,14}) +(?:office|fax|mobile|cell|home|mobil|dienstlich|privat)\b"),
    _p("said-card", EntityClass.CARD, r"(?i)\b(?:(?:credit|debit|bank|payment) ?card|card|cc|kreditkarte|kartennummer)(?: ?(?:number|no|nr|nummer))?(?: *[:=#]| +(?:is|ist|lautet))* *([0-9](?:[ -]?[0-9]){11,18})\b"),
    _p("said-diagnosis", EntityClass.HEALTH, r"(?i)\b(?:diagnosis|diagnose|befund)(?: *: *| +(?:is|ist|lautet) +)([^.;\n]{3,120})", "value"),
    _p("said-address", EntityClass.ADDRESS, r"(?i)\b(?:(?:street|postal|mailing|shipping|billing|delivery|home)(?: address)?|stra(?:ss|ß)e|anschrift|(?:liefer|rechnungs)?adresse) *: *([^;\n]{3,120})", "value"),
    _p("address-is", EntityClass.ADDRESS, r"(?i)\b(?:address|adresse|anschrift)(?: (?:of|von|for) [^.\n]{1,40})? (?:is|ist|lautet):? +([\pL\pN][^;\n]{3,80}[0-9][^;\n]{0,60})", "value"),
    _p("street-number", EntityClass.ADDRESS, r"\b(\p{Lu}[\pL-]*(?:stra(?:ss|ß)e|str\.|weg|gasse|allee|platz|damm|ufer) [0-9]{1,4}[a-z]?)\b"),
    _p("number-street", EntityClass.ADDRESS, r"\b([0-9]{1,5} (?:\p{Lu}[\pL'.-]* ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Close|Crescent|Square)\b\.?(?:,? (?:Apt|Suite|Unit|#)\.? ?[\pN\pL]+)?)"),
    _p("said-person", EntityClass.NAME, r"\b(?i:customer|client|patient(?:in)?|contact(?: person)?|employee|passenger|guest|recipient|sender|assignee|reporter|attendee|cardholder|kund(?:e|in)|mitarbeiter(?:in)?"
       r"|ansprechpartner(?:in)?|empf[aä]nger(?:in)?|absender(?:in)?|full name|first name|last name|surname|(?:vor|nach|familien)name|name) *: *" + _TITLE + _PERSON, "person"),
    _p("signed-in", EntityClass.NAME, r"\b(?i:(?:signed|logged|log|sign) ?in as|(?:an|ein)gemeldet als|posting as|acting as|welcome(?: back)?,|willkommen(?: zur[uü]ck)?,) *[\"'“]?" + _TITLE + r"@?([\pL\pN][\pL\pN\pM'’._@+-]*(?: +\p{Lu}[\pL\pM'’-]*){0,3})", "person"),
    _p("dear", EntityClass.NAME, r"\b(?i:dear|hi|hello|hey|hallo|liebe[rs]?|guten (?:tag|morgen|abend)|good (?:morning|afternoon|evening)|sehr geehrte[rs]?|kind regards|best regards|regards|mit freundlichen gr[uü][sß]+en|viele gr[uü][sß]+e),?\s+"
       + _TITLE + _CAPITAL + r"(?:[,!.]|$|\n)", "person"),
    _p("titled", EntityClass.NAME, r"\b(?:Herrn?|Frau|Mrs?\.|Mr|Mrs|Ms\.?|Dr\.|Prof\.) +(?:(?:Dr|Prof)\. +)*" + _CAPITAL, "person"),
)  # fmt: skip

TWIN: Final = (
    _p("twin-iban", EntityClass.IBAN, r"(?i)[a-z]{2}[0-9]{2}[a-z0-9]{11,30}", "iban"),
    _p("twin-card", EntityClass.CARD, r"[2-6][0-9]{12,18}", "card"),
)  # fmt: skip
