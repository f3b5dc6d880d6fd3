"""Made-up records with the skew of real ones, and a publisher that protects them badly."""

from random import Random

from nrm.statistics.tables import Counting, Dimension, Table

SEX = Dimension("sex", ("female", "male", "other_or_unknown"))
AGE = Dimension("age", ("child", "adult", "unknown"))
NATIONALITY = Dimension("nationality", ("national", "foreign"))
PROVINCE = Dimension("province", ("kigali", "southern", "western", "northern", "eastern"))
FORM = Dimension("form", ("labour", "sexual", "marriage", "begging", "organ"), several=True)
ROUTE = Dimension("route", ("internal", "from", "in", "through", "to"))
REFERRER = Dimension("referrer", ("police", "hotline", "ngo", "immigration"))
DECISION = Dimension("decision", ("presumed", "confirmed", "not_confirmed", "open"))
MEANS = Dimension("means", ("threats", "debt", "papers", "violence", "deception"), several=True)
DIMENSIONS = (SEX, AGE, NATIONALITY, PROVINCE, FORM, ROUTE, REFERRER, DECISION, MEANS)
WEIGHTS = {
    "sex": (60, 38, 2),
    "age": (33, 65, 2),
    "nationality": (70, 30),
    "province": (40, 15, 15, 10, 20),
    "route": (45, 30, 15, 6, 4),
    "referrer": (55, 10, 20, 15),
    "decision": (50, 30, 8, 12),
}
FORM_CHANCES = (0.66, 0.17, 0.06, 0.09, 0.01)
MEANS_CHANCES = (0.4, 0.2, 0.25, 0.3, 0.6)
# Each two together, and three of the widest.
TABLES = [
    Table(f"{one.name} by {other.name}", (one, other))
    for place, one in enumerate(DIMENSIONS)
    for other in DIMENSIONS[place + 1 :]
] + [
    Table("form by sex by age", (FORM, SEX, AGE)),
    Table("route by sex by age", (ROUTE, SEX, AGE)),
    Table("decision by sex by age", (DECISION, SEX, AGE)),
]


def records(number, seed=1):
    """Make records, each with its id."""
    chance = Random(seed)
    for place in range(number):
        record = {
            dimension.name: chance.choices(dimension.codes, WEIGHTS[dimension.name])[0]
            for dimension in DIMENSIONS
            if not dimension.several
        }
        for dimension, chances in ((FORM, FORM_CHANCES), (MEANS, MEANS_CHANCES)):
            record[dimension.name] = [
                code
                for code, how_often in zip(dimension.codes, chances, strict=True)
                if chance.random() < how_often
            ]
        yield f"{seed}-{place}", record


class NaivePublisher:
    """Hides what is under five and gives everything else exactly: what many offices do."""

    HIDES = 5

    def record_key(self, record):
        del record
        return 0

    def published(self, count, record_keys):
        del record_keys
        return None if 0 < count < self.HIDES else count

    @classmethod
    def allowed(cls, figure):
        return (1, cls.HIDES - 1) if figure is None else (figure, figure)


class RawPublisher(NaivePublisher):
    HIDES = 0


def counted(number, protection, seed=1):
    counting = Counting(TABLES, protection)
    for record_id, record in records(number, seed):
        counting.add(record_id, record)
    return counting.published()
