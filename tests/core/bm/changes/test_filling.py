"""Columns filled while people write: whatever they wrote, at whatever moment and on whichever version, is there."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text

from core.bm import service
from core.bm.changes import catching_up, filling
from core.bm.engine.batches import Batches
from core.bm.follow import Systems
from core.bm.versions import live
from core.ed.records import Records
from core.ed.session import Session
from core.ed.system import System
from core.errors import Refused
from tests.core.bm.changes.test_retype import retype
from tests.core.bm.conftest import Live
from tests.core.bm.engine.test_wishes import wait_for


@pytest.fixture
def several(system: Live, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Six companies of sizes 0 to 5, whose size is to become a text, in batches of two."""
    monkeypatch.setattr(filling, "BATCH", 2)
    ids = [system.create("company", name=f"Company {size}", size=size) for size in range(6)]
    retype(system, "size: {type: integer}", "size: {type: text}")
    return ids


def on(system: Live, version: System, work: Any) -> Any:
    """A request on a version, whatever is live."""
    with system.engine.begin() as connection:
        return work(Records(Session.system_session(version, connection)))


def built(system: Live, version: int) -> System:
    with system.engine.connect() as connection:
        return live.system(connection, version, system.plugins)


def sizes(system: Live) -> dict[int, Any]:
    return {row["id"]: row["size"] for row in system.records(
        lambda records: records.page("company", ["id", "size"], limit=1000).records)}


def nothing_left(system: Live) -> None:
    assert system.sql("select count(*) from sys.touched") == [(0,)]
    assert system.sql("select count(*) from pg_trigger where tgname like 'fill%'") == [(0,)]


