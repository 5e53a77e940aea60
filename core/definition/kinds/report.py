"""The kind `report`: figures and records in columns, from one source or several that are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator
from pydantic import Field as Property
from pydantic_core import PydanticCustomError

from core.definition.building import Building
from core.definition.kinds import report_checks
from core.definition.kinds.base import Kind
from core.definition.kinds.figure_sources import Parameters, SourceSchema, build_source, wanted, with_inherited
from core.definition.kinds.figures import FormatSchema, SourceOpensSchema, build_format, build_opens
from core.definition.kinds.parameters import ParameterSchema
from core.definition.kinds.query_sources import over
from core.definition.kinds.schema import Expression, Line, Name, Schema, Text, Value
from core.definition.merge import Change
from core.definition.names import fault
from core.definition.reporting import Layout, Pivot, Report, ReportColumn, Source, Span, Unit
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.tree import Node
from core.definition.values import Merged


def _order(value: object) -> object:
    wrong = fault(value.removeprefix("-") if isinstance(value, str) else value)
    if wrong is not None:
        raise PydanticCustomError("order", "{wrong}", {"wrong": wrong})
    return value


ColumnOrder = Annotated[str, BeforeValidator(_order), Property(json_schema_extra={"word": "name or -name"})]
UNITS: tuple[Unit, ...] = ("days", "weeks", "months", "quarters", "years")


class SpanSchema(Schema):
    """The values of a key that are shown, from one to another."""

    from_: Value = Property(None, alias="from", description="The first value, such as =month_start(today()).")
    to: Value = Property(None, description="The last value; or say how many there are by one of the next.")
    days: int | None = Property(None, ge=1, le=10_000, description="How many days.")
    weeks: int | None = Property(None, ge=1, le=2_000, description="How many weeks; the key is week_start(...).")
    months: int | None = Property(None, ge=1, le=1_200, description="How many months; the key is month_start(...).")
    quarters: int | None = Property(None, ge=1, le=400, description="How many quarters; the key is "
                                    "quarter_start(...).")
    years: int | None = Property(None, ge=1, le=200, description="How many years; the key is year_start(...).")
    fill: bool = Property(False, description="True: values for which there is nothing are shown too. With `to` the "
                          "step of a date is that of its key; the values of a choice need no `from`.")


class ReportColumnSchema(Schema):
    """A column; instead of a mapping its expression may stand alone."""

    is_: Expression | None = Property(None, alias="is", description="What it shows: a key by its name, a value as "
                                      "source.value, or an expression of them; of records their fields and paths. "
                                      "What has the column's name if left out.")
    title: Text | None = Property(None, description="Its heading; the name in words if left out.")
    help: Text | None = Property(None, description="A sentence shown beside the heading.")
    total: Literal["sum", "average", "min", "max", "count", "computed"] | None = Property(
        None, description="What stands below it and below sections; `computed` works it out again over all the records "
        "together, as shares, rates and averages want.")
    opens: SourceOpensSchema | None = Property(None, description="What a click on a figure opens; the table's own list "
                                               "of the records behind it if left out.")
    format: FormatSchema | None = Property(None, description="How it is written; as its type says if left out.")
    hidden: bool = Property(False, description="True: for other uses only, such as order and charts.")


class PivotSchema(Schema):
    """The report as a cross table; people may turn it round."""

    rows: list[Name] = Property([], description="The columns whose values make the rows.")
    columns: list[Name] = Property([], description="The columns whose values make the columns.")
    values: list[Name] = Property(min_length=1, description="The columns whose totals stand in the cells.")


class LayoutSchema(Schema):
    """How the rows are laid out; as they come if left out."""

    sections: list[Name] = Property([], description="Columns whose values become headings, the outermost first, with "
                                    "totals below each.")
    pivot: PivotSchema | None = Property(None, description="A cross table instead of rows.")
    paper: Literal["portrait", "landscape"] = Property("portrait", description="How the page lies when it is printed.")


def _column(value: object) -> object:
    return value if isinstance(value, dict | ReportColumnSchema) else {"is": value}


class ReportSchema(Schema):
    """Figures or records in columns, with totals, to read, print and take out."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it tells, in a sentence.")
    for_: list[Name] = Property([], alias="for", description="The roles that find it; everybody if left out. What they "
                                "see in it is what they may read.")
    area: Name | None = Property(None, description="The area of the desktop it stands in; among the reports only if "
                                 "left out.")
    icon: Line | None = Property(None, description="The name of its icon.")
    about: Name | None = Property(None, description="The parameter that is the record at hand: forms and lists of its "
                                  "table offer the report.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What people give before they see it, by name; "
                                                       "expressions say parameter.name.")
    sources: dict[Name, SourceSchema] = Property(min_length=1, description="The sources by name. Several are joined "
                                                 "where their keys are equal, so all have the same keys, or none.")
    span: dict[Name, SpanSchema] = Property({}, description="The values of a key that are shown, by the name of the "
                                            "key; those that are there if left out.")
    columns: dict[Name, Annotated[ReportColumnSchema, BeforeValidator(_column),
                                  Property(json_schema_extra={"short": "expression"})]] = Property(
        min_length=1, description="The columns by name, in order.")
    order: list[ColumnOrder] = Property([], description="The columns that rows are sorted by; -name from high to "
                                        "low. By the keys if left out.")
    limit: int | None = Property(None, ge=1, description="The most rows.")
    layout: LayoutSchema | None = Property(None, description="Sections, a cross table, the paper.")
    formats: list[Literal["csv", "xlsx", "pdf"]] = Property(["csv", "xlsx", "pdf"], description="What it may be taken "
                                                            "out as; all if left out, [] for none.")


