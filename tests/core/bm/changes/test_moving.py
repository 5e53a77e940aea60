"""A table gets a base, loses it, changes it: its records go to another physical table and nobody notices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from core.bm import service
from core.errors import Invalid, Refused
from tests.core.bm.conftest import Live
from tests.core.bm.meanwhile import before, running

PARTY = """
    table: party
    title: Party
    plural: Parties
    display: "{name}"
    fields:
      name: {type: text, max: 100}
      city: {type: text}
    """
PERSON = """
    table: person
    title: Person
    plural: People
    base: party
    display: "{name}"
    fields:
      born: {type: date}
    """
COMPANY = """
    table: company
    title: Company
    plural: Companies
    {base}
    display: "{{name}}"
    {keeps}
    fields:
      {name}
      size: {{type: integer}}
      kind: {{type: choice, of: company_kind}}
      parent: {{type: link, to: company}}
      deals: {{type: lines, of: deal, by: company}}
      score: {{type: decimal, formula: "size * 2", stored: true}}
    """


NAME = "name: {type: text, max: 100}"


def company(base: str = "", name: str = NAME, keeps: str = "keeps: [history]") -> str:
    """The company by itself, or under a base, whose name it has then."""
    return COMPANY.format(base=f"base: {base}" if base else "", name="" if base else name, keeps=keeps)


def names(system: Live, table: str) -> list[str]:
    return [row["name"] for row in system.records(lambda records: records.page(table, ["name"], order=["id"]).records)]


def change(system: Live, table: str, record: int, **values: Any) -> None:
    system.records(lambda records: records.update(table, [{"id": record, **values}]))


@pytest.fixture
def shop(system: Live) -> Iterator[Live]:
    """A party with one kind, and a company that stands alone; no step may fail after a flip."""
    system.site.addon("party_table.yaml", PARTY)
    system.site.addon("person.yaml", PERSON)
    system.site.addon("company.yaml", company())
    system.promote(answers={})
    yield system
    assert system.sql("select kind, target, error from bm.step where error is not null and state = 'failed'") == []


def test_a_table_gets_a_base_and_keeps_ids_values_links_lines_and_history(shop: Live) -> None:
    person = shop.create("person", name="Ann", city="Bonn")
    parent = shop.create("company", name="Acme", size=3, kind="partner")
    child = shop.create("company", name="Acme North", size=4, parent=parent)
    deal = shop.create("deal", title="Pilot", company=child)
    change(shop, "company", child, size=5)
    gone = shop.create("company", name="Gone")
    shop.records(lambda records: records.delete("company", [gone]))
    was = shop.read("company", child)

    shop.site.addon("company.yaml", company("party"))
    shop.promote()

    now = shop.read("company", child)
    assert {key: now[key] for key in was} == was
    assert now["score"] == 10 and now["city"] is None
    assert names(shop, "party") == ["Ann", "Acme", "Acme North"] and names(shop, "company") == ["Acme", "Acme North"]
    assert shop.read("deal", deal)["company"] == child and shop.read("party", person)["name"] == "Ann"
    assert len(shop.records(lambda records: records.history("company", child))) == 2
    shop.records(lambda records: records.restore("company", [gone]))
    assert shop.read("company", gone)["name"] == "Gone"
    change(shop, "company", child, city="Ulm", parent=None)
    with pytest.raises(Invalid):
        shop.records(lambda records: records.create("deal", [{"title": "x", "company": person}]))
    assert shop.sql("select count(*) from pg_constraint where contype = 'f' and not convalidated") == [(0,)]
    assert shop.sql("select count(*) from sys.touched") == [(0,)]
    assert shop.sql("select tgname from pg_trigger where tgname like 'move%'") == []
    assert shop.plan().plan.empty


def test_until_the_flip_the_base_does_not_show_them_and_what_is_written_meanwhile_comes_too(
        shop: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shop.create("company", name="First")
    second = shop.create("company", name="Second")
    third = shop.create("company", name="Third")
    shop.site.addon("company.yaml", company("party"))
    seen: list[list[str]] = []

    def write() -> None:
        seen.append(names(shop, "party"))
        change(shop, "company", first, name="First again")
        shop.create("company", name="Late")
        shop.records(lambda records: records.delete("company", [second]))
        with shop.engine.begin() as connection:
            connection.execute(text(f"delete from ed.company_{identity(shop, 'company')} where id = {third}"))
    before(monkeypatch, "flip", write)
    shop.promote()
    assert seen == [[]]
    assert names(shop, "party") == names(shop, "company") == ["First again", "Late"]


def identity(system: Live, path: str) -> int:
    return int(system.sql(f"select id from bm.member where path = '{path}'")[0][0])


def test_what_old_requests_write_after_the_flip_is_not_lost(shop: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = shop.create("company", name="First"), shop.create("company", name="Second")
    old = running(shop)
    shop.site.addon("company.yaml", company("party"))

    def write() -> None:
        old(lambda records: records.update("company", [{"id": first, "name": "By an old request"}]))
        old(lambda records: records.update("company", [{"id": second, "name": "Old"}]))
        old(lambda records: records.create("company", [{"name": "Made by it"}]))
        change(shop, "company", second, name="And by a new one")
    before(monkeypatch, "settle", write)
    shop.promote()
    assert names(shop, "party") == ["By an old request", "And by a new one", "Made by it"]


def test_a_base_that_had_no_kinds_moves_too_and_shows_nothing_before_the_flip(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    system.site.addon("party_table.yaml", PARTY + "unique: {name: {fields: [name]}}\n")
    system.site.addon("company.yaml", company())
    system.promote(answers={})
    party = system.create("party", name="Alone", city="Ulm")
    acme = system.create("company", name="Acme")
    system.site.addon("company.yaml", company("party"))
    seen: list[list[str]] = []
    before(monkeypatch, "flip", lambda: seen.append(names(system, "party")))
    system.promote()
    assert seen == [["Alone"]] and names(system, "party") == ["Alone", "Acme"]
    assert system.read("party", party)["city"] == "Ulm"
    with pytest.raises(Invalid):
        system.create("company", name="Alone")

    system.rollback()
    assert names(system, "party") == ["Alone"] and names(system, "company") == ["Acme"]
    assert system.read("company", acme)["name"] == "Acme"


def test_a_field_that_the_base_has_already_goes_on_as_the_bases(shop: Live) -> None:
    acme = shop.create("company", name="Acme", size=1)
    shop.site.addon("company.yaml", company("party"))
    shop.promote()
    assert shop.read("party", acme)["name"] == shop.read("company", acme)["name"] == "Acme"
    change(shop, "party", acme, name="Acme Ltd")
    shop.rollback()
    assert shop.read("company", acme)["name"] == "Acme Ltd"


def test_back_and_forth_keeps_what_was_changed_on_either_side(shop: Live) -> None:
    acme, gone = shop.create("company", name="Acme", size=1), shop.create("company", name="Gone")
    first = shop.version
    shop.site.addon("company.yaml", company("party"))
    shop.promote()
    change(shop, "company", acme, size=2, city="Ulm")
    late = shop.create("company", name="Late", parent=acme)
    shop.records(lambda records: records.delete("company", [gone]))
    shop.rollback(first)
    assert names(shop, "company") == ["Acme", "Late"] and names(shop, "party") == []
    assert shop.read("company", acme)["size"] == 2 and shop.read("company", late)["parent"] == acme
    change(shop, "company", acme, size=3)
    shop.promote()
    assert (shop.read("company", acme)["size"], shop.read("company", acme)["city"]) == (3, "Ulm")
    assert names(shop, "party") == ["Acme", "Late"]
    assert shop.plan().plan.empty


def test_a_table_loses_its_base_and_takes_along_what_it_had_of_it(shop: Live) -> None:
    ann = shop.create("person", name="Ann", city="Bonn", born=date(1990, 1, 2))
    shop.site.addon("person.yaml", """
        table: person
        title: Person
        plural: People
        display: "{name}"
        fields:
          name: {type: text, max: 100}
          city: {type: text}
          born: {type: date}
        """)
    shop.promote(answers={})
    assert (shop.read("person", ann)["name"], shop.read("person", ann)["city"]) == ("Ann", "Bonn")
    assert shop.read("person", ann)["born"] == date(1990, 1, 2)
    assert names(shop, "party") == []                   # its rows stay there, unseen
    shop.create("person", name="Bob")
    shop.rollback()
    assert names(shop, "party") == ["Ann", "Bob"]


def test_a_table_changes_its_base(shop: Live) -> None:
    shop.site.addon("party_two.yaml", PARTY.replace("party", "body").replace("Part", "Bod"))
    shop.site.addon("body_kind.yaml", PERSON.replace("person", "animal").replace("base: party", "base: body"))
    shop.promote()
    ann = shop.create("person", name="Ann", city="Bonn")
    shop.site.addon("person.yaml", PERSON.replace("base: party", "base: body"))
    shop.promote(answers={})
    assert names(shop, "body") == ["Ann"] and names(shop, "party") == []
    assert shop.read("person", ann)["city"] == "Bonn"


def test_unique_rules_hold_for_what_came_and_two_that_are_equal_change_nothing(shop: Live) -> None:
    shop.site.addon("party_table.yaml", PARTY + "unique: {city: {fields: [city]}}\n")
    shop.promote()
    shop.create("person", name="Ann", city="Bonn")
    shop.site.addon("company.yaml", company(name=NAME + "\n      city: {type: text}"))
    shop.promote(answers={})
    acme = shop.create("company", name="Acme", city="Bonn")
    there = shop.version
    shop.site.addon("company.yaml", company("party"))
    with pytest.raises(Refused, match="equal|unique"):
        shop.promote()
    assert shop.version == there and names(shop, "party") == ["Ann"]
    change(shop, "company", acme, city="Ulm")
    shop.promote()
    with pytest.raises(Invalid):
        shop.create("company", name="B", city="Bonn")


def test_what_the_new_base_requires_is_guaranteed_when_all_have_it(shop: Live) -> None:
    shop.site.addon("party_table.yaml", PARTY.replace("max: 100}", "max: 100, required: true}"))
    shop.promote()
    shop.create("company", name="Acme")
    shop.site.addon("company.yaml", company("party"))
    shop.promote()
    (kept,) = [one for (one,) in shop.sql("select pg_get_constraintdef(oid) from pg_constraint where conname like 'rq%'"
                                          " and convalidated")]
    assert str(identity(shop, "company")) in kept and str(identity(shop, "person")) in kept


def test_broken_off_before_the_flip_the_next_promotion_does_it(shop: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = shop.create("company", name="Acme")
    shop.create("company", name="North", parent=parent)
    shop.site.addon("company.yaml", company("party"))
    there = shop.sql("select conname from pg_constraint where connamespace = 'ed'::regnamespace order by 1")

    def stop() -> None:
        raise Refused("not now")
    with monkeypatch.context() as patch:
        before(patch, "flip", stop)
        with pytest.raises(Refused, match="not now"):
            shop.promote()
    assert shop.sql("select conname from pg_constraint where connamespace = 'ed'::regnamespace order by 1") == there
    assert shop.sql("select tgname from pg_trigger where tgname like 'move%'") == []
    assert names(shop, "party") == [] and names(shop, "company") == ["Acme", "North"]
    shop.promote()
    assert names(shop, "party") == ["Acme", "North"]


def test_numbers_links_of_every_sort_and_what_is_through_a_table_go_on(shop: Live) -> None:
    shop.site.addon("badge.yaml", "sequence: badge\nformat: \"B-{number:4}\"\n")
    plain = "table: club\ntitle: Club\nplural: Clubs\n{base}display: \"{{code}}\"\nkeeps: [history]\nfields:\n" \
            "  code: {{type: sequence, sequence: badge}}\n" \
            "  contact: {{type: link, to: [person, company]}}\n" \
            "  about: {{type: any_link}}\n" \
            "  friends: {{type: link, to: club, many: true}}\n" \
            "  members: {{type: links, through: membership, by: club, to: person}}\n"
    shop.site.addon("membership.yaml", "table: membership\ntitle: Membership\nplural: Memberships\nfields:\n"
                    "  club: {type: link, to: club, required: true, on_delete: cascade}\n"
                    "  person: {type: link, to: person, required: true}\n")
    shop.site.addon("note.yaml", "table: note\ntitle: Note\nplural: Notes\nfields:\n"
                    "  of: {type: link, to: [club, company]}\n  about: {type: any_link}\n")
    shop.site.addon("club.yaml", plain.format(base=""))
    shop.promote()
    ann, acme = shop.create("person", name="Ann"), shop.create("company", name="Acme")
    first = shop.create("club", contact=ann, about=acme, members=[ann])
    second = shop.create("club", contact=acme, about=first, friends=[first])
    note = shop.create("note", of=first, about=second)
    was = [shop.read("club", one) for one in (first, second)]

    shop.site.addon("club.yaml", plain.format(base="base: party\n"))
    shop.promote()

    now = [shop.read("club", one) for one in (first, second)]
    assert [{key: one[key] for key in before} for one, before in zip(now, was, strict=True)] == was
    assert (shop.read("note", note)["of"], shop.read("note", note)["about"]) == (first, second)
    third = shop.create("club", members=[ann], friends=[first, second])
    assert shop.read("club", third)["code"] == "B-0003"
    again = shop.create("note", of=third, about=third)
    shop.rollback()
    assert shop.read("club", third)["code"] == "B-0003" and shop.read("club", third)["friends"] == [first, second]
    assert shop.read("note", again)["of"] == third
    shop.records(lambda records: records.delete("club", [third]))
    assert shop.read("note", again)["of"] is None


def test_fault_17_a_way_back_that_is_killed_when_room_is_made_already_goes_on(
        shop: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.create("company", name="Acme", size=3)
    first = shop.version
    shop.site.addon("company.yaml", company("party"))
    shop.promote()
    second = shop.create("company", name="Second", size=4)

    def killed() -> None:
        raise KeyboardInterrupt
    before(monkeypatch, "prepare", killed)
    with pytest.raises(KeyboardInterrupt):
        shop.rollback()
    assert service.finish_earlier(shop.engine, shop.plugins, patient=False)
    assert shop.version == first and shop.read("company", second)["size"] == 4
    assert shop.sql("select state from bm.promotion order by id desc limit 1") == [("done",)]


def test_what_a_base_requires_is_asked_for_the_records_that_come_under_it(shop: Live) -> None:
    shop.create("company", name="Acme")
    shop.site.addon("party_table.yaml", PARTY.replace("city: {type: text}", "city: {type: text, required: true}"))
    shop.promote()
    shop.site.addon("company.yaml", company("party"))
    planned = shop.plan().plan
    assert [(one.key, [option.value for option in one.options], one.free, one.count) for one in planned.questions] == [
        ("fill company.city", ["leave"], True, 1)]
    answered = shop.plan(answers={"fill company.city": "leave"}).plan
    assert any("party.city is required, but not yet guaranteed" in str(note) for note in answered.notes)
    shop.promote(answers={"fill company.city": "leave"})
    assert shop.sql("select error from bm.promotion where error is not null") == []
    assert names(shop, "party") == ["Acme"]
