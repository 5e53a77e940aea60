"""Changing records: rights on each, versions, lines inside their record, all or nothing."""

from __future__ import annotations

import threading
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from core.errors import BadRequest, Conflict, Denied, Invalid, NotFound
from core.settings import Settings
from tests.fixtures.sample import value_in_database
from tests.fixtures.writing import World, statements, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def make(world: World, table: str = "deal", owner: str = "sue", **values: object) -> int:
    with world.records() as records:
        [id_] = records.create(table, [{"name": "made", "owner": world[owner], **values}])
    return id_


def stored(world: World, table: str, id: int, field: str, part: str = "") -> object:
    with world.engine.begin() as connection:
        return value_in_database(connection, world.system, table, id, field, part)


def problems(error: pytest.ExceptionInfo[Invalid]) -> set[tuple[str, str]]:
    return {(p.field, p.code) for p in error.value.problems}


def test_only_what_was_named_changes_and_the_version_rises(world: World) -> None:
    id_ = make(world, amount=7, note="keep")
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "_version": 1, "name": "renamed"}])
        [deal] = records.read("deal", [id_])
    assert (deal["name"], deal["note"], deal["amount"], deal["_version"]) == ("renamed", "keep", Decimal(7), 2)
    assert stored(world, "deal", id_, "changed_by") == world["sue"]


def test_what_is_the_same_is_no_change(world: World) -> None:
    id_ = make(world, amount=7)
    with world.records("sue") as records, statements(world.engine) as found:
        records.update("deal", [{"id": id_, "name": "made", "amount": Decimal("7.00")}])
    assert not [s for s in found if "UPDATE" in s and "FOR NO KEY" not in s]
    assert stored(world, "deal", id_, "_version") == 1


def test_many_rows_change_different_fields_at_once(world: World) -> None:
    first, second, third = (make(world, amount=5, currency=world["USD"], note="n") for _ in range(3))
    with world.records("sue") as records:
        records.update("deal", [{"id": first, "amount": 8}, {"id": second, "note": None}, {"id": third, "name": "x"}])
    assert [stored(world, "deal", i, "amount") for i in (first, second, third)] == [8, 5, 5]
    base = [stored(world, "deal", i, "amount", "base") for i in (first, second, third)]
    assert base == [4, Decimal("2.5"), Decimal("2.5")]
    assert [stored(world, "deal", i, "note") for i in (first, second, third)] == ["n", None, "n"]
    assert [stored(world, "deal", i, "name") for i in (first, second, third)] == ["made", "made", "x"]


def test_another_currency_changes_all_base_amounts_of_a_record_and_its_lines(world: World) -> None:
    id_ = make(world, amount=10, lines=[{"product": world["pen"]}])
    line = lines_of(world, id_)[0]
    assert stored(world, "deal_line", line, "price", "base") == 3
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "currency": world["USD"]}])
    assert stored(world, "deal", id_, "amount", "base") == 5
    assert stored(world, "deal_line", line, "price", "base") == Decimal("1.5")
    with world.records("sue") as records:
        records.update("deal_line", [{"id": line, "price": 8}])
    assert stored(world, "deal_line", line, "price", "base") == 4


# Rights

def test_every_record_of_a_batch_must_be_the_users_to_change(world: World, unchanged) -> None:
    own, other = make(world), make(world, owner="sam")
    for order in ([own, other], [other, own]):
        with unchanged(), pytest.raises(Denied), world.records("sue") as records:
            records.update("deal", [{"id": id_, "name": "taken"} for id_ in order])


def test_what_may_not_be_read_is_not_there(world: World, unchanged) -> None:
    for id_ in (world["beta"], 2**50):
        with unchanged(), pytest.raises(NotFound), world.records("sue") as records:
            records.update("customer", [{"id": id_, "name": "x"}])


def test_a_field_has_a_right_of_its_own_whatever_the_value(world: World, unchanged) -> None:
    for value in ("secret", "guess", None):                # the right guess answers as the wrong one does
        with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
            records.update("customer", [{"id": world["acme"], "hidden": value}])
        assert problems(error) == {("hidden", "unknown")}


