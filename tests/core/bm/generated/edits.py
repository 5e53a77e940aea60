"""Edits of definitions, each with what it makes of the values of records: the oracle of generated promotions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.core.bm.generated import values as made
from tests.core.bm.generated.definitions import Choices, Definitions, Field, Table

Values = dict[int, dict[int, Any]]              # by record and field

NEW_TYPES: tuple[dict[str, Any], ...] = tuple(
    [{"type": name} for name in ("text", "memo", "html", "integer", "decimal", "money", "percent", "boolean", "date",
                                 "datetime", "phone", "email", "url", "tags", "rating", "float", "any_link")]
    + [{"type": "text", "search": "contains"}, {"type": "text", "default": "none"}, {"type": "integer", "default": 7}])
OTHERS: Mapping[str, tuple[str, ...]] = {
    "text": ("integer", "memo", "html", "choice", "email", "decimal", "date", "boolean", "phone", "tags"),
    "memo": ("text", "html"), "html": ("text", "memo"), "integer": ("text", "decimal", "money", "memo", "float",
                                                                      "percent", "rating", "boolean"),
    "decimal": ("integer", "text", "money", "float"), "money": ("decimal", "text"), "float": ("integer", "decimal"),
    "percent": ("decimal",), "rating": ("integer",), "boolean": ("text", "choice", "integer"),
    "date": ("datetime", "text"), "datetime": ("date", "text"), "choice": ("text", "choice"), "email": ("text",),
    "url": ("text", "memo"), "phone": ("text",), "tags": ("text",)}


@dataclass
class Draft:
    """Definitions on their way from those that are live, and what the values will be."""

    old: Definitions
    new: Definitions
    values: Values
    of: Mapping[int, int]                               # the table of each record
    choice: random.Random
    removed: list[tuple[int, Field]]                    # of fields that are parked
    retyped: dict[int, Field] = field(default_factory=dict)             # as they were
    said: dict[str, str] = field(default_factory=dict)                  # what is answered to `rename`
    filled: set[int] = field(default_factory=set)       # what fills an empty one stays on the way back
    refusals: set[str] = field(default_factory=set)
    touched: set[int] = field(default_factory=set)
    done: list[str] = field(default_factory=list)

    def records(self, table: Table) -> list[int]:
        """The records of a table and its kinds, in the new definitions."""
        ids = {one.id for one in self.new.below(table)}
        return [id_ for id_, of in self.of.items() if of in ids]

    def take(self, *numbers: int) -> bool:
        """Whether nobody changed these so far; from here on they are."""
        if self.touched & set(numbers):
            return False
        self.touched.update(numbers)
        return True

    def table(self) -> Table:
        return self.choice.choice([*self.new.tables.values()])

    def name(self, prefix: str) -> str:
        return f"{prefix}{self.new.new()}"

    def any_field(self, free: bool = False) -> tuple[Table, Field] | None:
        """A field that is not computed; `free`: that nothing names."""
        found = [(table, one) for table in self.new.tables.values() for one in table.fields
                 if not one.computed and one.type != "lines" and not (free and self.new.used(one.id))]
        return self.choice.choice(found) if found else None


Edit = Callable[[Draft], "str | None"]          # gives what it did, or None where there was nothing to do


def add_field(draft: Draft) -> str | None:
    table, number = draft.table(), draft.choice.random()
    if number < 0.15:
        of = draft.choice.choice([one for one in draft.new.choices.values() if one.of is None])
        body: dict[str, Any] = {"type": "choice", "of": of.id, "many": draft.choice.random() < 0.4}
    elif number < 0.3:
        body = {"type": "link", "to": [draft.table().id], "many": draft.choice.random() < 0.3}
    else:
        body = dict(draft.choice.choice(NEW_TYPES))
    one = draft.new.add_field(table, draft.name("f"), **body)
    draft.touched.add(one.id)
    if draft.choice.random() < 0.3 and one.type in ("text", "integer") and "default" not in body:
        one.body["fill"] = "filled" if one.type == "text" else 5
        for id_ in draft.records(table):
            draft.values[id_][one.id] = one.body["fill"]
    elif draft.choice.random() < 0.3 and one.type not in ("link", "any_link"):
        _now_required(draft, table, one)
    return f"{table.name}.{one.name} is added as {one.body}"


def _now_required(draft: Draft, table: Table, one: Field) -> None:
    one.body["required"] = True
    draft.filled.add(one.id)
    if "default" in one.body:
        for id_ in draft.records(table):
            if draft.values[id_].get(one.id) is None:
                draft.values[id_][one.id] = one.body["default"]


def remove_field(draft: Draft) -> str | None:
    found = draft.any_field(free=True)
    if found is None or not draft.take(found[1].id):
        return None
    table, one = found
    table.fields.remove(one)
    draft.removed.append((table.id, deepcopy(one)))
    return f"{table.name}.{one.name} is removed"


def return_field(draft: Draft) -> str | None:
    back = [(table, one) for table, one in draft.removed if table in draft.new.tables and one.type not in (
        "choice", "link", "any_link") and not draft.new.tables[table].base and not one.body.get("required")
        and one.id not in draft.touched and len(draft.new.below(draft.new.tables[table])) == 1]
    if not back:
        return None
    number, one = draft.choice.choice(back)
    draft.removed.remove((number, one))
    draft.touched.add(one.id)
    one = deepcopy(one)
    for key in ("was", "fill"):
        one.body.pop(key, None)
    draft.new.tables[number].fields.append(one)
    for id_ in draft.records(draft.new.tables[number]):         # where they stand may be another table by now
        draft.values[id_][one.id] = made.UNKNOWN
    return f"{draft.new.tables[number].name}.{one.name} returns"


def rename_field(draft: Draft) -> str | None:
    found = draft.any_field()
    if found is None or not draft.take(found[1].id, found[0].id):
        return None
    table, one = found
    if one.name == "name" or (one.body.get("search") and draft.choice.random() < 0.5):
        return None
    old, one.name = one.name, draft.name("r")
    if draft.choice.random() < 0.6:
        one.body["was"] = old
    else:
        draft.said[f"rename {table.name}.{old}"] = one.name
    return f"{table.name}.{old} is {one.name} now"


def retype(draft: Draft) -> str | None:
    found = draft.any_field()
    if found is None or found[1].name == "name" or found[1].type not in OTHERS:
        return None
    table, one = found
    kind = draft.choice.choice(OTHERS[one.type])
    if draft.new.used(one.id) and (one.type, kind) != ("integer", "decimal"):
        return None
    if not draft.take(one.id):
        return None
    before, body = deepcopy(one), {"type": kind}
    if kind == "choice":
        body["of"] = one.body["of"] if one.type == "choice" else draft.choice.choice(
            [of.id for of in draft.new.choices.values() if of.of is None])
        body["many"] = not one.many if one.type == "choice" else False
        if not draft.take(body["of"]):
            return None
    if one.type == "choice" and kind != "choice" and not draft.take(one.body["of"]):
        return None
    one.body = body
    draft.retyped[one.id] = before
    return f"{table.name}.{one.name} turns from {before.body} into {body}"


def require(draft: Draft) -> str | None:
    found = draft.any_field()
    if found is None or found[1].type in ("link", "any_link", "state", "lines") or not draft.take(found[1].id):
        return None
    table, one = found
    if one.body.pop("required", None):
        return f"{table.name}.{one.name} is required no longer"
    if draft.choice.random() < 0.3 and one.type == "text":
        one.body["fill"] = "filled"
        draft.filled.add(one.id)
        for id_ in draft.records(table):
            if draft.values[id_].get(one.id) is None:
                draft.values[id_][one.id] = "filled"
        one.body["required"] = True
    else:
        _now_required(draft, table, one)
    return f"{table.name}.{one.name} is required"


def unique(draft: Draft) -> str | None:
    found = draft.any_field()
    if found is None or found[1].many or found[1].type not in ("text", "integer", "date", "decimal", "choice", "email"):
        return None
    table, one = found
    if not draft.take(one.id):
        return None
    for name, numbers in table.unique.items():
        if one.id in numbers:
            del table.unique[name]
            return f"{table.name}.{one.name} is unique no longer"
    table.unique[draft.name("u")] = [one.id]
    held = [str(value).casefold() for id_ in draft.records(table)
            if (value := draft.values[id_].get(one.id)) is not None]
    if len(set(held)) < len(held):
        draft.refusals.add("cannot be unique")
    return f"{table.name}.{one.name} is unique"


def index(draft: Draft) -> str | None:
    table = draft.table()
    if table.indexes and draft.choice.random() < 0.5:
        name = draft.choice.choice([*table.indexes])
        del table.indexes[name]
        return f"index {table.name}.{name} is removed"
    names = [one.id for one in table.fields if one.type in ("text", "integer", "date", "decimal", "datetime")
             and not one.many and one.id not in draft.retyped]
    if not names:
        return None
    table.indexes[draft.name("i")] = draft.choice.sample(names, min(len(names), 2))
    return f"{table.name} gets an index"


def rule(draft: Draft) -> str | None:
    table = draft.table()
    if table.rules:
        table.rules.clear()
        return f"{table.name} loses its rules"
    names = [one.id for one in table.fields if one.type in ("integer", "decimal") and one.id not in draft.retyped]
    if not names:
        return None
    table.rules[draft.name("rule")] = draft.choice.choice(names)
    return f"{table.name} gets a rule"


def formula(draft: Draft) -> str | None:
    """A formula comes, becomes stored or is stored no longer, says something else, or goes."""
    table = draft.table()
    found = [one for one in table.fields if one.computed and one.id not in draft.touched]
    if found:
        one = draft.choice.choice(found)
        draft.touched.add(one.id)
        what = draft.choice.choice(("stored", "times", "gone"))
        if what == "gone" and not draft.new.used(one.id):
            table.fields.remove(one)
        elif what == "stored":
            if draft.new.used(one.id):
                return None
            one.body["stored"] = not one.body.get("stored")
        else:
            one.body["times"] += 1
        return f"{table.name}.{one.name}: {what}"
    numbers = [one for one in table.fields if one.type in ("integer", "decimal") and not one.computed]
    if not numbers:
        return None
    one = draft.new.add_field(table, draft.name("c"), type="decimal", formula=draft.choice.choice(numbers).id, times=3,
                              stored=draft.choice.random() < 0.6)
    draft.touched.add(one.id)
    return f"{table.name}.{one.name} is computed"


def choice_values(draft: Draft) -> str | None:
    """A value comes, goes, or gets another name; several become one."""
    of = draft.choice.choice([*draft.new.choices.values()])
    users = [one.id for table in draft.new.tables.values() for one in table.fields
             if (one.body.get("of") == of.id and one.type == "choice") or (of.of and one.id == of.of[1])]
    if not draft.take(of.id, *users):
        return None
    what, names = draft.choice.choice(("add", "rename", "merge", "remove")), [*of.values]
    if what == "add" or len(names) < 3:
        of.values[draft.name("v")] = []
        return f"{of.name} gets a value"
    gone = draft.choice.sample(names, 2 if what == "merge" else 1)
    now = draft.name("v")
    of.values = {(now if name == gone[0] and what != "remove" else name): (
        list(gone) if name == gone[0] and what != "remove" else was) for name, was in of.values.items()
        if (name == gone[0] and what != "remove") or name not in gone}
    if what != "remove":
        follow(draft, of, dict.fromkeys(gone, now))
    return f"{of.name}: {what} {gone}"


def follow(draft: Draft, of: Choices, now: Mapping[str, str]) -> None:
    """The values of records as they are called from now on."""
    for table in draft.old.tables.values():
        for one in table.fields:
            if (one.type == "choice" and one.body["of"] == of.id) or (of.of and one.id == of.of[1]):
                for values in draft.values.values():
                    value = values.get(one.id)
                    if isinstance(value, list):
                        values[one.id] = [*dict.fromkeys(now.get(item, item) for item in value)]
                    elif value is not None:
                        values[one.id] = now.get(value, value)


def lead(draft: Draft) -> str | None:
    """A link leads to other tables from now on."""
    links = [(table, one) for table in draft.new.tables.values() for one in table.fields
             if one.type == "link" and not one.many and not draft.new.used(one.id)]
    if not links:
        return None
    table, one = draft.choice.choice(links)
    if not draft.take(one.id):
        return None
    ends = [draft.new.tables[to] for to in one.body["to"]]
    options: list[list[int]] = [[end.id] for end in ends] if len(ends) > 1 else []
    options += [[end.base] for end in ends if end.base and len(ends) == 1]
    options += [[kind.id] for end in ends if len(ends) == 1 for kind in draft.new.below(end) if kind is not end]
    if len(ends) == 1:
        options += [[ends[0].id, other.id] for other in draft.new.tables.values()
                    if draft.new.root(other) is not draft.new.root(ends[0])]
    if draft.choice.random() < 0.2 or not options:
        one.body = {"type": "any_link"}
    else:
        one.body = {**one.body, "to": draft.choice.choice(options)}
    _astray(draft)
    return f"{table.name}.{one.name} leads to {one.body.get('to', 'any')}"


def _astray(draft: Draft) -> None:
    """Notes whether a record links to one that its field may not lead to."""
    for table in draft.new.tables.values():
        for one in table.fields:
            allowed = {end for to in one.body.get("to", ()) for id_ in [draft.new.tables[to]]
                       for end in draft.records(id_)}
            for values in draft.values.values() if one.type == "link" else ():
                value = values.get(one.id)
                if value is not None and not {*(value if isinstance(value, list) else [value])} <= allowed:
                    draft.refusals.add("cannot lead to fewer tables|cannot turn from link")


def move_field(draft: Draft) -> str | None:
    """A field goes from a base to a kind, or the other way."""
    found = draft.any_field(free=True)
    if found is None:
        return None
    table, one = found
    others = [draft.new.tables[table.base]] if table.base else [kind for kind in draft.new.below(table)
                                                                if kind is not table]
    if not others or one.body.get("required") or not draft.take(one.id):
        return None
    other = draft.choice.choice(others)
    if {table.id, other.id} & {one for one in draft.touched if one in draft.new.tables}:
        return None
    table.fields.remove(one)
    other.fields.append(one)
    for key in ("was", "fill"):
        one.body.pop(key, None)
    return f"{table.name}.{one.name} moves to {other.name}"


def rebase(draft: Draft) -> str | None:
    """A table gets a base or loses it."""
    table = draft.table()
    if len(draft.new.below(table)) > 1 or any(of.of and of.of[0] == table.id for of in draft.new.choices.values()):
        return None
    numbers = {one.id for one in draft.new.all_fields(table)}
    if draft.touched & numbers or not draft.take(table.id):
        return None
    if table.base is not None:
        above = [one for one in draft.new.all_fields(table) if one not in table.fields]
        base, table.base = draft.new.tables[table.base], None
        for one in reversed(above):
            if not one.computed and one.type != "lines":
                own = Field(draft.new.new(), one.name, {key: value for key, value in one.body.items()
                                                        if key not in ("was", "fill")})
                table.fields.insert(0, own)
                _over(draft, table, one.id, own.id)
                draft.touched.add(own.id)
        _astray(draft)
        return f"{table.name} leaves {base.name}"
    bases = [one for one in draft.new.tables.values() if one.base is None and one is not table and not (
        {field.name for field in one.fields} & {field.name for field in table.fields} - {"name"})
        and one.id not in draft.touched]
    if not bases or table.unique or any(draft.new.used(one.id) for one in table.fields if one.name == "name"
                                        and len(table.indexes)):
        return None
    base = draft.choice.choice(bases)
    if any({table.id, base.id} <= {*one.body.get("to", ())} for of in draft.new.tables.values() for one in of.fields):
        return None
    own = next(one for one in table.fields if one.name == "name")
    table.fields.remove(own)
    table.base = base.id
    _over(draft, table, own.id, next(one.id for one in base.fields if one.name == "name"))
    draft.touched.add(base.id)
    for one in base.fields:                         # to its records they are new
        given = one.body.get("fill", one.body.get("default") if one.body.get("required") else None)
        for id_ in draft.records(table) if given is not None else ():
            if draft.values[id_].get(one.id) is None:
                draft.values[id_][one.id] = given
    return f"{table.name} gets the base {base.name}"


def _over(draft: Draft, table: Table, old: int, new: int) -> None:
    for id_ in draft.records(table):
        draft.values[id_][new] = draft.values[id_].get(old)


def table_comes(draft: Draft) -> str | None:
    bases = [one.id for one in draft.new.tables.values() if len([*draft.new.above(one)]) < 3]
    base = draft.choice.choice(bases) if draft.choice.random() < 0.4 else None
    if base is not None and not draft.take(base):
        return None
    table = draft.new.add(draft.name("t"), base)
    if base is None:
        draft.new.add_field(table, "name", type="text", fresh=True)
    draft.new.add_field(table, draft.name("f"), type="integer")
    draft.touched.add(table.id)
    return f"{table.name} comes"


def table_goes(draft: Draft) -> str | None:
    table = draft.table()
    named = {to for one in draft.new.tables.values() for of in one.fields if one is not table
             for to in (*of.body.get("to", ()), of.body.get("of") if of.type == "lines" else None)}
    named |= {of.of[0] for of in draft.new.choices.values() if of.of}
    if table.id in named or len(draft.new.below(table)) > 1 or len(draft.new.tables) < 6 or not draft.take(table.id):
        return None
    del draft.new.tables[table.id]
    return f"{table.name} goes"


def rename_table(draft: Draft) -> str | None:
    table = draft.table()
    if not draft.take(table.id, *(one.id for one in table.fields)):
        return None
    table.was, table.name = table.name, draft.name("n")
    return f"{table.was} is {table.name} now"


def metadata(draft: Draft) -> str | None:
    """Titles, order, history, search: what changes no value."""
    table = draft.table()
    draft.choice.shuffle(table.fields)
    table.title = f"{table.title[:10]}{draft.new.last}"
    if draft.choice.random() < 0.3 and not table.base:
        table.keeps = [] if table.keeps else ["history"]
    for one in table.fields:
        if one.type == "text" and draft.choice.random() < 0.3 and "unique" not in one.body:
            one.body["search"] = draft.choice.choice(("words", "contains", None))
    return f"{table.name} is called otherwise, in another order"


EDITS: tuple[Edit, ...] = (
    add_field, add_field, remove_field, return_field, rename_field, retype, retype, retype, require, unique, index, rule,
    formula, formula, choice_values, choice_values, lead, move_field, rebase, table_comes, table_goes, rename_table,
    metadata)


def sane(defs: Definitions) -> bool:
    """Whether the definitions may be so: what several edits made of one another."""
    for table in defs.tables.values():
        names = [one.name for one in defs.all_fields(table)]
        if len(set(names)) < len(names):
            return False
        own = {one.id for one in table.fields}
        for numbers in (*table.unique.values(), *table.indexes.values()):
            if not set(numbers) <= own:
                return False
        for one in table.fields:
            ends = one.body.get("to", ())
            if any(end not in defs.tables for end in ends) or any(
                    a != b and defs.tables[a] in defs.above(defs.tables[b]) for a in ends for b in ends):
                return False
            if one.computed and one.body["formula"] not in {other.id for other in defs.all_fields(table)}:
                return False
            if one.computed and defs.field(one.body["formula"])[1].type not in ("integer", "decimal"):
                return False
    return True


def drafts(old: Definitions, values: Values, of: Mapping[int, int], removed: list[tuple[int, Field]],
           choice: random.Random, most: int) -> Iterator[Draft]:
    """Drafts without end, each of a few edits."""
    while True:
        draft = Draft(old, old.copy(), deepcopy(values), of, choice, deepcopy(removed))
        for table in draft.new.tables.values():
            table.was = None
            for one in table.fields:
                one.body.pop("was", None)
                one.body.pop("fill", None)
                one.body.pop("fresh", None)
        for one in draft.new.choices.values():
            one.values = {name: [] for name in one.values}
        for edit in choice.sample(EDITS, choice.randrange(1, most + 1)):
            done = edit(draft)
            if done is None and not sane(draft.new):
                break
            draft.done += [done] if done else []
        if draft.done and sane(draft.new):
            yield draft
