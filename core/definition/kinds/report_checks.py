"""What must hold of a report: sources that join, columns of them, spans of keys, order and layout of columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import cast

from core.definition.building import Building
from core.definition.kinds.figure_sources import Parameters, check_source
from core.definition.kinds.figures import check_format, check_opens, check_roles
from core.definition.kinds.object import check_area
from core.definition.kinds.parameters import check_parameters
from core.definition.kinds.query_sources import variables
from core.definition.names import suggestion
from core.definition.queries import QueryColumn
from core.definition.reporting import Report, ReportColumn, Source, Span, Unit
from core.definition.scope import ModelScope, Written
from core.definition.values import BodyPath, Merged, value_at
from core.expression import ExpressionError
from core.expression.nodes import Call
from core.expression.type_rules import SUMMABLE, describe, unify
from core.types.base import Type

STEPS: Mapping[Unit, str] = {"weeks": "week_start", "months": "month_start", "quarters": "quarter_start",
                             "years": "year_start"}
_ISO = re.compile(r"\d{4}-\d\d-\d\d")


def column_scope(building: Building, sources: Mapping[str, Source], parameters: Parameters) -> ModelScope:
    """What columns may name: fields of a source of records; else keys, `source.value`, and with one source its values.

    """
    detail = next((one for one in sources.values() if one.detail), None)
    if detail is not None and len(sources) == 1:
        return building.scope(detail.rows.source, variables(building, parameters, {}))
    known: dict[str, QueryColumn] = {}
    for name, source in sources.items():
        known |= {key: source.rows.columns[key] for key in source.keys}
        known |= {f"{name}.{value}": source.rows.columns[value] for value in source.values}
        if len(sources) == 1:
            known |= {value: source.rows.columns[value] for value in source.values}
    return building.scope(None, variables(building, parameters, known))


def source_of(named: str | None, text: str, sources: Mapping[str, Source]) -> Source | None:
    """The source whose records a figure stands for: the one that is named, the only one, or the only one it reads."""
    if named is not None:
        return sources.get(named)
    if len(sources) == 1:
        return next(iter(sources.values()))
    read = [source for name, source in sources.items() if re.search(rf"\b{name}\s*\.", text)]
    return read[0] if len(read) == 1 else None


def bound(building: Building, merged: Merged, path: BodyPath, value: object, parameters: Parameters) -> object:
    """One end of a span: a day, a whole number or an expression; None, with a problem told, for anything else."""
    if isinstance(value, str) and value.startswith("="):
        return Written(value[1:], building.scope(None, variables(building, parameters, {})))
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    elif value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    building.tell(merged, path, "a day such as 2024-01-31, a whole number, or = and an expression is expected here")
    return None


def check(merged: Merged, report: Report, building: Building) -> None:
    """Tell every problem of a report."""
    check_roles(building, merged, ("for",), report.roles)
    if report.area is not None:
        check_area(merged, report.area, building)
    check_parameters(building, merged, ("parameters",), report.parameters)
    _check_about(merged, report, building)
    sound = [check_source(building, merged, ("sources", name), source) for name, source in report.sources.items()]
    whole = len(report.sources) == len(cast(Mapping[str, object], merged.body["sources"]))
    if not whole or not _joined(merged, report, building) or not all(sound):
        return
    for name, column in report.columns.items():
        _check_column(merged, name, column, report, building)
    for name, span in report.spans.items():
        _check_span(merged, name, span, report, building)
    for index, entry in enumerate(report.order):
        _known(merged, ("order", index), entry.removeprefix("-"), report, building)
    _check_layout(merged, report, building)


def _check_about(merged: Merged, report: Report, building: Building) -> None:
    if report.about is None:
        return
    field = report.parameters.get(report.about)
    if field is None:
        building.tell(merged, ("about",), f'there is no parameter "{report.about}"'
                      + suggestion(report.about, report.parameters))
    elif field.expression_type.name != "link" or field.expression_type.many:
        building.tell(merged, ("about",), f'parameter "{report.about}" is no link to a record')


def _joined(merged: Merged, report: Report, building: Building) -> bool:
    """Check that the sources can stand side by side; False if columns would make no sense."""
    several = len(report.sources) > 1
    sound = True
    for name, source in report.sources.items():
        where = _place(merged, ("sources", name, "by"))
        if several and source.detail:
            building.tell(merged, ("sources", name), f'the rows of source "{name}" are records: they cannot be joined '
                                                  'with other sources (give it "by" or "values")')
            sound = False
        for key in set(source.keys) & report.sources.keys():
            building.tell(merged, (*where, key), f'"{key}" is a key and a source: call one of them differently')
            sound = False
        for value in source.values if several else ():
            if value in source.keys:
                building.tell(merged, ("sources", name, "values", value), f'"{value}" is a key already')
        if source.keys and set(source.keys) != set(report.keys):
            first = next(one for one, other in report.sources.items() if other.keys)
            building.tell(merged, where, f'source "{name}" has the keys {_listed(source.keys)}, but "{first}" has '
                          f"{_listed(report.keys)}: sources are joined where their keys are equal")
            sound = False
    different = [key for key in report.keys if not _same_type(merged, key, report, building)]
    return sound and not different


def _place(merged: Merged, path: BodyPath) -> BodyPath:
    return path if value_at(merged.body, path) is not None else path[:-1]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _same_type(merged: Merged, key: str, report: Report, building: Building) -> bool:
    """Whether a key is of one type in all sources."""
    first: Type | None = None
    for name, source in report.sources.items():
        if key not in source.keys:
            continue
        try:
            kind = source.rows.columns[key].type
        except ExpressionError:             # told where it stands
            return True
        if first is not None and unify(first, kind, building.names.is_kind_of) is None:
            building.tell(merged, ("sources", name, "by", key), f'key "{key}" is {describe(kind)} here, but '
                          f"{describe(first)} in the sources before: it cannot be equal")
            return False
        first = first or kind
    return True


def _check_column(merged: Merged, name: str, column: ReportColumn, report: Report, building: Building) -> None:
    said = value_at(merged.body, ("columns", name))
    long = isinstance(said, dict)
    at: BodyPath = ("columns", name)
    building.check(merged, (*at, "is") if long and "is" in cast(dict[str, object], said) else at, column.written)
    try:
        kind = column.type
    except ExpressionError:
        return
    if kind.name == "set" or (kind.many and kind.name == "link" and column.total not in (None, "count")):
        building.tell(merged, at, f"this is {describe(kind)}: a column shows single values (count, sum, first ...)")
    elif column.total not in (None, "count") and (kind.name not in SUMMABLE or kind.many):
        building.tell(merged, (*at, "total"), f'"{name}" is {describe(kind)}: only "count" can stand below it')
    if column.total == "computed" and report.detail is not None:
        building.tell(merged, (*at, "total"), '"computed" is for figures: the rows of this report are records')
    check_format(building, merged, (*at, "format"), column.format, kind)
    _check_opens(merged, at, column, report, building)


def _check_opens(merged: Merged, at: BodyPath, column: ReportColumn, report: Report, building: Building) -> None:
    opens = column.opens
    if value_at(merged.body, (*at, "opens")) is None:
        return
    if opens.source is not None and opens.source not in report.sources:
        building.tell(merged, (*at, "opens", "source"), f'there is no source "{opens.source}"'
                      + suggestion(opens.source, report.sources))
        return
    source = source_of(opens.source, column.written.source, report.sources)
    if source is None:
        building.tell(merged, (*at, "opens"), "this figure does not stand for the records of one source: say which by "
                                              '"source"')
        return
    check_opens(building, merged, (*at, "opens"), opens, source)


def _check_span(merged: Merged, name: str, span: Span, report: Report, building: Building) -> None:
    at: BodyPath = ("span", name)
    if name not in report.keys:
        building.tell(merged, at, f'there is no key "{name}"' + suggestion(name, report.keys))
        return
    kind = next(source for source in report.sources.values() if name in source.keys).rows.columns[name].type
    for key, value in (("from", span.start), ("to", span.end)):
        _check_bound(merged, (*at, key), value, kind, building)
    for message in _span_faults(span, kind, _said(merged, name)):
        building.tell(merged, at, message)
    for source in report.sources.values() if kind.name == "date" else ():
        if span.unit is not None and name in source.keys:
            check_step(building, merged, source.rows.columns[name], span.unit, source)


def _said(merged: Merged, name: str) -> Collection[str]:
    said = value_at(merged.body, ("span", name))
    return said if isinstance(said, dict) else ()


def _span_faults(span: Span, kind: Type, said: Collection[str]) -> Iterator[str]:
    """What does not go together in a span."""
    units = sum(key in ("days", "weeks", "months", "quarters", "years") for key in said)
    if kind.name == "choice" and not kind.many:
        if span.start is not None or span.end is not None or units:
            yield "the span of a choice is its values: only \"fill\" can be said of it"
        return
    if kind.name not in ("date", "integer"):
        yield (f"this key is {describe(kind)}: a span goes over dates, such as month_start(...), whole numbers or "
               "choices")
    elif units and kind.name == "integer":
        yield f'this key is {describe(kind)}: its span has "from" and "to"'
    elif units + ("to" in said) != 1:
        yield 'a span has one end: "to", or how many "days", "weeks", "months", "quarters" or "years"'
    if "from" not in said:
        yield 'a span needs "from", where it begins'


def _check_bound(merged: Merged, path: BodyPath, value: object, kind: Type, building: Building) -> None:
    given: Type
    if isinstance(value, Written):
        building.check(merged, path, value, shift=1)
        try:
            given = value.expression.type
        except ExpressionError:
            return
    elif value is None:
        return
    else:
        given = Type("date") if isinstance(value, date) else Type("integer")
    if kind.name in ("date", "integer") and given.name != kind.name:
        building.tell(merged, path, f"this is {describe(given)}, but the key is {describe(kind)}")


def check_step(building: Building, merged: Merged, column: QueryColumn, unit: Unit, source: Source) -> None:
    """Keys that are no beginnings of a step would never meet the values of a span."""
    if unit not in STEPS or (source.rows.source != source.rows.table and column.written.source.isidentifier()):
        return                              # days; or a column of another query, which knows best
    node = column.node
    while unit == "months" and isinstance(node, Call) and node.function.name == "add_months":
        node = node.arguments[0]            # some months later a month begins, too
    if not (isinstance(node, Call) and node.function.name == STEPS[unit]):
        building.tell(merged, column.at, f"this counts in {unit}, from one {STEPS[unit]}(...) to the next: write "
                                         f"{STEPS[unit]}({column.written.source})")


def _known(merged: Merged, path: BodyPath, name: str, report: Report, building: Building) -> ReportColumn | None:
    found = report.columns.get(name)
    if found is None and not building.now_in(merged, path, name, report.columns):
        building.tell(merged, path, f'there is no column "{name}"' + suggestion(name, report.columns))
    return found


def _check_layout(merged: Merged, report: Report, building: Building) -> None:
    layout, pivot = report.layout, report.layout.pivot
    for index, name in enumerate(layout.sections):
        _known(merged, ("layout", "sections", index), name, report, building)
    if pivot is None:
        return
    if layout.sections:
        building.tell(merged, ("layout", "pivot"), "a report has sections or is a cross table, not both")
    if not pivot.rows and not pivot.columns:
        building.tell(merged, ("layout", "pivot"), 'a cross table needs "rows" or "columns"')
    seen: dict[str, str] = {}
    for part in ("rows", "columns", "values"):
        for index, name in enumerate(getattr(pivot, part)):
            path: BodyPath = ("layout", "pivot", part, index)
            found = _known(merged, path, name, report, building)
            if seen.setdefault(name, part) != part:
                building.tell(merged, path, f'"{name}" stands among the {seen[name]} already')
            if part == "values" and found is not None and found.total is None:
                building.tell(merged, path, f'column "{name}" has no "total": a cell of a cross table is the total of '
                                            "several rows")
