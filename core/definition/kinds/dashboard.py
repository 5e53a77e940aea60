"""The kind `dashboard`: charts, reports, lists and key figures beside each other."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds import dashboard_checks
from core.definition.kinds.base import Kind
from core.definition.kinds.figure_sources import Parameters, given_values, with_inherited
from core.definition.kinds.figures import FormatSchema, OpensSchema
from core.definition.kinds.kpi import build_figure
from core.definition.kinds.parameters import ParameterSchema
from core.definition.kinds.query import Conditions
from core.definition.kinds.query_sources import variables
from core.definition.kinds.schema import Expression, Line, Name, Schema, Text, Value
from core.definition.reporting import Dashboard, Tile
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import Merged

WHAT = ("chart", "report", "list", "kpi", "message")


class CompareSchema(Schema):
    """What the figure is compared with; the difference stands beside it."""

    title: Text = Property(description="What people call it, such as Last month.")
    where: Conditions = Property(None, description="The records that count instead of the figure's own.")
    value: Expression | None = Property(None, description="What is worked out instead of the figure's own value.")


class TrendSchema(Schema):
    """The figure in each of the last steps, as a small line."""

    by: Expression = Property(description="The day a record counts for: with months month_start(...), with weeks "
                              "week_start(...) and so on.")
    where: Conditions = Property(None, description="The records that count instead of the figure's own; those of the "
                                 "figure may be of one month only.")
    days: int | None = Property(None, ge=2, le=366, description="How many days, until today.")
    weeks: int | None = Property(None, ge=2, le=260, description="How many weeks.")
    months: int | None = Property(None, ge=2, le=120, description="How many months.")
    quarters: int | None = Property(None, ge=2, le=40, description="How many quarters.")
    years: int | None = Property(None, ge=2, le=50, description="How many years.")


class KpiSchema(Schema):
    """A key figure: one value, what it is compared with, what is aimed at."""

    of: Name = Property(description="The table, base or query that it reads; what a reader may not see does not count.")
    with_: dict[Name, Value] = Property({}, alias="with", description="Parameters of the query that it reads.")
    where: Conditions = Property(None, description="The records or rows that count: one expression, or conditions by "
                                 "name (see query); all if left out.")
    value: Expression = Property(description="The figure, such as sum(amount) or count().")
    compare: CompareSchema | None = Property(None, description="What it is compared with.")
    trend: TrendSchema | None = Property(None, description="How it went.")
    target: Value = Property(None, description="The number that is aimed at.")
    good: Literal["more", "less"] = Property("more", description="Whether more or less of it is good; decides the "
                                             "colour of differences.")
    opens: OpensSchema | None = Property(None, description="What a click opens; the table's own list of the records "
                                         "that count if left out.")
    format: FormatSchema | None = Property(None, description="How it is written.")


class TileSchema(Schema):
    """A tile: it shows exactly one of chart, report, list, kpi and message."""

    title: Text | None = Property(None, description="Its heading; that of what it shows if left out.")
    chart: Name | None = Property(None, description="The chart that it shows.")
    report: Name | None = Property(None, description="The report that it shows.")
    list_: Name | None = Property(None, alias="list", description="The list that it shows.")
    kpi: KpiSchema | None = Property(None, description="The key figure that it shows.")
    message: Text | None = Property(None, description="The text that it shows.")
    where: Expression | None = Property(None, description="The records of the list; all if left out.")
    limit: int | None = Property(None, ge=1, le=100, description="The most rows of the list or report.")
    with_: dict[Name, Value] = Property({}, alias="with", description="Parameters of the chart or report. Those of "
                                        "the same name as one of the dashboard take that, the others become "
                                        "parameters of the dashboard.")
    for_: list[Name] = Property([], alias="for", description="The roles that see it; all if left out.")
    width: int = Property(4, ge=1, le=12, description="How many of twelve columns it takes; on a phone all.")
    height: int = Property(1, ge=1, le=8, description="How many rows it takes.")
    new_row: bool = Property(False, description="True: it begins a new row.")


class DashboardSchema(Schema):
    """Charts, reports, lists and key figures beside each other."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it is for, in a sentence.")
    for_: list[Name] = Property([], alias="for", description="The roles that find it; everybody if left out.")
    home: bool = Property(False, description="True: the first page of those it is for who have chosen none.")
    area: Name | None = Property(None, description="The area of the desktop it stands in; none if left out.")
    icon: Line | None = Property(None, description="The name of its icon.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What people set above the tiles, by name; the "
                                                       "tiles share them, and expressions say parameter.name.")
    tiles: dict[Name, TileSchema] = Property(min_length=1, description="The tiles by name, in order: beside each other "
                                             "as long as they fit, then below.")


def shown_by(schema: TileSchema, kind: str) -> object:
    """What a tile says under one of the words for what it shows."""
    return schema.list_ if kind == "list" else getattr(schema, kind)


class DashboardKind(Kind):
    """Tiles beside each other."""

    name = "dashboard"
    folder = "dashboards"
    lazy = True
    schema: ClassVar[type[Schema]] = DashboardSchema

    def build(self, merged: Merged, schema: DashboardSchema, building: Building) -> Dashboard:
        """The dashboard; tiles that show nothing, or several things, are told and left out."""
        below = [dashboard_checks.wanted_by(building, name, tile) for name, tile in schema.tiles.items()]
        parameters = with_inherited(building, merged, schema.parameters, below)
        made = {name: self._tile(building, merged, name, tile, parameters) for name, tile in schema.tiles.items()}
        tiles = {name: tile for name, tile in made.items() if tile is not None}
        return Dashboard(merged.name, schema.title or humanised(merged.name), tiles, schema.help or "",
                         tuple(schema.for_), schema.home, schema.area, schema.icon, parameters)

    def check(self, merged: Merged, value: Dashboard, building: Building) -> None:
        """Check what the tiles show, and their parameters."""
        dashboard_checks.check(merged, value, building)

    def _tile(self, building: Building, merged: Merged, name: str, schema: TileSchema,
              parameters: Parameters) -> Tile | None:
        at = ("tiles", name)
        kinds = [kind for kind in WHAT if shown_by(schema, kind) is not None]
        if len(kinds) != 1:
            building.tell(merged, at if not kinds else (*at, kinds[1]),
                          f"a tile shows one of {', '.join(WHAT)}" + (f", not {' and '.join(kinds)}" if kinds else ""))
            return None
        kind: Any = kinds[0]
        for key, fit in (("where", ("list",)), ("limit", ("list", "report")), ("with", ("chart", "report"))):
            if dashboard_checks.said(merged, (*at, key)) and kind not in fit:
                building.tell(merged, (*at, key), f'"{key}" is for {" and ".join(f"a {one}" for one in fit)}')
        shown = shown_by(schema, kind)
        figure = build_figure(building, merged, (*at, "kpi"), schema.kpi, parameters) if schema.kpi else None
        if kind == "kpi" and figure is None:
            return None
        found = building.values[kind].get(str(shown)) if kind in ("chart", "report", "list") else None
        given = given_values(building, merged, (*at, "with"), schema.with_, found.parameters, parameters) \
            if found is not None and kind != "list" else {}
        scope = building.scope(dashboard_checks.records_of(building, found) if kind == "list" and found else None,
                               variables(building, parameters, {}))
        where = Written(schema.where, scope, "boolean") if schema.where is not None and kind == "list" else None
        return Tile(name, kind, "" if kind == "kpi" else str(shown), schema.title, figure, where, schema.limit, given,
                    tuple(schema.for_), schema.width, schema.height, schema.new_row)
