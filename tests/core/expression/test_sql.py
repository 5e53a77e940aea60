"""The SQL that expressions become: forms that indexes serve, and nothing that doubles."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql

from core.expression import check, holds
from tests.core.expression.world import TABLES, World, WorldColumns, checked, fill, rows

DIALECT = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]


def text(element: object) -> str:
    """The statement in one line, with the values of parameters in it."""
    compiled = element.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", str(compiled)).replace("world_deal_1.", "")


def where(source: str) -> str:
    return text(checked(source, "boolean").where(WorldColumns("deal")))


def exact(source: str) -> str:
    return text(checked(source, "boolean").sql(WorldColumns("deal")))


def test_a_column_beside_a_literal_is_a_plain_equality_in_a_where() -> None:
    assert where("stage == 'won'") == "stage = 'won'"
    assert where("company == 3 and count_of > 1") == "company = 3 AND count_of > 1"
    assert where("stage in ['won', 'lost']") == "stage IN ('won', 'lost')"
    assert where("record == 3") == "id = 3"
    assert where("archived") == "archived"


def test_the_same_as_a_value_is_never_unknown_and_still_serves_indexes() -> None:
    assert exact("stage == 'won'") == "stage = 'won' AND stage IS NOT NULL"
    assert exact("record == 3") == "id = 3"
    assert exact("archived") == "archived IS true"


def test_other_equalities_compare_empty_values_too() -> None:
    assert where("stage != 'won'") == "stage IS DISTINCT FROM 'won'"
    assert exact("company == partner") == "company IS NOT DISTINCT FROM partner"
    assert where("company == partner") == "company = partner OR company IS NULL AND partner IS NULL"
    assert where("stage not in ['won']") == "(stage IN ('won')) IS NOT true"


def test_plural_choices_ask_what_a_gin_index_knows() -> None:
    assert where("'won' in kinds") == "kinds @> CAST(ARRAY['won'] AS TEXT[])"


def test_contains_with_a_written_part_is_a_pattern_that_trigrams_serve() -> None:
    assert where("contains(name, 'a_%')") == r"name ILIKE '%%a\_\%%%%' ESCAPE '\'"


def test_dividing_by_a_round_number_is_a_multiplication() -> None:
    assert text(checked("amount / 100").sql(WorldColumns("deal"))) == "round(amount * 0.01, 10)"


def test_a_check_passes_unless_it_is_known_to_fail() -> None:
    assert text(checked("amount > 1", "boolean").passes(WorldColumns("deal"))) == "(amount > 1) IS NOT false"
    assert text(holds(checked("amount > 1").sql(WorldColumns("deal")))) == "(amount > 1) IS true"


@pytest.mark.parametrize("source", [
    "lower(" * 11 + "name" + ")" * 11,
    "(" * 24 + "1" + " if archived else 2) " * 24,
    "trim(left(" * 4 + "name" + ", 5))" * 4,
    "month_start(" * 11 + "closes" + ")" * 11,
    "(" * 3 + "1" + " / amount)" * 3,
])
def test_nesting_does_not_multiply_the_statement(source: str) -> None:
    assert len(text(check(source, World()).sql(WorldColumns("deal")))) < 2500


def test_all_records_of_a_table_can_be_asked(connection: Connection) -> None:
    data = rows()
    fill(connection, data)
    columns = WorldColumns("deal")
    lines = checked("count(all.line[deal == outer.id])").sql(columns)
    larger = checked("exists(all.company[id == outer.company and size > 1])").sql(columns)
    found = connection.execute(select(columns.alias.c.id, lines.label("lines"), larger.label("larger"))).all()
    companies = {company["id"] for company in data["company"] if (company["size"] or 0) > 1}
    deals = {deal["id"]: deal for deal in data["deal"]}
    assert [row.lines for row in found] == [sum(line["deal"] == row.id for line in data["line"]) for row in found]
    assert [row.larger for row in found] == [deals[row.id]["company"] in companies for row in found]
    assert connection.scalar(select(checked("count(all.deal)").sql(columns))) == len(deals)
    assert set(TABLES) == set(data)
