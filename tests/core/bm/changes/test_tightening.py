"""What is required is kept by the database too, where all records meet it; what is no longer asked for goes in time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.errors import Invalid, Refused
from tests.core.bm.conftest import Live
from tests.core.bm.meanwhile import before, running

REQUIRED = "change: table company\nfields: {size: {required: true}}\n"
UNIQUE = "change: table company\nunique: {name: {fields: [name]}}\n"


def kept(system: Live) -> list[str]:
    """The conditions that the database keeps, as it says them."""
    return [row[0] for row in system.sql("select pg_get_constraintdef(oid) from pg_constraint where conname like 'rq%'"
                                         " and convalidated order by conname")]


def uniques(system: Live) -> int:
    return int(system.sql("select count(*) from pg_indexes where indexname like 'uq%'")[0][0])


def kinds(system: Live) -> list[str]:
    return [step.kind for step in system.plan().plan.steps]


def test_a_field_that_becomes_required_is_kept_by_the_database_after_the_flip(system: Live) -> None:
    system.create("company", name="Acme", size=3)
    system.site.write("company.yaml", REQUIRED)
    assert kinds(system)[-1] == "tighten"
    system.promote()
    assert len(kept(system)) == 1 and "NOT NULL" in kept(system)[0]
    with pytest.raises(IntegrityError), system.engine.begin() as connection:
        connection.execute(text(f"update ed.{table(system)} set {column(system)} = null"))
    assert system.plan().plan.empty


def table(system: Live) -> str:
    return str(system.sql("select table_name from sys.physical p join bm.member m using (id) where path = 'company'"
                          )[0][0])


def column(system: Live, path: str = "company.size") -> str:
    return str(system.sql(f"select column_name from sys.physical p join bm.member m using (id) where path = '{path}'"
                          " and part = ''")[0][0])


def test_records_that_are_empty_leave_it_to_the_record_service_until_they_are_filled_in(system: Live) -> None:
    empty = system.create("company", name="Acme")
    system.site.write("company.yaml", REQUIRED)
    planned = system.plan(answers={"fill company.size": "leave"}).plan
    assert "tighten" not in [step.kind for step in planned.steps]
    assert any("not yet guaranteed by the database: 1 records" in str(note) for note in planned.notes)
    system.promote(answers={"fill company.size": "leave"})
    assert kept(system) == []
    with pytest.raises(Invalid):
        system.create("company", name="Other")

    version = system.read("company", empty)["_version"]
    system.records(lambda records: records.update("company", [{"id": empty, "_version": version, "size": 1}]))
    system.site.write("kinds.yaml", "change: choices company_kind\nvalues: {press: {title: Press}}\n")
    system.promote()
    assert len(kept(system)) == 1


def test_a_new_field_that_is_left_empty_is_told_beforehand_and_nothing_fails_after_the_flip(system: Live) -> None:
    system.create("company", name="Acme")
    system.site.write("company.yaml", "change: table company\nfields:\n  note: {type: text, required: true}\n")
    planned = system.plan(answers={"fill company.note": "leave"}).plan
    assert "tighten" not in [step.kind for step in planned.steps]
    assert any("not yet guaranteed by the database: 1 records" in str(note) for note in planned.notes)
    system.promote(answers={"fill company.note": "leave"})
    assert system.sql("select error from bm.promotion where error is not null") == []
    assert kept(system) == []


def test_what_was_left_empty_is_counted_where_its_values_are_turned_too(system: Live) -> None:
    system.create("company", name="Acme")
    system.site.write("company.yaml", REQUIRED)
    system.promote(answers={"fill company.size": "leave"})
    text = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text.replace("size: {type: integer}", "size: {type: text}"))
    planned = system.plan().plan
    assert "fill" in [step.kind for step in planned.steps] and "tighten" not in [step.kind for step in planned.steps]
    system.promote()
    assert system.sql("select error from bm.promotion where error is not null") == []


def test_what_is_empty_in_the_trash_counts_for_it_comes_back_as_it_went(system: Live) -> None:
    empty = system.create("company", name="Acme")
    system.records(lambda records: records.delete("company", [empty]))
    system.site.write("company.yaml", REQUIRED)
    system.promote(answers={"fill company.size": "leave"})
    assert kept(system) == []
    system.records(lambda records: records.restore("company", [empty]))
    assert system.read("company", empty)["size"] is None


def test_a_record_emptied_between_plan_and_tighten_leaves_the_promotion_whole(system: Live) -> None:
    company = system.create("company", name="Acme", size=1)
    system.site.write("company.yaml", REQUIRED)
    planned = system.plan()
    with system.engine.begin() as connection:
        connection.execute(text(f"update ed.{table(system)} set {column(system)} = null"))
    system.promote(planned=planned)
    assert kept(system) == [] and system.version == 2
    assert system.read("company", company)["size"] is None


def test_new_tables_are_made_with_it_and_kinds_have_their_own(system: Live) -> None:
    system.site.write("call.yaml", """
        table: call
        title: Call
        plural: Calls
        base: ticket
        display: "{title}"
        fields:
          title: {required: true}
          phone: {type: text, required: true}
        """)
    system.site.write("place.yaml", """
        table: place
        title: Place
        plural: Places
        display: "{name}"
        fields:
          name: {type: text, required: true}
          owner: {type: link, to: [company, deal], required: true}
        """)
    system.promote()
    deal = system.create("deal", amount=1)              # a deal may have no title, a call may not
    system.create("call", title="Back", phone="1")
    with pytest.raises(Invalid):
        system.create("call", phone="1")
    system.create("place", name="Here", owner=deal)
    (several,) = [one for one in kept(system) if "num_nonnulls" in one]
    assert len(kept(system)) == 4 and "> 0" in several


def test_what_is_required_no_longer_may_be_empty_from_the_flip_on(system: Live) -> None:
    system.site.write("company.yaml", REQUIRED)
    system.promote()
    system.site.write("company.yaml", None)
    assert kinds(system) == ["stage", "prepare", "loosen", "flip"]
    system.promote()
    assert kept(system) == []
    system.create("company", name="Acme")
    planned = system.rollback(2)
    assert planned == 2 and kept(system) == []          # there is an empty one now


def test_a_link_that_core_empties_itself_is_left_to_the_record_service(system: Live) -> None:
    system.site.write("company.yaml", """
        change: table company
        fields: {parent: {required: true, on_delete: clear}}
        """)
    system.promote()
    assert kept(system) == []


def test_a_write_that_only_the_database_refuses_is_a_problem_of_the_field(system: Live) -> None:
    company = system.create("company", name="Acme", size=1)
    old = running(system)
    system.site.write("company.yaml", REQUIRED)
    system.promote()
    with pytest.raises(Invalid) as refused:             # a request that is still on the version before
        old(lambda records: records.update("company", [{"id": company, "size": None}]))
    assert [(one.field, one.code) for one in refused.value.problems] == [("size", "required")]
    with pytest.raises(Invalid) as refused:
        old(lambda records: records.create("company", [{"name": "B"}]))
    assert [(one.field, one.code) for one in refused.value.problems] == [("size", "required")]


def test_what_was_loosened_is_put_back_when_the_flip_does_not_come(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    system.site.write("company.yaml", REQUIRED + "unique: {name: {fields: [name]}}\n")
    system.promote()
    there = kept(system), system.sql("select indexdef from pg_indexes where schemaname = 'ed' order by 1")

    def stop() -> None:
        assert kept(system) == [] and uniques(system) == 0
        raise Refused("not now")
    system.site.write("company.yaml", None)
    before(monkeypatch, "flip", stop)
    with pytest.raises(Refused, match="not now"):
        system.promote()
    assert (kept(system), system.sql("select indexdef from pg_indexes where schemaname = 'ed' order by 1")) == there


# Unique

def test_a_unique_rule_that_goes_is_gone_with_the_flip(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    system.site.write("company.yaml", UNIQUE)
    system.promote()
    system.create("company", name="Acme")
    system.site.write("company.yaml", None)
    assert kinds(system) == ["stage", "prepare", "loosen", "flip"]
    before(monkeypatch, "flip", lambda: kept_out.append(uniques(system)))
    kept_out: list[int] = []
    system.promote()
    assert kept_out == [0]                              # the first request on the new version may write it
    assert uniques(system) == 0


def test_equal_values_that_come_before_its_index_end_it_cleanly(system: Live) -> None:
    system.create("company", name="Acme")
    system.site.write("company.yaml", UNIQUE)
    planned = system.plan()
    system.create("company", name="Acme")
    with pytest.raises(Refused, match=r"company: the index cannot be made: two records are equal .*Acme"):
        system.promote(planned=planned)
    assert system.version == 1
    assert uniques(system) == 0


def test_a_value_that_only_the_coming_version_forbids_is_a_problem_of_the_field(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    system.create("company", name="Acme")
    system.site.write("company.yaml", UNIQUE)
    told: list[Any] = []

    def write() -> None:
        with pytest.raises(Invalid) as refused:         # the index is there, its rule is not live
            system.create("company", name="Acme")
        told.extend(refused.value.problems)
    before(monkeypatch, "prepare", write)
    system.promote()
    assert [(one.field, one.code) for one in told] == [("name", "unique")]


def test_two_writers_of_one_value_get_a_field_error_not_a_failure(system: Live) -> None:
    system.site.write("company.yaml", UNIQUE)
    system.promote()
    barrier, results = threading.Barrier(2), []

    def write() -> None:
        def work(records: Any) -> None:
            barrier.wait(5)
            records.create("company", [{"name": "Acme"}])
        try:
            system.records(work)
            results.append("written")
        except Invalid as refused:
            results.append(refused.problems[0].code)
    writers = [threading.Thread(target=write) for _ in range(2)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(20)
    assert sorted(results) == ["unique", "written"]
