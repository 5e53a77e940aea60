"""Changing, behind the record service, everything that one caller may not read; and all that he is told meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text, update

from core.ed.computed_check import repair
from core.ed.session import Session
from tests.matrix import ways
from tests.matrix.checks import oracle_of
from tests.matrix.house import Caller, House, Record
from tests.matrix.oracle import Oracle

# What rights, locks and lines hang on: who may read would change with it.
STANDING = frozenset(("owner", "team", "manager", "department", "members", "keepers", "captain", "leader", "head",
                      "superior", "position", "user", "guarded", "level", "rank", "archived", "closed", "supervisor",
                      "operators", "active", "time_zone", "language", "theme", "code", "since", "until", "asset",
                      "one", "two", "contact", "company", "opportunity", "project_group"))


def answers(house: House, caller: Caller, every: int, start: int = 0) -> dict[ways.Ask, str]:
    """Everything that the caller is told, in plain form."""
    return {ask: ways.plain(house.ask(caller, "GET", ask.path, headers=ask.headers))
            for ask in _unique(ways.sample(ways.asks(house), every, start))
            if caller.scopes is None or ask.path.startswith("/api/")}


def _unique(asks: Iterator[ways.Ask]) -> Iterator[ways.Ask]:
    yield from dict.fromkeys(asks)


def change_hidden(house: House, caller: Caller) -> int:
    """Change all values, records, titles, files and entries of history that the caller may not read; how many."""
    oracle, number = oracle_of(house, caller), 0
    hidden = {mark for mark, (id, name) in house.marks.items() if id in house.records
              and not oracle.shows(house.records[id], name)}
    with house.session() as session:
        for record in house.records.values():
            number += _change(session, house, oracle, record)
        _change_texts(session, hidden)
        system = session.system
    repair(house.owner, system)
    house.reindex()
    return number + len(hidden)


def _change(session: Session, house: House, oracle: Oracle, record: Record) -> int:
    """Give the hidden fields of a record other values; a record that is hidden as a whole is moved out of the trash,
    or into it."""
    stored, values = session.system.stored(record.table), dict[str, Any]()
    for name, field in house.model.tables[record.table].fields.items():
        if field.virtual or field.formula is not None or name in STANDING or oracle.shows(record, name) \
                or (field.type.name in ("sequence", "link", "any_link") and field.name not in ("into", "holder", "subject")):
            continue
        value = _other(field.type.name, record, name, house)
        if value is _SAME:
            continue
        parts = zip(field.type.parts(field.properties), field.type.to_columns(value, field.properties), strict=True)
        for part, one in parts:
            values[stored.name(name, part.name)] = one
    unseen = not oracle.may("read", record) and not oracle.may("peek", record)
    if unseen and not house.model.tables[record.table].epoch and record.table not in ("currency", "organisation") \
            and not house.model.tables[record.table].access.through and record.id % 2:
        values["_deleted_on"] = None if record.trashed else datetime(2026, 1, 1).astimezone()
    if unseen:
        values |= {"_version": 77, "changed_on": datetime(2026, 1, 1).astimezone()}
    if values:
        session.connection.execute(update(stored.table).where(stored.table.c.id == record.id).values(values))
    return len(values)


_SAME = object()


def _other(kind: str, record: Record, name: str, house: House) -> Any:
    """A value that is another one, of the same type."""
    value = record.values.get(name)
    match kind:
        case "text" | "memo":
            return f"zr{record.id}{name}"
        case "email":
            return f"zr{record.id}@example.com"
        case "url":
            return f"https://zr{record.id}.example/"
        case "phone":
            return f"+4930{30_000_000 + record.id}"
        case "tags":
            return [f"zr{record.id}", "zq1x"]
        case "integer":
            return 5 if value is None else None if record.id % 3 == 0 else value + 1
        case "decimal" | "money" | "percent":
            return Decimal(5) if value is None else value / 2 + 1
        case "boolean":
            return not value
        case "date":
            return date(2021, 2, 3) if value is None else value + timedelta(days=31)
        case "choice" if isinstance(value, (list, tuple)):
            return list(value)[:1] or _SAME
        case "link" | "any_link":
            return None
        case _:
            return _SAME


def _change_texts(session: Session, hidden: set[str]) -> None:
    """The same marked texts in history, remarks and the names of files."""
    def other(found: re.Match[str]) -> str:
        return found[0].replace("zq", "zr") if found[0] in hidden else found[0]
    connection = session.connection
    for id, change in connection.execute(text("select id, change from sys.history")).all():
        fresh = ways.MARK.sub(other, json.dumps(change))
        if json.loads(fresh) != change:
            connection.execute(text("update sys.history set change = cast(:c as jsonb) where id = :id"),
                               {"c": fresh, "id": id})
    for table, column in (("sys.remark", "text"), ("sys.file", "name")):
        _rewrite(connection, table, column, other)


def _rewrite(connection: Any, table: str, column: str, other: Any) -> None:
    select = {"sys.remark": "select id, text from sys.remark", "sys.file": "select id, name from sys.file"}[table]
    change = {"sys.remark": "update sys.remark set text = :t where id = :id",
              "sys.file": "update sys.file set name = :t where id = :id"}[table]
    for id, said in connection.execute(text(select)).all():
        fresh = ways.MARK.sub(other, said or "")
        if said and fresh != said:
            connection.execute(text(change), {"t": fresh, "id": id})


def different(before: Mapping[ways.Ask, str], after: Mapping[ways.Ask, str]) -> Iterator[str]:
    """The questions whose answer is another one, with where it differs."""
    for ask, found in before.items():
        now = after[ask]
        if found != now:
            place = next((number for number, pair in enumerate(zip(found, now, strict=False)) if pair[0] != pair[1]),
                         min(len(found), len(now)))
            yield f"{ask.path}: …{found[max(0, place - 80):place + 120]!r} is now …{now[max(0, place - 80):place + 120]!r}"
