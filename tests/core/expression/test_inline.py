"""Queries as sets and named functions: what a call stands for is checked and worked out in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from core.expression import EvaluationError, ExpressionError, check
from core.types.base import Type
from tests.core.expression.world import ENVIRONMENT, World, WorldColumns, checked, fill, records, rows

DATA = rows()
RECORDS = {record["id"]: record for record in records(DATA)}


@pytest.fixture(scope="module")
def world(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        fill(connection, DATA)
        yield connection


def values(world: Connection, source: str, scope: World | None = None) -> dict[int, Any]:
    columns = WorldColumns("deal")
    element = check(source, scope or World()).sql(columns)
    return {row.id: row.value for row in world.execute(select(columns.alias.c.id, element.label("value")))}


SAME = [
    ("count(query.open_deals())", "count(all.deal[stage == 'open' and not archived])"),
    ("count(query.open_deals()[amount > outer.amount])",
     "count(all.deal[stage == 'open' and not archived and amount > outer.amount])"),
    ("company in query.companies()", "exists(all.company[size >= 2 and id == outer.company])"),
    ("company not in query.companies(least=1)", "not exists(all.company[size >= 1 and id == outer.company])"),
    ("company in query.everything()", "company is not None"),
    ("count(query.companies(least=count_of, name=name))",
     "count(all.company[size >= outer.count_of and (outer.name is None or name == outer.name)])"),
    ("sum(query.deals_of(company=company).amount)",
     "sum(all.deal[(company == outer.company or company.parent == outer.company) "
     "and not (stage == 'lost' and (archived or amount < 0))].amount)"),
    ("count(query.deals_of(company=company.parent)[closes > outer.closes])",
     "count(all.deal[(company == outer.company.parent or company.parent == outer.company.parent) "
     "and not (stage == 'lost' and (archived or amount < 0)) and closes > outer.closes])"),
    ("count(query.rivals(party=partner, at=closes))",
     "count(all.company[founded <= outer.closes and name != outer.partner.name and exists(deals[stage == 'won' "
     "and amount > sum(outer.outer.partner.deals.amount) / 100])])"),
    ("count(query.rivals(party=coalesce(partner, company), at='2024-01-01'))",
     "count(all.company[founded <= '2024-01-01' and name != (outer.partner.name if outer.partner is not None else "
     "outer.company.name) and exists(deals[stage == 'won' and amount > (sum(outer.outer.partner.deals.amount) if "
     "outer.outer.partner is not None else sum(outer.outer.company.deals.amount)) / 100])])"),
    ("company in query.busy()",
     "exists(all.company[id == outer.company and exists(all.deal[(company == outer.id or company.parent == outer.id) "
     "and not (stage == 'lost' and (archived or amount < 0)) and amount > 0])])"),
    ("exists(lines[outer.company in query.companies(least=quantity)])",
     "exists(lines[exists(all.company[size >= outer.quantity and id == outer.outer.company])])"),
    ("net(amount)", "amount * 81 / 100"), ("net(amount, 50)", "amount / 2"),
    ("net(rate=factor, amount=amount) + 1", "amount * (100 - factor) / 100 + 1"),
    ("net(net(amount, 50), 50)", "amount / 2 / 2"),
    ("home(company)", "coalesce(company.parent.name, company.name)"),
    ("bulk(1, record)", "sum(lines[quantity > 1].quantity)"),
    ("sum(company.deals[bulk(0, record) > 0].amount)",
     "sum(company.deals[sum(lines[quantity > 0].quantity) > 0].amount)"),
    ("count(company.deals[bulk(outer.count_of, id) > 0])",
     "count(company.deals[sum(lines[quantity > outer.outer.count_of].quantity) > 0])"),
    ("is_big(record)", "amount > 50 and count(lines) > 0"),
    ("company in all.company[size > 1]", "company.size > 1 if company.size is not None else False"),
    ("company in company.deals.partner", "exists(company.deals[partner is not None and partner == outer.company])"),
    ("name in all.company.name", "exists(all.company[name is not None and name == outer.name])"),
    ("sum(user.company.deals.amount)", "sum(all.deal[company == 2].amount)"),
    ("exists(user.company.deals[amount > outer.amount])", "exists(all.deal[company == 2 and amount > outer.amount])"),
    ("first(user.company.deals, order=-amount).name", "first(all.deal[company == 2], order=-amount).name"),
    ("exists(all.company[under(id, outer.partner)])", "partner is not None"),
    ("max(record.lines[done].due)", "max(lines[done].due)"),
]


@pytest.mark.parametrize(("source", "written"), SAME, ids=[source for source, _ in SAME])
def test_a_call_is_the_same_as_what_it_stands_for(world: Connection, source: str, written: str) -> None:
    assert values(world, source) == values(world, written)


WRONG = [
    ("exists(query.opendeals())", 8, 'there is no query "opendeals" (did you mean "open_deals"?)'),
    ("exists(query.open_deals)", 8, "a query is called: query.open_deals()"),
    ("exists(query)", 8, '"query" needs a name and brackets: query.name()'),
    ("exists(query.by_stage())", 8, 'the query "by_stage" has "group", so that its rows are no set of records'),
    ("exists(query.companies(3))", 24, "a query takes its arguments by name: query.companies(least=..., name=...)"),
    ("exists(query.companies(lest=3))", 24, '"query.companies" takes no "lest" (did you mean "least"?)'),
    ("exists(query.companies(least=name))", 30, '"least" of "query.companies" takes a whole number, not text'),
    ("exists(query.companies(least=amount))", 30, '"least" of "query.companies" takes a whole number, not money'),
    ("exists(query.deals_of())", 8, '"query.deals_of" needs "company": query.deals_of(company=...)'),
    ("exists(query.deals_of(company=user))", 31,
     '"company" of "query.deals_of" takes a link to company, not a link to user'),
    ("exists(query.rivals(party=company, at='1.1.2026'))", 39, "a date is written as '2026-01-31'"),
    ("exists(query.wrong())", 8, 'in query.wrong: "amout" is not on table "deal" (did you mean "amount"?)'),
    ("exists(query.around())", 8,
     "this goes round in a circle: query.around → query.about → ring → query.around"),
    ("ring(3)", 1, "this goes round in a circle: ring → query.around → query.about → ring"),
    ("user in query.companies()", 1, "a link to user is never among a set of company"),
    ("query.companies() == 1", 1, "this is a set of company; use it inside exists, count, sum, min, max or first"),
    ("net()", 1, '"net" needs "amount": net(amount, rate?)'),
    ("net(1, 2, 3)", 1, "this is called as net(amount, rate?)"),
    ("net(amount, amount=1)", 13, '"amount" is given twice'),
    ("net(name)", 5, '"amount" of "net" takes money, not text'),
    ("nett(1)", 1, 'there is no function "nett" (did you mean "net"?)'),
    ("net(amount * amount * amount * amount, factor)", 1, "in net: this number could grow beyond 60 digits"),
    ("parameter.least > 1", 1, '"parameter" is not on table "deal" (did you mean "partner"?)'),
    ("exists(all.deal[exists(all.deal[exists(all.deal[company in query.companies()])])])", 60,
     "sets stand in sets at most 3 deep"),
]


@pytest.mark.parametrize(("source", "column", "message"), WRONG, ids=[source for source, _, _ in WRONG])
def test_a_wrong_call_is_told_with_its_place(source: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        checked(source)
    assert (caught.value.column, str(caught.value)) == (column, message)


def test_a_mistake_of_the_body_is_told_apart_from_one_of_the_call() -> None:
    for source, own in [("exists(query.wrong())", True), ("exists(query.companies(least=name))", False)]:
        with pytest.raises(ExpressionError) as caught:
            checked(source)
        assert caught.value.own is own


def test_calls_that_call_much_are_refused_before_they_grow() -> None:
    many = "double(" * 30 + "factor" + ")" * 30
    with pytest.raises(ExpressionError, match="with all that it calls, an expression has at most 2000 parts"):
        check(many, World())


def test_an_expression_tells_what_it_names_and_what_it_reads() -> None:
    expression = checked("company in query.companies(least=count_of) and net(amount) > 1")
    assert {(one.kind, one.name, one.column) for one in expression.mentions if one.kind != "field"} == {
        ("query", "companies", 18), ("function", "net", 48)}
    assert expression.reads == {("company",), ("count_of",), ("amount",), ("all", "company"), ("all", "company", "size"),
                                ("all", "company", "name"), ("all", "company", "id")}
    assert expression.needs_database
    reached = checked("sum(guest.deals[size_of(outer.name) > 1].amount)".replace("size_of(outer.name)", "amount"),
                      guest=Type("link", "company"))
    assert reached.variables == {("guest",), ("guest", "deals")}


def test_a_variable_link_is_followed_and_its_sets_are_read(world: Connection) -> None:
    scope = World(given={"guest": Type("link", "company"), "parameter.party": Type("link", "company")})
    linked = RECORDS[1]["company"] or next(r["company"] for r in RECORDS.values() if r["company"])
    environment = ENVIRONMENT.__class__(
        user=ENVIRONMENT.user, today=ENVIRONMENT.today, now=ENVIRONMENT.now, zone=ENVIRONMENT.zone,
        variables={"guest": linked, "parameter": {"party": linked}})
    for source in ("guest.name", "guest.parent.name", "sum(guest.deals.amount)", "count(parameter.party.deals[amount > 1])",
                   "company == guest", "count(guest.deals[amount > outer.amount])", "parameter.party.size"):
        expression = check(source, scope)
        columns = WorldColumns("deal", environment=environment)
        found = world.execute(select(columns.alias.c.id, expression.sql(columns).label("value"))).all()
        assert {row.id: row.value for row in found} == {
            id: expression.evaluate(record, environment) for id, record in RECORDS.items()}, source
    empty = ENVIRONMENT.__class__(user={}, today=ENVIRONMENT.today, now=ENVIRONMENT.now, zone="UTC",
                                  variables={"guest": None})
    assert check("guest.parent.name is None and sum(guest.deals.amount) == 0", scope).evaluate({}, empty) is True
    number = ENVIRONMENT.__class__(user={}, today=ENVIRONMENT.today, now=ENVIRONMENT.now, zone="UTC",
                                   variables={"guest": 5})
    with pytest.raises(EvaluationError, match="was not read"):
        check("guest.name", scope).evaluate({}, number)


def test_a_computed_link_is_followed(world: Connection) -> None:
    source = "coalesce(partner, company).name"
    python = {id: check(source, World()).evaluate(record, ENVIRONMENT) for id, record in RECORDS.items()
              if record["partner"] is None and record["company"] is None}
    assert set(python.values()) <= {None}
    assert values(world, source) == values(world, "partner.name if partner is not None else company.name")
    assert values(world, "(partner if archived else company).name") == {
        id: check("(partner if archived else company).name", World()).evaluate(record, ENVIRONMENT)
        for id, record in RECORDS.items()}
