"""DDL beside people at work: it waits shortly, tries again, and says who is in the way."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.database import ddl
from core.database.ddl import Column


@pytest.fixture(scope="module", autouse=True)
def company(engine: Engine) -> None:
    ddl.run(engine, ddl.create_table("company_7", [Column("name_8", "text"), Column("tags_9", "text[]")]))


def columns(engine: Engine, table: str) -> dict[str, str]:
    with engine.connect() as connection:
        return ddl.columns_of(connection, table)


def test_a_table_gets_the_columns_of_the_system_first(engine: Engine) -> None:
    assert list(columns(engine, "company_7"))[:10] == [
        "id", "_type", "_version", "_deleted_on", "created_on", "created_by", "changed_on", "changed_by",
        "name_8", "tags_9"]
    assert columns(engine, "company_7")["_deleted_on"] == "timestamptz"


def test_columns_are_added_at_once_and_dropped(engine: Engine) -> None:
    ddl.run(engine, ddl.add_columns("company_7", [Column("a_1", "numeric"), Column("b_2", "bigint[]")]))
    assert columns(engine, "company_7")["b_2"] == "bigint[]"
    ddl.run(engine, ddl.drop_columns("company_7", ["a_1", "b_2"]))
    assert "a_1" not in columns(engine, "company_7")


def test_a_reader_is_waited_for_in_short_tries(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ddl, "PAUSE", 0.05)
    with engine.connect() as reader:
        reader.execute(text("select name_8 from ed.company_7"))
        threading.Timer(0.4, reader.rollback).start()
        tries = ddl.run(engine, ddl.add_columns("company_7", [Column("late_3", "text")]), budget=10)
        time.sleep(0.1)
    assert tries > 1
    assert "late_3" in columns(engine, "company_7")


def test_a_table_that_stays_busy_is_given_up_with_the_holder_named(engine: Engine) -> None:
    with engine.connect() as reader:
        reader.execute(text("select name_8 from ed.company_7"))
        with pytest.raises(ddl.Busy, match="held by tessera") as error:
            ddl.run(engine, ddl.add_columns("company_7", [Column("never_4", "text")]), budget=0.5)
        reader.rollback()
    assert error.value.blockers
    assert "never_4" not in columns(engine, "company_7")


def test_the_journal_is_written_with_the_change_or_not_at_all(engine: Engine) -> None:
    with pytest.raises(ProgrammingError):
        ddl.run(engine, ddl.add_columns("nowhere_1", [Column("x_1", "text")]),
                before=lambda c: c.execute(text("insert into sys.setting values ('journal', '1')")))
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from sys.setting where key = 'journal'")) == 0


@pytest.mark.parametrize("day", ["infinity", "-infinity", "10000-01-01", "1899-12-31", "2201-01-01", "0044-03-15 BC"])
def test_no_table_holds_a_day_that_nobody_could_read_again(engine: Engine, day: str) -> None:
    if not columns(engine, "visit_30"):
        ddl.run(engine, ddl.create_table("visit_30", [Column("on_31", "date")]))
        ddl.run(engine, ddl.add_columns("visit_30", [Column("at_32", "timestamptz"), Column("note_33", "text")]))
        with engine.begin() as connection:
            connection.execute(text("insert into ed.visit_30 (_type, on_31, at_32) values (1, '1900-01-01', now())"))
    for column in ("on_31", "at_32"):
        with engine.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text(f"insert into ed.visit_30 (_type, {column}) values (1, '{day}')"))


def test_an_index_is_built_beside_writers(engine: Engine) -> None:
    ddl.run_concurrently(engine, "create index concurrently i_8 on ed.company_7 using gin (name_8 gin_trgm_ops)")
    with engine.connect() as connection:
        assert ddl.valid_index(connection, "i_8") is True
        assert ddl.valid_index(connection, "i_9") is None
    ddl.run_concurrently(engine, ddl.drop_index("i_8", concurrently=True))


def test_a_failed_concurrent_index_is_seen_as_unusable(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into ed.company_7 (_type, name_8) values (1, 'x'), (1, 'x')"))
    with pytest.raises(Exception, match="could not create unique index"):
        ddl.run_concurrently(engine, "create unique index concurrently u_8 on ed.company_7 (name_8)")
    with engine.connect() as connection:
        assert ddl.valid_index(connection, "u_8") is False


def test_a_constraint_holds_first_for_new_rows_and_then_for_all(engine: Engine) -> None:
    ddl.run(engine, ddl.create_table("deal_20", [Column("company_21", "bigint")]))
    with engine.begin() as connection:
        connection.execute(text("insert into ed.deal_20 (_type, company_21) values (1, 999999)"))
    ddl.run(engine, ddl.add_foreign_key("f_21", "deal_20", "company_21", "company_7"))
    with pytest.raises(Exception, match="violates foreign key"):
        ddl.run(engine, ddl.validate("f_21", "deal_20"))
    with pytest.raises(Exception, match="violates foreign key"), engine.begin() as connection:
        connection.execute(text("insert into ed.deal_20 (_type, company_21) values (1, 888888)"))


@pytest.mark.parametrize("name", ["", "x" * 64, "a\0b", "50%"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        ddl.quote(name)


def test_a_hostile_name_stays_one_name(engine: Engine) -> None:
    hostile = 'x"; drop table ed.company_7; --'
    ddl.run(engine, ddl.create_table(hostile, [Column('a" b', "text")]))
    assert 'a" b' in columns(engine, hostile)
    assert columns(engine, "company_7")


@pytest.mark.parametrize("kind", ["text; drop table x", "varchar(3)", "", "text[][]"])
def test_only_the_types_of_parts_can_be_columns(kind: str) -> None:
    with pytest.raises(ValueError, match="no type of a column"):
        ddl.add_columns("t", [Column("a", kind)])
