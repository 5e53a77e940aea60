"""Dashboards: tiles that show one thing each, key figures, and parameters that they share."""

from __future__ import annotations

from pathlib import Path

from core.definition import references
from core.definition.catalogue import units
from core.definition.kinds import BUILT_IN
from core.definition.scope import Written
from core.types.base import Type
from tests.core.definition.shop import problems, shop

SHOWN = {
    "addons/shop/reports/sales.yaml":
        "report: sales\ntitle: Sales\nparameters: {since: {type: date}, kind: {type: text, default: all}}\n"
        "sources: {orders: {of: order, where: day >= parameter.since and number != parameter.kind, "
        "by: {state: state}, values: {n: count()}}}\ncolumns: {state: {}, n: {total: sum}}\n",
    "addons/shop/charts/sales.yaml": "chart: sales\ntype: pie\nsource: {report: sales}\nx: state\ny: [n]\n"}
DESK = """\
dashboard: desk
for: []
parameters: {since: {type: date, default: =month_start(today())}}
tiles:
  figures: {report: sales, with: {kind: some}}
  picture: {chart: sales, width: 8, height: 2, new_row: true}
  open:    {list: order, where: state == 'open' and day >= parameter.since, limit: 5}
  hint:    {message: Look twice.}
  earned:
    kpi:
      of: order
      where: {recent: day >= parameter.since, paid: state == 'paid'}
      value: sum(total.base)
      compare: {title: All of them, where: state == 'paid'}
      trend: {by: month_start(day), months: 6, where: state == 'paid'}
      target: 1000
      opens: {list: order, where: total > 0}
      format: {decimals: 0, per: thousand}
"""


def test_tiles_stand_in_order_and_show_one_thing_each(tmp_path: Path) -> None:
    tiles = shop(tmp_path, "dashboard", DESK, SHOWN).dashboards["desk"].tiles
    assert [(tile.kind, tile.shows) for tile in tiles.values()] == [
        ("report", "sales"), ("chart", "sales"), ("list", "order"), ("message", "Look twice."), ("kpi", "")]
    assert (tiles["picture"].width, tiles["picture"].height, tiles["picture"].new_row) == (8, 2, True)
    assert tiles["open"].where is not None and tiles["open"].where.expression.type == Type("boolean")


def test_tiles_share_parameters_and_bring_those_that_nobody_gives(tmp_path: Path) -> None:
    desk = shop(tmp_path, "dashboard", DESK, SHOWN).dashboards["desk"]
    assert list(desk.parameters) == ["kind", "since"]        # kind is asked for the chart; the report is given one
    assert desk.tiles["figures"].given == {"kind": "some"}
    assert isinstance(desk.parameters["since"].written["default"], Written)


def test_a_key_figure_is_one_value_with_what_it_is_compared_with(tmp_path: Path) -> None:
    figure = shop(tmp_path, "dashboard", DESK, SHOWN).dashboards["desk"].tiles["earned"].figure
    assert figure is not None and figure.compare is not None and figure.trend is not None
    rows = figure.source.rows
    assert (rows.group, rows.columns["value"].type, figure.target) == ((), Type("money"), 1000)
    assert rows.where is not None and list(rows.where.parts) == ["recent", "paid"]
    other = figure.compare.source.rows
    assert other.where is not None and [one.written.source for one in other.where.each()] == ["state == 'paid'"]
    assert other.columns["value"].written.source == "sum(total.base)"
    assert (figure.trend.source.keys, figure.trend.unit, figure.trend.count) == (("by",), "months", 6)


def test_a_dashboard_refers_to_what_it_shows(tmp_path: Path) -> None:
    made = {(one.to_kind, one.to_name) for one in references(shop(tmp_path, "dashboard", DESK, SHOWN))
            if one.kind == "dashboard"}
    assert made >= {("report", "sales"), ("chart", "sales"), ("list", "order"), ("table", "order.total"),
                    ("choices", "order_state.open")}


def test_a_tile_is_called_like_what_it_shows(tmp_path: Path) -> None:
    model = shop(tmp_path, "dashboard", DESK, SHOWN)
    assert model.text("dashboard desk.tiles.figures.title", "en") == "Sales"
    assert model.text("dashboard desk.tiles.earned.title", "en") == "Earned"


def test_only_texts_that_stand_for_themselves_are_translated(tmp_path: Path) -> None:
    model = shop(tmp_path, "dashboard", DESK, SHOWN)
    found = [unit.path for unit in units(model, {kind.name: kind for kind in BUILT_IN})
             if unit.path.startswith("dashboard ")]
    assert found == ["dashboard desk.title", "dashboard desk.parameters.since.title",
                     "dashboard desk.tiles.hint.message", "dashboard desk.tiles.earned.title",
                     "dashboard desk.tiles.earned.kpi.compare.title"]


def test_layers_move_change_and_remove_tiles(tmp_path: Path) -> None:
    change = ("change: dashboard desk\ntiles:\n  hint: null\n  earned: {first: true, kpi: {target: 2000, compare: null}}\n"
              "  figures: {width: 12}\n")
    desk = shop(tmp_path, "dashboard", DESK, {**SHOWN, "metadata/dashboards/desk.yaml": change}).dashboards["desk"]
    assert list(desk.tiles) == ["earned", "figures", "picture", "open"]
    figure = desk.tiles["earned"].figure
    assert figure is not None and (figure.target, figure.compare) == (2000, None)


def test_a_key_figure_of_a_query_takes_its_parameters(tmp_path: Path) -> None:
    text = ("dashboard: desk\ntiles:\n  open: {kpi: {of: orders_in, with: {state: open}, value: count()}}\n"
            "  some: {kpi: {of: orders_in, value: count()}}\n")
    desk = shop(tmp_path, "dashboard", text).dashboards["desk"]
    assert list(desk.parameters) == ["state"]
    figure = desk.tiles["open"].figure
    assert figure is not None and figure.source.given == {"state": "open"}


def test_what_is_wrong_with_one_tile_does_not_hide_the_others(tmp_path: Path) -> None:
    text = "dashboard: desk\ntiles:\n  a: {kpi: {of: nothing, value: count()}}\n  b: {chart: nothing}\n  c: {}\n"
    assert [line.partition(": ")[2] for line in problems(tmp_path, "dashboard", text)] == [
        'there is no table or query "nothing"', 'there is no chart "nothing"',
        "a tile shows one of chart, report, list, kpi, message"]
