"""What must hold of a dashboard: tiles show what is there, to roles that are there, with parameters that are known."""

from __future__ import annotations

from typing import Any

from core.definition.building import Building
from core.definition.kinds.figure_sources import Parameters, check_given, wanted
from core.definition.kinds.figures import check_roles
from core.definition.kinds.kpi import check_figure
from core.definition.kinds.object import check_area
from core.definition.kinds.parameters import check_parameters
from core.definition.reporting import Dashboard, Tile
from core.definition.values import BodyPath, Merged, value_at


def said(merged: Merged, path: BodyPath) -> bool:
    """Whether a definition says something at a path."""
    return value_at(merged.body, path) is not None


def wanted_by(building: Building, name: str, schema: Any) -> tuple[BodyPath, str, Parameters]:
    """The parameters that a tile wants from the dashboard."""
    at: BodyPath = ("tiles", name)
    if schema.kpi is not None:
        return wanted(building, (*at, "kpi"), schema.kpi.of, schema.kpi.with_)
    for kind in ("chart", "report"):
        shown = getattr(schema, kind)
        found = building.values[kind].get(shown) if shown is not None else None
        if found is not None:
            left = {one: field for one, field in found.parameters.items() if one not in schema.with_}
            return (*at, kind), f'{kind} "{shown}"', left
    return at, "", {}


def records_of(building: Building, shown: Any) -> str | None:
    """What bare names belong to in the records of a list: its table, or the rows of its query."""
    of = str(shown.of)
    if of in building.names.tables:
        return of
    query = building.values["query"].get(of)
    return (query.table if query is not None and query.chooses else None) or f"query {of}"


def check(merged: Merged, dashboard: Dashboard, building: Building) -> None:
    """Tell every problem of a dashboard."""
    check_roles(building, merged, ("for",), dashboard.roles)
    if dashboard.area is not None:
        check_area(merged, dashboard.area, building)
    check_parameters(building, merged, ("parameters",), dashboard.parameters)
    for name, tile in dashboard.tiles.items():
        _check_tile(merged, ("tiles", name), tile, building)


def _check_tile(merged: Merged, at: BodyPath, tile: Tile, building: Building) -> None:
    check_roles(building, merged, (*at, "for"), tile.roles)
    if tile.figure is not None:
        check_figure(building, merged, (*at, "kpi"), tile.figure)
    if tile.kind not in ("chart", "report", "list"):
        return
    found = building.find(merged, (*at, tile.kind), tile.kind, tile.shows)
    if found is None:
        return
    if tile.kind == "list":
        building.check(merged, (*at, "where"), tile.where)
    else:
        check_given(building, merged, (*at, "with"), tile.given, found.parameters)
