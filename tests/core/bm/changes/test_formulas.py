"""Stored formulas promoted: at no moment does anybody read what their version's formula would not give."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from core.bm import service
from core.bm.changes import formulas
from core.bm.follow import Systems
from core.bm.versions import live
from core.ed.records import Records
from core.ed.session import Session
from core.errors import Invalid, Refused
from tests.core.bm.conftest import Live

ITEM = """
table: item
display: "{name}"
fields:
  name:  {type: text}
  deal:  {type: link, to: deal, on_delete: cascade}
  price: {type: decimal}
  total: {type: decimal, {KEPT}formula: price * {FACTOR}}
"""
DEAL = """
change: table deal
fields:
  items: {type: lines, of: item, by: deal, after: amount}
  sum:   {type: decimal, {KEPT}formula: sum(items.total), after: items}
"""


def write(system: Live, *, kept: bool, factor: int = 2) -> None:
    """The site's files, with the formulas stored or not."""
    for name, body in (("item.yaml", ITEM), ("deal.yaml", DEAL)):
        said = "stored: true, " if kept else ""
        system.site.write(name, body.replace("{KEPT}", said).replace("{FACTOR}", str(factor)))


def fill(system: Live, count: int = 3) -> list[int]:
    """Some deals, the nth with n items at the price of 1."""
    def work(records: Records) -> list[int]:
        deals = records.create("deal", [{"title": f"Deal {n}"} for n in range(count)])
        records.create("item", [{"name": "x", "deal": deal, "price": 1} for n, deal in enumerate(deals)
                                for _ in range(n)])
        return list(deals)
    return list(system.records(work))


def sums(system: Live, deals: list[int]) -> list[Any]:
    return [record["sum"] for record in system.records(lambda records: records.read("deal", deals, ["sum"]))]


def stored(system: Live, name: str = "sum") -> list[Any]:
    """What the column holds, by id; the formula is not asked."""
    [(table, column)] = system.sql(
        f"select table_name, column_name from sys.physical where column_name like '{name}\\_%' and part = ''")
    return [value for value, in system.sql(f"select {column} from ed.{table} order by id")]


def kinds(system: Live) -> list[str]:
    return [step.kind for step in system.plan().plan.steps]


def test_a_formula_is_stored_changed_and_stored_no_longer(system: Live) -> None:
    write(system, kept=False)
    system.promote()
    deals = fill(system)
    write(system, kept=True)
    assert kinds(system) == ["stage", "expand", "expand", "suspend", "suspend", "prepare", "flip", "acknowledge",
                             "compute", "compute"]
    system.promote()
    assert sums(system, deals) == stored(system) == [0, 2, 4]
    assert system.sql("select count(*) from sys.physical where pending") == [(0,)]

    write(system, kept=True, factor=3)
    assert kinds(system) == ["stage", "suspend", "suspend", "prepare", "flip", "acknowledge",
                             "compute", "compute"]
    system.promote()
    assert sums(system, deals) == stored(system) == [0, 3, 6]

    write(system, kept=False, factor=3)
    assert kinds(system) == ["stage", "prepare", "flip"]
    system.promote()
    system.records(lambda records: records.create("item", [{"deal": deals[0], "price": 5}]))
    assert sums(system, deals) == [15, 3, 6] and stored(system) == [0, 3, 6]

    system.rollback()                                       # what rested meanwhile is not believed
    assert sums(system, deals) == stored(system) == [15, 3, 6]
    assert system.plan().plan.steps


def test_a_new_stored_formula_over_old_records(system: Live) -> None:
    deal = system.create("deal", title="old", amount=4)
    system.site.write("deal.yaml", "change: table deal\nfields:\n"
                                   "  half: {type: decimal, stored: true, formula: amount / 2, after: amount}\n")
    system.promote()
    assert stored(system, "half") == [2]
    system.records(lambda records: records.update("deal", [{"id": deal, "amount": 10}]))
    assert system.read("deal", deal)["half"] == 5


def test_a_new_table_has_nothing_to_work_out(system: Live) -> None:
    write(system, kept=True)
    assert "compute" in kinds(system)                       # deal is there already, item is not
    assert [step.target for step in system.plan().plan.steps if step.kind == "compute"] == ["ticket"]


