# ruff: noqa: E501 - a wrapped expression is hard to read
"""Special categories (GDPR, article 9): strong evidence that a text is about somebody's health or beliefs.

Rules

* Evidence is strong when a label asks for it and the value is a word of the list, when a phrase says it of a
  person, or when one text holds three different words of one category. A single word is none: a list of
  languages, a menu or a news line may hold it.
* What is found is never replaced: the caller drops the whole stretch. Nothing here says which category it was.
* The list is small. Keeping such programs and pages out of the recording is the first defence.

Example

>>> is_special("Religion", "Catholic"), is_special("Language", "Catholic")
(True, False)
>>> says_special("I was diagnosed with depression last year."), says_special("Union Station")
(True, False)
"""

import re
from functools import lru_cache
from typing import Final

import msgspec
import re2

from understudy.redaction.folding import PLAIN
from understudy.redaction.labels import words_of


class Category(msgspec.Struct, frozen=True):
    """One category: labels that ask for it, words that answer, phrases that say it of a person."""

    labels: str
    words: str
    phrases: str


HEALTH: Final = Category(
    labels="diagnos(?:is|es|e|en)|(?:medical|health|mental) (?:condition|history|status|record)s?|illness(?:es)?|disease"
    r"|disabilit(?:y|ies)|krankheit(?:en)?|behinderung|befund|schwerbehinder\w+|medications?|medikamente?|pregnan(?:t|cy)|schwanger\w*",
    words=r"depress(?:ion|ive)|anxiety disorder|bipolar|schizophreni\w+|hiv|aids|cancer|carcinoma|tumou?r|leuk(?:a?emia)|diabetes"
    r"|epileps\w+|asthma|hepatitis|multiple sclerosis|parkinson\w*|alzheimer\w*|dementia|ptsd|adhd|autis[mt]\w*|burn ?out"
    r"|pregnan(?:t|cy)|miscarriage|abortion|chemotherap\w+|psychotherap\w+|antidepressants?|insulin|methadone|alcoholism|addiction"
    r"|depressionen?|krebs|angststorung|epilepsie|schwanger\w*|fehlgeburt|abtreibung|psychotherapie|chemotherapie|demenz|sucht\w*",
    phrases=r"\b(?:diagnosed with|suffer(?:s|ing)? from|treated for|diagnostiziert mit|leide(?:t)? (?:an|unter)|in behandlung wegen) (?:\w+ ){0,3}?(?:WORDS)\b"
    r"|\bhiv[ -]?positiv\w*|\b(?:i am|she is|ich bin|sie ist) (?:pregnant|schwanger)\b|\bschwerbehindertenausweis\b|\bmy (?:chemo\w*|psychotherap\w+|depression|pregnancy|miscarriage|abortion)\b",
)
UNION: Final = Category(
    labels=r"(?:trade |labou?r )?union(?: (?:member(?:ship)?|affiliation|name))|gewerkschaft\w*|works council(?: member)?|betriebsrat\w*",
    words=r"yes|member|ja|mitglied|ver\.?di|ig metall|ig bce|unison|unite|teamsters|seiu|afl[ -]cio|gmb|cgt|dgb|uaw|cwa",
    phrases=r"\b(?:trade|labou?r) union (?:member|dues|rep|steward|card)\w*|\bunion (?:membership|dues|rep(?:resentative)?|organi[sz]ing|steward)\b"
    r"|\bgewerkschafts(?:mitglied|beitrag|zugehorigkeit)\w*|\bmitglied (?:der|bei der) (?:ver\.?di|ig metall|ig bce|gewerkschaft)\b|\bjoined the union\b",
)
RELIGION: Final = Category(
    labels=r"religion|religious (?:affiliation|belief|denomination)s?|denomination|faith|konfession|religionszugehorigkeit|kirchensteuer\w*",
    words=r"catholic|protestant|evangelical|orthodox|lutheran|baptist|methodist|mormon|muslim|islam\w*|sunni|shia|jewish|judaism|hindu\w*|buddhis[mt]"
    r"|sikh\w*|jehovah\w*|atheist|agnostic|christian\w*|katholisch|rk|ev|evangelisch|muslimisch|judisch|hinduistisch|buddhistisch|konfessionslos|atheistisch",
    phrases=r"\b(?:i am|i'm|she is|he is|ich bin|sie ist|er ist|converted to|konvertiert zum) (?:an? |ein(?:e)? )?(?:WORDS)\b|\bmy (?:religion|faith) is\b|\bkirchenaustritt\b",
)
POLITICS: Final = Category(
    labels=r"political (?:affiliation|opinion|party|views?|orientation)s?|party (?:affiliation|membership)|voter registration|parteizugehorigkeit|partei(?:mitgliedschaft)?|politische \w+",
    words=r"democrat\w*|republican|labou?r(?: party)?|conservative|tory|liberal\w*|green(?:s| party)?|socialist|communist|libertarian|spd|cdu|csu|fdp|afd|die linke|die grunen|grune"
    r"|independent|sozialdemokrat\w*|konservativ|kommunist\w*",
    phrases=r"\b(?:member of the|mitglied (?:der|bei der)) (?:democratic|republican|labou?r|conservative|communist|socialist|green|spd|cdu|csu|fdp|afd|linken?|grunen)\b"
    r"|\b(?:i|we) (?:vote|voted) (?:for )?(?:the |a )?(?:labou?r|conservative|republican|democrat\w*|green|spd|cdu|afd|die grunen)\b|\bich wahle (?:die )?(?:spd|cdu|csu|fdp|afd|grunen|linke)\b|\bparteibuch\b",
)
SEXUALITY: Final = Category(
    labels=r"sexual (?:orientation|identity|preference)|gender identity|sexuelle (?:orientierung|identitat)|sexual(?:itat|ity)",
    words=r"gay|lesbian|bisexual|homosexual|heterosexual|straight|queer|asexual|pansexual|transgender|trans (?:man|woman)|non[ -]?binary"
    r"|schwul|lesbisch|bisexuell|homosexuell|heterosexuell|asexuell|transsexuell|nichtbinar",
    phrases=r"\b(?:i am|i'm|she is|he is|came out as|ich bin|er ist|sie ist|outed as) (?:an? )?(?:gay|lesbian|bisexual|homosexual|queer|transgender|schwul|lesbisch|bisexuell|homosexuell)\b",
)
CATEGORIES: Final = (HEALTH, UNION, RELIGION, POLITICS, SEXUALITY)


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = 1 << 26
    return options


