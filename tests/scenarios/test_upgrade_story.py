"""An addon's release, a customised site and a live system whose people changed what was shipped: one promotion.

The plan is held word for word, as the reviewer reads it. Then back, work under the old version, and forward again.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.bm.planning import describe
from core.database import engine as engines
from core.settings import Settings
from tests.core.bm.conftest import Live, database_of_test  # noqa: F401
from tests.core.bm.sites import Site

FIRST = {
    "addon.yaml": "addon: visits\nversion: 1.4.0\n",
    "tables/place.yaml": """
        table: place
        title: Place
        plural: Places
        display: "{name}"
        fields:
          code: {type: text, required: true}
          name: {type: text}
          region: {type: text}
          beds: {type: integer}
        unique:
          code: {fields: [code]}
        """,
    "tables/guest.yaml": """
        table: guest
        title: Guest
        plural: Guests
        display: "{name}"
        fields:
          name: {type: text, required: true, search: words}
          tel: {type: text}
          home: {type: link, to: place}
        """,
    "data/places.yaml": """
        data: places
        of: place
        key: code
        records:
          paris: {name: Paris, region: North, beds: 40}
          nice: {name: Nice, region: South, beds: 25}
          lyon: {name: Lyon, region: South, beds: 10}
        """,
    "forms/guest.xml": """
        <form name="guest" of="guest">
          <group id="who" title="Who">
            <field name="name"/>
            <field name="tel"/>
          </group>
          <field name="home"/>
        </form>
        """,
}
SECOND = {
    "addon.yaml": "addon: visits\nversion: 2.0.0\n",
    "tables/guest.yaml": """
        table: guest
        title: Guest
        plural: Guests
        display: "{first_name} {last_name}"
        fields:
          first_name: {type: text, search: words}
          last_name: {type: text, required: true, search: words}
          phone: {type: text, was: tel}
          home: {type: link, to: place}
          region: {type: text, fill: =home.region}
        """,
    "migrations/2.0.0.yaml": """
        migration: 2.0.0
        help: A name in two fields.
        steps:
          names:
            split: guest.name
            set:
              first_name: "=before(name, ' ') if contains(name, ' ') else None"
              last_name: "=part(name, ' ', 2) if contains(name, ' ') else name"
        """,
    "data/places.yaml": """
        data: places
        of: place
        key: code
        records:
          paris: {name: Paris, region: Île-de-France, beds: 60}
          nice: {name: Nice, region: South, beds: 30}
          rome: {name: Rome, region: Lazio, beds: 15}
        """,
    "forms/guest.xml": """
        <form name="guest" of="guest">
          <group id="who" title="Who">
            <field name="first_name"/>
            <field name="last_name"/>
            <field name="phone"/>
          </group>
          <field name="home"/>
          <field name="region"/>
        </form>
        """,
}
SITE = {
    "system.yaml": "system: main\naddons: [visits]\nlanguages: [en]\ncurrency: EUR\ntime_zone: UTC\n",
    "tables/guest.yaml": """
        change: table guest
        fields:
          tel: {title: Mobile}
          badge: {type: text}
        """,
    "forms/guest.xml": """
        <form change="guest">
          <into ref="who">
            <field name="badge"/>
          </into>
        </form>
        """,
}


@pytest.fixture
def upgraded(database_of_test: Settings, tmp_path: Path) -> Live:  # noqa: F811
    """The release before, live, with work in it; the new release stands in the folder."""
    site = Site(tmp_path / "site")
    for name, text in SITE.items():
        site.write(name, text)
    put(site, FIRST)
    settings = database_of_test.model_copy(update={"addons": (site.folder / "addons",), "metadata": site.metadata})
    live = Live(site, settings, engines.open(settings, "owner"))
    live.promote(message="First")
    paris, nice = places(live)["paris"], places(live)["nice"]
    change(live, "place", paris["id"], beds=55)                     # what people know better
    live.records(lambda records: records.delete("place", [places(live)["lyon"]["id"]]))
    for name, home in (("Ann Lee", paris["id"]), ("Bo Ek", nice["id"]), ("Cher", None)):
        live.create("guest", name=name, tel="1", home=home, badge=name[0])
    put(site, SECOND)
    return live


def put(site: Site, files: dict[str, str]) -> None:
    for name, text in files.items():
        site.write_in(site.folder / "addons" / "visits", name, text)


def places(live: Live) -> dict[str, dict[str, object]]:
    rows = live.records(lambda records: records.page("place", ["code", "region", "beds"]).records)
    return {row["code"]: row for row in rows}


def guests(live: Live, *names: str) -> set[tuple[object, ...]]:
    rows = live.records(lambda records: records.page("guest", list(names)).records)
    return {tuple(row[name] for name in names) for row in rows}


def change(live: Live, table: str, record: object, **values: object) -> None:
    version = live.read(table, int(str(record)))["_version"]
    live.records(lambda records: records.update(table, [{"id": record, "_version": version, **values}]))


def read(live: Live) -> str:
    """The plan as it is printed, but for hashes, the folder of the test, and how many rows PostgreSQL believes in."""
    text = describe.as_text(live.plan().plan, "version 1").replace(str(live.site.folder) + "/", "")
    return re.sub(r"; [0-9,]+ rows", "", re.sub(r"\b[0-9a-f]{12}\b", "HASH", text))


PLAN = Path(__file__).parent / "plans" / "upgrade_story.txt"


def test_the_plan_is_read_in_a_minute(upgraded: Live) -> None:
    text = read(upgraded)
    assert text == PLAN.read_text(encoding="utf-8")
    what, _, rest = text.partition("Steps:")
    why = rest.partition("Note:")[2]
    assert len((what + why).split()) < 350          # what changes and what to know, beside how it is done


def test_one_promotion_does_all_of_it(upgraded: Live) -> None:
    upgraded.promote()
    assert guests(upgraded, "first_name", "last_name", "phone", "region", "badge") == {
        ("Ann", "Lee", "1", "North", "A"), ("Bo", "Ek", "1", "South", "B"), (None, "Cher", "1", None, "C")}
    found = {code: (row["region"], row["beds"]) for code, row in places(upgraded).items()}
    assert found == {"paris": ("Île-de-France", 55), "nice": ("South", 30), "rome": ("Lazio", 15)}
    lock = (upgraded.site.metadata / "customisation.lock").read_text()
    assert "table guest.fields.phone.title" in lock and "visits 2.0.0" in lock
    assert upgraded.sql("select state, error from bm.promotion order by id desc limit 1") == [("done", None)]


def test_back_and_forward_again_loses_nothing(upgraded: Live) -> None:
    first = upgraded.version
    upgraded.promote()
    upgraded.create("guest", first_name="Dag", last_name="Bo", phone="2")
    change(upgraded, "place", places(upgraded)["rome"]["id"], beds=16)
    upgraded.rollback(first)
    assert {"Ann Lee", "Bo Ek", "Cher"} <= {name for name, in guests(upgraded, "name")}
    assert ("Mobile" in upgraded.plan().target.model.tables["guest"].fields["phone"].title)     # type: ignore[union-attr]
    found = {code: (row["region"], row["beds"]) for code, row in places(upgraded).items()}
    assert found["paris"] == ("North", 55) and found["nice"] == ("South", 25) and found["rome"] == ("Lazio", 16)
    upgraded.create("guest", name="Eve Roy", home=places(upgraded)["nice"]["id"])
    upgraded.promote()
    assert guests(upgraded, "first_name", "last_name", "region") == {
        ("Ann", "Lee", "North"), ("Bo", "Ek", "South"), (None, "Cher", None), ("Dag", "Bo", None),
        ("Eve", "Roy", "South")}
    found = {code: (row["region"], row["beds"]) for code, row in places(upgraded).items()}
    assert found == {"paris": ("Île-de-France", 55), "nice": ("South", 30), "rome": ("Lazio", 16)}
