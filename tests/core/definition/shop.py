"""A small shop of orders with lines, over which tests of reports, charts and dashboards write their definitions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.definition import Loaded, Model
from tests.core.definition.sets import load_set

TABLES: Mapping[str, str] = {
    "addons/shop/tables/user.yaml": "table: user\npeople: id\nfields: {name: {type: text}}\n",
    "addons/shop/tables/order.yaml": """\
table: order
fields:
  number:   {type: text, required: true}
  day:      {type: date}
  customer: {type: link, to: user}
  total:    {type: money, title: Amount in all}
  state:    {type: choice, of: order_state}
  lines:    {type: lines, of: order_line, by: order}
""",
    "addons/shop/tables/order_line.yaml": """\
table: order_line
display: "{text}"
fields:
  order:  {type: link, to: order, required: true, on_delete: cascade}
  text:   {type: text}
  amount: {type: money}
""",
    "addons/shop/choices/order_state.yaml": "choices: order_state\nvalues: {open: {}, sent: {}, paid: {}}\n",
    "addons/shop/lists/order.yaml": "list: order\nof: order\ncolumns: {number: {}}\n",
    "addons/shop/queries/orders_in.yaml":
        "query: orders_in\nof: order\nparameters: {state: {type: choice, of: order_state}}\n"
        "where: state == parameter.state\n",
}


def loaded(folder: Path, kind: str, text: str, more: Mapping[str, str] | None = None) -> Loaded:
    """The shop with one more definition, and other files."""
    return load_set(folder, {**TABLES, f"addons/shop/{kind}s/tested.yaml": text, **(more or {})})


def shop(folder: Path, kind: str, text: str, more: Mapping[str, str] | None = None) -> Model:
    """The Model of the shop with one more definition."""
    return loaded(folder, kind, text, more).must()


def problems(folder: Path, kind: str, text: str, more: Mapping[str, str] | None = None) -> list[str]:
    """What is said of one more definition."""
    return [str(problem) for problem in loaded(folder, kind, text, more).problems]
