"""Charts: of a report or of a source of their own; axes, series, legend and what a part opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import references
from core.definition.reporting import Legend
from core.definition.scope import Written
from tests.core.definition.shop import problems, shop

REPORT = {"addons/shop/reports/sales.yaml": """\
report: sales
parameters: {since: {type: date}, until: {type: date, default: =today()}}
sources:
  orders:
    of: order
    where: day >= parameter.since and day <= parameter.until
    by: {month: month_start(day), state: state}
    values: {n: count(), total: sum(total.base)}
columns: {month: {}, state: {}, n: {total: sum}, total: {title: In all, total: sum}}
"""}


def test_a_chart_of_a_report_takes_over_the_parameters_that_are_not_given(tmp_path: Path) -> None:
    text = ("chart: sales\ntype: line\nsource: {report: sales, with: {until: 2024-12-31}}\nx: month\ny: [total]\n"
            "series: state\n")
    chart = shop(tmp_path, "chart", text, REPORT).charts["sales"]
    assert (chart.report, chart.source, list(chart.parameters), list(chart.given)) == (
        "sales", None, ["since"], ["until"])
    assert (chart.x, chart.y, chart.series) == ("month", ("total",), "state")


def test_a_chart_groups_records_by_itself(tmp_path: Path) -> None:
    text = ("chart: states\ntype: funnel\nparameters: {least: {type: money}}\n"
            "source: {of: order, where: total > parameter.least, by: {state: state}, values: {n: count()}}\n"
            "x: state\ny: [n]\ntarget: =count(all.order)\nmost: 100\nlegend: {paid: {color: green}, n: {title: Orders}}\n")
    chart = shop(tmp_path, "chart", text).charts["states"]
    assert chart.source is not None and chart.source.keys == ("state",)
    assert isinstance(chart.target, Written) and chart.most == 100
    assert chart.legend == {"paid": Legend(None, "green"), "n": Legend("Orders", None)}


def test_points_stand_for_records(tmp_path: Path) -> None:
    text = "chart: points\ntype: scatter\nsource: {of: order}\nx: total\ny: [total]\nseries: customer\n"
    chart = shop(tmp_path, "chart", text).charts["points"]
    assert chart.source is not None and chart.source.detail


def test_a_chart_of_a_query_names_its_columns(tmp_path: Path) -> None:
    query = {"addons/shop/queries/by_state.yaml": "query: by_state\nof: order\ngroup: [state]\n"
             "columns: {state: {}, n: count(), last: max(day)}\n"}
    text = "chart: states\ntype: bar\nsource: {of: by_state}\nx: state\ny: [n]\n"
    assert problems(tmp_path, "chart", text, query) == []
    wrong = text.replace("y: [n]", "y: [last]")
    assert problems(tmp_path / "wrong", "chart", wrong, query) == [
        'addons/shop/charts/tested.yaml:5:5: "last" is a date: numbers are drawn here']


@pytest.mark.parametrize(("type", "axes"), [
    ("column", "x: month\ny: [n, total]\nstacked: true"), ("bar", "x: state\ny: [n]\nseries: month"),
    ("line", "x: month\ny: [total]\ncumulative: true"), ("area", "x: month\ny: [n]\nseries: state\nstacked: true"),
    ("pie", "x: state\ny: [n]"), ("donut", "y: [n, total]"), ("funnel", "y: [n, total]"),
    ("heat", "x: month\ny: [n]\nseries: state"), ("scatter", "x: n\ny: [total]"), ("gauge", "y: [n]\nmost: 100")])
def test_each_type_draws_what_fits_it(tmp_path: Path, type: str, axes: str) -> None:
    text = f"chart: sales\ntype: {type}\nsource: {{report: sales}}\n{axes}\n"
    assert problems(tmp_path, "chart", text, REPORT) == []


def test_the_values_of_a_text_are_not_known_so_a_legend_may_name_any(tmp_path: Path) -> None:
    text = ("chart: sales\ntype: bar\nsource: {of: order, by: {number: number}, values: {n: count()}}\nx: number\ny: [n]\n"
            "legend: {A7: {color: red}}\n")
    assert problems(tmp_path, "chart", text) == []


def test_a_chart_refers_to_its_report(tmp_path: Path) -> None:
    text = "chart: sales\ntype: pie\nsource: {report: sales}\nx: state\ny: [n]\nopens: {list: order}\n"
    made = {(one.to_kind, one.to_name) for one in references(shop(tmp_path, "chart", text, REPORT))
            if one.kind == "chart"}
    assert made >= {("report", "sales"), ("list", "order")}


def test_a_legend_is_called_like_the_column_of_the_report(tmp_path: Path) -> None:
    text = ("chart: sales\ntype: column\nsource: {report: sales}\nx: month\ny: [total]\n"
            "legend: {total: {color: red}}\n")
    model = shop(tmp_path, "chart", text, REPORT)
    assert model.text("chart sales.legend.total.title", "en") == "In all"


def test_layers_change_one_property_of_a_legend(tmp_path: Path) -> None:
    text = ("chart: sales\ntype: column\nsource: {report: sales}\nx: month\ny: [total]\n"
            "legend: {total: {color: red, title: All}}\n")
    change = "change: chart sales\ntype: line\ny: {add: [n]}\nlegend: {total: {color: blue}}\n"
    chart = shop(tmp_path, "chart", text, {**REPORT, "metadata/charts/sales.yaml": change}).charts["sales"]
    assert (chart.type, chart.y, chart.legend) == ("line", ("total", "n"), {"total": Legend("All", "blue")})