_MANY: Final = 3
_MAX_LABEL: Final = 80
_COMPILED: Final = tuple(
    (
        re.compile(rf"\b(?:{category.labels})\b"),
        re.compile(rf"\b(?:{category.words})\b"),
        re.compile(category.phrases.replace("WORDS", category.words)),
    )
    for category in CATEGORIES
)
_PHRASE_HINT: Final = re2.compile("|".join(pattern.pattern for _, _, pattern in _COMPILED), _options())
_COUNTED: Final = (0, 2, 4)
"""Categories whose words count by themselves: those of unions and parties are everyday words."""
_WORD_HINT: Final = re2.compile("|".join(_COMPILED[number][1].pattern for number in _COUNTED), _options())


@lru_cache(maxsize=8192)
def is_special(label: str, value: str) -> bool:
    """Return whether a field with this label holds something of a special category."""
    if not value or not label or len(label) > _MAX_LABEL:
        return False
    asked, answer = words_of(label), _words(value)
    return any(labels.search(asked) and words.search(answer) for labels, words, _ in _COMPILED)


@lru_cache(maxsize=8192)
def says_special(text: str) -> bool:
    """Return whether a text says something of a special category about somebody."""
    said = _words(text)
    if _PHRASE_HINT.search(said):
        return True
    if not _WORD_HINT.search(said):
        return False
    return any(len(set(_COMPILED[number][1].findall(said))) >= _MANY for number in _COUNTED)


def _words(text: str) -> str:
    return " ".join(PLAIN.of(text).casefold().split())