def test_system_formula_and_readonly_fields_cannot_be_set(world: World, unchanged) -> None:
    id_ = make(world)
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.update("deal", [{"id": id_, "created_by": 1, "_deleted_on": None, "weighted": 1, "shipped": True,
                                 "code": "D-1", "_type": 1, "no_such": 1}])
    assert problems(error) == {("created_by", "system"), ("_deleted_on", "system"), ("weighted", "computed"),
                               ("shipped", "readonly"), ("code", "computed"), ("_type", "system"),
                               ("no_such", "unknown")}


def test_readonly_may_depend_on_the_record_as_it_was(world: World, unchanged) -> None:
    id_ = make(world, stage="lost", reason="price")
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.update("deal", [{"id": id_, "reason": "other", "stage": "open"}])
    assert problems(error) == {("reason", "readonly")}
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "reason": "price", "stage": "open"}])
        records.update("deal", [{"id": id_, "reason": "other"}])


@pytest.mark.parametrize("id", [None, "1", True, 0, -1, 2**63, 1.0, [1]])
def test_an_id_is_a_positive_number(world: World, unchanged, id: object) -> None:
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal", [{"id": id, "name": "x"}])


def test_a_record_is_named_once(world: World, unchanged) -> None:
    id_ = make(world)
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.update("deal", [{"id": id_, "name": "a"}, {"id": id_, "name": "b"}])
    assert problems(error) == {("id", "repeated")}


def test_through_its_base_a_record_changes_as_what_it_is(world: World, unchanged) -> None:
    deal, task = make(world), make(world, "task")
    with world.records("sue") as records:
        records.update("work", [{"id": deal, "amount": 3}, {"id": task, "due": date(2026, 1, 1)}])
    assert stored(world, "deal", deal, "amount") == 3 and stored(world, "task", task, "due") == date(2026, 1, 1)
    with unchanged(), pytest.raises(NotFound), world.records("sue") as records:
        records.update("task", [{"id": deal, "name": "no task"}])


# Versions

def test_a_stale_version_is_a_conflict_that_shows_what_changed(world: World, unchanged) -> None:
    id_ = make(world, note="a")
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "_version": 1, "note": "b"}])
        records.update("deal", [{"id": id_, "_version": 2, "name": "later"}])
    with unchanged(), pytest.raises(Conflict) as error, world.records("sue") as records:
        records.update("deal", [{"id": id_, "_version": 2, "note": "mine"}])
    assert error.value.fields == ("name",)
    assert error.value.current["name"] == "later" and error.value.current["_version"] == 3


def test_a_conflict_does_not_show_what_may_not_be_read(world: World) -> None:
    with world.records("ada") as records:
        records.update("customer", [{"id": world["acme"], "hidden": "changed"}])
    with pytest.raises(Conflict) as error, world.records("sue") as records:
        records.update("customer", [{"id": world["acme"], "_version": 1, "name": "x"}])
    assert "hidden" not in error.value.current and error.value.fields == ()


# Lines

def lines_of(world: World, deal: int) -> list[int]:
    with world.records() as records:
        page = records.page("deal_line", ["id"], filters={"deal": deal}, order=["id"])
    return [record["id"] for record in page.records]


def test_lines_are_written_inside_their_record(world: World) -> None:
    id_ = make(world, lines=[{"product": world["pen"], "quantity": 2}, {"price": 9}])
    first, second = lines_of(world, id_)
    assert stored(world, "deal_line", first, "price") == 3          # suggested by the product
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "_version": 1, "lines": [
            {"id": first, "quantity": 5}, {"id": second, "_delete": True}, {"price": 1}]}])
    left, new = lines_of(world, id_)
    assert left == first and stored(world, "deal_line", first, "quantity") == 5
    assert stored(world, "deal_line", new, "price") == 1
    assert stored(world, "deal_line", second, "_deleted_on") is not None
    assert stored(world, "deal", id_, "_version") == 2              # a record and its lines are one to the people


def test_lines_that_are_not_named_stay(world: World) -> None:
    id_ = make(world, lines=[{"price": 1}, {"price": 2}])
    first, second = lines_of(world, id_)
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "lines": [{"id": second, "price": 5}]}])
        records.update("deal", [{"id": id_, "lines": []}])
    assert lines_of(world, id_) == [first, second]


