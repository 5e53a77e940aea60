"""How figures of reports, charts and dashboards are written, and what they open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.figure_sources import Parameters
from core.definition.kinds.query_sources import variables
from core.definition.kinds.schema import Expression, Line, Name, Schema
from core.definition.reporting import Format, Opens, Source
from core.definition.scope import Written
from core.definition.values import BodyPath, Merged
from core.expression import ExpressionError
from core.expression.type_rules import SUMMABLE, describe
from core.types.base import Type


class OpensSchema(Schema):
    """What a figure opens: the records behind it."""

    list: Name | None = Property(None, description="The list that shows them; the table's own if left out.")
    where: Expression | None = Property(None, description="A condition on them, beside those of the source and the "
                                        "keys of the row.")


class SourceOpensSchema(OpensSchema):
    """What a figure opens: the records behind it."""

    source: Name | None = Property(None, description="The source whose records they are; the one that the figure "
                                   "reads if left out.")


class FormatSchema(Schema):
    """How a figure is written."""

    as_: Literal["number", "percent", "bar", "day", "week", "month", "quarter", "year"] | None = Property(
        None, alias="as", description="As what: a number or a percentage, a bar as long as the number is large; or a "
        "day as its week, month, quarter or year. If left out, as its type says and its span steps.")
    decimals: int | None = Property(None, ge=0, le=6, description="How many decimals; those of its type if left out.")
    per: Literal["thousand", "ten_thousand", "million"] | None = Property(
        None, description="Shown in thousands, ten thousands (万) or millions.")
    unit: Line | None = Property(None, description="What stands behind the number, such as kg.")


def build_opens(building: Building, schema: OpensSchema | None, source: Source | None, parameters: Parameters) -> Opens:
    """What a figure opens, as written."""
    if schema is None:
        return Opens()
    scope = building.scope(source.rows.source if source else None, variables(building, parameters, {}))
    where = Written(schema.where, scope, "boolean") if schema.where is not None else None
    return Opens(schema.list, getattr(schema, "source", None), where)


def check_opens(building: Building, merged: Merged, at: BodyPath, opens: Opens, source: Source | None) -> None:
    """Check that a figure opens a list of what it counts."""
    if opens.list is not None:
        found = building.find(merged, (*at, "list"), "list", opens.list)
        if found is not None and source is not None and not _goes_with(building, found.of, source):
            building.tell(merged, (*at, "list"), f'list "{opens.list}" is of "{found.of}", but the figure counts '
                          f'records of "{source.rows.table or source.rows.of}"')
    if opens.where is not None and source is not None:
        building.check(merged, (*at, "where"), opens.where)


def _goes_with(building: Building, of: str, source: Source) -> bool:
    table = source.rows.table
    if of == source.rows.of:
        return True
    return table is not None and (building.names.is_kind_of(table, of) or building.names.is_kind_of(of, table))


def build_format(schema: FormatSchema | None) -> Format:
    """How a figure is written, as written."""
    return Format(schema.as_, schema.decimals, schema.per, schema.unit) if schema else Format()


def check_format(building: Building, merged: Merged, at: BodyPath, format: Format, kind: Type) -> None:
    """Check that a figure can be written so."""
    days = format.as_ in ("day", "week", "month", "quarter", "year")
    if days and kind.name not in ("date", "datetime"):
        building.tell(merged, (*at, "as"), f'"{format.as_}" is for dates: this is {describe(kind)}')
    numeric = kind.name in SUMMABLE
    for key, said in (("as", format.as_ is not None and not days), ("decimals", format.decimals is not None),
                      ("per", format.per is not None)):
        if said and not numeric:
            building.tell(merged, (*at, key), f'"{key}" is for numbers: this is {describe(kind)}')


def number(building: Building, merged: Merged, path: BodyPath, value: object, parameters: Parameters) -> object:
    """A number, or an expression that gives one; None, with a problem told, if it is something else."""
    if value is None:
        return None
    if isinstance(value, str) and value.startswith("="):
        return Written(value[1:], building.scope(None, variables(building, parameters, {})), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        building.tell(merged, path, "a number is expected here, or = and an expression that gives one")
        return None
    return value


def check_number(building: Building, merged: Merged, path: BodyPath, value: object) -> None:
    """Check what should give a number."""
    if not isinstance(value, Written):
        return
    building.check(merged, path, value, shift=1)
    try:
        kind = value.expression.type
    except ExpressionError:
        return
    if kind.name not in SUMMABLE:
        building.tell(merged, path, f"a number is expected here: this is {describe(kind)}")


def check_roles(building: Building, merged: Merged, at: BodyPath, roles: Iterable[str]) -> None:
    """Check whom something is for."""
    for index, name in enumerate(roles):
        building.find(merged, (*at, index), "role", name)
