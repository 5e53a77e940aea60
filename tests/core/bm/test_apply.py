"""Promotions on a database: applied, taken back, promoted again."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.bm import service
from core.bm.engine.lock import holding
from core.errors import DefinitionError, Refused
from tests.core.bm.conftest import Live

REGION = "change: table deal\nfields:\n  region: {type: text, after: company}\n"


def test_the_first_version_is_live_after_its_promotion(system: Live) -> None:
    assert system.version == 1
    assert system.plan().plan.empty
    company = system.create("company", name="Acme", size=3)
    assert system.read("company", company)["name"] == "Acme"


def test_a_field_is_added_taken_back_and_returns_with_what_was_entered(system: Live) -> None:
    deal = system.create("deal", title="Pilot")
    system.site.write("deal.yaml", REGION)
    assert system.promote(message="Regions") == 2
    version = system.read("deal", deal)["_version"]
    system.records(lambda records: records.update("deal", [{"id": deal, "_version": version, "region": "North"}]))
    before = system.columns()

    assert system.rollback() == 1
    assert "region" not in system.read("deal", deal)
    assert system.columns() == before

    planned = system.plan().plan
    assert "deal.region returns with the values it had" in str(planned.notes[0])
    assert system.promote(message="Regions again") == 2
    assert system.read("deal", deal)["region"] == "North"
    assert system.columns() == before and system.plan().plan.empty


def test_removing_a_field_keeps_its_column_and_its_values(system: Live) -> None:
    company = system.create("company", name="Acme", size=3)
    text = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text.replace("  size: {type: integer}\n", ""))
    before = system.columns()
    planned = system.plan().plan
    assert "1 values are kept" in str(planned.notes[0])
    system.promote()
    assert "size" not in system.read("company", company)
    assert system.columns() == before
    assert system.sql("select state from sys.physical p join bm.member m using (id, state) where path = 'company.size'"
                      ) == [("parked",)]

    system.site.addon("company.yaml", text)
    system.promote()
    assert system.read("company", company)["size"] == 3


def test_a_field_that_returns_with_another_type_starts_empty_beside_the_parked_one(system: Live) -> None:
    company = system.create("company", name="Acme", size=3)
    text = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text.replace("  size: {type: integer}\n", ""))
    system.promote()
    system.site.addon("company.yaml", text.replace("size: {type: integer}", "size: {type: text}"))
    system.promote()
    assert system.read("company", company)["size"] is None
    system.rollback(1)
    assert system.read("company", company)["size"] == 3


def test_a_removed_table_returns_with_its_records(system: Live) -> None:
    company = system.create("company", name="Acme")
    deal = system.create("deal", title="Pilot", company=company)
    text = (system.site.folder / "addons/shop/deal.yaml").read_text()
    system.site.addon("deal.yaml", None)
    system.promote()
    assert [row["title"] for row in system.records(lambda records: records.page("ticket", ["title"]).records)] == []
    system.site.addon("deal.yaml", text)
    system.promote()
    assert system.read("deal", deal)["company"] == company


def test_renames_move_no_column(system: Live) -> None:
    company = system.create("company", name="Acme", size=3)
    text = (system.site.folder / "addons/shop/company.yaml").read_text()
    system.site.addon("company.yaml", text.replace("size: {type: integer}", "staff: {type: integer, was: size}"))
    before = system.columns()
    system.promote()
    assert system.read("company", company)["staff"] == 3 and system.columns() == before
    system.rollback()
    assert system.read("company", company)["size"] == 3


def test_a_link_and_an_index_are_made_online_and_hold(system: Live) -> None:
    system.site.write("deal.yaml", """
        change: table deal
        fields: {buyer: {type: link, to: company}}
        indexes: {by_amount: {fields: [amount]}}
        """)
    system.promote()
    assert system.sql("select count(*) from pg_constraint where contype = 'f' and not convalidated") == [(0,)]
    assert system.sql("select count(*) from pg_index where not indisvalid") == [(0,)]
    assert system.plan().plan.empty
    assert {row for (row,) in system.sql("select distinct state from bm.step")} == {"done"}


def test_an_index_whose_condition_holds_a_percent_sign_is_made(system: Live) -> None:
    system.site.write("company.yaml",
                      "change: table company\nunique: {name: {fields: [name], where: \"name != '5% off'\"}}\n")
    system.promote()
    assert "5% off" in str(system.sql(
        "select indexdef from pg_indexes where schemaname = 'ed'"))
    assert system.plan().plan.empty


def test_a_unique_index_that_the_data_breaks_changes_nothing(system: Live) -> None:
    for _ in range(2):
        system.create("company", name="Acme")
    system.site.write("company.yaml", "change: table company\nunique: {name: {fields: [name]}}\n")
    with pytest.raises(Refused, match=r'"company.name" cannot be unique: .*Acme'):
        system.promote()
    assert system.version == 1
    assert system.sql("select count(*) from bm.promotion") == [(1,)]


def test_what_the_definitions_break_is_told_and_nothing_is_done(system: Live) -> None:
    system.site.write("deal.yaml", "change: table deal\nfields: {amount: {type: file}}\n")
    with pytest.raises(Refused, match="cannot turn from decimal into file"):
        system.promote()
    system.site.write("deal.yaml", "change: table deal\nfields: {amount: {titel: A}}\n")
    with pytest.raises(DefinitionError):
        system.promote()
    assert system.version == 1


def test_a_plan_is_void_after_another_promotion_or_a_change_by_hand(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    planned = system.plan()
    with system.engine.begin() as connection:
        connection.execute(text("create table ed.by_hand (id bigint)"))
    with pytest.raises(Refused, match="changed the database by hand since the plan was made"):
        system.promote(planned=planned)
    with system.engine.begin() as connection:
        connection.execute(text("drop table ed.by_hand"))
    system.promote(planned=planned)
    with pytest.raises(Refused, match="someone else promoted"):
        system.promote(planned=planned)


def test_a_second_promotion_is_refused_naming_the_holder(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    with holding(system.engine, "anna"), pytest.raises(Refused, match="another promotion is under way: .*by anna"):
        system.promote()
    assert system.promote() == 2


def test_rolling_back_the_first_version_or_to_an_unknown_one_is_refused(system: Live) -> None:
    with pytest.raises(Refused, match="no version before"):
        system.rollback()
    with pytest.raises(Refused, match="version 77 was never live"):
        system.rollback(77)


def test_versions_tell_who_what_and_which_is_live(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    system.promote(message="Regions", author="anna")
    with system.engine.connect() as connection:
        newest, first = service.describe_versions(connection)
    assert (newest.id, newest.message, newest.author, newest.live, newest.parent) == (2, "Regions", "anna", True, 1)
    assert not first.live