class ReportKind(Kind):
    """Figures or records in columns."""

    name = "report"
    folder = "reports"
    lazy = True
    schema: ClassVar[type[Schema]] = ReportSchema

    def merge(self, below: Node, change: Node, what: Change) -> Node:
        """Change what lower layers made; a column that is a single expression counts as `{is: expression}`."""
        return super().merge(_long(below), _long(change), what)

    def build(self, merged: Merged, schema: ReportSchema, building: Building) -> Report:
        """The report; sources that read nothing are told and left out, so that the others can be checked."""
        below = [wanted(building, ("sources", name), one.of, one.with_) for name, one in schema.sources.items()]
        parameters = with_inherited(building, merged, schema.parameters, below)
        made = {name: build_source(building, merged, ("sources", name), name, one, parameters)
                for name, one in schema.sources.items()}
        sources = {name: source for name, source in made.items() if source is not None}
        if len(sources) < len(made):
            building.broken.add((self.name, merged.name))
        columns = {name: _report_column(building, name, one, sources, parameters)
                   for name, one in schema.columns.items()}
        spans = {name: _span(building, merged, name, one, parameters) for name, one in schema.span.items()}
        return Report(merged.name, schema.title or humanised(merged.name), sources, columns, schema.help or "",
                      schema.about, tuple(schema.for_), schema.area, schema.icon, parameters, spans,
                      tuple(schema.order), schema.limit, _layout(schema.layout), tuple(schema.formats))

    def check(self, merged: Merged, value: Report, building: Building) -> None:
        """Check sources and what joins them, columns, spans, order and layout."""
        report_checks.check(merged, value, building)


def _long(tree: Node) -> Node:
    """Columns that are single expressions as mappings, so that a change may set their other properties."""
    columns = tree.map.get("columns")
    if columns is None or columns.value is None:
        return tree
    members = {name: column if column.value is None or isinstance(column.value, dict)
               else Node({"is": column}, column.origin) for name, column in columns.map.items()}
    return replace(tree, value={**tree.map, "columns": replace(columns, value=members)})


def _report_column(building: Building, name: str, schema: ReportColumnSchema,
                   sources: Mapping[str, Source], parameters: Parameters) -> ReportColumn:
    text = schema.is_ if schema.is_ is not None else name
    scope = report_checks.column_scope(building, sources, parameters)
    about = over(text, False)
    opened = report_checks.source_of(schema.opens.source if schema.opens else None, text, sources)
    return ReportColumn(name, Written(text, scope, over=about), schema.title, schema.help or "", schema.total,
                        build_opens(building, schema.opens, opened, parameters), build_format(schema.format),
                        schema.hidden)


def _span(building: Building, merged: Merged, name: str, schema: SpanSchema, parameters: Parameters) -> Span:
    unit = next((one for one in UNITS if getattr(schema, one) is not None), None)
    values: list[Any] = [report_checks.bound(building, merged, ("span", name, key), value, parameters)
                         for key, value in (("from", schema.from_), ("to", schema.to))]
    return Span(name, values[0], values[1], unit, getattr(schema, unit) if unit else None, schema.fill)


def _layout(schema: LayoutSchema | None) -> Layout:
    if schema is None:
        return Layout()
    pivot = schema.pivot
    return Layout(tuple(schema.sections), Pivot(tuple(pivot.rows), tuple(pivot.columns), tuple(pivot.values))
                  if pivot else None, schema.paper)
