"""Small sets of definitions as values that a generator changes: what is named elsewhere is kept by number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

SYSTEM = "system: main\naddons: []\nlanguages: [en]\ncurrency: EUR\ntime_zone: Europe/Berlin\n"
PHASES = ("open", "waiting", "done")


@dataclass
class Field:
    """A field; `body` has choices by number under `of`, tables under `to`, another field under `formula`."""

    id: int
    name: str
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["type"])

    @property
    def many(self) -> bool:
        return bool(self.body.get("many"))

    @property
    def computed(self) -> bool:
        return "formula" in self.body


@dataclass
class Table:
    """A table; `unique` and `indexes` hold numbers of fields, rules the number of one that is not negative."""

    id: int
    name: str
    base: int | None = None
    title: str = ""
    fields: list[Field] = field(default_factory=list)
    unique: dict[str, list[int]] = field(default_factory=dict)
    indexes: dict[str, list[int]] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    keeps: list[str] = field(default_factory=list)
    was: str | None = None


@dataclass
class Choices:
    """Values of choices, or states of a workflow (`of` a table, in a field): the former names of each."""

    id: int
    name: str
    values: dict[str, list[str]]
    of: tuple[int, int] | None = None


@dataclass
class Definitions:
    """A set of definitions."""

    tables: dict[int, Table] = field(default_factory=dict)
    choices: dict[int, Choices] = field(default_factory=dict)
    last: int = 0

    def copy(self) -> Definitions:
        return deepcopy(self)

    def new(self) -> int:
        self.last += 1
        return self.last

    def add(self, name: str, base: int | None = None, **more: Any) -> Table:
        table = Table(self.new(), name, base, title=name.capitalize(), **more)
        self.tables[table.id] = table
        return table

    def add_field(self, table: Table, name: str, **body: Any) -> Field:
        one = Field(self.new(), name, body)
        table.fields.append(one)
        return one

    def field(self, number: int) -> tuple[Table, Field]:
        return next((table, one) for table in self.tables.values() for one in table.fields if one.id == number)

    def above(self, table: Table) -> Iterator[Table]:
        """The table and its bases, from the root down."""
        if table.base is not None:
            yield from self.above(self.tables[table.base])
        yield table

    def all_fields(self, table: Table) -> list[Field]:
        return [one for holder in self.above(table) for one in holder.fields]

    def below(self, table: Table) -> list[Table]:
        """The table and those that are a kind of it."""
        return [one for one in self.tables.values() if table in self.above(one)]

    def root(self, table: Table) -> Table:
        return next(self.above(table))

    def used(self, number: int) -> bool:
        """Whether anything names a field."""
        return any(number in names for table in self.tables.values()
                   for names in (*table.unique.values(), *table.indexes.values(), table.rules.values(),
                                 [one.body.get("formula") for one in table.fields])) or any(
            one.of is not None and one.of[1] == number for one in self.choices.values()) or self.field(number)[
            1].name == "name" or any(one.body.get("by") == number for table in self.tables.values()
                                     for one in table.fields)

    # Written down

    def files(self) -> dict[str, str]:
        """The files of a site's layer."""
        found = {"system.yaml": SYSTEM}
        for table in self.tables.values():
            found[f"table_{table.id}.yaml"] = self._table(table)
        for one in self.choices.values():
            found[f"choices_{one.id}.yaml"] = self._choices(one)
        return found

    def _table(self, table: Table) -> str:
        body = {"table": table.name, "title": table.title, "plural": f"{table.title}s", "display": "{name}",
                "base": self.tables[table.base].name if table.base else None, "keeps": table.keeps or None,
                "was": table.was, "fields": {one.name: self._field(one) for one in table.fields},
                "unique": {name: {"fields": self._names(of)} for name, of in table.unique.items()},
                "indexes": {name: {"fields": self._names(of)} for name, of in table.indexes.items()},
                "rules": {name: {"check": f"{self.field(of)[1].name} >= 0"} for name, of in table.rules.items()}}
        return "".join(f"{key}: {json.dumps(value)}\n" for key, value in body.items() if value)

    def _names(self, numbers: list[int]) -> list[str]:
        return [self.field(one)[1].name for one in numbers]

    def _field(self, one: Field) -> dict[str, Any]:
        body = dict(one.body)
        if body.get("search") is None:
            body.pop("search", None)
        if isinstance(body.get("of"), int):
            body["of"] = (self.choices if one.type == "choice" else self.tables)[body["of"]].name
        if "to" in body:
            names = [self.tables[to].name for to in body["to"]]
            body["to"] = names[0] if len(names) == 1 else names
        if "by" in body:
            body["by"] = self.field(body["by"])[1].name
        if "formula" in body:
            body["formula"] = f"{self.field(body['formula'])[1].name} * {body.pop('times')}"
        return body

    def _choices(self, one: Choices) -> str:
        states = one.of is not None
        values: dict[str, dict[str, Any]] = {
            name: {"title": name.capitalize(), **({"was": was} if was else {}),
                   **({"phase": PHASES[place % 3]} if states else {})}
            for place, (name, was) in enumerate(one.values.items())}
        if one.of is None:
            return f"choices: {one.name}\nvalues: {json.dumps(values)}\n"
        table, number = one.of
        ways = {f"to_{name}": {"from": list(values), "to": name} for name in values}
        return (f"workflow: {one.name}\nof: {self.tables[table].name}\nfield: {self.field(number)[1].name}\n"
                f"states: {json.dumps(values)}\ntransitions: {json.dumps(ways)}\n")


