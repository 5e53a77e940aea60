"""What must hold of a chart: it shows what is there, and its axes are columns of types that its type can draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core.definition.building import Building
from core.definition.kinds.figure_sources import check_given, check_source
from core.definition.kinds.figures import check_number, check_opens
from core.definition.kinds.parameters import check_parameters
from core.definition.kinds.report_checks import source_of
from core.definition.names import suggestion
from core.definition.references import KEY
from core.definition.reporting import Chart, Report
from core.definition.values import BodyPath, Merged, value_at
from core.expression import ExpressionError
from core.expression.type_rules import SUMMABLE, describe
from core.types.base import Type

AXES = frozenset({"bar", "column", "line", "area", "scatter", "heat"})      # have an x
PARTS = frozenset({"pie", "donut", "funnel"})
STACKED = frozenset({"bar", "column", "area"})


def check(merged: Merged, chart: Chart, building: Building) -> None:
    """Tell every problem of a chart."""
    check_parameters(building, merged, ("parameters",), chart.parameters)
    for key, value in (("target", chart.target), ("least", chart.least), ("most", chart.most)):
        check_number(building, merged, (key,), value)
    if chart.source is not None:
        sound = check_source(building, merged, ("source",), chart.source)
        check_opens(building, merged, ("opens",), chart.opens, chart.source)
        if chart.opens.source is not None:
            building.tell(merged, ("opens", "source"), "this chart has one source: there is nothing to choose from")
        columns = _source_columns(chart, building) if sound else None
    else:
        report = building.find(merged, ("source", "report"), "report", chart.report or "")
        if report is None:
            return
        check_given(building, merged, ("source", "with"), chart.given, report.parameters)
        _check_report_opens(merged, chart, report, building)
        columns = _report_columns(report)
    if columns is not None:
        _check_columns(merged, chart, columns, building)
        for path, message in _shape_faults(chart):
            building.tell(merged, path, message)


def _source_columns(chart: Chart, building: Building) -> Mapping[str, Type]:
    """The columns of a source of its own: keys and values, or of records their fields."""
    rows = chart.source.rows if chart.source is not None else None
    if rows is None:
        return {}
    if rows.group is not None:
        return {name: column.type for name, column in rows.columns.items()}
    members = {name: building.names.member(rows.source, name) for name in building.names.members(rows.source)}
    return {name: kind for name, kind in members.items() if kind is not None}


def _report_columns(report: Report) -> Mapping[str, Type] | None:
    """The columns of a report; None if one is wrong, which is told there."""
    try:
        return {name: column.type for name, column in report.columns.items()}
    except ExpressionError:
        return None


def _check_report_opens(merged: Merged, chart: Chart, report: Report, building: Building) -> None:
    """What a chart of a report opens belongs to one of its sources."""
    opens = chart.opens
    if value_at(merged.body, ("opens",)) is None:
        return
    if value_at(merged.body, ("opens", "where")) is not None:
        building.tell(merged, ("opens", "where"), "this chart shows a report: say the condition at its column")
    if opens.source is not None and opens.source not in report.sources:
        building.tell(merged, ("opens", "source"), f'report "{report.name}" has no source "{opens.source}"'
                      + suggestion(opens.source, report.sources))
        return
    first = report.columns.get(chart.y[0])
    source = source_of(opens.source, first.written.source if first is not None else "", report.sources)
    check_opens(building, merged, ("opens",), opens, source)


def _check_columns(merged: Merged, chart: Chart, columns: Mapping[str, Type], building: Building) -> None:
    named: list[tuple[BodyPath, str]] = [((key,), name) for key in ("x", "series")
                                         if (name := getattr(chart, key)) is not None]
    named += [(("y", index), name) for index, name in enumerate(chart.y)]
    named += [(("order", index), name.removeprefix("-")) for index, name in enumerate(chart.order)]
    for path, name in named:
        kind = columns.get(name)
        if kind is None and building.now_in(merged, path, name, columns):
            continue
        if kind is None:
            building.tell(merged, path, f'there is no column "{name}" to show' + suggestion(name, columns))
        elif kind.many or kind.name == "set":
            building.tell(merged, path, f'"{name}" is {describe(kind)}: a chart shows single values')
        elif kind.name not in SUMMABLE and (path[0] == "y" or (path[0] == "x" and chart.type == "scatter")):
            building.tell(merged, path, f'"{name}" is {describe(kind)}: numbers are drawn here')
    known = _legend_names(chart, columns, building)
    for name in chart.legend if known is not None else ():
        if name not in (known or ()) and not building.now_in(merged, ("legend", name), name, known or (), KEY):
            building.tell(merged, ("legend", name), f'"{name}" is neither a column of "y" nor a value of "series" or '
                          '"x"' + suggestion(name, known or ()))


def _legend_names(chart: Chart, columns: Mapping[str, Type], building: Building) -> list[str] | None:
    """What a legend may name; None if its values are known only when they are read."""
    names = list(chart.y)
    for axis in (chart.series, chart.x):
        kind = columns.get(axis) if axis is not None else None
        if kind is None or kind.name not in ("choice", "text", "link", "boolean", "integer"):
            continue
        choices = building.names.choices.get(kind.of or "") if kind.name == "choice" else None
        if choices is None or choices.open_in_live:
            return None
        names += choices.values
    return names


def _shape_faults(chart: Chart) -> Iterator[tuple[BodyPath, str]]:
    """What does not go together in a chart of its type, and where."""
    a_chart = f'a chart of the type "{chart.type}"'
    if chart.type in AXES and chart.x is None:
        yield (), f'{a_chart} needs "x"'
    if chart.type in PARTS and chart.x is not None and len(chart.y) > 1:
        yield ("y",), f'{a_chart} shows one value for each "x", or several values without "x"'
    if chart.type == "heat" and chart.series is None:
        yield (), f'{a_chart} needs "series", the column along its other side'
    if chart.type == "gauge" and (chart.x is not None or len(chart.y) > 1):
        yield ("x",) if chart.x is not None else ("y",), f"{a_chart} shows one value"
    if chart.type == "gauge" and chart.most is None and chart.target is None:
        yield (), f'{a_chart} needs "most" or "target", where its scale ends'
    if chart.series is not None and chart.type not in AXES:
        yield ("series",), f"{a_chart} has no series"
    elif chart.series is not None and len(chart.y) > 1:
        yield ("y",), 'with "series" one value is drawn for each of them: "y" has one column'
    if chart.stacked and chart.type not in STACKED:
        yield ("stacked",), f"{a_chart} has nothing to stack: bars, columns and areas have"
    if chart.cumulative and chart.type not in ("bar", "column", "line", "area"):
        yield ("cumulative",), f"{a_chart} cannot add values up along an axis"
    if chart.limit is not None and chart.x is None:
        yield ("limit",), '"limit" is for the values along "x"'
    if chart.source is not None and chart.type == "gauge" and chart.source.keys:
        yield ("source", "by"), f'{a_chart} shows one value: its source has no "by"'
