"""A table gets a base and its records other values in one promotion: as if they were two, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from core.bm import service
from core.errors import Refused
from tests.core.bm.changes.test_moving import PARTY, change, company, names
from tests.core.bm.changes.test_moving import shop as shop
from tests.core.bm.conftest import Live
from tests.core.bm.meanwhile import before, running

ALLY = "choices: company_kind\nvalues:\n  customer: {title: Customer}\n  ally: {title: Ally, was: partner}\n"
SIZE = "size: {type: integer}"


def filled(*fields: str, size: str = SIZE) -> str:
    """The company under the party, with more fields, and its size as another type."""
    return company("party").replace("size * 2", "1.5").replace(SIZE, "\n      ".join((size, *fields)))


def column(system: Live, name: str) -> dict[str, Any]:
    rows = system.records(lambda records: records.page("company", ["name", name], order=["id"]).records)
    return {row["name"]: row[name] for row in rows}


def kept(system: Live) -> str:
    """The conditions that the database keeps."""
    return " ".join(one for (one,) in system.sql(
        "select pg_get_constraintdef(oid) from pg_constraint where conname like 'rq%' and convalidated"))


def sound(system: Live) -> None:
    assert system.sql("select error from bm.step where error is not null") == []
    assert system.sql("select count(*) from sys.touched") == [(0,)]
    assert system.sql("select tgname from pg_trigger where tgname like 'move%' or tgname like 'fill%'") == []
    assert system.plan().plan.empty


def test_a_base_a_type_choices_and_new_fields_in_one_promotion_and_back(shop: Live) -> None:
    acme = shop.create("company", name="Acme", size=3, kind="partner")
    north = shop.create("company", name="North", size=4, kind="customer", parent=acme)
    first = shop.version
    shop.site.addon("kinds.yaml", ALLY)
    shop.site.addon("company.yaml", filled("rank: {type: integer, fill: 7}", "double: {type: integer, fill: =size * 2}",
                                           "boss: {type: text, fill: =parent.name}", size="size: {type: text}"))
    shop.promote(answers={})
    assert column(shop, "size") == {"Acme": "3", "North": "4"} and column(shop, "kind")["Acme"] == "ally"
    assert set(column(shop, "rank").values()) == {7} and column(shop, "double") == {"Acme": 6, "North": 8}
    assert column(shop, "boss") == {"Acme": None, "North": "Acme"} and names(shop, "party") == ["Acme", "North"]
    sound(shop)
    change(shop, "company", acme, size="many", rank=8)
    change(shop, "company", north, size="5")
    shop.rollback(first)
    assert column(shop, "size") == {"Acme": None, "North": 5} and column(shop, "kind")["Acme"] == "partner"
    shop.promote()
    assert column(shop, "size") == {"Acme": "many", "North": "5"} and column(shop, "rank") == {"Acme": 8, "North": 7}
    sound(shop)


@pytest.mark.parametrize("kind", ["fill", "prepare", "flip"])
def test_what_people_write_meanwhile_is_not_missed(shop: Live, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    acme = shop.create("company", name="Acme", size=3)
    north = shop.create("company", name="North", size=4, parent=acme)
    shop.site.addon("company.yaml", filled("double: {type: integer, fill: =size * 2}",
                                           "boss: {type: text, fill: =parent.name}", size="size: {type: text}"))

    def write() -> None:
        change(shop, "company", acme, name="Acme SE", size=50)
        shop.create("company", name="New", size=1, parent=north)
    before(monkeypatch, kind, write)
    shop.promote(answers={})
    assert column(shop, "double") == {"Acme SE": 100, "North": 8, "New": 2}
    assert column(shop, "boss") == {"Acme SE": None, "North": "Acme SE", "New": "North"}
    assert column(shop, "size") == {"Acme SE": "50", "North": "4", "New": "1"}
    sound(shop)


def test_what_old_requests_write_after_the_flip_is_filled_and_what_new_ones_wrote_since_stays(
        shop: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    acme, north = shop.create("company", name="Acme", size=3), shop.create("company", name="North", size=4)
    old = running(shop)
    shop.site.addon("company.yaml", filled("double: {type: integer, fill: =size * 2}"))

    def write() -> None:
        old(lambda records: records.update("company", [{"id": acme, "size": 9}]))
        old(lambda records: records.create("company", [{"name": "Late", "size": 1}]))
        old(lambda records: records.update("company", [{"id": north, "size": 8}]))
        change(shop, "company", north, double=5)
    before(monkeypatch, "settle", write)
    shop.promote(answers={})
    assert column(shop, "double") == {"Acme": 18, "North": 5, "Late": 2}
    sound(shop)


def test_killed_in_between_it_goes_on_and_broken_off_nothing_of_it_stays(
        shop: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        shop.create("company", name=f"Firm {number}", size=number)
    shop.site.addon("company.yaml", filled("rank: {type: integer, fill: =size + 1}"))

    def killed() -> None:
        raise KeyboardInterrupt

    def stop() -> None:
        raise Refused("not now")
    with monkeypatch.context() as patch:
        before(patch, "flip", stop)
        with pytest.raises(Refused, match="not now"):
            shop.promote(answers={})
    assert names(shop, "party") == [] and len(column(shop, "size")) == 3
    (party,) = {table for table, in shop.sql("select distinct table_name from sys.physical where table_name like 'party%'")}
    assert shop.sql(f"select count(*) from ed.{party}") == [(0,)]
    with monkeypatch.context() as patch:
        before(patch, "prepare", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.promote(answers={})
    assert service.finish_earlier(shop.engine, shop.plugins, patient=False)
    assert column(shop, "rank") == {"Firm 0": 1, "Firm 1": 2, "Firm 2": 3}
    shop.promote()
    sound(shop)


def test_what_a_base_requires_is_filled_by_an_answer_and_guaranteed(shop: Live) -> None:
    shop.create("company", name="Acme", size=3)
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", "city: {type: text, required: true}"))
    shop.promote()
    shop.site.addon("company.yaml", company("party"))
    assert [one.key for one in shop.plan().plan.questions] == ["fill company.city"]
    shop.promote(answers={"fill company.city": "=text(size) + ' Road'"})
    assert column(shop, "city") == {"Acme": "3 Road"} and "city" in kept(shop)
    sound(shop)


@pytest.mark.parametrize("said", ["fill: Bonn", "default: Bonn"])
def test_what_a_base_says_of_its_fields_counts_for_records_that_come_under_it(shop: Live, said: str) -> None:
    shop.create("company", name="Acme")
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", f"city: {{type: text, required: true, {said}}}"))
    shop.site.addon("company.yaml", company("party"))
    shop.promote(answers={})
    assert column(shop, "city") == {"Acme": "Bonn"} and "city" in kept(shop)
    sound(shop)


def test_what_a_base_says_of_fields_that_others_lack_is_asked_for_them(shop: Live) -> None:
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", "city: {type: text}\n      town: {type: text}"))
    shop.promote()
    shop.create("person", name="Ann", town="Ulm")
    shop.create("company", name="Acme")
    shop.site.addon("party_table.yaml", PARTY.replace(
        "city: {type: text}", "city: {type: text, required: true, fill: =town}\n      town: {type: text}"))
    shop.site.addon("company.yaml", company("party"))
    assert [one.key for one in shop.plan().plan.questions] == ["fill company.city"]
    shop.promote(answers={"fill company.city": "Bonn"})
    assert column(shop, "city") == {"Acme": "Bonn"}
    assert [row["city"] for row in shop.records(lambda records: records.page("party", ["city"], order=["id"]).records)] == [
        "Ulm", "Bonn"]
    sound(shop)


def test_a_base_whose_fields_get_another_type_leaves_what_comes_under_it_alone(shop: Live) -> None:
    both = "kind: {type: choice, of: company_kind}\n      city: {type: %s}"
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", both % "text"))
    shop.promote()
    ann = shop.create("person", name="Ann", kind="partner", city="12")
    shop.create("company", name="Acme", kind="partner")
    shop.site.addon("kinds.yaml", ALLY)
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", both % "integer"))
    shop.site.addon("company.yaml", company("party").replace("      kind: {type: choice, of: company_kind}\n", ""))
    shop.promote(answers={})
    assert column(shop, "kind") == {"Acme": "ally"} and shop.read("person", ann)["kind"] == "ally"
    assert shop.read("person", ann)["city"] == 12 and column(shop, "city") == {"Acme": None}
    sound(shop)
    shop.rollback()
    assert column(shop, "kind") == {"Acme": "partner"} and shop.read("person", ann)["city"] == "12"


def test_leaving_a_base_with_a_type_and_a_fill(shop: Live) -> None:
    shop.create("person", name="Ann", city="Bonn")
    own = "table: person\ntitle: Person\nplural: People\ndisplay: \"{name}\"\nfields:\n" \
          "  name: {type: text, max: 100}\n  city: {type: text, fill: Ulm}\n  born: {type: text}\n" \
          "  note: {type: text, fill: =upper(city)}\n"
    shop.site.addon("person.yaml", own)
    shop.promote(answers={})
    assert shop.records(lambda records: records.page("person", ["city", "note"]).records)[0].items() >= {
        "city": "Bonn", "note": "BONN"}.items()
    sound(shop)
    shop.rollback()
    assert names(shop, "party") == ["Ann"]


def test_what_was_left_empty_is_known_after_a_move_and_not_tried(shop: Live) -> None:
    shop.create("company", name="Acme", size=3)
    shop.create("company", size=4)
    shop.site.addon("company.yaml", company(name="name: {type: text, max: 100, required: true}"))
    shop.promote(answers={"fill company.name": "leave"})
    shop.create("person", name="Ann")
    shop.site.addon("party_table.yaml", PARTY.replace("max: 100}", "max: 100, required: true}").replace(
        "city: {type: text}", "city: {type: text, required: true, fill: Bonn}"))
    shop.site.addon("company.yaml", company("party"))
    planned = shop.plan().plan
    assert any("not yet guaranteed" in str(note) and "1 record" in str(note) for note in planned.notes), planned.notes
    shop.promote()
    assert shop.sql("select error from bm.step where error is not null") == []
    assert "name" not in kept(shop) and "city" in kept(shop)
    assert set(column(shop, "city").values()) == {"Bonn"}


def test_an_answer_that_gives_nothing_for_some_is_not_tried_either(shop: Live) -> None:
    shop.create("company", name="Acme")
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", "city: {type: text, required: true}"))
    shop.promote()
    shop.site.addon("company.yaml", company("party"))
    shop.promote(answers={"fill company.city": "=parent.name"})
    assert shop.sql("select error from bm.step where error is not null") == []
    assert column(shop, "city") == {"Acme": None} and "city" not in kept(shop)
