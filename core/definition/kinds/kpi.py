"""Key figures of dashboards: one value over records, with what it is compared with and how it went."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.definition.building import Building
from core.definition.kinds.figure_sources import Parameters, check_source, given_values, grouped_rows
from core.definition.kinds.figures import (
    build_format,
    build_opens,
    check_format,
    check_number,
    check_opens,
    number,
)
from core.definition.kinds.query_sources import conditions, reading
from core.definition.kinds.report import UNITS
from core.definition.kinds.report_checks import check_step
from core.definition.reporting import Compare, Figure, Source, Trend
from core.definition.values import BodyPath, Merged
from core.expression.type_rules import SUMMABLE, describe

KEY = "by"
VALUE = "value"


def build_figure(building: Building, merged: Merged, at: BodyPath, schema: Any,
                 parameters: Parameters) -> Figure | None:
    """A key figure; None, with a problem told, if it reads nothing that is there."""
    source = _source(building, merged, at, at, schema, schema.value, {}, parameters)
    if source is None:
        return None
    compare, trend = None, None
    if schema.compare is not None:
        if schema.compare.where is None and schema.compare.value is None:
            building.tell(merged, (*at, "compare"), 'this is compared with itself: say other records ("where") or '
                                                    'another value ("value")')
        other = _source(building, merged, at, (*at, "compare"), schema, schema.compare.value or schema.value, {},
                        parameters, schema.compare.where)
        compare = Compare(other, schema.compare.title) if other is not None else None
    if schema.trend is not None:
        trend = _trend(building, merged, at, schema, parameters)
    return Figure(source, compare, trend, number(building, merged, (*at, "target"), schema.target, parameters),
                  schema.good, build_opens(building, schema.opens, source, parameters), build_format(schema.format))


def _source(building: Building, merged: Merged, at: BodyPath, here: BodyPath, schema: Any, value: str,
            by: dict[str, str], parameters: Parameters, where: object = None) -> Source | None:
    """The records of a figure, or other ones of the same table; `here` is where its own words stand."""
    found = reading(building, merged, at, schema.of, schema.where if where is None else None, {}, parameters)
    if found is None:
        return None
    if where is not None:
        own = conditions(building, merged, (*here, "where"), where, found.source, parameters, {}, "record")
        found = replace(found, where=own)
    rows = grouped_rows(building, merged, here, found, by, {VALUE: value}, parameters)
    given = given_values(building, merged, (*at, "with"), schema.with_, found.query.parameters if found.query else {},
                         parameters)
    return Source(VALUE, rows, tuple(by), given)


def _trend(building: Building, merged: Merged, at: BodyPath, schema: Any, parameters: Parameters) -> Trend | None:
    units = [unit for unit in UNITS if getattr(schema.trend, unit) is not None]
    if len(units) != 1:
        building.tell(merged, (*at, "trend"), f"a trend goes over some {', '.join(UNITS[:-1])} or {UNITS[-1]}: say how "
                                              "many of one of them")
        return None
    source = _source(building, merged, at, (*at, "trend"), schema, schema.value, {KEY: schema.trend.by}, parameters,
                     schema.trend.where)
    return Trend(source, units[0], getattr(schema.trend, units[0])) if source is not None else None


def check_figure(building: Building, merged: Merged, at: BodyPath, figure: Figure) -> None:
    """Tell every problem of a key figure."""
    if not check_source(building, merged, at, figure.source):
        return
    kind = figure.source.rows.columns[VALUE].type
    if kind.name not in SUMMABLE and (figure.compare or figure.trend or figure.target is not None):
        building.tell(merged, (*at, VALUE), f"this is {describe(kind)}: only a number can be compared, have a trend or "
                                            "a target")
    check_format(building, merged, (*at, "format"), figure.format, kind)
    check_opens(building, merged, (*at, "opens"), figure.opens, figure.source)
    check_number(building, merged, (*at, "target"), figure.target)
    if figure.compare is not None:
        check_source(building, merged, at, figure.compare.source)
    if figure.trend is not None and check_source(building, merged, at, figure.trend.source):
        column = figure.trend.source.rows.columns[KEY]
        if column.type.name != "date":
            building.tell(merged, (*at, "trend", "by"), f"a trend goes over days: this is {describe(column.type)}")
        else:
            check_step(building, merged, column, figure.trend.unit, figure.trend.source)