def test_nobody_reads_what_is_not_worked_out_yet(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the flip, between the flip and the work, and half way: readers of either version get what is right."""
    write(system, kept=True)
    system.promote()
    deals = fill(system)
    seen: list[tuple[str, list[Any]]] = []
    original = formulas._batch
    monkeypatch.setattr(formulas, "BATCH", 1)

    def batch(*arguments: Any) -> bool:
        seen.append(("half way", sums(system, deals)))
        if len(seen) < 18:                                  # each is one more record to work out
            system.records(lambda records: records.create("item", [{"deal": deals[0], "price": 1}]))
        return original(*arguments)
    monkeypatch.setattr(formulas, "_batch", batch)
    write(system, kept=True, factor=10)
    system.promote(say=lambda step: seen.append((step.kind, sums(system, deals))))
    for kind, found in seen:
        factor = 2 if kind in ("stage", "suspend", "prepare", "flip") else 10
        assert found[1:] == [factor, 2 * factor], (kind, found)
        assert found[0] % factor == 0
    more = len(stored(system, "total")) - 3
    assert more > 5
    assert sums(system, deals) == stored(system) == [10 * more, 10, 20]


def test_broken_off_after_the_flip_it_goes_on_where_it_was(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    write(system, kept=False)
    system.promote()
    deals = fill(system)
    write(system, kept=True)
    monkeypatch.setattr(formulas, "BATCH", 1)
    original, calls = formulas._batch, list[int]()

    def batch(*arguments: Any) -> bool:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(1)
        return original(*arguments)
    with monkeypatch.context() as patch:
        patch.setattr(formulas, "_batch", batch)
        with pytest.raises(KeyboardInterrupt):
            system.promote()
    assert sums(system, deals) == [0, 2, 4]                 # live already, read as a formula
    assert system.sql("select count(*) > 0 from sys.physical where pending") == [(True,)]
    calls.clear()
    monkeypatch.setattr(formulas, "_batch", lambda *arguments: calls.append(1) or original(*arguments))
    assert service.finish_earlier(system.engine, system.plugins)
    assert len(calls) == (3 - 2 + 1) + 4                    # the item that was left and the end, then the deals
    assert sums(system, deals) == stored(system) == [0, 2, 4]
    assert system.sql("select count(*) from sys.physical where pending") == [(0,)]


def test_broken_off_before_the_flip_nothing_stays_suspended(system: Live) -> None:
    write(system, kept=True)
    system.promote()
    deals = fill(system)
    write(system, kept=True, factor=5)

    def say(step: Any) -> None:
        if step.kind == "flip":
            raise Refused("no")
    with pytest.raises(Refused):
        system.promote(say=say)
    assert sums(system, deals) == [0, 2, 4]
    write(system, kept=True)
    system.site.write("system.yaml", "system: main\naddons: [shop]\nlanguages: [en, de]\ncurrency: EUR\n"
                                     "time_zone: UTC\n")
    system.promote()
    assert system.sql("select count(*) from sys.physical where pending") == [(0,)]
    assert sums(system, deals) == stored(system) == [0, 2, 4]


def test_people_who_write_meanwhile_find_their_sums_right(system: Live) -> None:
    write(system, kept=True)
    system.promote()
    deals = fill(system)
    stop = threading.Event()
    failed: list[BaseException] = []
    followed = Systems(system.engine, system.plugins)       # a process that a promotion waits for
    followed.start()

    def work() -> None:
        try:
            while not stop.is_set():
                version = system.version
                with followed.pin(version) as found, system.engine.begin() as connection:
                    if found is not None and live.current(connection)[0] == version:
                        Records(Session.system_session(found, connection)).create(
                            "item", [{"deal": deals[1], "price": 1}])
        except BaseException as error:
            failed.append(error)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for factor in (3, 4):
            write(system, kept=True, factor=factor)
            system.promote()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        followed.stop()
    assert not failed
    entered = len(stored(system, "total")) - 3
    assert stored(system) == sums(system, deals) == [0, 4 * (1 + entered), 8]


def test_a_process_reads_the_column_once_it_is_right(system: Live) -> None:
    write(system, kept=False)
    system.promote()
    write(system, kept=True)
    followed = Systems(system.engine, system.plugins)
    versions: list[Callable[[], object]] = []

    def say(step: Any) -> None:
        if step.kind == "compute":
            found = followed.get(system.version)
            versions.append(lambda: found)
            assert found is not None and found.pending
    system.promote(say=say)
    assert followed.get(system.version) is versions[0]()
    followed._look()
    found = followed.get(system.version)
    assert found is not None and not found.pending


def test_unique_over_what_is_worked_out_after_the_flip_is_refused(system: Live) -> None:
    system.create("deal", title="a")
    body = ("change: table deal\nfields:\n  code: {type: text, stored: true, formula: \"concat(title, '!')\", "
            "after: amount}\n")
    unique = "unique:\n  code: {fields: [code]}\n"
    system.site.write("deal.yaml", body + unique)
    [problem] = map(str, system.plan().plan.problems)
    assert problem.endswith("deal.code is worked out in all records after the new version is live, so code cannot hold "
                            "for it yet; promote it without this unique rule first, then with it")
    system.site.write("deal.yaml", body)
    system.promote()
    system.site.write("deal.yaml", body + unique)
    system.promote()
    with pytest.raises(Invalid, match="has this already"):
        system.create("deal", title="a")


def test_a_formula_that_is_not_worked_out_yet_has_values_of_the_type_that_it_will_have(system: Live) -> None:
    """Programs read the same number as a number before and after."""
    record = system.create("company", name="Acme", size=3)
    system.site.write("company.yaml", """
        change: table company
        fields: {score: {type: integer, stored: true, formula: size + 1}}
        """)
    seen: list[object] = []
    system.promote(say=lambda step: seen.append(system.read("company", record).get("score")))
    assert [type(value) for value in seen if value is not None] == [int] * 2
    assert (system.read("company", record)["score"], seen[-1]) == (4, 4)
