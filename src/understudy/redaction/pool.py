"""Words that stand for words: invented names, in three lengths.

Rules

* None is a word of English or German, and none is meant to be anybody's name: a surrogate that is somebody's
  real name could not be told from a leak.
* The lists are part of the rule set: changing one changes its hash.

Example

>>> min(map(len, (SHORT, MIDDLE, LONG))) > 50
True
"""

from typing import Final

MAX_SHORT: Final = 4
MAX_MIDDLE: Final = 7
_SHORT: Final = """
Bami Brel Brum Cavi Ceno Cera Cila Cilo Cosk Cuno Cuvi Drom Dula Fela Feth Fimo Fula Gimi Giva Guxa Heva Kera
Koro Krov Lalo Lul Memi Miv Moni Mox Muva Nem Neno Nexo Nini Nuvi Pesk Pimo Pix Pona Saxi Soth Sova Teno Tev
Trav Tuli Tuxa Veli Vesk Walo Wemo Wiro Wox Wuli Wulo Wuva Zeb Zuk Quol Quem Zilo
"""
_MIDDLE: Final = """
Borben Bornan Boxan Brarbo Braxel Brexin Brirnin Brixane Brona Bruxow Burbow Caldor Carnen Celtis Cenor
Condel Covan Coxer Cumer Dandick Darnick Daxer Dilin Domel Dromick Drotha Durbis Falen Faltor Fuldan
Galdor Gatho Girbis Gondin Gorno Goxow Grarin Grerel Grerer Grimel Grolor Gromor Grorner Groskow Grovis
Grulow Haltor Heldis Hinor Hiskow Huxor Kathan Kethis Krimin Krixane Kronis Kruler Krultis Kuthis Lexel
Lilder Lirbick Lolow Meler Mernen Mernor Mildo Mirber Mirnel Mirnick Moldel Munin Muvis Nalane Nandis
Natho Niler Ninder Niskin Nultis Pandin Peltin Perben Pilden Piltow Pirban Porben Praldin Prandan Praxor
Preltel Prirben Prixen Prolo Prorbor Proris Pruma Purbo Raldane Rarnan Revel Rexane Rexen Rilto Roldane
Rovis Runow Saltis Selor Siror Starane Staxick Stelten Stenin Telane Ternan Teska Trenick Trenis Trernel
Trerner Trima Trolen Tronel Tunden Valdane Varber Veldel Vemer Voltis Walder Wexan Wirnan Wirow Withick
Woltow
"""
_LONG: Final = """
Barnamer Bethitor Bexitick Borbomis Bothavick Bralenor Braviman Breldomo Breritow Brimarel Broltatow Brovolor
Bruldelin Brurolick Bruxitane Bultilel Buskemin Celtarer Celtoren Ceskiver Ciltemen Curbinel Dalevick Deskener
Dirnalin Dornomane Dothotow Dralalick Draldama Draldimel Driskalick Drolterane Drornonel Dultarer Faltemen
Garirick Gathinor Gildinick Graltinin Grerinor Griltano Grithamor Grorarick Groskotis Hirniran Kondelow
Kondevor Kraxiran Kremomer Krendanow Krevimick Krondarer Krurnomane Kruromel Kruvinis Kuldovow Lalamane
Laskomen Lerbitane Loldatick Loskiter Lurnoter Maldemis Merbilel Minenane Nalterer Neskalor Nithilis Nornevel
Paldonis Pendavan Perbanis Pildarer Pirbenor Pirbirer Poltimane Prandevane Pratholane Prethala Prethitel
Priniman Prirbemane Prothamin Provavan Pruldenin Prulovane Prultito Pruthenis Raldomen Ranotane Rirnolin
Rurberor Sethamel Stendorel Sterivow Sternitan Stiskena Stiskolin Stotherer Stoxivin Stuldonow Tarivane
Tildenin Tolevane Trarbavane Traskalow Trendiror Trendovan Treskona Trirnomis Troldiror Trurnemen Varbolis
Viskarane Vumotane Wildarow Wiltorick Wurenane
"""
SHORT: Final = tuple(_SHORT.split())
"""At most 4 letters."""
MIDDLE: Final = tuple(_MIDDLE.split())
"""5 to 7 letters."""
LONG: Final = tuple(_LONG.split())
"""8 letters and more."""


def words_like(length: int) -> tuple[str, ...]:
    """Return the words of the bucket that a word of ``length`` letters belongs to."""
    if length <= MAX_SHORT:
        return SHORT
    return MIDDLE if length <= MAX_MIDDLE else LONG
