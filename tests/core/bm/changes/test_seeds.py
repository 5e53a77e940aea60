"""Records that definitions ship, and demo records: what comes in, and what people changed stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.bm.changes.seeds import Seeding, order
from core.bm.demo import Demo
from core.bm.engine import journal
from core.bm.versions import live
from core.ed.session import Session
from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON, Site

FIRMS = """
    data: firms
    of: company
    key: name
    records:
      Acme: {size: 10, kind: customer}
      Acme North: {size: 3, parent: Acme}
    """


def companies(system: Live) -> dict[str, dict[str, Any]]:
    rows = system.records(lambda records: records.page("company", ["name", "size", "kind", "parent"]).records)
    return {row["name"]: row for row in rows}


def change(system: Live, name: str, **values: Any) -> None:
    row = companies(system)[name]
    version = system.read("company", row["id"])["_version"]
    system.records(lambda records: records.update("company", [{"id": row["id"], "_version": version, **values}]))


@pytest.fixture
def seeded(system: Live) -> Live:
    system.site.write("firms.yaml", FIRMS)
    assert [step.target for step in system.plan().plan.steps if step.kind == "seed"] == ["data firms"]
    system.promote()
    return system


def test_shipped_records_come_in_with_their_links(seeded: Live) -> None:
    found = companies(seeded)
    assert found["Acme"]["size"] == 10 and found["Acme North"]["parent"] == found["Acme"]["id"]
    how = seeded.sql("select distinct how from sys.history")
    assert how in ([("system",)], [])


def test_a_later_version_changes_only_what_nobody_changed(seeded: Live) -> None:
    change(seeded, "Acme", size=99)
    seeded.site.write("firms.yaml", FIRMS.replace("size: 10, kind: customer", "size: 20, kind: partner")
                      .replace("size: 3,", "size: 4,"))
    seeded.promote()
    found = companies(seeded)
    assert (found["Acme"]["size"], found["Acme"]["kind"]) == (99, "partner")
    assert found["Acme North"]["size"] == 4


def test_a_record_people_threw_away_does_not_come_back(seeded: Live) -> None:
    north = companies(seeded)["Acme North"]["id"]
    seeded.records(lambda records: records.delete("company", [north]))
    seeded.site.write("firms.yaml", FIRMS.replace("size: 3,", "size: 4,") + "  Globex: {size: 1}\n")
    seeded.promote()
    assert sorted(companies(seeded)) == ["Acme", "Globex"]


def test_a_record_people_entered_first_is_adopted_as_it_is(system: Live) -> None:
    system.create("company", name="Acme", size=7)
    system.site.write("firms.yaml", FIRMS)
    system.promote()
    found = companies(system)
    assert len(found) == 2 and found["Acme"]["size"] == 7


def test_what_others_link_to_is_filled_first(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.write("a.yaml", "data: a_deals\nof: deal\nkey: title\nrecords: {Pilot: {company: Acme}}\n")
    site.write("z.yaml", "data: z_firms\nof: company\nkey: name\nrecords: {Acme: {}}\n")
    model = site.state().model
    assert model is not None and order(model) == ("z_firms", "a_deals")


def again(system: Live, text: str) -> tuple[str, ...]:
    """What a promotion of other seeds could not bring in."""
    system.site.write("firms.yaml", text)
    system.promote()
    return left(system)


def left(system: Live) -> tuple[str, ...]:
    """What the last run of the seeds would tell: they are run once more, which changes nothing that went well."""
    return tuple(map(str, Seeding(system.plugins)(system.engine, system.version, "firms")))


def test_a_renamed_field_keeps_what_was_shipped_for_it(seeded: Live) -> None:
    change(seeded, "Acme North", size=5)
    seeded.site.addon("company.yaml", ADDON["company.yaml"].replace("  size: {type: integer}",
                                                                    "  staff: {type: integer, was: size}"))
    again(seeded, FIRMS.replace("size: 10", "staff: 20").replace("size: 3", "staff: 4"))
    rows = seeded.records(lambda records: records.page("company", ["name", "staff"]).records)
    assert {row["name"]: row["staff"] for row in rows} == {"Acme": 20, "Acme North": 5}


def test_a_key_that_is_renamed_is_the_same_record(seeded: Live) -> None:
    before = companies(seeded)["Acme"]["id"]
    assert again(seeded, FIRMS.replace("Acme: {size: 10", "Acme Ltd: {size: 20").replace("parent: Acme", "parent: Acme Ltd")
                 + "renamed: {Acme: Acme Ltd}\n") == ()
    found = companies(seeded)
    assert found["Acme Ltd"]["id"] == before and found["Acme Ltd"]["size"] == 20 and "Acme" not in found
    assert found["Acme North"]["parent"] == before


def test_links_may_lead_to_records_further_down_and_in_circles(system: Live) -> None:
    assert again(system, """
        data: firms
        of: company
        key: name
        records:
          A: {parent: C}
          B: {parent: A}
          C: {parent: B}
          D: {parent: E}
          E: {size: 1}
        """) == ()
    found = companies(system)
    parents = {name: next((other for other, row in found.items() if row["id"] == found[name]["parent"]), None)
               for name in found}
    assert parents == {"A": "C", "B": "A", "C": "B", "D": "E", "E": None}


def test_a_record_that_cannot_come_in_stops_no_other_and_is_named(system: Live) -> None:
    system.site.write("ours.yaml", "change: table company\nfields: {size: {required: true}}\n"
                                   "unique: {size: {fields: [size]}}\n")
    system.promote()
    theirs = system.create("company", name="Mine", size=10)
    told = again(system, FIRMS + "  Globex: {kind: partner}\n      Initech: {size: 8}\n")
    assert sorted(companies(system)) == ["Initech", "Mine"]
    assert [line.partition(":")[0] for line in told] == ["company Acme", "company Acme North", "company Globex"]
    [(number,)] = system.sql("select max(promotion_id) from bm.step where kind = 'seed'")
    with system.engine.connect() as connection:
        step = next(one for one in journal.progress(connection, number).steps if one.kind == "seed")
    assert step.state == "done" and 'company Acme North: company.parent: there is no company "Acme"' in str(step.note)
    assert "size" in told[0] and 'there is no company "Acme"' in told[1] and "size" in told[2]
    system.records(lambda records: records.delete("company", [theirs]))
    assert [line.partition(":")[0] for line in left(system)] == ["company Globex"]
    assert sorted(companies(system)) == ["Acme", "Acme North", "Initech"]


def test_a_text_that_looks_like_an_expression_is_shipped_as_it_is(system: Live) -> None:
    assert again(system, FIRMS.replace("Acme North", '"=1+1"')) == ()
    assert sorted(companies(system)) == ["=1+1", "Acme"]


def test_what_leaves_the_definition_stays_and_is_merged_when_it_returns(seeded: Live) -> None:
    again(seeded, FIRMS.replace("  Acme North: {size: 3, parent: Acme}\n", ""))
    assert "Acme North" in companies(seeded)
    again(seeded, FIRMS.replace("size: 3", "size: 4"))
    assert companies(seeded)["Acme North"]["size"] == 4


def test_going_back_and_forward_changes_only_what_nobody_changed(seeded: Live) -> None:
    first = seeded.version
    again(seeded, FIRMS.replace("size: 10", "size: 20").replace("size: 3", "size: 4") + "  Globex: {size: 1}\n")
    change(seeded, "Acme", size=99)
    seeded.rollback(first)
    found = companies(seeded)
    assert (found["Acme"]["size"], found["Acme North"]["size"], found["Globex"]["size"]) == (99, 3, 1)
    seeded.promote()
    found = companies(seeded)
    assert (found["Acme"]["size"], found["Acme North"]["size"], len(found)) == (99, 4, 3)


def test_several_values_are_compared_whatever_their_order(system: Live) -> None:
    system.site.write("more.yaml", "change: table company\nfields:\n  tags: {type: text, many: true}\n"
                                   "  kinds: {type: choice, of: company_kind, many: true}\n"
                                   "  peers: {type: link, to: company, many: true}\n")
    text = FIRMS.replace("size: 3,", "size: 3, tags: [a, b], kinds: [customer], peers: [Acme],")
    again(system, text)
    again(system, text.replace("tags: [a, b], kinds: [customer]", "tags: [c], kinds: [partner, customer]"))
    row = system.read("company", companies(system)["Acme North"]["id"])
    assert list(row["tags"]) == ["c"] and sorted(row["kinds"]) == ["customer", "partner"]
    assert list(row["peers"]) == [companies(system)["Acme"]["id"]]


def test_a_record_is_shipped_by_one_definition(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    site.write("a.yaml", FIRMS)
    site.write("b.yaml", FIRMS.replace("data: firms", "data: others"))
    with pytest.raises(AssertionError) as told:
        site.state()
    assert 'record "Acme" of table "company" is shipped by data "firms" already' in str(told.value)


def load(system: Live, folder: Path) -> Demo:
    with system.engine.begin() as connection:
        session = Session.system_session(live.system(connection, system.version, system.plugins), connection)
        demo = Demo(session)
        demo.load([folder])
        return demo


def test_demo_records_link_by_handle_to_each_other_and_to_shipped_ones(seeded: Live, tmp_path: Path) -> None:
    Site.write_in(tmp_path / "demo", "10_company.yaml", """
        table: company
        key: name
        records:
          south: {name: Acme South, parent: hill}
          hill: {name: Hill Ltd, parent: Acme}
        """)
    Site.write_in(tmp_path / "demo", "20_deal.yaml", """
        table: deal
        key: title
        records:
          pilot: {title: Pilot, company: south, amount: 12.5}
        """)
    demo = load(seeded, tmp_path)
    found = companies(seeded)
    assert found["Acme South"]["parent"] == found["Hill Ltd"]["id"]
    assert found["Hill Ltd"]["parent"] == found["Acme"]["id"]
    deal = seeded.read("deal", demo.made["deal", "pilot"])
    assert deal["company"] == found["Acme South"]["id"] and str(deal["amount"]) == "12.5"
    assert demo.find("ticket", "pilot") == deal["id"]


@pytest.mark.parametrize(("record", "told"), [
    ("{name: A, parent: nobody}", 'a: company.parent: there is no company "nobody"'),
    ("{name: A, sise: 3}", 'a: company: there is no field "sise"'),
    ("{name: A, size: many}", "a: company.size: "),
])
def test_a_wrong_demo_record_names_file_record_and_field(system: Live, tmp_path: Path, record: str, told: str) -> None:
    Site.write_in(tmp_path / "demo", "company.yaml", f"table: company\nkey: name\nrecords:\n  a: {record}\n")
    with pytest.raises(Refused) as refused:
        load(system, tmp_path)
    assert "company.yaml" in str(refused.value) and told in str(refused.value)
    assert companies(system) == {}
