"""Physical tables: their names, columns and indexes follow from Model and identities alone."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from core.ed.schema import desired, name_all, physical_name
from core.ed.system import System, load_physical
from tests.core.ed.world import World
from tests.fixtures.sample import identify, sample_model


def fresh(**moved: int) -> System:
    model = sample_model()
    identities = identify(model) | {path.replace("__", "."): number for path, number in moved.items()}
    return System(0, model, identities, name_all(model, identities))


def test_names_are_readable_and_unique_through_their_identity() -> None:
    assert physical_name("company", 7) == "company_7"
    assert physical_name("amount", 12, "base") == "amount_12_base"
    assert physical_name("x" * 80, 1234, "key") == "x" * 41 + "_1234_key"


def test_all_kinds_of_a_base_share_its_table() -> None:
    system = fresh()
    tables = {system.names[table.identity]: table for table in desired(system)}
    assert "deal" not in tables and "request" not in tables and "owned" not in tables
    fields = {system.names[column.storage] for column in tables["ticket"].columns}
    assert {"ticket.name", "deal.amount", "request.severity", "ticket.owner"} <= fields
    assert not {"deal.weighted", "deal.lines", "deal.owner"} & fields
    assert system.stored("deal").table is system.stored("request").table is system.stored("ticket").table


def test_each_part_of_a_field_is_a_column_of_its_type() -> None:
    system = fresh()
    [ticket] = [table for table in desired(system) if system.names[table.identity] == "ticket"]
    types = {(system.names[c.storage], c.part): c.type for c in ticket.columns}
    assert types["deal.amount", ""] == types["deal.amount", "base"] == "numeric"
    assert types["ticket.name", ""] == types["ticket.name", "key"] == "text"
    assert types["ticket.operators", ""] == "bigint[]" and types["ticket.client", ""] == "bigint"


def test_what_is_desired_is_the_same_each_time() -> None:
    assert desired(fresh()) == desired(fresh())


def test_names_that_are_kept_stay_and_new_ones_follow_the_rule() -> None:
    model = sample_model()
    identities = identify(model)
    number = identities["company.founded"]
    kept = {(identities["party"], ""): ("old_party", None), (number, ""): ("old_party", "born_in")}
    names = name_all(model, identities, kept)
    assert names[number, ""] == ("old_party", "born_in")
    assert names[identities["party.name"], "key"][0] == "old_party"
    system = System(0, model, identities, names)
    assert system.stored("company").name("founded") == "born_in"
    assert any("born_in" in index.create for table in desired(system) for index in table.indexes)


def test_indexes_are_named_by_what_they_are() -> None:
    before = {index.name for table in desired(fresh()) for index in table.indexes}
    after = {index.name for table in desired(fresh(deal__stage=9_000)) for index in table.indexes}
    assert len(before - after) == len(after - before) == 2          # those that hold the stage
    assert all(len(name) <= 50 for name in before)


def test_indexes_leave_out_the_trash_and_other_kinds() -> None:
    system = fresh()
    creates = [index.create for table in desired(system) for index in table.indexes]
    closing = system.stored("deal").name("close_date")
    [order] = [create for create in creates if f"({closing} DESC NULLS LAST, id DESC)" in create]
    assert order.endswith(f"WHERE _deleted_on IS NULL AND _type = {system.identities['deal']}")
    assert sum("UNIQUE" in create for create in creates) == 4
    assert all("WHERE _deleted_on IS NULL" in create for create in creates if "UNIQUE" in create)


def test_everything_that_is_desired_is_created(world: World, connection: Connection) -> None:
    found = set(connection.scalars(text("select indexname from pg_indexes where schemaname = 'ed'")))
    wanted = desired(world.system)
    assert {index.name for table in wanted for index in table.indexes} <= found
    columns = connection.execute(text(
        "select table_name, column_name from information_schema.columns where table_schema = 'ed'")).all()
    there = {tuple(row) for row in columns}
    assert {(table.name, column.name) for table in wanted for column in table.columns} <= there
    assert desired(System(1, world.system.model, world.system.identities, world.system.physical)) == wanted


def test_physical_names_come_back_from_the_database(world: World, connection: Connection) -> None:
    assert load_physical(connection) == world.system.physical


def test_a_list_is_read_from_the_index_made_for_its_order(world: World, connection: Connection) -> None:
    connection.execute(text("set local enable_seqscan = off; set local enable_sort = off"))
    lines = explained(world, connection, ["-close_date"])
    assert "Index Scan using ix_" in lines and "Sort" not in lines


def test_a_declared_index_gives_records_in_the_order_of_its_last_field() -> None:
    system = fresh()
    stored = system.stored("deal")
    creates = [index.create for table in desired(system) for index in table.indexes]
    for last in (stored.name("close_date"), stored.name("name", "key")):
        assert sum(f"({stored.name('stage')}, {last}, id)" in create for create in creates) == 1


def explained(world: World, connection: Connection, order: list[str]) -> str:
    from sqlalchemy import event
    sent: list[tuple[str, object]] = []
    def note(conn: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        sent.append((statement, parameters))
    event.listen(connection, "before_cursor_execute", note)
    world.records(connection, "ada").page("deal", ["name", "company"], order=order)
    event.remove(connection, "before_cursor_execute", note)
    statement, parameters = sent[-1]
    plan = connection.exec_driver_sql("explain " + statement, parameters)  # type: ignore[arg-type]
    return "\n".join(row[0] for row in plan)


@pytest.mark.parametrize("field", ["weighted", "lines", "nothing"])
def test_what_has_no_column_is_a_key_error(field: str) -> None:
    with pytest.raises(KeyError):
        fresh().stored("deal").column(field)