def first() -> Definitions:
    """A family of two kinds under a base, two tables beside, lines, choices and a workflow."""
    made = Definitions()
    for name, values in (("colour", ("red", "green", "blue")), ("grade", ("low", "mid", "high"))):
        number = made.new()
        made.choices[number] = Choices(number, name, {value: [] for value in values})
    colour, grade = made.choices
    thing, person = made.add("thing", keeps=["history"]), made.add("person", keeps=["history"])
    made.add_field(thing, "name", type="text", search="words")
    made.add_field(thing, "size", type="integer")
    made.add_field(thing, "colour", type="choice", of=colour)
    made.add_field(thing, "owner", type="link", to=[person.id])
    bike, car = made.add("bike", thing.id), made.add("car", thing.id)
    made.add_field(bike, "gears", type="integer")
    made.add_field(bike, "made_on", type="date")
    seats = made.add_field(car, "seats", type="integer")
    made.add_field(car, "extras", type="choice", of=grade, many=True)
    made.add_field(car, "double", type="decimal", formula=seats.id, times=2, stored=True)
    made.add_field(person, "name", type="text", max=100, search="contains")
    made.add_field(person, "phone", type="phone")
    made.add_field(person, "about", type="html")
    made.add_field(person, "words", type="tags")
    made.add_field(person, "active", type="boolean")
    rental = made.add("rental")
    made.add_field(rental, "name", type="text")
    made.add_field(rental, "price", type="money")
    made.add_field(rental, "of", type="link", to=[thing.id])
    made.add_field(rental, "about", type="any_link")
    made.add_field(rental, "either", type="link", to=[person.id, bike.id])
    made.add_field(rental, "friends", type="link", to=[person.id], many=True)
    state = made.add_field(rental, "state", type="state")
    line = made.add("line")
    made.add_field(line, "name", type="text")
    by = made.add_field(line, "rental", type="link", to=[rental.id], required=True, on_delete="cascade")
    made.add_field(line, "count", type="integer")
    made.add_field(rental, "lines", type="lines", of=line.id, by=by.id)
    flow = made.new()
    made.choices[flow] = Choices(flow, "rental", {"fresh": [], "out": [], "back": []}, (rental.id, state.id))
    return made
