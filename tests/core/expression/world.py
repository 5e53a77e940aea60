"""A small world for tests of expressions: deals of companies with lines, as a Scope, as records and as tables."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, MetaData, Select, Table, func, literal, select

from core.expression import Argument, Conditions, Environment, NamedFunction, SetQuery, check, sql_type
from core.expression.expression import Expression
from core.types.base import Type

T = Type
MEMBERS: dict[str, dict[str, Type]] = {
    "deal": {
        "id": T("link", "deal"), "name": T("text"), "note": T("text"), "stage": T("choice", "stage"),
        "kinds": T("choice", "stage", many=True), "amount": T("money"), "probability": T("percent"),
        "count_of": T("integer"), "factor": T("decimal"), "closes": T("date"), "starts": T("date"),
        "seen": T("datetime"), "heard": T("datetime"), "archived": T("boolean"), "urgent": T("boolean"),
        "company": T("link", "company"), "partner": T("link", "company"), "members": T("link", "company", many=True),
        "lines": T("set", "line"),
    },
    "company": {
        "id": T("link", "company"), "name": T("text"), "size": T("integer"), "founded": T("date"),
        "parent": T("link", "company"), "deals": T("set", "deal"),
    },
    "line": {
        "id": T("link", "line"), "deal": T("link", "deal"), "product": T("text"), "quantity": T("integer"),
        "price": T("money"), "due": T("date"), "done": T("boolean"),
    },
    "user": {"id": T("link", "user"), "manager": T("link", "user"), "company": T("link", "company")},
    "client": {"id": T("link", "client")},
}
BASES = {"client": "company"}
STAGES = ("open", "won", "lost")
SETS = {("deal", "lines"): ("line", "deal"), ("company", "deals"): ("deal", "company")}

QUERIES: dict[str, SetQuery] = {
    "open_deals": SetQuery("deal", where=("stage == 'open'", "not archived")),
    "everything": SetQuery("company"),
    "companies": SetQuery("company", {"least": Argument(T("integer"), required=False, default=2),
                                      "name": Argument(T("text"), required=False)},
                          where=("size >= parameter.least", "parameter.name is None or name == parameter.name")),
    "deals_of": SetQuery("deal", {"company": Argument(T("link", "company"))}, where=(
        "company == parameter.company or company.parent == parameter.company",
        Conditions("not", ("stage == 'lost'", Conditions("any", ("archived", "amount < 0")))))),
    "rivals": SetQuery("company", {"party": Argument(T("link", "company")), "at": Argument(T("date"))}, where=(
        "founded <= parameter.at and name != parameter.party.name",
        "exists(deals[stage == 'won' and amount > sum(parameter.party.deals.amount) / 100])")),
    "busy": SetQuery("company", where=("exists(query.deals_of(company=id)[amount > 0])",)),
    "around": SetQuery("deal", where=("exists(query.about(size=1))",)),
    "about": SetQuery("company", {"size": Argument(T("integer"))}, where=("ring(parameter.size) and exists(deals)",)),
    "wrong": SetQuery("deal", where=("amout > 1",)),
    "by_stage": SetQuery("deal", obstacle="group"),
}
NAMED: dict[str, NamedFunction] = {
    "net": NamedFunction({"amount": Argument(T("money")), "rate": Argument(T("percent"), required=False,
                                                                           default=Decimal("19"))},
                         T("money"), "parameter.amount * (100 - parameter.rate) / 100"),
    "home": NamedFunction({"company": Argument(T("link", "company"))}, T("text"),
                          "coalesce(parameter.company.parent.name, parameter.company.name)"),
    "bulk": NamedFunction({"least": Argument(T("integer")), "among": Argument(T("link", "deal"))}, T("integer"),
                          "sum(parameter.among.lines[quantity > parameter.least].quantity)"),
    "is_big": NamedFunction({"deal": Argument(T("link", "deal"))}, T("boolean"),
                            "parameter.deal.amount > 50 and count(parameter.deal.lines) > 0"),
    "double": NamedFunction({"number": Argument(T("decimal"))}, T("decimal"), "parameter.number + parameter.number"),
    "ring": NamedFunction({"size": Argument(T("integer"))}, T("boolean"), "exists(query.around())"),
}


@dataclass(frozen=True)
class World:
    """A Scope."""

    table: str | None = "deal"
    given: Mapping[str, Type] | None = None

    def member(self, table: str, name: str) -> Type | None:
        return MEMBERS.get(table, {}).get(name)

    def members(self, table: str) -> Iterable[str]:
        return MEMBERS.get(table, {})

    def variable(self, name: str) -> Type | None:
        return {"user": T("link", "user"), **(self.given or {})}.get(name)

    def variables(self) -> Iterable[str]:
        return ("user", *(self.given or {}))

    def is_kind_of(self, table: str, base: str) -> bool:
        return table == base or BASES.get(table) == base

    def has_table(self, name: str) -> bool:
        return name in MEMBERS

    def choice_values(self, name: str) -> Collection[str] | None:
        return STAGES if name == "stage" else None

    def tree(self, table: str) -> str | None:
        return "parent" if table == "company" else None

    def query(self, name: str) -> SetQuery | None:
        return QUERIES.get(name)

    def queries(self) -> Iterable[str]:
        return QUERIES

    def function(self, name: str) -> NamedFunction | None:
        return NAMED.get(name)

    def functions(self) -> Iterable[str]:
        return NAMED

    def about(self, table: str | None, variables: Mapping[str, Type]) -> World:
        return World(table, variables)


def checked(source: str, expects: str | None = None, **given: Type) -> Expression:
    """An expression about a deal."""
    return check(source, World(given=given), expects)


ENVIRONMENT = Environment(
    user={"id": 7, "manager": None, "company": 2}, today=date(2026, 3, 29),
    now=datetime(2026, 3, 28, 23, 30, tzinfo=UTC), zone="Europe/Berlin", variables={})


def value(source: str, _environment: Environment = ENVIRONMENT, **record: object) -> object:
    """The value of an expression about a deal with these fields."""
    return checked(source).evaluate(record, _environment)


# --- the same in PostgreSQL -----------------------------------------------------------------------------------------

META = MetaData()


def _table(name: str) -> Table:
    columns = [Column(field, sql_type(type), primary_key=field == "id", autoincrement=False)
               for field, type in MEMBERS[name].items() if type.name != "set"]
    return Table(f"world_{name}", META, *columns)


TABLES = {name: _table(name) for name in ("deal", "company", "line", "user")}


class WorldColumns:
    """Columns of one aliased row; links are followed by scalar subqueries."""

    def __init__(self, name: str, alias: Any = None, environment: Environment = ENVIRONMENT) -> None:
        self.name = name
        self.alias = TABLES[name].alias() if alias is None else alias
        self.environment = environment

    def value(self, path: tuple[str, ...]) -> ColumnElement[Any]:
        return self._value(self.name, self.alias, path)

    def _value(self, table: str, alias: Any, path: tuple[str, ...]) -> ColumnElement[Any]:
        if len(path) == 1:
            return alias.c[path[0]]
        target = MEMBERS[table][path[0]].of or ""
        linked = TABLES[target].alias()
        inner = self._value(target, linked, path[1:])
        return select(inner).where(linked.c.id == alias.c[path[0]]).correlate_except(linked).scalar_subquery()

    def related(self, path: tuple[str, ...]) -> WorldRelated:
        if path[0] == "all":
            return WorldRelated(path[1], None, self.environment)
        owner = self.name
        for name in path[:-1]:
            owner = MEMBERS[owner][name].of or ""
        if (owner, path[-1]) not in SETS:
            return WorldRelated("company", ("id", func.any(self.value(path))), self.environment)
        target, back = SETS[owner, path[-1]]
        anchor = self.value((*path[:-1], "id")) if len(path) > 1 else self.alias.c.id
        return WorldRelated(target, (back, anchor), self.environment)

    def variable(self, path: tuple[str, ...]) -> ColumnElement[Any]:
        if path[0] in ("today", "now", "zone"):
            return literal(getattr(self.environment, path[0]))
        found: Any = self.environment.user if path[0] == "user" else self.environment.variables[path[0]]
        for name in path[1:]:
            found = found[name]
        return literal(found["id"] if isinstance(found, Mapping) else found)

    def kind(self, path: tuple[str, ...], table: str) -> ColumnElement[bool]:
        """A company is a client if its size is even; that is all the kinds there are."""
        return self.value((*path, "size")) % 2 == 0 if table == "client" else self.value((*path, "id")).is_not(None)


class WorldRelated:
    """Rows of a table, those of one record or all."""

    def __init__(self, table: str, by: tuple[str, ColumnElement[Any]] | None, environment: Environment) -> None:
        self.columns = WorldColumns(table, environment=environment)
        self.by = by

    def select(self, value: ColumnElement[Any], where: ColumnElement[bool] | None = None,
               order: Sequence[ColumnElement[Any]] = (), limit: int | None = None) -> Select[Any]:
        alias = self.columns.alias
        statement = select(value).select_from(alias).order_by(*order).limit(limit)
        if self.by is not None:
            statement = statement.where(alias.c[self.by[0]] == self.by[1])
        if where is not None:
            statement = statement.where(where)
        return statement.correlate_except(alias)


# --- rows ------------------------------------------------------------------------------------------------------------

TEXTS = (None, None, "", "a", "B", "b", "Acme", "acme ltd", "Ünïcode", "-3", "12.50", " x ", "a%b_c\\", "é", "Zz",
         "李雷")
MONEY = (None, None, "0", "0.00", "1", "-1", "100.00", "33.33", "0.07", "-250.5", "99999999999999.99")
FACTORS = (None, None, "0", "3", "-7", "0.000001", "1.5", "-0.25", "7", "123456.654321")
COUNTS = (None, None, 0, 1, 2, -3, 7, 100, 999_999_999_999_999)


def rows(count: int = 40, seed: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Random rows of all tables, many fields empty."""
    pick = random.Random(seed)

    def day() -> date | None:
        return pick.choice((None, date(1900, 1, 1), date(2200, 12, 31), date(2026, 3, 29), date(2024, 2, 29),
                            date(2026, 1, 31), date(2020, 1, 1) + timedelta(days=pick.randrange(3000))))

    def moment() -> datetime | None:
        return pick.choice((None, datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
                            datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=pick.randrange(3_000_000))))

    def number(values: Sequence[str | None]) -> Decimal | None:
        chosen = pick.choice(values)
        return None if chosen is None else Decimal(chosen)

    def flag() -> bool | None:
        return pick.choice((None, True, False))

    companies = [{"id": n, "name": pick.choice(TEXTS) or None, "size": pick.choice(COUNTS), "founded": day(),
                  "parent": pick.choice((None, n - 1)) if n > 1 else None} for n in range(1, 7)]
    deals = [{
        "id": n, "name": pick.choice(TEXTS) or None, "note": pick.choice(TEXTS) or None,
        "stage": pick.choice((None, *STAGES)), "kinds": pick.choice((None, ["won"], ["open", "lost"], list(STAGES))),
        "amount": number(MONEY), "probability": number((None, "0", "100", "50", "12.5", "33.33")),
        "count_of": pick.choice(COUNTS), "factor": number(FACTORS), "closes": day(), "starts": day(),
        "seen": moment(), "heard": moment(), "archived": flag(), "urgent": flag(),
        "company": pick.choice((None, 1, 2, 3, 4, 5, 6)), "partner": pick.choice((None, 1, 2, 3)),
        "members": pick.choice((None, [1], [2, 3])),
    } for n in range(1, count + 1)]
    lines = [{"id": n, "deal": pick.randrange(1, count + 1), "product": pick.choice(TEXTS) or None,
              "quantity": pick.choice(COUNTS), "price": number(MONEY), "due": day(), "done": flag()}
             for n in range(1, 2 * count)]
    users = [{"id": 7, "manager": None, "company": 2}]
    return {"company": companies, "deal": deals, "line": lines, "user": users}


def fill(connection: Connection, data: Mapping[str, list[dict[str, Any]]]) -> None:
    """Create and fill the tables."""
    META.create_all(connection)
    for name, records in data.items():
        connection.execute(TABLES[name].insert(), records)


def records(data: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The deals as expressions meet them in Python: links as Mappings, lines as lists."""
    companies = {company["id"]: dict(company) for company in data["company"]}
    deals = [dict(deal) for deal in data["deal"]]
    for company in companies.values():
        company["deals"] = [deal for deal in deals if deal["company"] == company["id"]]
        company["_type"] = "client" if company["size"] is not None and company["size"] % 2 == 0 else "company"
        company["parent"] = companies.get(company["parent"])
    for deal in deals:
        deal["lines"] = [{**line, "deal": deal} for line in data["line"] if line["deal"] == deal["id"]]
        deal["_type"] = "deal"
    for deal in deals:
        deal["company"], deal["partner"] = companies.get(deal["company"]), companies.get(deal["partner"])
        deal["members"] = [companies[id] for id in deal["members"] or ()]
    return deals


