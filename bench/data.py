"""Companies and contacts for the bench: the same seed makes the same data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

SYLLABLES = ("an", "bel", "cor", "dra", "el", "fin", "gar", "hel", "is", "jor", "kan", "lom", "mar", "nor", "os", "pel",
             "quin", "ros", "sal", "tor", "ul", "ven", "wil", "xan", "yor", "zel")
JOBS = ("Buyer", "Engineer", "Director", "Consultant", "Assistant", "Head of sales", "Accountant")
CITIES = 100


@dataclass(frozen=True)
class Contact:
    """One row, in the words of the raw tables and of the addon alike."""

    name: str
    company: int  # the number of its company, from 0
    email: str
    phone: str
    job_title: str
    city: str
    country: str


def word(source: random.Random, syllables: int) -> str:
    return "".join(source.choice(SYLLABLES) for _ in range(syllables)).capitalize()


def city_names() -> list[str]:
    source = random.Random(7)
    return [f"{word(source, 3)} {number}" for number in range(CITIES)]


def company_names(count: int) -> list[str]:
    source = random.Random(11)
    return [f"{word(source, 3)} {source.choice(('Ltd', 'AG', 'SA', 'Inc'))} {number}" for number in range(count)]


def contacts(count: int, companies: int) -> Iterator[Contact]:
    source, cities = random.Random(42), city_names()
    for number in range(count):
        given, family = word(source, 2), word(source, 3)
        yield Contact(f"{given} {family}", source.randrange(companies), f"{given}.{family}{number}@example.com".lower(),
                      f"+49 30 {source.randrange(1000000, 9999999)}", source.choice(JOBS), source.choice(cities),
                      "Germany")
