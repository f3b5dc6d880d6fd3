"""Made-up people with names such as are given in Rwanda: for the search bench and the attack test.

Kinyarwanda names are put together from elements; given names come from a list with the spellings
in which French, English and Kinyarwanda writers put them down. How common a name is falls off as
names do everywhere (Zipf and Mandelbrot): the commonest given name is borne by about one in 25.
No list of real persons was used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from random import Random
from string import ascii_lowercase

# Each line is one name as different people write it.
_GIVEN = """
Marie Mariya Mary Maria|Jean Jan Jeann|Jeanne Jane Jeane|Joseph Yozefu Josef|Claudine Klodine
Emmanuel Emanuel Imanuel|Innocent Inosenti Innosent|Francoise Fransuwaze Franswaz
Eric Erik Erick|Claude Klode Claud|Alice Alise Alisi|Beatrice Beatrise Béatrice
Vestine Vesitina Vestina|Esperance Espérance Esiperansi|Immaculee Immaculée Imakule
Agnes Agnès Anyesi|Therese Thérèse Tereza|Cecile Sesiliya Cécile|Bernadette Berinadeta Bernadet
Christine Kristine Christina|Josephine Yozefina Josefine|Patrick Patrique Patirike
Olivier Oliviye Oliver|Vincent Vensan Visenti|Theogene Théogène Tewojene|Pascal Pasikali Paskal
Gilbert Jilbert Giliberi|Alexis Alegisi Aleksis|Felix Feliksi Félix|Xavier Zaveri Savier
Chantal Shantal Shantali|Consolee Consolée Konsole|Dative Dativa Datiwe|Diane Diana Dyane
Solange Solanje Solanji|Yvonne Ivonne Yvone|Yves Ive Yve|Jacqueline Jakeline Jackline
Jacques Jaques Jake|Charles Sharles Charlz|Catherine Katherine Katarina|Philippe Philip Filipo
Francois François Fransua|Antoine Antony Anthony|Andre André Andrew|Pierre Piyere Pier
Paul Pawulo Pol|Daniel Daniyeli Danyel|Samuel Samweli Samwel|David Dawidi Davide
Gabriel Gaburiyeli Gabriele|Michel Mishel Michael|Raphael Rafayeli Raphaël
Richard Rishari Risharde|Robert Roberi Roberti|Theodore Théodore Tewodori|Thomas Tomasi Toma
Fidele Fidèle Fideli|Faustin Fawustini Fostin|Celestin Selestini Célestin
Damascene Damascène Damaseni|Bosco Bosko Bosiko|Aloys Aloyizi Aloïs|Augustin Agusitini Ogustin
Boniface Bonifasi Bonifas|Cyprien Sipiriyani Ciprien|Denis Deni Dénis
Dieudonne Dieudonné Diyedone|Edouard Eduard Edward|Elie Eliya Élie|Etienne Étienne Etiyene
Evariste Evarisiti Évariste|Fabien Fabiyani Fabian|Gaspard Gaspari Gasipari|Gerard Gérard Jerari
Henri Henry Anri|Ignace Inyasi Ignas|Isaac Isaka Izaac|Jerome Jérôme Jeromu
Joachim Yowakimu Joakim|Juvenal Juvénal Yuvenari|Laurent Loran Lorent|Leonard Léonard Leonari
Leopold Léopold Lewopolidi|Louise Luwiza Louisa|Lucie Lusiya Lucy|Martin Maritini Martine
Mathilde Matilde Matilda|Maurice Morisi Moris|Monique Monika Monike|Modeste Modesiti Modest
Narcisse Narisisi Narcis|Odette Odeta Odete|Pelagie Pélagie Pelaji|Perpetue Perpétue Peripetuwa
Placide Pilasidi Placid|Prosper Porosiperi Prospere|Rosalie Rozaliya Rosaly|Rose Roza Rosa
Sylvestre Siliveri Silvestre|Sylvie Silvie Siliviya|Stephanie Stéphanie Stefani
Tharcisse Tarisisi Tarcisse|Theophile Théophile Tewofili|Valens Valensi Valence
Venant Venanti Venan|Veronique Véronique Veronika|Victoire Vigitwari Victoria
Virginie Virjini Virginia|Viviane Viviyane Vivian|Zacharie Zakariya Zachary|Aisha Ayisha Aicha
Fatuma Fatouma Fatima|Hassan Hasani Hassani|Hamza Amza Hamuza|Ismael Ismail Isimayeli
Juma Djuma Jumah|Khadija Hadija Kadidja|Mohamed Muhamed Mohammed|Mariam Maryam Mariamu
Omar Omari Umar|Yusuf Yousouf Yusufu|Zaina Zayina Zainah|Grace Gurasi Grâce|Divine Divina Divin
Peace Pise Pis|Joy Joyi Joie
"""
_BEGIN = (
    *("Uwi", "Muka", "Nyira", "Habi", "Haku", "Nshimi", "Ndayi", "Niyo", "Nte", "Twagira", "Uwa"),
    *("Mu", "Ntwa", "Kari", "Gasa", "Byi", "Ruta", "Sibo", "Mbo", "Ingabi", "Bizi", "Nzeyi"),
)
_END = (
    *("mana", "gisha", "hirwa", "mungu", "keza", "hoza", "ringiro", "mahoro", "neza", "kunda"),
    *("tesi", "zeye", "yezu", "gaba", "girayo", "nshuti", "shyaka", "bera", "sanga", "vuze"),
    *(
        "tware",
        "mbabazi",
        "ragwa",
        "cyeza",
        "ganza",
        "kwiye",
        "kamari",
        "dukuze",
        "hunde",
        "jyambo",
    ),
    *("rinda", "bwiza", "fashe", "mutoni", "ndoli", "gwiza", "nyana", "pfura", "tabaro", "yandwi"),
)
# Names are made for the child, not handed down, and so there are many thousands.
_BETWEEN = ("", "ya", "ki", "ra", "zi", "ndi", "bo", "tu", "sa", "me")
# What one writer of a Kinyarwanda name puts down for another's letters.
_RESPELT = (
    *(
        ("l", "r"),
        ("r", "l"),
        ("gi", "ji"),
        ("cy", "ky"),
        ("ki", "ky"),
        ("shy", "sh"),
        ("sh", "ch"),
    ),
    *(("ny", "n"), ("u", "ou"), ("y", "i"), ("w", "u"), ("i", "y"), ("v", "b"), ("jy", "j")),
    *(("h", ""), ("bw", "bu"), ("z", "s"), ("ka", "ca"), ("ts", "t")),
)
# What lies beside a to z on a keyboard.
_BESIDE = (
    *("sqwz", "vghn", "xdfv", "sfecx", "wrd", "dgrcv", "fhtbv", "gjybn", "uok", "hknum", "jlium"),
    *("kop", "njk", "bmhj", "ipl", "o", "wa", "etf", "adwz", "ryg", "yij", "cbfg", "qeas", "zcsd"),
    *("tugh", "asx"),
)
_NEXT_TO = dict(zip(ascii_lowercase, _BESIDE, strict=True))
_FLATTENED_GIVEN, _FLATTENED_OWN = 8, 5
_TWO_NAMES, _THREE_NAMES, _GIVEN_NAME_ALONE = 0.7, 0.9, 0.95


@dataclass(frozen=True)
class Person:
    """One person's names, in the order in which they are recorded."""

    names: tuple[str, ...]


