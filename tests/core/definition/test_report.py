"""Reports: sources joined on keys, columns of them, spans, totals, what a figure opens; and how layers change them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.definition import Model, references
from core.definition.reporting import Pivot, Report
from core.definition.scope import Written
from core.types.base import Type
from tests.core.definition.shop import problems, shop

MONTHS = """\
report: months
parameters: {since: {type: date, default: =year_start(today())}}
sources:
  orders:
    of: order
    where: {recent: day >= parameter.since}
    by: {month: month_start(day)}
    values: {orders: count(), total: sum(total.base), won: "sum(total.base, where=state == 'paid')"}
  lines:
    of: order_line
    by: {month: month_start(order.day)}
    values: {amount: sum(amount.base)}
span: {month: {from: =parameter.since, months: 12, fill: true}}
columns:
  month:  {}
  total:  {is: orders.total, total: sum}
  rest:   orders.total - lines.amount
  rate:   {is: orders.won / orders.total * 100, total: computed}
  so_far: running(orders.total)
order: [-month]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return shop(tmp_path_factory.mktemp("months"), "report", MONTHS)


@pytest.fixture
def report(model: Model) -> Report:
    return model.reports["months"]


def test_a_source_with_keys_is_a_grouped_query_of_its_table(report: Report) -> None:
    orders = report.sources["orders"]
    assert (orders.rows.table, orders.keys, orders.values) == ("order", ("month",), ("orders", "total", "won"))
    assert orders.rows.group == ("month",)
    assert not orders.detail


def test_sources_are_joined_on_the_keys_they_have_in_common(report: Report) -> None:
    assert report.keys == ("month",)
    assert report.sources["lines"].keys == ("month",)


def test_columns_have_the_types_of_what_they_work_out(report: Report) -> None:
    assert [str(column.type) for column in report.columns.values()] == ["date", "money", "money", "decimal", "money"]


def test_a_column_that_is_a_single_expression_has_no_other_property(report: Report) -> None:
    rest = report.columns["rest"]
    assert (rest.written.source, rest.title, rest.total) == ("orders.total - lines.amount", None, None)


def test_a_span_has_a_beginning_and_steps(report: Report) -> None:
    span = report.spans["month"]
    assert isinstance(span.start, Written)
    assert (span.start.expression.type, span.unit, span.count, span.fill) == (Type("date"), "months", 12, True)


def test_days_and_numbers_of_a_span_are_values(tmp_path: Path) -> None:
    text = ("report: days\nsources: {orders: {of: order, by: {day: day, year: year(day)}, values: {n: count()}}}\n"
            "span: {day: {from: 2024-01-31, to: 2024-02-29}, year: {from: 2020, to: 2024, fill: true}}\n"
            "columns: {day: {}, n: {}}\n")
    spans = shop(tmp_path, "report", text).reports["days"].spans
    assert (spans["day"].start, spans["day"].end) == (date(2024, 1, 31), date(2024, 2, 29))
    assert (spans["year"].start, spans["year"].end) == (2020, 2024)


def test_rows_of_records_stand_alone_and_name_their_fields(tmp_path: Path) -> None:
    text = ("report: open_orders\nabout: customer\nparameters: {customer: {type: link, to: user}}\n"
            "sources: {orders: {of: order, where: customer == parameter.customer}}\n"
            "columns: {number: {}, lines: {is: count(lines), total: sum}, who: customer.name}\n"
            "layout: {sections: [who]}\n")
    report = shop(tmp_path, "report", text).reports["open_orders"]
    assert report.detail is report.sources["orders"]
    assert report.about == "customer"
    assert [column.type.name for column in report.columns.values()] == ["text", "integer", "text"]
    assert report.layout.sections == ("who",)


def test_a_single_source_lends_its_values_without_its_name(tmp_path: Path) -> None:
    text = ("report: states\nsources: {orders: {of: order, by: {state: state}, values: {n: count()}}}\n"
            "columns: {state: {}, n: {total: sum}, twice: orders.n * 2}\n"
            "layout: {pivot: {columns: [state], values: [n]}}\n")
    report = shop(tmp_path, "report", text).reports["states"]
    assert report.columns["n"].type == Type("integer")
    assert report.layout.pivot == Pivot((), ("state",), ("n",))


