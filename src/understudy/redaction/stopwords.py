"""Words that are no entity, wherever they stand: interface words, greetings, and values that say nothing.

Rules

* A stop word is never taken for a value, a name or a password *in a sentence*, and never replaced elsewhere
  because somebody entered it: the label "Password" stays although somebody's password is ``password``.
* In a labelled field itself it is replaced like anything else.

Example

>>> is_stopword("Required"), is_stopword("hunter2")
(True, False)
"""

import re
from typing import Final

from understudy.redaction.folding import SQUEEZED

_WORDS: Final = """
a able about accept access account accounts actions active add added address admin after again all allow
already also always an and any apply are as asc ascending at available back be been before being below
between blank both but button by can cancel cannot card case change changed characters check checked choose
city clear click close code column company complete completed confirm confirmation contact contacts continue
copy correct country create created current customer customers date dates day days default delete deleted
demo desc descending description details did different digits disabled do does done down download edit
either email emails empty enable enabled end english enter entered error every everybody everyone example
exit expired expires export false field fields file files fill filter find first five folder folders folks
follow following for forgot forgotten found four friend friends from full general german get go good group
guest has have hello help here hidden hide history hey hi home hour hours how id if import in incorrect info
information input invalid is it item items join key keys label language last later leave less letters level
link list loading location log login logout long longer mail main make manager many map matches max maximum
may me member members menu message messages min minimum minute minutes missing mobile monday month months
more most must my n/a na name names needed never new news next night nil no nobody none not note notes
nothing now null number numbers of off ok okay old on once one online only open option optional options or
order orders other others our out over own page panel pass passed password passwords pay payment people per
person phone pin place please plus post press previous price print private product profile project public
quantity read ready received recent record remember remove reply report required requirements reset result
results return right role same save saved search second secret section secure security see select selected
send sent set settings setup shall share ship shop short should show shown sign since sir sirs six size skip
so sort start started state status step stop store street strong subject submit successful successfully
support system tab table tag task team test text than thank thanks that the their them then there these they
this three through time title to today token tokens tomorrow too top total true try two type unknown until
up update updated upload us use used user username users valid value values view was weak wednesday week
welcome were what when where which who why will window with within without world would wrong year years yes
yesterday yet you your zip aber abbrechen alle allen alles als alt am anmelden ansicht auf aus auswahl bei
bearbeiten beispiel bestatigen bis bitte da damen das dass dein deine dem den der des die dies diese dieser
du ein eine einem einen einer eingabe eingeben einstellungen ende er erforderlich erste es falsch feld
fehler fertig firma frau fur gast geben gehen geheim gleich gut gultig haben hallo herr herren hier hilfe
hinzufugen ich ihr ihre ihren im ist ja jahr jetzt kann karte kein keine kollegen konto korrekt kunde kunden
land leer liebe loschen man mehr mein meine mit muss nach nachricht nachste namen nein neu neue neuer nicht
nichts noch nummer nur oder offnen ohne ort passwort pflicht schliessen sehr seite sein senden sich sie sind
sonst speichern strasse suche suchen um und ungultig uns vergessen verschiedene von vor wahlen war weiter
welt wenn wer werden wie willkommen wird woche zeit zu zum zur zuruck zusammen
"""
WORDS: Final = frozenset(_WORDS.split())
"""In their squeezed spelling."""

_GENERIC_MAILBOXES: Final = (
    "info admin administrator support sales contact hello office noreply no-reply donotreply team help "
    "helpdesk billing news newsletter service services webmaster postmaster mail email test user kontakt "
    "buero hr jobs press privacy security root hostmaster abuse orders order shop me"
)
GENERIC_MAILBOXES: Final = frozenset(_GENERIC_MAILBOXES.split())
"""Parts before the ``@`` that name no person."""

_FOLDERS: Final = (
    "public default shared all user username users root runner ubuntu vagrant guest app admin administrator "
    "you me name docker node git www-data"
)
FOLDERS: Final = frozenset(_FOLDERS.split())
"""User folders that name no person."""

_TITLES: Final = (
    "herr herrn frau mr mrs ms miss mx dr prof sir madam von van der den dipl ing phd msc bsc jr sr"
)
TITLES: Final = frozenset(_TITLES.split())


_SMALL_NUMBER: Final = re.compile(r"[-./:,%+]*(?:[0-9][-./:,%+]*){0,2}")
_PARTICLES: Final = "von van de der den di da la le du el al bin zu zur ter ten dos das"
PARTICLES: Final = frozenset(_PARTICLES.split())
"""Words inside of names."""


def is_stopword(text: str) -> bool:
    """Return whether ``text`` is one stop word, or has no letter and at most two digits."""
    squeezed = SQUEEZED.of(text).strip(".,:;!?*()[]\"'")
    return squeezed in WORDS or _SMALL_NUMBER.fullmatch(squeezed) is not None
