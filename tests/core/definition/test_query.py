"""Queries as values of the Model: sources, types of columns, sets for expressions, changes by layers, references."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.definition import Loaded, references
from core.definition.kinds.parameters import Amount, AskedSchema, ParameterSchema, argument, parameter_fields
from core.definition.load import start
from core.definition.model import Model
from core.definition.values import Merged
from core.expression import SetQuery
from core.expression.scope import Argument, Conditions
from core.plugins import Plugins
from core.types.base import Type
from tests.core.definition.sets import load_set

TABLES = {
    "addons/deals/choices/stage.yaml": "choices: stage\nvalues: {open: {}, won: {}}\n",
    "addons/deals/tables/ticket.yaml": "table: ticket\nabstract: true\nfields: {title: {type: text}}\n",
    "addons/deals/tables/deal.yaml": """
table: deal
base: ticket
fields:
  name:   {type: text, title: Deal name, help: As we call it.}
  stage:  {type: choice, of: stage}
  amount: {type: money}
  closes: {type: date}
  parent: {type: link, to: deal}
  lines:  {type: lines, of: line, by: deal}
""",
    "addons/deals/tables/line.yaml": """
table: line
fields:
  deal:  {type: link, to: deal, required: true, on_delete: cascade}
  total: {type: money}
""",
    "addons/deals/queries/open_deals.yaml": """
query: open_deals
of: deal
parameters:
  least: {type: money, default: 1000 EUR}
  since: {type: date, default: "=month_start(today())"}
where:
  open:  stage == 'open'
  any:   {large: amount >= parameter.least, long: count(lines) > 3}
  not:   {old: closes < parameter.since}
""",
    "addons/deals/queries/sums.yaml": """
query: sums
of: open_deals
parameters: {stage: {type: choice, of: stage, prompt: Which?, required: false}}
columns:
  parent: {}
  boss:   parent.name
  count:  count()
  worth:  {is: sum(amount), title: Worth, total: sum}
  mean:   worth / count
group: [parent]
order: [-worth]
""",
    "addons/deals/queries/rich.yaml": "query: rich\nof: sums\nwhere: worth > 5\ncolumns: {parent: {}, worth: {}, "
                                      "twice: mean * 2, up: parent.parent.name}\n",
    "addons/deals/queries/account.yaml": """
query: account
union:
  deals: {of: deal, columns: {day: closes, text: name, debit: amount, credit: "0"}}
  lines: {of: line, columns: {day: deal.closes, text: deal.name, debit: "0", credit: total}}
columns: {balance: running(debit - credit)}
order: [day]
""",
}


@pytest.fixture
def load_with(tmp_path: Path):
    def load_(**more: str) -> Loaded:
        files = {f"addons/deals/{path}.yaml": text for path, text in more.items() if not path.startswith("site:")}
        site = {f"metadata/{path[5:]}.yaml": text for path, text in more.items() if path.startswith("site:")}
        if site:
            site["metadata/system.yaml"] = "system: main\naddons: [deals]\n"
        return load_set(tmp_path, {**TABLES, **files, **site})
    return load_


@pytest.fixture
def model(load_with) -> Model:
    return load_with().must()


def types(model: Model, name: str) -> dict[str, str]:
    query = model.queries[name]
    return {column: str(query.member(column)) for column in query.results}


def test_a_query_chooses_records_or_gives_rows(model: Model) -> None:
    queries = model.queries
    assert queries["open_deals"].chooses and queries["open_deals"].table == "deal"
    assert [query.name for query in queries.values() if not query.chooses] == ["account", "sums", "rich"]
    assert [queries[name].source for name in ("sums", "rich", "account")] == ["deal", "query sums", "union account"]
    assert len(queries["sums"].conditions) == 1, "those of the query whose records it reads"


def test_columns_have_types(model: Model) -> None:
    assert types(model, "sums") == {"parent": "link of deal", "boss": "text", "count": "integer", "worth": "money",
                                    "mean": "money"}
    assert types(model, "rich") == {"parent": "link of deal", "worth": "money", "twice": "money", "up": "text"}
    assert types(model, "account") == {"day": "date", "text": "text", "debit": "money", "credit": "money",
                                       "balance": "money"}


def test_parameters_are_inherited(model: Model) -> None:
    assert list(model.queries["rich"].parameters) == ["least", "since", "stage"]
    assert model.queries["rich"].parameters["since"] is model.queries["open_deals"].parameters["since"]


def test_a_query_of_records_is_a_set_for_expressions(model: Model) -> None:
    assert model.names.queries["open_deals"] == SetQuery(
        "deal", {"least": Argument(Type("money"), False, 1000),
                 "since": Argument(Type("date"), False, None, "month_start(today())")},
        (Conditions("all", ("stage == 'open'",
                            Conditions("any", ("amount >= parameter.least", "count(lines) > 3")),
                            Conditions("not", ("closes < parameter.since",)))),))
    obstacles = {name: query.obstacle for name, query in model.names.queries.items()}
    assert obstacles == {"open_deals": "", "sums": "group", "rich": "of", "account": "union"}


def test_a_query_is_used_in_formulas_rules_filters_and_other_queries(load_with) -> None:
    loaded = load_with(**{
        "queries/late": "query: late\nof: deal\nwhere: 'id in query.open_deals(least=5) and closes < today()'\n",
        "lists/deal": "list: deal\nof: deal\ncolumns: {name: {}}\nfilters: {late: {where: id in query.late()}}\n",
        "lists/late": "list: late_ones\nof: late\ncolumns: {name: {}}\n",
        "lists/sums": "list: sums\nof: sums\ncolumns: {worth: {}, parent: {}}\n",
        "objects/sums": "object: sums\nof: sums\nlists: [sums]\n",
        "roles/seller": "role: seller\ngrants: {deal: {read: true, where: id in query.late()}}\n"})
    found = {(one.kind, one.name, one.to_name) for one in references(loaded.must()) if one.to_kind == "query"}
    assert {("query", "late", "open_deals"), ("list", "deal", "late"), ("list", "late_ones", "late"),
            ("list", "sums", "sums"), ("list", "sums", "sums.worth"), ("object", "sums", "sums"),
            ("role", "seller", "late"), ("query", "rich", "sums"), ("query", "rich", "sums.mean")} <= found


def test_a_layer_replaces_and_drops_conditions_and_changes_columns(load_with) -> None:
    model = load_with(**{"site:open_deals": """