def test_totals_stand_beside_every_row(tmp_path: Path) -> None:
    text = ("report: shares\nsources:\n  one: {of: order, by: {state: state}, values: {total: sum(total.base)}}\n"
            "  everything: {of: order, values: {total: sum(total.base)}}\n"
            "columns: {state: {}, share: one.total / everything.total}\n")
    assert shop(tmp_path, "report", text).reports["shares"].keys == ("state",)


def test_parameters_of_a_query_become_those_of_the_report_unless_they_are_given(tmp_path: Path) -> None:
    text = ("report: both\nsources:\n  open: {of: orders_in, with: {state: open}, values: {n: count()}}\n"
            "  some: {of: orders_in, values: {n: count()}}\ncolumns: {open: open.n, some: some.n}\n")
    report = shop(tmp_path, "report", text).reports["both"]
    assert report.sources["open"].given == {"state": "open"}
    assert list(report.parameters) == ["state"]
    assert report.parameters["state"].expression_type == Type("choice", "order_state")


def test_a_value_may_follow_from_its_key(tmp_path: Path) -> None:
    text = ("report: people\nsources: {orders: {of: order, by: {who: customer}, "
            "values: {name: customer.name, n: count()}}}\ncolumns: {who: {}, name: {}, n: {}}\n")
    assert problems(tmp_path, "report", text) == []


def test_a_sum_over_lines_may_use_what_belongs_to_their_head(tmp_path: Path) -> None:
    """Each line counts once; only what is the head's alone would count several times."""
    text = ("report: parts\nsources: {lines: {of: order_line, values: {part: sum(amount / order.total), "
            "largest: max(order.total)}}}\ncolumns: {part: {}, largest: {}}\n")
    assert problems(tmp_path, "report", text) == []


def test_a_year_before_stands_beside_the_year(tmp_path: Path) -> None:
    text = ("report: years\nsources:\n  now: {of: order, by: {month: month_start(day)}, values: {n: count()}}\n"
            '  before: {of: order, by: {month: "add_months(month_start(day), 12)"}, values: {n: count()}}\n'
            "span: {month: {from: =month_start(today()), months: 12}}\n"
            "columns: {month: {}, more: {is: now.n - before.n, opens: {source: now}}}\n")
    assert problems(tmp_path, "report", text) == []


def test_every_name_is_a_reference(model: Model) -> None:
    made = {(one.to_kind, one.to_name) for one in references(model) if one.kind == "report"}
    assert {("table", "order"), ("table", "order.day"), ("table", "order_line.amount"), ("table", "order.total"),
            ("choices", "order_state.paid")} <= made


def test_layers_change_columns_that_are_single_expressions(tmp_path: Path) -> None:
    change = ("change: report months\ncolumns:\n  rest: {title: What is left, total: sum, after: month}\n"
              "  rate: null\n  so_far: {hidden: true}\nsources:\n  orders: {where: {paid: state == 'paid'}}\n")
    report = shop(tmp_path, "report", MONTHS, {"metadata/reports/months.yaml": change}).reports["months"]
    assert list(report.columns) == ["month", "rest", "total", "so_far"]
    rest = report.columns["rest"]
    assert (rest.written.source, rest.title, rest.total) == ("orders.total - lines.amount", "What is left", "sum")
    where = report.sources["orders"].rows.where
    assert where is not None and list(where.parts) == ["recent", "paid"]


def test_what_has_no_title_is_called_like_the_field_it_shows(tmp_path: Path) -> None:
    text = ("report: open_orders\nsources: {orders: {of: order}}\n"
            "columns: {total: {}, who: customer.name, n: {is: count(lines)}}\n")
    model = shop(tmp_path, "report", text)
    titles = [model.text(f"report open_orders.columns.{name}.title", "en") for name in ("total", "who", "n")]
    assert titles == ["Amount in all", "Name", "N"]


def test_a_source_that_is_not_there_does_not_hide_what_is_wrong_with_the_others(tmp_path: Path) -> None:
    text = "report: two\nsources: {a: {of: nothing}, b: {of: order, values: {n: sum(totl)}}}\ncolumns: {n: b.n}\n"
    assert problems(tmp_path, "report", text) == [
        'addons/shop/reports/tested.yaml:2:15: there is no table or query "nothing"',
        'addons/shop/reports/tested.yaml:2:60: "totl" is not on table "order" (did you mean "total"?)']
