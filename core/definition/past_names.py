"""What names things as the version before has them: `fill:` of fields, and the upgrade steps of addons.

No reference of the version itself: a removal goes on in spite of it, and a rename leaves it alone, for the version that
is live has the old name. Whoever asks who uses a thing is told all the same, as far as it still means something.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from core.definition.migrations import Past, UpgradeStep
from core.definition.model import Model
from core.definition.references import Key, Reference
from core.definition.stored import references
from core.definition.values import BodyPath, value_at
from core.expression import BUILT_IN, ExpressionError, check
from core.expression.parse import parse


def past_references(model: Model) -> Iterator[Reference]:
    """The tables, fields and values that values for records which are there name, by their names of now."""
    for migration in model.migrations.values():
        for step in migration.steps.values():
            yield from _of_step(model, ("migration", migration.name), step)
    for table in model.tables.values():
        for field in table.own.values():
            past = field.fill
            if isinstance(past, Past):
                kind, _, name = field.path.partition(".")[0].partition(" ")
                yield from _named(model, (kind, name), ("fields", field.name, "fill"), table.name, past, 1)


def _of_step(model: Model, key: Key, step: UpgradeStep) -> Iterator[Reference]:
    path: BodyPath = ("steps", step.name, step.verb)
    said = value_at(model.definitions[key].body, path)
    table = ""
    for number, end in enumerate(said if isinstance(said, list) else (said,)):
        place = (*path, number) if isinstance(said, list) else path
        owner, _, name = str(end).partition(".")
        table = _now(model, owner)
        yield Reference(*key, place, "table", table, 0)
        if name and table in model.tables and model.field(table, name) is not None:
            yield _field(model, key, place, table, name, len(owner) + 1)
    for one in step.fills:
        if isinstance(one.value, Past):
            yield from _named(model, key, one.path, table, one.value, 1)
    where = next((one.where for one in step.fills if one.where is not None), None)
    if where is not None:
        yield from _named(model, key, ("steps", step.name, "where"), table, where, 0)


def _now(model: Model, table: str) -> str:
    return table if table in model.tables else model.names.renames.definition("table", table) or table


def _field(model: Model, key: Key, path: BodyPath, table: str, name: str, inside: int) -> Reference:
    found = model.field(table, name)
    return Reference(*key, path, "table", f"{found.table if found is not None else table}.{name}", inside)


def _named(model: Model, key: Key, path: BodyPath, table: str, past: Past, shift: int) -> Iterator[Reference]:
    """What an expression names; of one that reads what is gone, the fields of its record that are left."""
    try:
        found = check(past.source, model.scope(table), None, model.names.functions or BUILT_IN)
    except ExpressionError:
        yield from _left(model, key, path, table, past, shift)
        return
    for one in references(model, found, *key):
        yield replace(one, path=path, inside=(one.inside or 0) + shift)


def _left(model: Model, key: Key, path: BodyPath, table: str, past: Past, shift: int) -> Iterator[Reference]:
    source = parse(past.source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and table in model.tables and model.field(table, node.id) is not None:
            yield _field(model, key, path, table, node.id, source.column(node) - 1 + shift)