change: query open_deals
where: {open: "stage != 'won'", any: {large: null}, not: null}
parameters: {least: null}
""", "site:sums": """
change: query sums
columns:
  boss:  {title: Above}
  worth: sum(amount.base)
  mean:  null
  last:  {is: max(closes), after: parent}
""", "site:rich": "change: query rich\ncolumns: {twice: null}\n"}).must()
    assert [one.written.source for one in model.queries["open_deals"].where.each()] == [
        "stage != 'won'", "count(lines) > 3"]
    columns = model.queries["sums"].columns
    assert list(columns) == ["parent", "last", "boss", "count", "worth"]
    assert (columns["boss"].written.source, columns["boss"].title) == ("parent.name", "Above")
    assert (columns["worth"].written.source, columns["worth"].title, columns["worth"].total) == (
        "sum(amount.base)", "Worth", "sum")


def test_a_condition_that_is_taken_away_is_told_where_it_is_aimed_at(load_with) -> None:
    problems = load_with(**{"site:open_deals": "change: query open_deals\nwhere: {opened: null}\n"}).problems
    assert [problem.message for problem in problems] == [
        'query "open_deals" has no "opened" here to remove (did you mean "open"?)']


def test_titles_of_columns_stand_in_for_each_other(load_with) -> None:
    model = load_with(**{"queries/names": "query: names\nof: deal\ncolumns: {name: {}, size: length(name)}\n",
                         "lists/names": "list: names\nof: names\ncolumns: {name: {}, size: {}}\n"}).must()
    assert model.text("query names.columns.name.title", "en") == "Deal name"
    assert model.text("list names.columns.name.title", "en") == "Deal name"
    assert model.text("list names.columns.size.title", "en") == "Size"
    assert model.text("query rich.columns.worth.title", "en") == "Worth"
    assert model.text("query sums.parameters.stage.title", "en") == "Which?"
    assert model.text("list names.title", "en") == "Names"


def test_a_column_too_large_with_what_it_uses_is_refused(load_with) -> None:
    columns = "\n".join(f"  c{number}: c{number - 1} + c{number - 1}" for number in range(1, 14))
    problems = load_with(**{"queries/grown": f"query: grown\nof: deal\ncolumns:\n  c0: amount\n{columns}\n"}).problems
    assert problems and all("grow" in problem.message for problem in problems)


# Parameters


@pytest.fixture
def fields(model: Model):
    def make(asked: bool = False, **schemas: dict[str, object]):
        building = start([*model.definitions.values()], Plugins())
        from core.definition.load import build_all
        build_all(building)
        schema = AskedSchema if asked else ParameterSchema
        merged = Merged("query", "x", {"parameters": dict(schemas)}, "")
        known = {name: schema.model_validate(one) for name, one in schemas.items()}
        made = parameter_fields(building, merged, ("parameters",), known, asked=asked)
        return made, {name: argument(field) for name, field in made.items()}, building
    return make


def test_a_parameter_is_like_a_field(fields) -> None:
    made, taken, building = fields(name={"like": "deal.name", "prompt": "Called?"}, other={"like": "deal.name"})
    assert not building.problems
    assert (made["name"].title, made["other"].title, made["other"].help) == ("Called?", "Deal name", "As we call it.")
    assert taken["name"] == Argument(Type("text"), True)


def test_only_what_is_asked_may_be_a_table_or_lines(fields) -> None:
    wanted = {"kind": {"type": "table", "of": "ticket", "default": "deal"},
              "lines": {"like": "deal.lines", "pick": True, "default": "=record.lines"}}
    made, taken, building = fields(asked=True, **wanted)
    assert not building.problems
    assert taken == {"kind": Argument(Type("table", "ticket"), False, "deal"),
                     "lines": Argument(Type("set", "line"), False, None, "record.lines")}
    assert made["lines"].written["pick"] is True
    made, taken, building = fields(kind={"type": "table", "of": "ticket"})
    assert not made and len(building.problems) == 1


def test_money_may_name_its_currency(fields) -> None:
    made, taken, building = fields(own={"type": "money", "default": "5 EUR"}, other={"type": "money", "default": "5 USD"})
    assert not building.problems
    assert made["own"].written["default"] == 5 and isinstance(made["other"].written["default"], Amount)
    assert taken["other"] == Argument(Type("money"), True), "an expression that calls it must give an amount"
