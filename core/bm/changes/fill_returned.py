"""Values of choices and states that were parked and come back: by their names of now, which they missed meanwhile.

They are read from the columns that rest, and go to other ones, so that a version that knows the old names finds these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Connection, Select, Text, func, select
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table

from core.bm.changes import conversions, migrations
from core.bm.changes.filling import Part
from core.bm.changes.read_paths import columns
from core.bm.changes.retyping import once, table_of
from core.bm.changes.value_questions import HOLDS, choice_question
from core.bm.inputs.facts import Facts, Finding, in_time
from core.bm.inputs.questions import Question
from core.bm.versions import choice_values
from core.database import ddl
from core.ed.schema import name_all
from core.errors import Words, words

if TYPE_CHECKING:
    from core.bm.inputs.way import Way
    from core.bm.versions.state import State
    from core.definition.model import Field


def look(connection: Connection, target: State, facts: Facts) -> dict[str, dict[str, int]]:
    """The values that come back with each field of choices or states, where there is time to look at all."""
    found: dict[str, dict[str, int]] = {}
    for path, one, source in _returning(target, facts):
        table, name = facts.physical[source, ""]
        column = sql_column(str(name), ARRAY(Text) if one.many else Text)
        held = select((func.unnest(column) if one.many else column).label("value")).select_from(
            sql_table(table, column, schema=ddl.SCHEMA)).where(column.is_not(None)).subquery()
        counted = select(held.c.value, func.count()).group_by(held.c.value).order_by(held.c.value)
        rows = in_time(connection, partial(_rows, connection, counted))
        if rows:
            found[path] = {str(value): int(count) for value, count in rows}
    return found


def _rows(connection: Connection, counted: Select[Any]) -> Sequence[Any]:
    return connection.execute(counted).all()


def renamed(base: State, target: State, facts: Facts, answers: Mapping[str, str]) -> frozenset[str]:
    """The fields whose values come back under other names, so that they are to stand elsewhere."""
    return frozenset(path for path in facts.returned if _names(base, target, path, facts.returned[path], answers))


def questions(way: Way) -> Iterator[Question]:
    """What becomes of values that come back and are no more; those that live lost just now are asked for already."""
    asked = {f"{name}.{value}" for _, name, value in choice_values.removed(way.base, way.target)
             if way.facts.finding(HOLDS, f"{name}.{value}")}
    counts = Counter[tuple[str, str, str]]()
    for path, values in way.facts.returned.items():
        now, said = _now(way.target, path), _names(way.base, way.target, path, values, {})
        kind, name = next(choice_values.of(way.target, path), ("", ""))
        counts.update({(kind, name, value): count for value, count in values.items()
                       if kind and value not in now and value not in said and f"{name}.{value}" not in asked})
    for (kind, name, value), count in sorted(counts.items()):
        yield choice_question(way, kind, name, value, Finding(count))


def problems(way: Way) -> Iterator[Words]:
    """Fields that would get values in two ways."""
    filled = {one.field for one in migrations.fills(way.base, way.target, way.answers)}
    for _, part in given(way):
        if part["path"] in filled:
            yield way.problem("field", part["path"], words(
                '"{name}" returns with values of other names, and gets values; promote one of the two first, then the '
                "other", name=part["path"]))


def given(way: Way) -> Iterator[tuple[str, Part]]:
    """The physical table of each field that returns to other columns, and how these are filled from those that rest."""
    model = way.target.model
    if model is None:
        return
    settings, names = model.system, name_all(model, way.target.identities, way.facts.physical, way.target.storages)
    for path, one, source in _returning(way.target, way.facts):
        storage, table = way.target.storage(path), table_of(way, path)
        if source == storage or way.facts.physical[source, ""][0] != table:
            continue
        values = way.facts.returned.get(path, {})
        said = _names(way.base, way.target, path, values, way.answers)
        body = conversions.conversion(one, one, (model, model), {}, settings.time_zone, settings.languages[0])
        body["values"] = {**body["values"], **{value: said.get(value, value) for value in values}}
        yield table, {"how": "convert", "path": path, "storage": storage, "source": source, "conversion": body,
                      "reads": columns(way.target, one, source, way.facts.physical),
                      "into": columns(way.target, one, storage, names), "once": once(way, source, storage)}


def _returning(target: State, facts: Facts) -> Iterator[tuple[str, Field, int]]:
    """The fields of choices and states that come back, each with where its values stand."""
    parked = {one.identity: one for one in facts.parked if not one.new}
    for path, identity in target.identities.items():
        table, dot, name = path.partition(".")
        one = target.model.field(table, name) if dot and target.model is not None else None
        kept = parked.get(identity) if identity in target.returning else None
        if one is None or kept is None or one.virtual or one.expression_type.name != "choice":
            continue
        source = kept.storage or identity
        if choice_values.same(kept.meaning, target, path) and (source, "") in facts.physical:
            yield path, one, source


def _now(target: State, path: str) -> Collection[str]:
    one = target.model.field(*path.split(".")) if target.model is not None else None
    choices = target.model.choices.get(one.expression_type.of or "") if one is not None and target.model else None
    return choices.values if choices is not None else ()


def _names(base: State, target: State, path: str, values: Mapping[str, int],
           answers: Mapping[str, str]) -> dict[str, str]:
    """What the values that are no more are called now."""
    now, was = _now(target, path), choice_values.former_of_field(target, path)
    said = {**choice_values.of_field(base, target, path, answers), **was}
    found = {}
    for value in values:
        answered = next((answers[key] for _, name in choice_values.of(target, path)
                         if (key := f"choices {name}.{value}") in answers), None)
        new = said.get(value, answered)
        if value not in now and new in now:
            found[value] = str(new)
    return found
