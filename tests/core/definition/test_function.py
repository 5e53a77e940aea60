"""Named functions: typed, inlined where they are called, circles told once, references recorded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from core.definition import references
from core.definition.model import Model
from core.expression import Environment
from core.types.base import Type
from tests.core.definition.sets import load_set

NOW = Environment({"id": 1}, date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC), "UTC")
FILES = {
    "addons/shop/tables/product.yaml": "table: product\nfields: {name: {type: text}, price: {type: money}}\n",
    "addons/shop/tables/line.yaml": """
table: line
fields:
  product:  {type: link, to: product}
  quantity: {type: decimal}
  total:    {type: money, formula: "price_for(product, quantity)"}
  named:    {type: money, formula: "price_for(quantity=2, product=product)"}
  one:      {type: money, formula: price_for(product)}
  gross:    {type: money, formula: with_tax(total)}
rules:
  large: {check: "price_for(product, quantity) < 1000"}
""",
    "addons/shop/functions/price_for.yaml": """
function: price_for
title: Price
parameters:
  product:  {type: link, to: product}
  quantity: {type: decimal, default: 1}
returns: money
is: parameter.product.price * parameter.quantity
""",
    "addons/shop/functions/with_tax.yaml": """
function: with_tax
parameters: {net: {type: money}}
returns: money
is: doubled(parameter.net) * 0.6
""",
    "addons/shop/functions/doubled.yaml": """
function: doubled
parameters: {net: {type: money}}
returns: money
is: parameter.net * 2
""",
}


def shop(folder: Path, **more: str) -> Model:
    return load_set(folder, FILES | more).must()


def value(model: Model, field: str, record: dict[str, object]) -> object:
    formula = model.tables["line"].fields[field].formula
    assert formula is not None
    return formula.evaluate(record, NOW)


def test_a_function_is_a_value_of_the_model(tmp_path: Path) -> None:
    found = shop(tmp_path).functions["price_for"]
    assert (found.title, found.gives, list(found.parameters)) == ("Price", Type("money"), ["product", "quantity"])
    assert found.written.expression.type == Type("money")


def test_a_call_gives_what_the_function_says(tmp_path: Path) -> None:
    model = shop(tmp_path)
    record = {"quantity": Decimal(3), "product": {"id": 7, "price": Decimal(10)}, "total": Decimal(30)}
    assert value(model, "total", record) == 30
    assert value(model, "named", record) == 20
    assert value(model, "one", record) == 10
    assert value(model, "gross", record) == 36


def test_what_is_empty_stays_empty(tmp_path: Path) -> None:
    assert value(shop(tmp_path), "total", {"quantity": None, "product": {"id": 7, "price": Decimal(10)}}) is None
    assert value(shop(tmp_path), "total", {"quantity": Decimal(3), "product": None}) is None


def test_a_call_reads_what_the_function_reads(tmp_path: Path) -> None:
    formula = shop(tmp_path).tables["line"].fields["total"].formula
    assert formula is not None
    assert formula.reads == {("product", "price"), ("quantity",)}


def test_who_calls_and_what_the_body_reads_are_references(tmp_path: Path) -> None:
    found = {(one.kind, one.name, one.to_kind, one.to_name) for one in references(shop(tmp_path))}
    assert ("table", "line", "function", "price_for") in found
    assert ("function", "with_tax", "function", "doubled") in found
    assert ("function", "price_for", "table", "product.price") in found
    assert ("function", "price_for", "table", "product") in found


def test_a_layer_changes_a_function(tmp_path: Path) -> None:
    model = shop(tmp_path, **{
        "metadata/system.yaml": "system: main\naddons: [shop]\n",
        "metadata/functions/doubled.yaml": "change: function doubled\nis: parameter.net * 4\n"})
    assert value(model, "gross", {"total": Decimal(10)}) == 24


def test_a_function_that_calls_itself_is_told_once(tmp_path: Path) -> None:
    loaded = load_set(tmp_path, FILES | {"addons/shop/functions/doubled.yaml": (
        "function: doubled\nparameters: {net: {type: money}}\nreturns: money\nis: with_tax(parameter.net)\n")})
    assert [str(problem) for problem in loaded.problems] == [
        "addons/shop/functions/doubled.yaml:4:1: functions go round in a circle: doubled → with_tax → doubled"]


def test_a_condition_may_be_named(tmp_path: Path) -> None:
    model = shop(tmp_path, **{
        "addons/shop/functions/is_large.yaml": "function: is_large\nparameters: {total: {type: money}}\n"
                                               "returns: boolean\nis: parameter.total > 100\n",
        "addons/shop/lists/line.yaml": "list: line\nof: line\ncolumns: {product: {}}\n"
                                       "filters: {large: {title: Large, where: is_large(total)}}\n"})
    condition = model.lists["line"].filters["large"].where
    assert [condition.evaluate({"total": total}, NOW) for total in (Decimal(101), Decimal(1))] == [True, False]
