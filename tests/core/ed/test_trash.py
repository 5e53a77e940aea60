"""Deleting is into the trash: who may, what is in the way, what goes along, and how it comes back."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from core.errors import BadRequest, Conflict, Denied, Invalid, NotFound
from core.settings import Settings
from tests.fixtures.sample import value_in_database
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def make(world: World, table: str = "deal", owner: str = "sue", **values: object) -> int:
    with world.records() as records:
        given = {"name": "made", **({} if table == "label" else {"owner": world[owner]}), **values}
        [id_] = records.create(table, [given])
    return id_


def stored(world: World, table: str, id: int, field: str) -> object:
    with world.engine.begin() as connection:
        return value_in_database(connection, world.system, table, id, field)


def in_trash(world: World, table: str, id: int) -> bool:
    return stored(world, table, id, "_deleted_on") is not None


def lines_of(world: World, deal: int, trash: bool = False) -> list[int]:
    with world.records() as records:
        page = records.page("deal_line", ["id"], filters={"deal": deal}, order=["id"], trash=trash)
    return [record["id"] for record in page.records]


def test_a_deleted_record_is_in_the_trash_and_comes_back(world: World) -> None:
    id_ = make(world)
    with world.records("sue") as records:
        records.delete("deal", {id_: 1})
        assert records.read("deal", [id_]) == []
        records.restore("deal", [id_])
        [deal] = records.read("deal", [id_])
        changes = records.history("deal", id_)
    assert deal["name"] == "made" and deal["_version"] == 3
    assert [list(change.fields) for change in changes[:2]] == [["_deleted_on"], ["_deleted_on"]]


def test_lines_go_with_their_record_and_return_with_it(world: World) -> None:
    id_ = make(world, lines=[{"price": 1}, {"price": 2}])
    removed, kept = lines_of(world, id_)
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "lines": [{"id": removed, "_delete": True}]}])
    with world.records("sue") as records:
        records.delete("deal", [id_])
    assert lines_of(world, id_) == [] and in_trash(world, "deal_line", kept)
    with world.records("sue") as records:
        records.restore("deal", [id_])
    assert lines_of(world, id_) == [kept]                  # what was removed before stays removed


def test_a_line_does_not_come_back_without_its_record(world: World, unchanged) -> None:
    id_ = make(world, lines=[{"price": 1}])
    [line] = lines_of(world, id_)
    with world.records("sue") as records:
        records.delete("deal", [id_])
    with unchanged(), pytest.raises((Invalid, NotFound, Denied)), world.records("ada") as records:
        records.restore("deal_line", [line])


def test_what_others_need_stays_and_they_are_named(world: World, unchanged) -> None:
    customer = make(world, "customer")
    make(world, name="Big order", customer=customer)
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.delete("customer", [customer])
    [problem] = error.value.problems
    assert problem.code == "in_use" and problem.params["records"] == "Deal Big order"


def test_of_records_that_may_not_be_read_only_that_there_are_some_is_told(world: World, unchanged) -> None:
    customer = make(world, "customer")
    make(world, name="Secret order", customer=customer)
    with unchanged(), pytest.raises(Invalid) as error, world.records("max") as records:
        records.delete("customer", [customer])
    [problem] = error.value.problems
    assert problem.code == "in_use" and problem.params == {"table": "customer"}


def test_links_are_cleared_where_the_definition_says_so(world: World) -> None:
    deal = make(world)
    task = make(world, "task", deal=deal)
    red, blue = make(world, "label", name="r"), make(world, "label", name="b")
    customer = make(world, "customer", tags=[red, blue])
    lonely = make(world, "customer", tags=[red])
    with world.records("ada") as records:
        records.delete("deal", [deal])
        records.delete("label", [red])
        assert dict(records.history("task", task)[0].fields) == {"deal": (deal, None)}
    assert stored(world, "task", task, "deal") is None and stored(world, "task", task, "_version") == 2
    assert stored(world, "customer", customer, "tags") == [blue]
    assert stored(world, "customer", lonely, "tags") is None


def test_deleting_needs_the_right_for_every_record(world: World, unchanged) -> None:
    own, other = make(world), make(world, owner="sam")
    for order in ([own, other], [other, own]):
        with unchanged(), pytest.raises(Denied), world.records("sue") as records:
            records.delete("deal", order)
    with world.records("sam") as records:
        records.delete("deal", [other])
    with unchanged(), pytest.raises(Denied), world.records("sue") as records:
        records.restore("deal", [other])


def test_only_what_is_there_is_deleted_and_only_what_is_gone_restored(world: World, unchanged) -> None:
    id_ = make(world)
    for act in (lambda r: r.restore("deal", [id_]), lambda r: r.delete("deal", [2**50]),
                lambda r: r.delete("customer", [id_]), lambda r: r.delete("customer", [world["beta"]])):
        with unchanged(), pytest.raises(NotFound), world.records("sue") as records:
            act(records)


@pytest.mark.parametrize("ids", [["1"], [True], [0], [-1], [2**63], [1, 1]])
def test_ids_are_numbers_named_once(world: World, unchanged, ids: list[int]) -> None:
    with unchanged(), pytest.raises(BadRequest), world.records("sue") as records:
        records.delete("deal", ids)


def test_a_stale_version_is_not_deleted(world: World, unchanged) -> None:
    id_ = make(world)
    with world.records("sue") as records:
        records.update("deal", [{"id": id_, "name": "newer"}])
    with unchanged(), pytest.raises(Conflict), world.records("sue") as records:
        records.delete("deal", {id_: 1})


def test_a_trashed_record_is_not_changed(world: World, unchanged) -> None:
    id_ = make(world)
    with world.records("sue") as records:
        records.delete("deal", [id_])
    with unchanged(), pytest.raises(NotFound), world.records("sue") as records:
        records.update("deal", [{"id": id_, "name": "zombie"}])


def test_what_was_taken_meanwhile_refuses_the_return(world: World, unchanged) -> None:
    first = make(world, "customer", tax_id="X1")
    with world.records("sue") as records:
        records.delete("customer", [first])
        records.create("customer", [{"name": "second", "tax_id": "X1"}])
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.restore("customer", [first])
    assert [(p.field, p.code) for p in error.value.problems] == [("tax_id", "unique")]


def test_through_its_base_a_record_is_deleted_as_what_it_is(world: World) -> None:
    deal, task = make(world, lines=[{"price": 1}]), make(world, "task")
    with world.records("ada") as records:
        records.delete("work", [deal, task])
    assert in_trash(world, "deal", deal) and in_trash(world, "task", task) and lines_of(world, deal) == []
    with world.records("ada") as records:
        records.restore("work", [deal, task])
    assert len(lines_of(world, deal)) == 1


def test_nobody_links_to_what_is_being_deleted(world: World) -> None:
    """Whoever comes second waits, and then sees what the first did."""
    customer = make(world, "customer")
    outcome: list[object] = []

    def link() -> None:
        try:
            with world.records("ada") as records:
                records.create("deal", [{"name": "late", "customer": customer}])
            outcome.append("linked")
        except Invalid as error:
            outcome.append(error.problems[0].code)
    with world.records("ada") as records:
        records.delete("customer", [customer])
        thread = threading.Thread(target=link)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert outcome == ["link"]


def test_nobody_deletes_what_is_being_linked_to(world: World) -> None:
    customer = make(world, "customer")
    outcome: list[object] = []

    def delete() -> None:
        try:
            with world.records("ada") as records:
                records.delete("customer", [customer])
            outcome.append("deleted")
        except Invalid as error:
            outcome.append(error.problems[0].code)
    with world.records("ada") as records:
        records.create("deal", [{"name": "first", "customer": customer}])
        thread = threading.Thread(target=delete)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(10)
    assert outcome == ["in_use"]


def test_a_base_with_records_of_its_own_loses_each_once(world: World) -> None:
    deal, label = make(world), make(world, "label", name="fragile")
    ids = [make(world, table, name=table, deal=deal, label=label) for table in ("box", "crate")]
    with world.records() as records:
        records.delete("label", [label])
        assert [(r["_version"], r["label"]) for r in records.read("box", ids, ["label"])] == [(2, None)] * 2
        records.delete("deal", [deal])
        assert [r["_version"] for r in records.read("box", ids, [], trash=True)] == [3, 3]
        assert [len(records.history("box", id)) for id in ids] == [3, 3]
        records.restore("deal", [deal])
        assert [r["_version"] for r in records.read("box", ids, [])] == [4, 4]
