"""The type money: amounts in the record's currency, and the same in base currency at the record's own rate."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine

from core.definition import load
from core.ed.records import Records
from core.ed.schema import create_all, name_all
from core.ed.session import Session
from core.ed.system import System
from core.expression import check
from tests.core.ed.types.conformance import Conformance
from tests.fixtures.sample import add, identify, value_in_database
from tests.fixtures.writing import FOLDER

ORDER = """\
table: order
display: "{label}"
keeps: [history]
fields:
  label:    {type: text}
  currency: {type: link, to: currency}
  rate:     {type: decimal, scale: 6}
  amount:   {type: money}
  freight:  {type: money, scale: 3}
  lines:    {type: lines, of: order_line, by: order}
"""
LINE = """\
table: order_line
fields:
  order: {type: link, to: order, required: true, on_delete: cascade}
  price: {type: money}
"""


class TestMoney(Conformance):
    definition = "{type: money, min: -1000, max: 10000000}"
    given = "5"
    values = ("-0.50", "0", "12.50", "1234.5")
    bad = (("NaN", "number"), ("Infinity", "number"), ("1.005", "scale"), (1.5, "type"), ("-1000.01", "too_small"),
           ("1" + "0" * 12, "too_large"), ("１２", "number"), (True, "type"), ("1e3", "number"))
    typed = (("1,234.50", "1234.5"), ("1.234,50", "1234.5", "de"), ("1 234,50", "1234.5", "fr"))
    mistyped = (("1.005", "scale"), ("5 EUR", "number"), ("12,34", "number"))
    shown = (("1234.5", "1,234.50"), ("1234.5", "1.234,50", "de"))
    where = (("value > 0", {2, 3}), ("value / 100 == 12.345", {3}), ("value is None", {-1}))


@pytest.fixture(scope="module")
def system(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> System:
    """Orders with a rate of their own, and their lines."""
    site: Path = tmp_path_factory.mktemp("site")
    (site / "system.yaml").write_text((FOLDER / "writing_site" / "system.yaml").read_text())
    (site / "tables").mkdir()
    (site / "tables" / "order.yaml").write_text(ORDER)
    (site / "tables" / "order_line.yaml").write_text(LINE)
    model = load([FOLDER / "writing"], site, root=FOLDER).must()
    identities = identify(model)
    system = System(1, model, identities, name_all(model, identities))
    engine.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql("drop schema ed cascade; create schema ed; create sequence ed.record_id")
        create_all(connection, system)
        for code, rate in (("EUR", 1), ("USD", "0.5"), ("JPY", "0.0061")):
            add(connection, system, "currency", code=code, rate=rate)
    return system


@pytest.fixture
def records(system: System, connection: Connection) -> Records:
    return Records(Session.system_session(system, connection))


def currency(records: Records, code: str) -> int:
    return int(records.page("currency", ["code"], f"code == '{code}'").records[0]["id"])


def bases(records: Records, id_: int) -> list[Decimal | None]:
    session = records.session
    return [value_in_database(session.connection, session.system, "order", id_, name, "base")
            for name in ("amount", "freight")]


def of_lines(records: Records, id_: int) -> list[Decimal]:
    session = records.session
    return [value_in_database(session.connection, session.system, "order_line", line["id"], "price", "base")
            for line in records.read("order", [id_])[0]["lines"]]


def test_a_record_takes_the_rate_of_its_currency_and_keeps_it(records: Records) -> None:
    dollars = currency(records, "USD")
    [id_] = records.create("order", [{"currency": dollars, "amount": Decimal(100), "freight": Decimal("1.001"),
                                      "lines": [{"price": Decimal(10)}]}])
    assert records.read("order", [id_])[0]["rate"] == Decimal("0.5")
    assert bases(records, id_) == [Decimal("50.00"), Decimal("0.501")]
    assert of_lines(records, id_) == [Decimal("5.00")]
    records.update("currency", [{"id": dollars, "rate": Decimal("0.8")}])
    records.update("order", [{"id": id_, "amount": Decimal(200), "lines": [{"price": Decimal(20)}]}])
    assert bases(records, id_) == [Decimal("100.00"), Decimal("0.501")]         # still at its own rate
    assert of_lines(records, id_) == [Decimal("5.00"), Decimal("10.00")]


def test_another_rate_or_currency_moves_all_amounts_and_those_of_the_lines(records: Records) -> None:
    [id_] = records.create("order", [{"currency": currency(records, "USD"), "amount": Decimal(100),
                                      "lines": [{"price": Decimal(10)}]}])
    records.update("order", [{"id": id_, "rate": Decimal("0.9")}])
    assert bases(records, id_) == [Decimal("90.00"), None] and of_lines(records, id_) == [Decimal("9.00")]
    records.update("order", [{"id": id_, "currency": currency(records, "JPY")}])
    assert records.read("order", [id_])[0]["rate"] == Decimal("0.0061")
    assert bases(records, id_) == [Decimal("0.61"), None] and of_lines(records, id_) == [Decimal("0.06")]
    records.update("order", [{"id": id_, "currency": None}])
    assert bases(records, id_) == [Decimal("100.00"), None] and of_lines(records, id_) == [Decimal("10.00")]
    told = records.history("order", id_)[0].fields
    assert told["rate"] == ("0.0061", None)


def test_a_given_rate_is_taken_and_sums_go_by_the_base_amount(records: Records) -> None:
    ids = records.create("order", [
        {"label": "sum", "currency": currency(records, "USD"), "rate": Decimal("0.25"), "amount": Decimal(100)},
        {"label": "sum", "currency": currency(records, "EUR"), "amount": Decimal(7)}, {"label": "sum", "amount": Decimal(1)}])
    assert [bases(records, id_)[0] for id_ in ids] == [Decimal("25.00"), Decimal("7.00"), Decimal("1.00")]
    found = records.page("order", ["label"], "amount.base < 20 and label == 'sum'")
    assert {record["id"] for record in found.records} == {ids[1], ids[2]}
    total = check("sum(all.order[label == 'sum'].amount.base)", records.session.system.model.scope("order"))
    assert total.type.name == "money"
    page = records.page("order", ["label"], "sum(all.order[label == 'sum'].amount.base) == 33 and label == 'sum'")
    assert len(page.records) == 3


def test_what_lies_far_out_is_kept_exactly(records: Records) -> None:
    [id_] = records.create("order", [{"currency": currency(records, "JPY"), "amount": Decimal("999999999999.99")}])
    assert bases(records, id_)[0] == Decimal("6100000000.00")
