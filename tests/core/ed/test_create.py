"""Creating records: values, defaults, numbers, money, rules, rights; and that a refusal leaves nothing behind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select, text

from core.ed import tables
from core.errors import BadRequest, Denied, Invalid, NotFound
from core.settings import Settings
from tests.fixtures.sample import value_in_database
from tests.fixtures.writing import World, statements, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def problems(error: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str]]:
    return {(p.field, p.code) for p in error.value.problems}


def stored(world: World, table: str, id: int, field: str, part: str = "") -> object:
    with world.engine.begin() as connection:
        return value_in_database(connection, world.system, table, id, field, part)


def test_a_record_gets_what_was_given_and_the_defaults(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("deal", [{"name": "Paper", "customer": world["acme"], "amount": 100}])
        [deal] = records.read("deal", [id_])
    assert deal["name"] == "Paper" and deal["customer"] == world["acme"]
    assert deal["owner"] == world["sue"] and deal["stage"] == "open"
    assert deal["starts"] == date(2026, 11, 20) and deal["team"] == "team of sue"
    assert deal["amount"] == Decimal("100.00") and deal["_version"] == 1


def test_what_was_named_empty_stays_empty(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("deal", [{"name": "No start", "starts": None}])
    assert stored(world, "deal", id_, "starts") is None


def test_numbers_are_given_one_after_the_other_without_gaps(world: World) -> None:
    with world.records("sue") as records:
        ids = records.create("deal", [{"name": f"n{i}"} for i in range(3)])
    first = int(str(stored(world, "deal", ids[0], "code"))[2:])
    with pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": "too soon", "starts": date(2026, 1, 2), "ends": date(2026, 1, 1)}])
    with world.records("sue") as records:
        ids += records.create("deal", [{"name": "next"}])
    assert [stored(world, "deal", id_, "code") for id_ in ids] == [f"D-{first + i:04d}" for i in range(4)]


def test_an_amount_stands_in_base_currency_beside(world: World) -> None:
    with world.records("sue") as records:
        home, away = records.create("deal", [
            {"name": "home", "amount": 10}, {"name": "away", "amount": 10, "currency": world["USD"]}])
    assert stored(world, "deal", home, "amount", "base") == Decimal("10.00")
    assert stored(world, "deal", away, "amount", "base") == Decimal("5.00")


def test_all_problems_of_all_rows_come_at_once(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [
            {"name": "", "stage": "nowhere", "regoin": 1, "weighted": 3, "code": "D-9", "_type": 4, "id": 7},
            {"name": "x" * 200, "starts": "2026-13-01", "margin": 1, "shipped": True, "stage": "gone"}])
    found = {(p.row, p.field, p.code) for p in error.value.problems}
    assert {(0, "name", "required"), (0, "stage", "choice"), (0, "regoin", "unknown"), (0, "weighted", "computed"),
            (0, "code", "computed"), (0, "_type", "system"), (0, "id", "system"), (1, "margin", "not_writable"),
            (1, "shipped", "readonly"), (1, "stage", "retired")} <= found
    assert {(row, field) for row, field, _ in found} >= {(1, "name"), (1, "starts")}


@pytest.mark.parametrize("value", ["nul\0byte", "\ud800", 3, True, ["a"], {"a": 1}])
def test_text_is_text(world: World, unchanged, value: object) -> None:
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": value}])


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1.005"), Decimal(10) ** 15, "x", 1.5])
def test_money_is_finite_and_never_rounded(world: World, unchanged, value: object) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [{"name": "m", "amount": value}])
    assert {p.field for p in error.value.problems} == {"amount"}


def test_dates_stay_between_1900_and_2200(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": "d", "starts": date(2201, 1, 1)}])


@pytest.mark.parametrize("rows", [3, "ab", [3], [None], {"name": "x"}])
def test_what_is_no_list_of_objects_is_a_bad_request(world: World, rows) -> None:
    with pytest.raises(BadRequest), world.records("sue") as records:
        records.create("deal", rows)


def test_an_abstract_table_has_no_records_of_its_own(world: World) -> None:
    with pytest.raises(BadRequest), world.records("ada") as records:
        records.create("work", [{"name": "x"}])
    with pytest.raises(NotFound), world.records("ada") as records:
        records.create("nothing", [{"name": "x"}])


# Links

def test_links_lead_to_records_that_may_be_chosen(world: World, unchanged) -> None:
    with world.records() as records:
        [gone] = records.create("customer", [{"name": "Gone"}])
        records.delete("customer", [gone])
    for wrong in (world["old"], gone, 2**62, world["red"]):        # not among, trashed, none, of another table
        with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
            records.create("deal", [{"name": "ok"}, {"name": "x", "customer": wrong}])
        assert [(p.row, p.field, p.code) for p in error.value.problems] == [(1, "customer", "link")]


def test_a_link_needs_a_target_that_the_user_may_at_least_peek_at(world: World, unchanged) -> None:
    with world.records("sue") as records:                           # Beta is Sam's: Sue may only peek at it
        records.create("deal", [{"name": "peeked", "customer": world["beta"]}])
    with world.records() as records:
        [deal] = records.create("deal", [{"name": "theirs", "owner": world["sue"]}])
        [task] = records.create("task", [{"name": "mine", "owner": world["sue"]}])
    with world.records("ada") as records:
        records.update("task", [{"id": task, "deal": deal}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("customer", [{"name": "kid", "parent": 2**40}])


def test_plural_links_are_checked_too(world: World, unchanged) -> None:
    with world.records("sue") as records:
        [id_] = records.create("customer", [{"name": "tagged", "tags": [world["red"], world["blue"]]}])
    assert stored(world, "customer", id_, "tags") == [world["red"], world["blue"]]
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("customer", [{"name": "tagged", "tags": [world["red"], world["acme"]]}])
    assert problems(error) == {("tags", "link")}


# Rules, unique, required

def test_a_broken_rule_is_told_at_its_field_in_its_own_words(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [{"name": "fine"}, {"name": "d", "starts": date(2026, 5, 2), "ends": date(2026, 5, 1)}])
    [problem] = error.value.problems
    assert (problem.row, problem.field, problem.code) == (1, "ends", "rule")
    assert "2026" in problem.message or "5/2/26" in problem.message or "May" in problem.message


def test_an_unknown_rule_passes(world: World) -> None:
    with world.records("sue") as records:
        records.create("deal", [{"name": "open end", "ends": None}])


def test_a_warning_does_not_refuse(world: World) -> None:
    with world.records("sue") as records:
        written = records.create("deal", [{"name": "w", "amount": 1, "lines": [{"product": world["pen"]}]}])
    [warning] = written.warnings
    assert warning.field == "amount" and "3" in warning.message


def test_a_message_tells_nothing_that_the_user_may_not_read(world: World) -> None:
    with pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [{"name": "many", "customer": world["beta"], "lines": [{}, {}, {}, {}]}])
    assert [p.message for p in error.value.problems] == ["A deal of Beta has at most 3 lines."]      # peek shows names


def test_required_may_depend_on_the_record(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [{"name": "won", "stage": "won"}])
    assert problems(error) == {("amount", "required")}
    with world.records("sue") as records:
        records.create("deal", [{"name": "won", "stage": "won", "amount": 5}])


def test_unique_values_are_unique_outside_the_trash(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("customer", [{"name": "a", "tax_id": "T1"}, {"name": "b", "tax_id": "T2"},
                                    {"name": "c", "tax_id": "T2"}])
    assert sorted((p.row, p.field, p.code) for p in error.value.problems) == [
        (0, "tax_id", "unique"), (2, "tax_id", "unique")]
    assert error.value.problems[0].message == "Someone has this tax number."
    with world.records("sue") as records:
        [id_] = records.create("customer", [{"name": "a", "tax_id": "T3"}])
        records.delete("customer", [id_])
        records.create("customer", [{"name": "b", "tax_id": "T3"}])


def test_a_unique_rule_with_a_condition_holds_where_it_applies(world: World, unchanged) -> None:
    row = {"name": "same", "customer": world["acme"]}
    with world.records("sue") as records:
        records.create("deal", [row, {**row, "stage": "lost"}])
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [row])
    assert problems(error) == {("name", "unique")}


# Rights

def test_without_a_grant_nothing_is_created(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Denied, match="Seller") as error, world.records("eve") as records:
        records.create("deal", [{"name": "x"}])
    assert "Administrator" in str(error.value)


def test_a_grant_may_depend_on_the_record_that_is_created(world: World, unchanged) -> None:
    with world.records("sue") as records:
        records.create("task", [{"name": "mine"}])
    for rows in ([{"name": "mine"}, {"name": "his", "owner": world["sam"]}],
                 [{"name": "his", "owner": world["sam"]}, {"name": "mine"}]):
        with unchanged(), pytest.raises(Denied), world.records("sue") as records:
            records.create("task", rows)


def test_a_field_that_may_not_be_changed_may_not_be_given(world: World, unchanged) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("customer", [{"name": "x", "hidden": "secret"}])
    assert problems(error) == {("hidden", "unknown")}
    with world.records("ada") as records:
        records.create("customer", [{"name": "x", "hidden": "secret"}])


# What else is written

def test_history_and_the_search_queue_are_written_with_it(world: World) -> None:
    with world.records("sue", how="api") as records:
        [id_] = records.create("deal", [{"name": "told"}])
        [change] = records.history("deal", id_)
    assert change.how == "api" and change.user_id == world["sue"]
    assert change.fields["name"] == (None, "told") and "note" not in change.fields
    with world.engine.begin() as connection:
        queue = select(tables.search_queue.c.record_id).where(tables.search_queue.c.record_id == id_)
        assert connection.scalars(queue).all() == [id_]


def test_a_table_with_epoch_raises_the_epoch(world: World) -> None:
    def epoch() -> int:
        with world.engine.begin() as connection:
            return int(connection.execute(text("select epoch from bm.live")).scalar_one())
    before = epoch()
    with world.records("ada") as records:
        records.create("role_assignment", [{"user": world["eve"], "role": "reader"}])
        records.create("label", [{"name": "no epoch"}])
    assert epoch() == before + 1


# The budget

def test_a_plain_record_takes_four_statements(world: World) -> None:
    row = {"name": "counted", "customer": world["acme"], "owner": world["sue"], "team": "a", "code": None}
    with world.records() as records:
        records.create("deal", [{**row, "code": "D-X"}])
        with statements(world.engine) as found:
            records.create("deal", [{**row, "name": "counted 2", "code": "D-Y"}])
    assert len(found) == 4, found          # checks, insert, rules, history and search queue


@pytest.mark.parametrize("count", [2, 2000])
def test_many_records_take_no_more_statements_than_two(world: World, count: int) -> None:
    rows = [{"name": f"t{n}", "due": date(2026, 1, 1), "owner": world["sue"]} for n in range(count)]
    with world.records("sue") as records, statements(world.engine) as found:
        records.create("task", rows)
    assert len(found) == 5, found          # checks, ids, insert, rights, history and search queue


def test_new_gives_the_defaults_of_a_form(world: World) -> None:
    with world.records("sue") as records:
        values = records.new("deal", {"name": "n", "amount": 3})
        line = records.new("deal_line", {"product": world["pen"]})
    assert values == {"name": "n", "amount": Decimal("3.00"), "owner": world["sue"], "stage": "open",
                      "starts": date(2026, 11, 20), "team": "team of sue"}
    assert line["price"] == Decimal("3.00") and line["quantity"] == 1


def test_new_shows_no_default_of_a_hidden_field(world: World) -> None:
    with world.records("sue") as records:
        assert "hidden" not in records.new("customer", {})
    with world.records("ada") as records:
        assert records.new("customer", {})["hidden"] == "new"
