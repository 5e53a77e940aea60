"""The rows of the bench: companies, contacts, opportunities and notes, by seed, or from a folder of CSV files."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

SYLLABLES = ("an", "bel", "cor", "dra", "el", "fin", "gar", "hel", "is", "jor", "kan", "lom", "mar", "nor", "os", "pel",
             "quin", "ros", "sal", "tor", "ul", "ven", "wil", "xan", "yor", "zel")
JOBS = ("Buyer", "Engineer", "Director", "Consultant", "Assistant", "Head of sales", "Accountant")
STAGES = ("prospect", "qualify", "engage", "offer", "negotiate", "won", "lost")
CITIES = 500
FIRST_DAY = date(2024, 1, 1)
# what other generators call the stages that the addon has
KNOWN_AS = {"new": "prospect", "qualified": "qualify", "meeting": "engage", "proposal": "offer",
            "negotiation": "negotiate"}


@dataclass(frozen=True)
class Company:
    number: int
    name: str
    city: str


@dataclass(frozen=True)
class Contact:
    name: str
    company: int                # the number of its company
    email: str
    phone: str
    job_title: str
    city: str
    country: str


@dataclass(frozen=True)
class Opportunity:
    company: int
    name: str
    amount: str
    stage: str
    closes: date


@dataclass(frozen=True)
class Note:
    company: int
    body: str


@dataclass(frozen=True)
class Rows:
    """All rows, made anew each time they are asked for: the same seed makes the same rows."""

    contacts_count: int
    folder: Path | None = None      # CSV files of companies, contacts, opportunities and notes; without it the seed's

    @property
    def companies_count(self) -> int:
        return self.contacts_count // 5

    def companies(self) -> Iterator[Company]:
        if self.folder:
            for row in self._read("companies"):
                yield Company(int(row["id"]), f"{row['name']} {row['id']}", row["city"])
            return
        source, cities = random.Random(12), city_names()
        for number, name in enumerate(company_names(self.companies_count)):
            yield Company(number, name, source.choice(cities))

    def contacts(self) -> Iterator[Contact]:
        if self.folder:
            for row in self._read("contacts"):
                yield Contact(row["name"], int(row["company_id"]), row["email"], row["phone"], row["title"],
                              row["city"], row["country"])
            return
        yield from contacts(self.contacts_count, self.companies_count)

    def opportunities(self) -> Iterator[Opportunity]:
        if self.folder:
            for row in self._read("opportunities"):
                yield Opportunity(int(row["company_id"]), row["name"], row["amount"],
                                  KNOWN_AS.get(row["stage"], row["stage"]), date.fromisoformat(row["close_date"]))
            return
        source = random.Random(13)
        for number in range(1, self.contacts_count * 3 // 10 + 1):
            amount = f"{source.randrange(100, 250_000)}.{source.randrange(100):02d}"
            yield Opportunity(source.randrange(self.companies_count), f"Deal {number}", amount,
                              source.choice(STAGES), FIRST_DAY + timedelta(days=source.randrange(730)))

    def notes(self) -> Iterator[Note]:
        source, first = random.Random(17), 1 if self.folder else 0
        for number in range(1, self.contacts_count * 3 // 10 + 1):
            yield Note(first + source.randrange(self.companies_count), f"Note {number} {word(source, 6)}")

    def cities(self) -> list[str]:
        """Some cities that contacts live in."""
        if self.folder is None:
            return city_names()
        return sorted({contact.city for contact in itertools.islice(self.contacts(), 5000)})

    def _read(self, name: str) -> Iterator[dict[str, str]]:
        assert self.folder
        with (self.folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            yield from rows if name != "contacts" else itertools.islice(rows, self.contacts_count)


def word(source: random.Random, syllables: int) -> str:
    return "".join(source.choice(SYLLABLES) for _ in range(syllables)).capitalize()


def city_names() -> list[str]:
    source = random.Random(7)
    return [f"{word(source, 3)} {number}" for number in range(CITIES)]


def company_names(count: int) -> list[str]:
    source = random.Random(11)
    return [f"{word(source, 3)} {source.choice(('Ltd', 'AG', 'SA', 'Inc'))} {number}" for number in range(count)]


def contacts(count: int, companies: int) -> Iterator[Contact]:
    """Contacts of companies 0 to `companies` - 1."""
    source, cities = random.Random(42), city_names()
    for number in range(count):
        given, family = word(source, 2), word(source, 3)
        yield Contact(f"{given} {family}", source.randrange(companies), f"{given}.{family}{number}@example.com".lower(),
                      f"+49 30 {source.randrange(1000000, 9999999)}", source.choice(JOBS), source.choice(cities),
                      "Germany")
