"""The kind `chart`: a picture of a report, or of records that it groups itself."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds import chart_checks
from core.definition.kinds.base import Kind
from core.definition.kinds.figure_sources import Parameters, build_source, given_values, wanted, with_inherited
from core.definition.kinds.figures import SourceOpensSchema, build_opens, number
from core.definition.kinds.parameters import ParameterSchema
from core.definition.kinds.query import Conditions
from core.definition.kinds.report import ColumnOrder
from core.definition.kinds.schema import Color, Expression, Name, Schema, Text, Value, ValueName
from core.definition.reporting import Chart, Legend, Opens, Source
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged


class ChartSourceSchema(Schema):
    """What a chart shows: a report, or a source of its own."""

    report: Name | None = Property(None, description="The report whose columns it shows; instead of `of`.")
    of: Name | None = Property(None, description="The table, base or query that it reads itself; instead of `report`.")
    with_: dict[Name, Value] = Property({}, alias="with", description="Parameters of the report or query. Those that "
                                        "are left out become parameters of the chart.")
    where: Conditions = Property(None, description="The records or rows of `of` that count: one expression, or "
                                 "conditions by name (see query).")
    by: dict[Name, Expression] = Property({}, description="The keys: one row for each of their values, such as "
                                          "{month: month_start(closed)}.")
    values: dict[Name, Expression] = Property({}, description="What is worked out for each row, such as sum(amount).")


class LegendSchema(Schema):
    """How a value is called and coloured."""

    title: Text | None = Property(None, description="What people call it; the title of the column or choice, or the "
                                  "name in words, if left out.")
    color: Color | None = Property(None, description="Its colour (see choices); that of the choice, or the next of the "
                                  "palette, if left out.")


class ChartSchema(Schema):
    """A picture of figures; beside it people always find them as a table."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it tells, in a sentence.")
    type: Literal["bar", "column", "line", "area", "pie", "donut", "funnel", "gauge", "scatter", "heat"] = Property(
        description="What it looks like: bars lie, columns stand.")
    source: ChartSourceSchema = Property(description="What it shows.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What people give before they see it, by name; "
                                                       "expressions say parameter.name.")
    x: Name | None = Property(None, description="The column along the first axis, or whose values are the parts of a "
                              "pie or funnel.")
    y: list[Name] = Property(min_length=1, description="The columns that are drawn: numbers. A pie, donut or funnel "
                             "without `x` has one part for each.")
    series: Name | None = Property(None, description="The column that makes a line, colour or (in a heat map) row of "
                                   "each of its values; then `y` is one column.")
    stacked: bool = Property(False, description="True: bars, columns or areas stand on each other.")
    cumulative: bool = Property(False, description="True: each value is the sum of all up to it.")
    order: list[ColumnOrder] = Property([], description="The columns it is sorted by; -name from high to low. By `x` "
                                        "if left out.")
    limit: int | None = Property(None, ge=1, description="The most values along `x`; the rest is drawn as one.")
    target: Value = Property(None, description="A number that is aimed at, drawn as a line or mark.")
    least: Value = Property(None, description="Where the scale begins; at 0 or below the least value if left out.")
    most: Value = Property(None, description="Where the scale ends; a gauge needs it, or `target`.")
    legend: dict[ValueName, LegendSchema] = Property({}, description="Titles and colours, by a column of `y` or a "
                                                     "value of `series` or `x`.")
    opens: SourceOpensSchema | None = Property(None, description="What a click on a part opens; of a report, what the "
                                               "column opens; else the table's own list of the records behind it.")


class ChartKind(Kind):
    """A picture of figures."""

    name = "chart"
    folder = "charts"
    lazy = True
    schema: ClassVar[type[Schema]] = ChartSchema

    def build(self, merged: Merged, schema: ChartSchema, building: Building) -> Chart | None:
        """The chart; None, with a problem told, if it shows nothing that is there."""
        shown = schema.source
        if (shown.report is None) == (shown.of is None):
            building.tell(merged, ("source",), 'a chart shows either a report ("report") or a source ("of")')
            return None
        for key in ("where", "by", "values") if shown.report is not None else ():
            if getattr(shown, key):
                building.tell(merged, ("source", key), f'"{key}" is for a source of its own: the report says it '
                                                       "already")
        parameters = with_inherited(building, merged, schema.parameters, [self._wanted(building, shown)])
        source, given = self._source(building, merged, shown, parameters)
        if shown.of is not None and source is None:
            return None
        numbers: dict[str, Any] = {key: number(building, merged, (key,), getattr(schema, key), parameters)
                                   for key in ("target", "least", "most")}
        legend = {name: Legend(one.title, one.color) for name, one in schema.legend.items()}
        opens = build_opens(building, schema.opens, source, parameters) if source else \
            Opens(schema.opens.list, schema.opens.source) if schema.opens else Opens()
        return Chart(merged.name, schema.title or humanised(merged.name), schema.type, shown.report, source,
                     schema.help or "", parameters, given, schema.x, tuple(schema.y), schema.series, schema.stacked,
                     schema.cumulative, tuple(schema.order), schema.limit, **numbers, legend=legend, opens=opens)

    def check(self, merged: Merged, value: Chart, building: Building) -> None:
        """Check what it shows, and that axes name columns of the right types."""
        chart_checks.check(merged, value, building)

    def _wanted(self, building: Building, shown: ChartSourceSchema) -> tuple[BodyPath, str, Parameters]:
        if shown.of is not None:
            return wanted(building, ("source",), shown.of, shown.with_)
        report = building.values["report"].get(shown.report or "")
        left = {name: field for name, field in (report.parameters if report else {}).items() if name not in shown.with_}
        return ("source", "report"), f'report "{shown.report}"', left

    def _source(self, building: Building, merged: Merged, shown: ChartSourceSchema,
                parameters: Parameters) -> tuple[Source | None, dict[str, object]]:
        if shown.of is not None:
            return build_source(building, merged, ("source",), "source", shown, parameters), {}
        report = building.values["report"].get(shown.report or "")
        return None, given_values(building, merged, ("source", "with"), shown.with_,
                                  report.parameters if report else {}, parameters) if report else {}
