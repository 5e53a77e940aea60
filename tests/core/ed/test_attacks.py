"""What people with few rights try when they write, and what a refusal must not tell them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from core.ed.import_rows import ImportRow, find_by, match
from core.ed.table_file import FileRow
from core.errors import Conflict, Denied, Invalid, NotFound
from core.settings import Settings
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def codes(error: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(p.field, p.code) for p in error.value.problems]


def deal(world: World, owner: str, **values: object) -> int:
    with world.records() as records:
        [id_] = records.create("deal", [{"name": "d", "owner": world[owner], **values}])
    return id_


def lines(world: World, deal: int) -> list[int]:
    with world.records() as records:
        return [r["id"] for r in records.page("deal_line", ["id"], filters={"deal": deal}).records]


def test_a_unique_value_that_may_not_be_written_is_not_told_to_be_taken(world: World, unchanged) -> None:
    for tax_id in ("T1", "T2"):
        with unchanged(), pytest.raises(Invalid) as error, world.records("cleo") as records:
            records.create("customer", [{"name": "probe", "tax_id": tax_id}])
        assert codes(error) == [("tax_id", "unknown")]
        with unchanged(), pytest.raises(Invalid) as error, world.records("cleo") as records:
            records.update("customer", [{"id": world["beta"], "tax_id": tax_id}])
        assert codes(error) == [("tax_id", "unknown")]


def test_a_line_is_not_moved_into_a_record_that_one_may_not_change(world: World, unchanged) -> None:
    mine, other = deal(world, "sue", lines=[{"price": 1}]), deal(world, "sam", lines=[{"price": 2}])
    [line], [theirs] = lines(world, mine), lines(world, other)
    for values in ({"id": line, "deal": other}, {"id": theirs, "deal": mine}):
        with unchanged(), pytest.raises(Denied), world.records("sue") as records:
            records.update("deal_line", [values])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal", [{"id": mine, "lines": [{"id": theirs, "price": 5}]}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal", [{"id": mine, "lines": [{"id": line, "deal": other}]}])
    second = deal(world, "sue")
    with world.records("sue") as records:
        records.update("deal_line", [{"id": line, "deal": second}])
    assert (lines(world, mine), lines(world, second)) == ([], [line])


def test_nobody_becomes_more_through_the_lines_of_their_own_record(world: World, unchanged) -> None:
    """Who may change the own user record gives themselves no role and nobody a superior by it."""
    with world.records() as records:
        [own] = [r["id"] for r in records.page("role_assignment", ["id"], filters={"user": world["max"]}).records]
    with world.records("max") as records:
        records.update("user", [{"id": world["max"], "team": "mine"}])
    for lines in ({"roles": [{"role": "administrator"}]}, {"roles": [{"id": own, "role": "administrator"}]},
                  {"roles": [{"id": own, "_delete": True}]}, {"reports": [{"id": world["ada"], "team": "mine"}]},
                  {"reports": [{"name": "new"}]}):
        with unchanged(), pytest.raises((Denied, Invalid, NotFound)), world.records("max") as records:
            records.update("user", [{"id": world["max"], **lines}])
    for call in (lambda r: r.delete("role_assignment", [own]),
                 lambda r: r.update("role_assignment", [{"id": own, "role": "administrator"}]),
                 lambda r: r.update("user", [{"id": world["max"], "team": "x"}, {"id": world["ada"], "team": "x"}]),
                 lambda r: r.update("user", [{"id": world["ada"], "team": "x"}, {"id": world["max"], "team": "x"}])):
        with unchanged(), pytest.raises((Denied, NotFound)), world.records("max") as records:
            call(records)


def test_defaults_that_follow_what_is_hidden_stay_empty(world: World) -> None:
    with world.records("cleo") as records:
        [id_] = records.create("deal", [{"name": "d", "owner": world["cleo"]}])
        [read] = records.read("deal", [id_])
        assert read["team"] is None
        assert records.new("deal", {"name": "d"}).get("team") is None


def test_the_message_of_a_rule_leaves_out_what_is_hidden(world: World) -> None:
    with pytest.raises(Invalid) as error, world.records("cleo") as records:
        records.create("deal", [{"name": "d", "owner": world["cleo"], "starts": None}, {
            "name": "e", "owner": world["cleo"], "lines": [{"price": 1}] * 4}])
    assert codes(error) == [("", "rule")]


def test_a_conflict_names_no_field_that_is_hidden_in_the_record(world: World) -> None:
    with world.records() as records:
        records.update("customer", [{"id": world["beta"], "tax_id": "T7", "name": "Beta 2", "archived": True}])
    with pytest.raises(Conflict) as error, world.records("cleo") as records:
        records.update("customer", [{"id": world["beta"], "_version": 1, "name": "mine"}])
    assert error.value.fields == ("name",)
    assert "tax_id" not in error.value.current and error.value.current["archived"] is None


def test_an_import_finds_no_records_by_what_is_hidden(world: World) -> None:
    row = ImportRow(FileRow(1, ()), values={"tax_id": "T1"})
    with world.records("cleo") as records:
        with pytest.raises(Denied):
            find_by(records.session, "customer", "tax_id", ["T1"])
        with pytest.raises(Denied):
            match(records.session, "customer", ["tax_id"], [row])
        assert find_by(records.session, "customer", "name", ["Acme"]) == {"Acme": [world["acme"]]}
    with world.records("sue") as records:
        assert find_by(records.session, "customer", "tax_id", ["T1"]) == {"T1": [world["acme"]]}
        assert find_by(records.session, "customer", "name", ["Beta", "Beta 2"]) == {}


def test_a_refusal_to_delete_does_not_count_what_is_hidden(world: World) -> None:
    with world.records() as records:
        [gone] = records.create("customer", [{"name": "linked", "owner": world["max"]}])
        records.create("deal", [{"name": "d", "customer": gone}, {"name": "e", "customer": gone}])
    with pytest.raises(Invalid) as error, world.records("max") as records:
        records.delete("customer", [gone])
    [problem] = error.value.problems
    assert problem.code == "in_use" and "count" not in problem.params
