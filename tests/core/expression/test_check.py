"""What can be known to be wrong before there is a record, and in which words it is said."""

from __future__ import annotations

import pytest

from core.expression import ExpressionError, check
from core.types.base import Type
from tests.core.expression.world import World, checked

WRONG = [
    # names
    ("amout > 1", 1, '"amout" is not on table "deal" (did you mean "amount"?)'),
    ("zzz > 1", 1, '"zzz" is not on table "deal"'),
    ("company.nam == 'a'", 1, '"nam" is not on table "company" (did you mean "name"?)'),
    ("archived == true", 13, '"true" is not known (did you mean "True"?)'),
    ("company == null", 12, '"null" is not known (did you mean "None"?)'),
    ("LENGTH(name)", 1, 'there is no function "LENGTH" (did you mean "length"?)'),
    ("lenght(name)", 1, 'there is no function "lenght" (did you mean "length"?)'),
    ("today > closes", 1, '"today" is a function; call it: today()'),
    ("all.compny", 1, 'there is no table "compny"'),
    ("all == 1", 1, '"all" needs a table: all.table'),
    ("outer.name", 1, '"outer" stands only inside [ ], where there is a record around'),
    ("name.first", 1, 'text has no part "first"'),
    ("members.name", 1, 'this is a set of company; use it inside exists, count, sum, min, max or first'),
    ("user.nobody", 1, '"nobody" is not on table "user"'),
    # conditions
    ("amount and archived", 1, "this is money, not a condition; compare it with something"),
    ("not name", 5, "this is text, not a condition; compare it with something"),
    ("1 if amount else 2", 6, "this is money, not a condition; compare it with something"),
    ("archived or 'x'", 13, "this is text, not a condition; compare it with something"),
    ("exists(lines) or lines", 18, "this is a set of line; use it inside exists, count, sum, min, max or first"),
    # comparisons
    ("name > 1", 1, '">" does not go between text and a whole number'),
    ("name == 1", 1, '"==" does not go between text and a whole number'),
    ("closes > seen", 1, '">" does not go between a date and a date with time; use date(...)'),
    ("closes == now()", 1, '"==" does not go between a date and a date with time; use date(...)'),
    ("company == user", 1, '"==" does not go between a link to company and a link to user'),
    ("company > partner", 1, '">" does not go between a link to company and a link to company'),
    ("stage > 'open'", 1, '">" does not go between a choice of stage and a choice of stage'),
    ("kinds == 'won'", 1, '"==" does not go between several stage and text; use in'),
    ("stage == 'wan'", 10, '"wan" is not a value of stage (did you mean "won"?)'),
    ("stage in ['won', 'gone']", 18, '"gone" is not a value of stage'),
    ("'lots' in kinds", 1, '"lots" is not a value of stage (did you mean "lost"?)'),
    ("user in members", 1, "a link to user is never among several links to company"),
    ("'a' in name", 8, 'after "in" comes a list, a set or a plural field, not text; use contains(text, part)'),
    ("company in lines", 1, "a link to company is never among a set of line"),
    ("company in lines.product", 1, "a link to company is never among text"),
    ("None in lines", 1, "nothing is never among a set of line"),
    ("closes > '31.1.2026'", 10, "a date is written as '2026-01-31'"),
    ("seen > '2026-01-31'", 8, "a date with time is written as '2026-01-31T10:00:00Z'"),
    ("name is 'a'", 9, 'after "is" comes None or the name of a table; to compare values write "=="'),
    ("company is clients", 12, 'there is no table "clients"; to compare values write "=="'),
    ("company is line", 12, 'a company is never "line"'),
    ("name is client", 1, 'only a record or a link can be asked "is client", not text'),
    ("0 < length(name) < 5", 5, 'the middle of a chained comparison must be a plain value; write two comparisons '
                                'with "and"'),
    # arithmetic
    ("name + 1", 1, '"+" does not go between text and a whole number; use concat and text(number)'),
    ("closes + 7", 1, '"+" does not go between a date and a whole number; use days(number)'),
    ("closes - seen", 1, '"-" does not go between a date and a date with time; use date(...)'),
    ("name - name", 1, '"-" does not go between text and text'),
    ("-name", 1, "text has no sign"),
    ("amount % (amount + 1)", 11, 'the right side of "%" is a number or a field'),
    ("amount * amount * amount * amount * amount", 1, "this number could grow beyond 60 digits"),
    ("closes + days(count_of) + days(count_of) + days(count_of) + days(count_of) + days(count_of) + days(count_of) "
     "+ days(count_of)", 1, "this date could lie too far away"),
    # calls
    ("round()", 1, "this is called as round(number) or round(number, places)"),
    ("left(name)", 1, "this is called as left(text, count)"),
    ("today(1)", 1, "this is called as today()"),
    ("lower(amount)", 7, '"lower" takes text as its argument 1, not money'),
    ("text(archived)", 6, '"text" takes a number or a date or a choice or a date with time as its argument 1, '
                          "not a condition"),
    ("date(amount)", 6, '"date" takes text or a date with time as its argument 1, not money'),
    ("within(closes, 'this mont')", 16, '"within" does not know "this mont" (did you mean "this month"?)'),
    ("within(closes, 'last 1000 days')", 16, '"within" does not know "last 1000 days" (did you mean "last 30 days"?)'),
    ("within(closes, name)", 16, '"within" takes text written out as its argument 2, not text'),
    ("switch(stage, 'open')", 1, "this is called as switch(value, case, result, ..., otherwise?)"),
    ("switch(stage, 'opn', 1)", 15, '"opn" is not a value of stage (did you mean "open"?)'),
    ("switch(stage, 'open', 1, 'a')", 1, '"switch" cannot mix a whole number and text'),
    ("switch(lower(name), 'a', 1)", 8, 'the first argument of "switch" is a field or a variable'),
    ("switch(amount, 'a', 1)", 16, '"==" does not go between money and text'),
    ("under(company)", 1, "this is called as under(record, top)"),
    ("under(name, company)", 7, '"under" takes a link, not text'),
    ("under(record, id)", 1, 'no link of "deal" is a tree (tree: true), so nothing stands under its records'),
    ("under(company, user)", 16, '"under" takes a link to company as its argument 2, not a link to user'),
    ("round(amount, count_of)", 15, '"round" takes a whole number written out as its argument 2, not a whole number'),
    ("date('2026-02-30')", 1, "\"date\" takes a text such as '2026-01-31'"),
    ("coalesce(name, amount)", 1, '"coalesce" cannot mix text and money'),
    ("lower(text=name)", 7, '"lower" takes no named arguments'),
    ("name if archived else amount", 1, '"if" gives either text or money; both must be of one type'),
    # sets
    ("sum(lines)", 1, '"sum" needs a field of the set, such as sum(lines.total)'),
    ("sum(lines.product)", 1, '"sum" takes numbers, not text'),
    ("min(lines.done)", 1, '"min" has no order for a condition'),
    ("min(amount, 3)", 1, '"min" takes one set (did you mean "least"?)'),
    ("count(amount)", 7, '"count" takes a set, not money'),
    ("exists(lines.due)", 1, '"exists" takes records; write exists(lines[field is not None])'),
    ("first(lines, by=due)", 14, '"first" knows only order= (did you mean "order"?)'),
    ("list(lines.product, separater='a')", 21, '"list" knows only order=, separator= (did you mean "separator"?)'),
    ("list(lines.product, separator=name)", 31, "a separator is a text written out"),
    ("list(lines.price)", 1, '"list" takes texts, not money'),
    ("count_distinct(lines.deal.kinds)", 1, '"count_distinct" takes single values, not several stage'),
    ("all(lines)", 1, '"all" needs a condition, such as all(lines, total > 0)'),
    ("any(lines.product)", 1, '"any" needs a condition, such as any(lines, total > 0)'),
    ("none(lines, product)", 13, "this is text, not a condition; compare it with something"),
    ("sum(lines.price, where=done)", 18, '"sum" takes no "where"; choose records by [ ], such as lines[total > 0]'),
    ("sum(lines.price, quantity)", 18, '"sum" takes one set, such as lines or lines[total > 0]'),
    ("count()", 1, '"count" takes one set, such as lines or lines[total > 0]'),
    ("sum(amount)", 5, '"sum" takes a set, not money'),
    ("running(amount)", 1, '"running" stands only in a column of a query, over the rows that it gives'),
    ("first(lines, order=done)", 20, "there is no order of a condition"),
    ("amount[1]", 1, "[ ] chooses records of a set; this is money"),
    ("exists(lines[product])", 14, "this is text, not a condition; compare it with something"),
    ("exists(lines[name == 'a'])", 14, '"name" is not on table "line"'),
    ("exists(lines[outer.outer.name == 'a'])", 14, "there is no further record around"),
    ("sum(all.company.deals)", 5, "a set inside a set cannot be read; use [ ] with exists, count or sum"),
    ("[1, 2]", 1, 'a list stands only after "in"'),
    # bounds
    ("company" + ".parent" * 7 + ".name == 'a'", 1, "a path has at most 8 steps"),
    ("user" + ".manager" * 8 + " == user", 1, "a path has at most 8 steps"),
    ("exists(lines.deal.company.deals[True])", 8, "a set inside a set cannot be read; use [ ] with exists, count or sum"),
    ("exists(all.deal[exists(all.deal[exists(all.deal[exists(all.deal[archived])])])])", 56,
     "sets stand in sets at most 3 deep"),
]


