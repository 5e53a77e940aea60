"""What an expression gives over one record in Python, above all where something is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.expression import Environment, EvaluationError, is_true, passes
from core.types.base import Type
from tests.core.expression.world import ENVIRONMENT, checked, value
from tests.work import calls

COMPANY: Mapping[str, Any] = {"id": 3, "_type": "client", "name": "Acme", "size": 12, "parent": None}
LINES: list[dict[str, Any]] = [
    {"id": 1, "product": "Server", "quantity": 2, "price": Decimal("900.00"), "due": date(2026, 2, 1), "done": True},
    {"id": 2, "product": "Cable", "quantity": 10, "price": Decimal("2.50"), "due": None, "done": None},
    {"id": 3, "product": "Disk", "quantity": None, "price": None, "due": date(2026, 1, 1), "done": False},
]


def test_equality_takes_empty_as_a_value() -> None:
    assert value("name == 'a'", name=None) is False
    assert value("name != 'a'", name=None) is True
    assert value("name == note", name=None, note=None) is True
    assert value("stage in ['open', 'won']", stage=None) is False
    assert value("stage not in ['open', 'won']", stage=None) is True
    assert value("stage in ['open', None]", stage=None) is True


def test_order_with_empty_is_unknown() -> None:
    assert value("amount < 5", amount=None) is None
    assert value("not amount < 5", amount=None) is None
    assert value("amount < 5 and archived", amount=None, archived=False) is False
    assert value("amount < 5 or archived", amount=None, archived=True) is True
    assert value("amount < 5 or archived", amount=None, archived=False) is None
    assert value("1 if amount < 5 else 2", amount=None) == 2


def test_unknown_is_false_for_where_and_passes_for_check() -> None:
    assert [is_true(v) for v in (True, False, None)] == [True, False, False]
    assert [passes(v) for v in (True, False, None)] == [True, False, True]


def test_an_empty_boolean_counts_as_no_where_a_condition_is_asked() -> None:
    assert value("not archived", archived=None) is True
    assert value("archived and True", archived=None) is False
    assert checked("archived", "boolean").evaluate({"archived": None}, ENVIRONMENT) is False
    assert value("archived == False", archived=None) is False
    assert value("archived is None", archived=None) is True


def test_an_empty_text_or_list_is_empty() -> None:
    assert value("name is None", name="") is True
    assert value("name == ''", name=None) is True
    assert value("kinds is None", kinds=[]) is True
    assert value("'won' not in kinds", kinds=None) is True


def test_arithmetic_with_empty_is_empty_and_numbers_are_exact() -> None:
    assert value("amount + 1", amount=None) is None
    assert value("amount * 0.1", amount=Decimal("0.3")) == Decimal("0.03")
    assert value("1 / 3") == Decimal("0.3333333333")
    assert value("2 / 3") == Decimal("0.6666666667")
    assert value("-2 / 3") == Decimal("-0.6666666667")
    assert value("amount / 0", amount=Decimal(1)) is None
    assert value("amount % count_of", amount=Decimal(1), count_of=0) is None
    assert value("-7 % 3") == 2
    assert value("7 % -3") == -2


def test_money_of_many_digits_is_not_rounded() -> None:
    large = Decimal("999999999999999.99")
    assert value("amount * amount * factor", amount=large, factor=large) == Decimal(
        "999999999999999970000000000000000299999999999.999999")


def test_the_user_and_the_day_come_from_the_environment() -> None:
    assert value("closes == today()", closes=date(2026, 3, 29)) is True
    assert value("closes < today() - days(90)", closes=date(2025, 12, 1)) is True
    assert value("date(now()) == today()") is True     # 23:30 in UTC is the next day in Berlin
    assert value("user == 7") is True
    assert value("user.company") == 2
    assert value("datetime(closes)", closes=date(2026, 7, 1)) == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_dates_and_durations() -> None:
    assert value("closes - starts", closes=date(2026, 3, 1), starts=date(2026, 2, 27)) == timedelta(days=2)
    assert value("closes + hours(36)", closes=date(2026, 3, 1)) == date(2026, 3, 2)
    assert value("closes - hours(6)", closes=date(2026, 3, 1)) == date(2026, 2, 28)
    assert value("days(count_of)", count_of=100_001) is None


def test_links_are_followed_as_mappings_or_by_dotted_keys_and_are_ids_as_values() -> None:
    assert value("company.name == 'Acme' and company == 3", company=COMPANY) is True
    assert value("company.name", **{"company": 3, "company.name": "Acme"}) == "Acme"
    assert value("company.name is None and company.parent.name is None", company=None) is True
    assert value("company.parent.name", company=COMPANY) is None
    assert value("company in [partner, 3]", company=COMPANY, partner=None) is True
    assert value("company in members", company=COMPANY, members=[{"id": 3}, {"id": 4}]) is True


def test_a_field_that_a_draft_does_not_have_yet_is_empty() -> None:
    assert value("amount is None and company.name is None and count(lines) == 0") is True


def test_what_was_not_read_is_an_error_and_not_empty() -> None:
    with pytest.raises(EvaluationError, match='"company.name" was not read'):
        value("company.name", company=3)
    with pytest.raises(EvaluationError, match='"manager.company" was not read'):
        value("user.manager.company", Environment({"id": 1, "manager": 2}, date(2026, 1, 1), ENVIRONMENT.now, "UTC"))
    with pytest.raises(EvaluationError, match='"_type" of "company" was not read'):
        value("company is client", company=3)
    with pytest.raises(EvaluationError, match='the records of "members" were not read'):
        value("exists(members[size > 1])", members=[1, 2])
    with pytest.raises(EvaluationError, match=r"all\.company can be read only in the database"):
        value("exists(all.company[size > 1])")


def test_a_value_of_another_type_than_declared_is_an_error_of_its_own() -> None:
    with pytest.raises(EvaluationError, match="'amount > 1' does not fit what it was given"):
        value("amount > 1", amount="much")


def test_kinds_of_a_base() -> None:
    assert value("company is client", company=COMPANY) is True
    assert value("company is company", company=COMPANY) is True
    assert value("company is not client", company={"id": 4, "_type": "company"}) is True
    assert value("company is client", company=None) is False
    assert value("record is deal", _type="deal") is True


def test_sets() -> None:
    assert value("count(lines)", lines=LINES) == 3
    assert value("count(lines.due)", lines=LINES) == 2
    assert value("count(lines[price > 100])", lines=LINES) == 1
    assert value("sum(lines.price)", lines=LINES) == Decimal("902.50")
    assert value("sum(lines[price > 5000].price)", lines=LINES) == 0
    assert value("sum(lines.quantity)", lines=[]) == 0
    assert value("min(lines.due)", lines=LINES) == date(2026, 1, 1)
    assert value("max(lines[price > 5000].due)", lines=LINES) is None
    assert value("avg(lines.quantity)", lines=LINES) == 6
    assert value("exists(lines[not done])", lines=LINES) is True
    assert value("exists(lines[done][quantity > 2])", lines=LINES) is False
    assert value("count(lines[price > outer.amount])", lines=LINES, amount=Decimal(2)) == 2
    assert value("exists(lines[exists(outer.lines[price > outer.price])])", lines=LINES) is True


def test_the_first_of_a_set_follows_its_order_and_has_empty_values_last() -> None:
    assert value("first(lines, order=due).product", lines=LINES) == "Disk"
    assert value("first(lines, order=-due).product", lines=LINES) == "Server"
    assert value("first(lines[due is None], order=[due, -price]).product", lines=LINES) == "Cable"
    assert value("first(lines[quantity > 99]).product", lines=LINES) is None
    assert value("first(lines, order=-quantity)", lines=LINES) == 2
    assert value("first(lines).product", lines=list(reversed(LINES))) == "Server"


def test_variables_are_given_by_name_or_under_their_head() -> None:
    given = Environment(ENVIRONMENT.user, ENVIRONMENT.today, ENVIRONMENT.now, "UTC",
                        {"parameter": {"city": "Bonn"}, "answer": {"id": 5, "name": "x"}, "setting.least": Decimal(5)})
    expression = checked("parameter.city == 'Bonn' and answer == 5 and answer.name == 'x' and setting.least == 5",
                         **{"parameter.city": Type("text"), "answer": Type("link", "company"),
                            "setting.least": Type("decimal")})
    assert expression.evaluate({}, given) is True


def test_looking_at_too_many_records_ends() -> None:
    lines = [{"id": n, "price": Decimal(n)} for n in range(400)]
    with pytest.raises(EvaluationError, match="too many records to look at"):
        value("count(lines[exists(outer.lines[price > outer.price + 9999])])", lines=lines)


def test_a_text_grows_to_its_limit_only() -> None:
    long = "a" * 100_000
    assert value("length(name + name)", name=long) == 100_000
    assert value("length(concat(name, name))", name=long) == 100_000
    assert value("length(replace(name, 'a', 'bcd'))", name=long) == 100_000


def test_an_evaluation_is_a_handful_of_calls() -> None:
    expression = checked("amount * probability / 100 > 1000 and stage != 'lost' and company.size > 5", "boolean")
    record = {"amount": Decimal(5000), "probability": Decimal(50), "stage": "open", "company": COMPANY}
    assert expression.evaluate(record, ENVIRONMENT) is True
    assert calls(lambda: expression.evaluate(record, ENVIRONMENT)) < 60