class Names:
    """The names there are, and how often each is given."""

    def __init__(self, seed: int = 1) -> None:
        shuffled = Random(seed)
        self.spellings = [
            tuple(line.split()) for line in _GIVEN.replace("\n", "|").split("|") if line
        ]
        self.given = [spellings[0] for spellings in self.spellings]
        self.own = sorted({"".join(elements) for elements in product(_BEGIN, _BETWEEN, _END)})
        shuffled.shuffle(self.own)
        self._given_weights = list(accumulate(_falling(len(self.given), _FLATTENED_GIVEN)))
        self._own_weights = list(accumulate(_falling(len(self.own), _FLATTENED_OWN)))

    def people(self, number: int, seed: int = 2) -> Iterator[Person]:
        """Make people: seven in ten have two names, two have three, one is known by one."""
        chance = Random(seed)
        for _ in range(number):
            given = chance.choices(self.given, cum_weights=self._given_weights)[0]
            own = chance.choices(self.own, cum_weights=self._own_weights)[0]
            kind = chance.random()
            if kind < _TWO_NAMES:
                yield Person((given, own))
            elif kind < _THREE_NAMES:
                second = chance.choices(self.given, cum_weights=self._given_weights)[0]
                yield Person((given, own, second) if second != given else (given, own))
            else:
                yield Person((given,) if kind < _GIVEN_NAME_ALONE else (own,))

    def variant(self, kind: str, person: Person, chance: Random) -> tuple[str, ...]:
        """Write a person's names as somebody else would: one of KINDS."""
        names = list(person.names)
        at = chance.randrange(len(names))
        if kind == "order":
            names = names[1:] + names[:1]
        elif kind == "spelling":
            names = [self._respelt(name, chance) for name in names]
        elif kind == "doubled letter":
            names[at] = _doubled(names[at], chance)
        else:
            names[at] = _slipped(names[at], chance)
        return tuple(names)

    def _respelt(self, name: str, chance: Random) -> str:
        for spellings in self.spellings:
            if name == spellings[0]:
                return chance.choice(spellings[1:] or spellings)
        ways = [(old, new) for old, new in _RESPELT if old in name.lower()]
        old, new = chance.choice(ways) if ways else ("", "")
        return name.lower().replace(old, new, 1).capitalize() if ways else name


KINDS = ("typing slip", "doubled letter", "order", "spelling")


def _falling(number: int, flattened: int) -> Sequence[float]:
    return [1 / (rank + flattened) for rank in range(1, number + 1)]


def _doubled(name: str, chance: Random) -> str:
    """Double a letter, or write a doubled one once."""
    twice = [at for at in range(len(name) - 1) if name[at].lower() == name[at + 1].lower()]
    if twice and chance.choice((True, False)):
        at = chance.choice(twice)
        return name[:at] + name[at + 1 :]
    at = chance.randrange(1, len(name))
    return name[: at + 1] + name[at] + name[at + 1 :]


def _slipped(name: str, chance: Random) -> str:
    """Miss a key: the one beside it, one too many, one too few, or two in the wrong order."""
    at = chance.randrange(len(name))
    beside = chance.choice(_NEXT_TO.get(name[at].lower(), "e"))
    slips = (
        name[:at] + beside + name[at + 1 :],
        name[: at + 1] + beside + name[at + 1 :],
        name[:at] + name[at + 1 :],
        name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
    )
    return chance.choice(slips)