@pytest.mark.parametrize(("source", "column", "message"), WRONG, ids=[source for source, _, _ in WRONG])
def test_a_mistake_is_told_with_its_place_and_what_was_meant(source: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        checked(source)
    assert (caught.value.column, str(caught.value)) == (column, message)


TYPES = [
    ("amount + 1", "money"), ("amount * probability / 100", "money"), ("amount / amount", "decimal"),
    ("amount * amount", "decimal"), ("count_of * 2", "integer"), ("count_of / 2", "decimal"),
    ("count_of + 0.5", "decimal"), ("probability + probability", "percent"), ("probability + count_of", "decimal"),
    ("closes + days(1)", "date"), ("closes - starts", "duration"), ("seen - heard", "duration"),
    ("days(1) + seen", "datetime"), ("sum(lines.price)", "money"), ("sum(lines.quantity)", "integer"),
    ("avg(lines.quantity)", "decimal"), ("count(lines)", "integer"), ("exists(lines)", "boolean"),
    ("first(lines)", "link of line"), ("first(lines).due", "date"), ("first(lines).deal.company", "link of company"),
    ("stage", "choice of stage"), ("kinds", "many choice of stage"), ("coalesce(stage, 'none')", "text"),
    ("None", "null"), ("amount if archived else 0", "money"), ("coalesce(count_of, 1.5)", "decimal"),
    ("round(amount)", "integer"), ("round(amount, 2)", "decimal"), ("abs(amount)", "money"), ("amount.base", "money"),
    ("record", "link of deal"), ("user.company.name", "text"), ("1 < amount < 5", "boolean"),
    ("name in ['a']", "boolean"), ("created == now()", "boolean"),
]


@pytest.mark.parametrize(("source", "type"), TYPES)
def test_every_expression_has_one_type(source: str, type: str) -> None:
    assert str(checked(source, created=Type("datetime")).type) == type


FITS = [("amount", "money"), ("count_of", "decimal"), ("count_of", "money"), ("1", "percent"), ("'won'", "choice"),
        ("stage", "text"), ("None", "date"), ("company", "link"), ("1", "link"), ("'2026-01-31'", "date"),
        ("archived", "boolean"), ("members", "link")]


@pytest.mark.parametrize(("source", "expects"), FITS)
def test_a_value_may_stand_where_its_like_is_expected(source: str, expects: str) -> None:
    assert checked(source, expects).source == source


def test_a_value_of_another_type_than_expected_is_refused() -> None:
    for source, expects, message in [
        ("amount", "boolean", "this is money, not a condition; compare it with something"),
        ("amount", "text", "this is money, where text is expected"),
        ("amount / 2", "integer", "this is money, where a whole number is expected; use round, floor or ceil"),
        ("seen", "date", "this is a date with time, where a date is expected"),
        ("'x'", "date", "a date is written as '2026-01-31'"),
    ]:
        with pytest.raises(ExpressionError) as caught:
            checked(source, expects)
        assert str(caught.value) == message
    with pytest.raises(ExpressionError, match="where several stage is expected"):
        check("stage", World(), Type("choice", "stage", many=True))
    with pytest.raises(ExpressionError, match='"gone" is not a value of stage'):
        check("'gone'", World(), Type("choice", "stage"))


def test_a_name_that_is_a_field_and_a_variable_must_be_told_apart() -> None:
    with pytest.raises(ExpressionError) as caught:
        checked("name == 'a'", name=Type("text"))
    assert caught.value.message == '"name" is a field of "deal" and a variable; write "record.name" for the field'
    assert checked("record.name == 'a'", name=Type("text")).reads == {("name",)}


def test_without_a_table_there_are_only_variables() -> None:
    scope = World(table=None, given={"answer": Type("text"), "parameter.city": Type("text")})
    assert check("answer == 'a' and parameter.city == 'b'", scope).variables == {("answer",), ("parameter", "city")}
    for source, message in [
        ("amount > 1", '"amount" is not known here'), ("record.name", "there is no record here"),
        ("parameter.cty == 'b'", 'there is no "parameter.cty" (did you mean "parameter.city"?)'),
    ]:
        with pytest.raises(ExpressionError) as caught:
            check(source, scope)
        assert str(caught.value) == message


def test_an_expression_tells_what_it_reads() -> None:
    expression = checked(
        "sum(lines[price > outer.amount and deal.company.size > 1].quantity) > 3 and closes < today() "
        "and user.manager is None and exists(all.company[id == outer.partner]) and date(seen) < closes")
    assert expression.reads == {
        ("lines",), ("lines", "price"), ("lines", "quantity"), ("lines", "deal", "company", "size"), ("amount",),
        ("closes",), ("seen",), ("all", "company"), ("all", "company", "id"), ("partner",)}
    assert expression.variables == {("today",), ("user", "manager"), ("zone",)}
    assert expression.functions == {"today", "date"}
    assert expression.tables == {"company"}
    assert expression.needs_database


def test_an_index_can_hold_what_reads_the_record_itself_alone() -> None:
    for source in ("stage == 'won' and amount > 1", "lower(name) == 'a'", "capitalize(name) == 'A' or archived"):
        assert checked(source).indexable == ("capitalize" not in source)
    for source in ("closes < today()", "company.size > 1", "exists(lines)", "company is client", "user == 7",
                   "under(company, 1)", "under(company, partner)", "count(all.deal) > 1"):
        assert not checked(source).indexable


def test_the_paths_of_a_first_record_are_told_too() -> None:
    expression = checked("first(company.deals[archived], order=[-amount, outer.closes]).partner.name")
    assert expression.reads == {
        ("company", "deals"), ("company", "deals", "archived"), ("company", "deals", "amount"), ("closes",),
        ("company", "deals", "partner", "name")}


def test_an_addon_adds_functions() -> None:
    from sqlalchemy import func

    from core.expression import Function, Parameter, functions
    from core.expression.functions.base import TEXT
    reverse = Function("reverse", (Parameter("text", TEXT),), Type("text"), "The text backwards.",
                       ("reverse('ab') == 'ba'",), lambda text: text[::-1], func.reverse)
    table = functions([reverse])
    assert check("reverse(name)", World(), functions=table).type == Type("text")
    with pytest.raises(ValueError, match='the function "reverse" exists already'):
        functions([reverse, reverse])