def test_problems_of_lines_have_paths(world: World, unchanged) -> None:
    id_ = make(world, lines=[{"price": 1}])
    [line] = lines_of(world, id_)
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.update("deal", [{"id": id_, "name": "", "lines": [
            {"price": "much"}, {"id": line, "quantity": None}, {"nothing": 1, "total": 1}]}])
    assert problems(error) == {("name", "required"), ("lines.0.price", "type"), ("lines.1.quantity", "required"),
                               ("lines.2.nothing", "unknown"), ("lines.2.total", "computed")}
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.update("deal", [{"id": id_, "lines": [{"price": 1}, {"quantity": 0}]}])
    assert problems(error) == {("lines.1.quantity", "rule")}


def test_a_line_belongs_to_its_record_and_no_other(world: World, unchanged) -> None:
    one, two = make(world, lines=[{"price": 1}]), make(world, lines=[{"price": 2}])
    [line] = lines_of(world, two)
    for body in ({"id": line, "price": 0}, {"id": line, "_delete": True}, {"id": 2**50}, {"price": 1, "deal": two},
                 {"_delete": True}, {"id": line, "deal": one}):
        with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
            records.update("deal", [{"id": one, "lines": [body]}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": "thief", "lines": [{"id": line}]}])


def test_a_line_is_as_closed_as_its_record(world: World, unchanged) -> None:
    id_ = make(world, owner="sam", lines=[{"price": 1}])
    [line] = lines_of(world, id_)
    for act in (lambda r: r.update("deal", [{"id": id_, "lines": [{"id": line, "price": 2}]}]),
                lambda r: r.update("deal_line", [{"id": line, "price": 2}]),
                lambda r: r.create("deal_line", [{"deal": id_, "price": 2}]),
                lambda r: r.delete("deal_line", [line])):
        with unchanged(), pytest.raises(Denied), world.records("sue") as records:
            act(records)


@pytest.mark.parametrize("lines", ["text", 3, [3], {"id": 1}])
def test_lines_are_a_list_of_objects(world: World, unchanged, lines: object) -> None:
    id_ = make(world)
    with unchanged(), pytest.raises((Invalid, BadRequest)), world.records("sue") as records:
        records.update("deal", [{"id": id_, "lines": lines}])


# Rules, unique, trees

def test_rules_hold_after_a_change_of_lines_too(world: World, unchanged) -> None:
    id_ = make(world, lines=[{}, {}, {}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal", [{"id": id_, "lines": [{}]}])


def test_unique_values_may_be_swapped_but_not_shared(world: World, unchanged) -> None:
    one, two = make(world, "customer", tax_id="A"), make(world, "customer", tax_id="B")
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.update("customer", [{"id": one, "tax_id": "B"}])
    assert problems(error) == {("tax_id", "unique")}
    with world.records("sue") as records:
        records.update("customer", [{"id": one, "tax_id": "A"}, {"id": two, "tax_id": "C"}])


def test_nothing_stands_above_itself_in_a_tree(world: World, unchanged) -> None:
    top = make(world, "customer")
    middle = make(world, "customer", parent=top)
    low = make(world, "customer", parent=middle)
    for parent in (top, middle, low):
        with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
            records.update("customer", [{"id": top, "parent": parent}])
        assert problems(error) == {("parent", "loop")}


def test_records_that_move_below_each_other_at_the_same_time_make_no_loop(world: World) -> None:
    one, two = make(world, "customer"), make(world, "customer")
    told: list[set[tuple[str, str]]] = []

    def move() -> None:
        with pytest.raises(Invalid) as error, world.records() as records:
            records.update("customer", [{"id": two, "parent": one}])
        told.append(problems(error))
    other = threading.Thread(target=move)
    with world.records() as records:
        records.update("customer", [{"id": one, "parent": two}])
        other.start()
        while other.is_alive() and not _waits(world):
            other.join(0.01)
    other.join(20)
    assert told == [{("parent", "loop")}]


def _waits(world: World) -> bool:
    with world.engine.begin() as connection:
        return bool(connection.exec_driver_sql("select from pg_locks where locktype = 'advisory' and not granted").all())


def test_a_link_that_was_there_before_may_stay(world: World, unchanged) -> None:
    id_ = make(world, customer=world["acme"])
    with world.records() as records:
        records.update("customer", [{"id": world["acme"], "archived": True}])
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "customer": world["acme"], "name": "still"}])
    with world.records() as records:
        records.update("customer", [{"id": world["acme"], "archived": False}])


def test_a_retired_choice_may_stay_but_not_be_chosen(world: World, unchanged) -> None:
    id_ = make(world, stage="gone")
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "stage": "gone", "name": "kept"}])
        records.update("deal", [{"id": id_, "stage": "open"}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal", [{"id": id_, "stage": "gone"}])


def test_history_tells_what_changed_with_both_values(world: World) -> None:
    id_ = make(world, note="a")
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "note": "b", "name": "made"}])
        change = records.history("deal", id_)[0]
    assert dict(change.fields) == {"note": ("a", "b")}