def test_what_is_written_between_batches_is_filled_again(
        system: Live, several: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    old, rounds = built(system, 1), list[int]()
    breathe = Batches.breathe

    def write(batches: Batches) -> None:
        rounds.append(1)
        if len(rounds) == 1:                            # two are filled: one of them changes, one goes for good
            on(system, old, lambda records: records.update("company", [{"id": several[0], "size": 100}]))
            with system.engine.begin() as connection:
                connection.execute(text("delete from ed.company_1 where id = :id".replace(
                    "company_1", old.stored("company").table.name)), {"id": several[1]})
            on(system, old, lambda records: records.create("company", [{"name": "New", "size": 200}]))
            on(system, old, lambda records: records.update("company", [{"id": several[5], "size": None}]))
            on(system, old, lambda records: records.delete("company", [several[4]]))
        breathe(batches)
    monkeypatch.setattr(Batches, "breathe", write)
    system.promote()
    found = sizes(system)
    assert [found.get(one, "gone") for one in several] == ["100", "gone", "2", "3", "gone", None]
    assert sorted(value for one, value in found.items() if one not in several) == ["200"]
    system.records(lambda records: records.restore("company", [several[4]]))
    assert system.read("company", several[4])["size"] == "4"
    nothing_left(system)


def test_what_old_requests_write_after_the_flip_is_settled_and_the_later_write_wins(
        system: Live, several: list[int]) -> None:
    old, made = built(system, 1), list[int]()

    def say(step: Any) -> None:
        if step.kind == "acknowledge":
            new = built(system, 2)
            on(system, old, lambda records: records.update("company", [{"id": several[0], "size": 10}]))
            on(system, old, lambda records: records.update("company", [{"id": several[1], "size": 11}]))
            on(system, new, lambda records: records.update("company", [{"id": several[1], "size": "new"}]))
            on(system, new, lambda records: records.update("company", [{"id": several[2], "size": "new"}]))
            on(system, old, lambda records: records.update("company", [{"id": several[2], "size": 12}]))
            on(system, new, lambda records: records.update("company", [{"id": several[3], "size": "new"}]))
            made.extend(on(system, old, lambda records: records.create("company", [{"name": "Old", "size": 20}])))
            made.extend(on(system, new, lambda records: records.create("company", [{"name": "New", "size": "here"}])))
    system.promote(say=say)
    found = sizes(system)
    assert [found[one] for one in several] == ["10", "new", "12", "new", "4", "5"]
    assert [found[one] for one in made] == ["20", "here"]
    nothing_left(system)


def test_an_old_request_that_commits_while_the_triggers_go_is_not_lost(system: Live, several: list[int]) -> None:
    """It wrote before, holds the table, and commits while `settle` waits for it."""
    old, holder = built(system, 1), system.engine.connect()

    def commit() -> None:
        waits = text("select 1 from pg_locks where not granted and relation is not null")
        with system.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            wait_for(lambda: connection.scalar(waits) is not None)
        holder.commit()
        holder.close()
    thread = threading.Thread(target=commit)

    def say(step: Any) -> None:
        if step.kind == "settle":
            Records(Session.system_session(old, holder)).update("company", [{"id": several[0], "size": 99}])
            thread.start()
    system.promote(say=say)
    thread.join()
    assert sizes(system)[several[0]] == "99"
    nothing_left(system)


def test_requirement_2_what_is_written_up_to_the_flip_is_there_with_the_flip(system: Live, several: list[int]) -> None:
    old, seen = built(system, 1), list[Any]()

    def say(step: Any) -> None:
        if step.kind == "flip":
            on(system, old, lambda records: records.update("company", [{"id": one, "size": 50} for one in several]))
        if step.kind == "acknowledge":
            seen.extend(sizes(system).values())
    system.promote(say=say)
    assert seen == ["50"] * 6


def test_a_row_that_somebody_holds_keeps_nobody_waiting(system: Live, several: list[int]) -> None:
    table = built(system, 1).stored("company").table.name
    column = f"size_{_size(system)}"
    holder = system.engine.connect()

    def say(step: Any) -> None:
        if step.kind == "fill":
            holder.execute(text(f"select 1 from ed.{table} where id = :id for update"), {"id": several[2]})
        if step.kind == "prepare":                      # all others were filled while that one was held
            assert system.sql("select record from sys.touched") == [(several[2],)]
            holder.execute(text(f"update ed.{table} set {column} = 77 where id = :id"), {"id": several[2]})
            holder.commit()
    system.promote(say=say)
    holder.close()
    assert [sizes(system)[one] for one in several] == ["0", "1", "77", "3", "4", "5"]


def _size(system: Live) -> int:
    [(id_,)] = system.sql("select id from bm.member where path = 'company.size'")
    return int(id_)


def test_requirement_13_killed_between_batches_it_goes_on_after_the_last_one(
        system: Live, several: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    original, done = catching_up._batch, list[int]()

    def batch(work: Any, batches: Any) -> bool:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(1)
        return original(work, batches)
    with monkeypatch.context() as patch:
        patch.setattr(catching_up, "_batch", batch)
        with pytest.raises(KeyboardInterrupt):
            system.promote()
    assert system.version == 1
    system.records(lambda records: records.update("company", [{"id": several[0], "size": 90}]))
    done.clear()
    monkeypatch.setattr(catching_up, "_batch", lambda work, batches: done.append(1) or original(work, batches))
    assert service.finish_earlier(system.engine, system.plugins)
    assert len(done) == 2                               # the two that were left, and the end
    assert system.version == 2
    assert [sizes(system)[one] for one in several] == ["90", "1", "2", "3", "4", "5"]
    nothing_left(system)


def test_broken_off_before_the_flip_nothing_stays(system: Live, several: list[int]) -> None:
    before = system.columns()

    def say(step: Any) -> None:
        if step.kind == "flip":
            system.records(lambda records: records.update("company", [{"id": several[0], "size": 9}]))
            raise Refused("no")
    with pytest.raises(Refused):
        system.promote(say=say)
    assert system.columns() == before
    nothing_left(system)
    assert system.read("company", several[0])["size"] == 9
    system.promote()
    assert sizes(system)[several[0]] == "9"


def test_requirement_1_people_who_write_all_the_while_find_what_they_wrote(system: Live, several: list[int]) -> None:
    stop, failed, last = threading.Event(), list[BaseException](), dict[int, int]()
    followed = Systems(system.engine, system.plugins)
    followed.start()

    def work(own: int) -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                version = system.version
                with followed.pin(version) as found, system.engine.begin() as connection:
                    if found is None:
                        continue
                    name = found.model.field("company", "size")
                    value: Any = number if name is not None and name.type.name == "integer" else str(number)
                    Records(Session.system_session(found, connection)).update("company", [{"id": own, "size": value}])
                last[own] = number
        except BaseException as error:
            failed.append(error)
    threads = [threading.Thread(target=work, args=(one,)) for one in several[:3]]
    for thread in threads:
        thread.start()
    try:
        system.promote()
        system.rollback()
        system.promote()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        followed.stop()
    assert not failed
    found = sizes(system)
    assert [found[one] for one in several] == [*(str(last[one]) for one in several[:3]), "3", "4", "5"]
    nothing_left(system)


def test_killed_after_the_flip_what_old_requests_wrote_is_settled_by_whoever_comes_next(
        system: Live, several: list[int]) -> None:
    old = built(system, 1)

    def say(step: Any) -> None:
        if step.kind == "settle":
            on(system, old, lambda records: records.update("company", [{"id": several[0], "size": 70}]))
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        system.promote(say=say)
    assert system.version == 2 and sizes(system)[several[0]] == "0"
    assert service.finish_earlier(system.engine, system.plugins)
    assert sizes(system)[several[0]] == "70"
    nothing_left(system)


def test_two_that_turn_out_equal_after_the_flip_keep_what_they_have(system: Live, several: list[int]) -> None:
    system.site.write("company.yaml", "change: table company\nunique:\n  one: {fields: [size]}\n")
    old = built(system, 1)

    def say(step: Any) -> None:
        if step.kind == "acknowledge":
            new = built(system, 2)
            on(system, new, lambda records: records.update("company", [{"id": several[0], "size": "9"}]))
            on(system, old, lambda records: records.update("company", [{"id": several[1], "size": 9}]))
            on(system, old, lambda records: records.update("company", [{"id": several[2], "size": 22}]))
    system.promote(say=say)
    assert [sizes(system)[one] for one in several] == ["9", "1", "22", "3", "4", "5"]
    nothing_left(system)
