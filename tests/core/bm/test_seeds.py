"""Records that definitions ship, and demo records: what comes in, and what people changed stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.bm import live
from core.bm.demo import Demo
from core.bm.seeds import order
from core.ed.session import Session
from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import Site

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