# The budget

def test_an_update_takes_five_statements(world: World) -> None:
    id_ = make(world)
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "name": "warm", "customer": world["beta"], "ends": date(2026, 12, 30)}])
        with statements(world.engine) as found:
            records.update("deal", [{"id": id_, "name": "x", "customer": world["acme"], "ends": date(2026, 12, 31)}])
    assert len(found) == 5, found          # lock, checks, update, rules, history and search queue


def test_many_updates_take_as_many_statements_as_one(world: World) -> None:
    ids = [make(world, "task") for _ in range(3)]
    with world.records("sue") as records, statements(world.engine) as found:
        records.update("task", [{"id": id_, "name": f"n{id_}"} for id_ in ids])
    assert len(found) <= 5, found


def test_rules_about_lines_hold_when_a_line_is_written_alone(world: World, unchanged) -> None:
    id_ = make(world, lines=[{}, {}, {}])
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal_line", [{"deal": id_}])
    [problem] = error.value.problems
    assert problem.field == "" and "at most 3 lines" in problem.message
    other = make(world, lines=[{}])
    [line] = lines_of(world, other)
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal_line", [{"id": line, "deal": id_}])
    with world.records("sue") as records:
        records.delete("deal_line", [lines_of(world, id_)[0]])
        records.create("deal_line", [{"deal": id_}])


def test_lines_written_at_the_same_time_are_counted_together(world: World) -> None:
    id_ = make(world, lines=[{}, {}])
    outcomes: list[str] = []

    def add() -> None:
        try:
            with world.records("sue") as records:
                records.create("deal_line", [{"deal": id_}])
            outcomes.append("written")
        except Invalid:
            outcomes.append("refused")
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "refused", "written"]


def test_two_who_take_the_same_value_at_once_are_told_apart(world: World) -> None:
    outcomes: list[str] = []

    def take() -> None:
        try:
            with world.records("sue") as records:
                records.create("customer", [{"name": "racer", "tax_id": "RACE"}])
            outcomes.append("written")
        except Invalid as error:
            outcomes.append(f"{error.problems[0].field} {error.problems[0].code}")
    with world.records("sue") as records:
        records.create("customer", [{"name": "first", "tax_id": "RACE"}])
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()                           # it waits for what the first one does
    thread.join(10)
    assert outcomes == ["tax_id unique"]


def test_of_two_editors_one_gets_a_conflict(world: World) -> None:
    id_ = make(world, note="")
    outcomes: list[str] = []

    def edit(number: int) -> None:
        try:
            with world.records("sue") as records:
                records.update("deal", [{"id": id_, "_version": 1, "note": f"editor {number}"}])
            outcomes.append(f"editor {number}")
        except Conflict:
            outcomes.append("conflict")
    threads = [threading.Thread(target=edit, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[:5] == ["conflict"] * 5 and stored(world, "deal", id_, "note") == sorted(outcomes)[5]


def test_lines_within_lines_end_somewhere(world: World, unchanged) -> None:
    body: dict[str, object] = {"name": "lowest"}
    for _ in range(500):
        body = {"name": "x", "children": [body]}
    with unchanged(), pytest.raises(BadRequest), world.records("ada") as records:
        records.create("customer", [body])


def test_a_record_is_written_once_in_a_request(world: World, unchanged) -> None:
    top = make(world, "customer")
    kid = make(world, "customer", parent=top)
    for rows in ([{"id": top, "children": [{"id": kid, "name": "a"}]}, {"id": kid, "name": "b"}],
                 [{"id": kid, "name": "b"}, {"id": top, "children": [{"id": kid, "_delete": True}]}]):
        with unchanged(), pytest.raises(Invalid) as error, world.records("ada") as records:
            records.update("customer", rows)
        assert {p.code for p in error.value.problems} == {"repeated"}
