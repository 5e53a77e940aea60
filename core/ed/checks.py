"""What must hold before rows are written: links lead to records one may choose, unique values are free.

One statement a table, whatever its links and rows. It also keeps the linked records out of the trash meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from core.ed import relation_writes
from core.ed.access import as_condition
from core.ed.columns import RecordColumns
from core.ed.paths import my_array
from core.ed.shape import Kept, Shape
from core.ed.statement import Statement
from core.ed.values import is_empty
from core.errors import N_

if TYPE_CHECKING:
    from core.definition.model import Unique
    from core.ed.session import Session
    from core.ed.values import Problems, Row

TAKEN = N_("Another record has this already.")


def before(session: Session, shape: Shape, rows: Sequence[Row], leaving: Collection[int], problems: Problems) -> None:
    """Note links to what may not be linked to, and values that must be unique and are not.

    `leaving` are records whose own values do not count: they are changed or removed by the same request.
    """
    links = _links(shape, rows)
    uniques = {u.name: _keys(session, shape, u, rows, problems)
               for u in shape.table.unique.values() if u.where is None and not _worked_out(shape, u)}
    uniques = {name: keys for name, keys in uniques.items() if keys}
    if not links and not uniques:
        return
    aims = tuple((name, target) for name, ids in links.items()
                 for target in relation_writes.aims(session, shape.kept[name].field, ids))
    parameters: dict[str, object] = {**session.parameters, "leaving": list(leaving)}
    for name, ids in links.items():
        parameters[f"link_{name}"] = sorted(ids)
    for name, keys in uniques.items():
        parameters[f"unique_{name}"] = json.dumps([{"n": n, **key} for n, key in keys.items()], default=str)
    statement = session.system.cache.get(
        ("checks", session.user.shape, shape.table.name, aims, tuple(uniques)),
        lambda: _statement(session, shape, aims, uniques))
    found: dict[str, set[int]] = {}
    for check, number in statement.rows(session.connection, parameters) if statement is not None else ():
        found.setdefault(check, set()).add(number)
    _tell_links(rows, links, found, problems)
    for name in links:
        if shape.kept[name].field.target is None:
            relation_writes.place(session, shape.kept[name].field, rows, {
                target: found.get(f"link {name} {target}", set()) for of, target in aims if of == name})
    for name in uniques:
        for number in sorted(found.get(f"unique {name}", ())):
            tell_taken(session, shape, shape.table.unique[name], rows[number], problems)


def _worked_out(shape: Shape, unique: Unique) -> bool:
    """Whether its values are only known once the record is written: then the index tells."""
    return any(shape.table.fields[name].computed for name in unique.fields)


def tell_taken(session: Session, shape: Shape, unique: Unique, row: Row, problems: Problems) -> None:
    """Note that values of a row are taken, at the first of their fields."""
    first = next((name for name in unique.fields if name in row.given), unique.fields[0])
    problems.add(row, first, "unique", taken(session, shape, unique))


def taken(session: Session, shape: Shape, unique: Unique) -> str:
    """What is said when values are taken: the definition's own words in the user's language, or ours."""
    path = f"table {shape.table.name}.unique.{unique.name}.message"
    return (session.system.model.text(path, session.language) or unique.message) if unique.message else TAKEN


def _links(shape: Shape, rows: Iterable[Row]) -> dict[str, set[int]]:
    """The ids that the rows newly link to, by field."""
    wanted: dict[str, set[int]] = {}
    for name, kept in shape.kept.items():
        if kept.field.type.name in ("link", "any_link"):
            ids = {id_ for row in rows if row.values.get(name) is not None for id_ in _new_targets(row, name)}
            if ids:
                wanted[name] = ids
    return wanted


def _new_targets(row: Row, name: str) -> list[int]:
    value = row.values.get(name)
    if value is None:
        return []
    if row.old is None:
        return _as_list(value)
    had = _as_list(row.old.get(name))
    return [id_ for id_ in _as_list(value) if id_ not in had]


def _as_list(value: Any) -> list[int]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _keys(session: Session, shape: Shape, unique: Unique, rows: Sequence[Row],
          problems: Problems) -> dict[int, dict[str, Any]]:
    """The values to look for, by the number of the row; what two rows of the request share is noted here."""
    keys: dict[int, dict[str, Any]] = {}
    seen: set[Hashable] = set()
    for number, row in enumerate(rows):
        if row.old is not None and not any(name in row.values for name in unique.fields):
            continue
        values = [row.now(name) for name in unique.fields]
        if any(is_empty(value) for value in values):
            continue
        key = {f"v{i}": v for i, (name, value) in enumerate(zip(unique.fields, values, strict=True))
               for v in (shape.kept[name].field.type.to_columns(value, shape.kept[name].field.properties)[0],)}
        marker = tuple(str(value) for value in key.values())
        if marker in seen:
            tell_taken(session, shape, unique, row, problems)
        seen.add(marker)
        keys[number] = key
    return keys


def _statement(session: Session, shape: Shape, aims: Iterable[tuple[str, str]],
               uniques: Iterable[str]) -> Statement | None:
    parts = [_link(session, shape.kept[name], target) for name, target in aims]
    parts += [_unique(shape, shape.table.unique[name]) for name in uniques]
    if not parts:                       # open links to nothing that is there
        return None
    return Statement.compile(parts[0] if len(parts) == 1 else union_all(*parts), session.connection.dialect,
                             fixed=True)


def _link(session: Session, kept: Kept, target: str) -> Select[Any]:
    """The ids among those asked for that this user may link to; FOR KEY SHARE keeps them from being trashed."""
    columns = RecordColumns(session.system, None, target)
    source = columns.root.source
    conditions: list[ColumnElement[bool]] = [
        source.c["id"] == any_(bindparam(f"link_{kept.field.name}", type_=ARRAY(BigInteger))),
        source.c["_deleted_on"].is_(None)]
    own = columns.root.stored.own_rows(source)
    if own is not None:
        conditions.append(own)
    conditions.append(_may_choose(session, target, source))
    among = kept.field.among_of(target)
    if among is not None:
        conditions.append(among.where(columns))
    chosen = select(source.c["id"]).select_from(columns.source).where(*conditions).order_by(source.c["id"])
    held = chosen.with_for_update(read=True, key_share=True, of=source).cte()
    return select(literal(f"link {kept.field.name} {target}", Text), held.c.id)


def _may_choose(session: Session, target: str, source: Any) -> ColumnElement[bool]:
    """Whoever reads a record may link to it, and so may whoever sees it masked in a look-up, or is that person."""
    table = session.system.model.tables[target]
    read = session.gate.predicate(target, "read", source)
    peek = session.gate.predicate(target, "peek", source) if table.peek else False
    if read is True or peek is True:
        return as_condition(True)
    oneself = table.people == "id" and source.c["id"] == any_(my_array(target))
    return or_(*(as_condition(one) for one in (read, peek, oneself)))


def _unique(shape: Shape, unique: Unique) -> Select[Any]:
    """The numbers of the rows whose values another record outside the trash has."""
    source = shape.stored.table.alias()
    stored = [shape.stored.column(name, source=source) for name in unique.fields]
    asked = func.json_to_recordset(cast(bindparam(f"unique_{unique.name}", type_=Text()), JSON)).table_valued(
        column("n", BigInteger()), *(column(f"v{i}", c.type) for i, c in enumerate(stored))).render_derived(
        with_types=True)
    same = and_(*(c == asked.c[f"v{i}"] for i, c in enumerate(stored)))
    conditions = [same, source.c["_deleted_on"].is_(None),
                  source.c["id"] != all_(bindparam("leaving", type_=ARRAY(BigInteger)))]
    own = shape.stored.own_rows(source)
    if own is not None:
        conditions.append(own)
    return select(literal(f"unique {unique.name}", Text), asked.c.n).select_from(asked.join(source, and_(*conditions)))


def _tell_links(rows: Sequence[Row], links: Mapping[str, set[int]], found: Mapping[str, set[int]],
                problems: Problems) -> None:
    for name, ids in links.items():
        missing = ids - {id_ for check, there in found.items() if check.startswith(f"link {name} ") for id_ in there}
        if not missing:
            continue
        for row in rows:
            for id_ in _new_targets(row, name):
                if id_ in missing:
                    problems.add(row, name, "link", "The record {id} cannot be chosen here.", id=id_)
