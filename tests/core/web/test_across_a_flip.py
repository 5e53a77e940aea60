"""Work that was begun under one version and is sent under the next: nothing typed is lost, and what changed is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from core.bm import follow, service
from core.settings import Settings
from core.web import former
from tests.core.web.site import Browser, Site, sample_site
from tests.core.web.test_importing import work

TABLE = """
table: {name}
title: Thing
plural: Things
display: "{{name}}"
keeps: [history]
{more}
fields:
  name: {{type: text, required: true}}
{fields}"""


@dataclass
class Thing:
    """A table with a page, changed from one promotion to the next."""

    site: Site
    name: str

    def promote(self, *fields: str, more: str = "", name: str = "") -> None:
        """Promote the table with these fields beside its name; under another name the page goes with it."""
        folder = self.site.settings.metadata
        for kind in ("tables", "objects"):
            (folder / kind / f"{self.name}.yaml").unlink(missing_ok=True)
        self.name = name or self.name
        (folder / "objects").mkdir(exist_ok=True)
        (folder / "tables" / f"{self.name}.yaml").write_text(TABLE.format(
            name=self.name, more=more, fields="".join(f"  {field}\n" for field in fields)))
        (folder / "objects" / f"{self.name}.yaml").write_text(f"object: {self.name}\nof: {self.name}\n")
        service.promote_folder(self.site.settings, self.site.owner, plugins=self.site.plugins)

    def make(self, **values: Any) -> int:
        return self.site.create(self.name, name="One", **values)

    def read(self, identity: int) -> dict[str, Any]:
        return self.site.read(self.name, identity)

    def opened(self, identity: int) -> tuple[Browser, dict[str, Any]]:
        """Somebody with the form of a record before them."""
        browser = self.site.browser("ada")
        browser.get(f"/{self.name}/{identity}?edit=1")
        return browser, browser.form(f"/{self.name}/{identity}")


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("flip")) as found:
        yield found


def test_fault_24_a_request_that_slept_over_a_whole_promotion_writes_in_the_version_that_is_live(
        site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process was frozen longer than others wait for it; what it would write in the old columns nobody fills."""
    thing = Thing(site, "flip_slept")
    thing.promote("size: {type: integer}")
    one = thing.make(size=1)
    browser, form = thing.opened(one)
    called, done = former.call, list[int]()

    def sleeping(*given: Any) -> Any:
        done.append(1)
        if len(done) == 1:
            thing.promote("size: {type: text}")
        return called(*given)
    monkeypatch.setattr(former, "call", sleeping)
    monkeypatch.setattr(follow, "LEASE", follow.BEAT)
    browser.post(f"/{thing.name}/{one}", {**form, "size": "7"})
    assert len(done) == 2 and thing.read(one)["size"] == "7"


def test_requirement_12_a_field_that_came_is_left_as_it_is(site: Site) -> None:
    thing = Thing(site, "flip_added")
    thing.promote("size: {type: integer}")
    one = thing.make(size=1)
    browser, form = thing.opened(one)
    thing.promote("size: {type: integer}", "color: {type: text}", "flag: {type: boolean, default: true}")
    site.update(thing.name, one, color="red")
    browser.post(f"/{thing.name}/{one}", {**form, "_version": "2", "size": "2"})
    assert {key: thing.read(one)[key] for key in ("size", "color")} == {"size": 2, "color": "red"}
    browser.get(f"/{thing.name}/new")
    form = browser.form(f"/{thing.name}/new")
    thing.promote("size: {type: integer}", "color: {type: text}", "flag: {type: boolean, default: true}",
                  "kind: {type: text, default: plain}")
    browser.post(f"/{thing.name}/new", {**form, "name": "New"})
    assert thing.read(int(browser.location.rpartition("/")[2]))["kind"] == "plain"


def test_requirement_12_a_field_that_went_is_left_out_and_told(site: Site) -> None:
    thing = Thing(site, "flip_removed")
    thing.promote("size: {type: integer}", "color: {type: text}", "note: {type: text}")
    one = thing.make(size=1, color="red", note="as it was")
    browser, form = thing.opened(one)
    thing.promote("size: {type: integer}")
    browser.post(f"/{thing.name}/{one}", {**form, "size": "2", "color": "blue"})
    assert thing.read(one)["size"] == 2
    browser.get(browser.location)
    assert "“color” is there no more; what was entered was not saved: blue" in browser.words
    assert "as it was" not in browser.words


def test_what_went_is_told_beside_what_is_wrong_too(site: Site) -> None:
    thing = Thing(site, "flip_removed_wrong")
    thing.promote("size: {type: integer}", "color: {type: text}")
    one = thing.make(size=1)
    browser, form = thing.opened(one)
    thing.promote("size: {type: integer}")
    browser.post(f"/{thing.name}/{one}", {**form, "size": "many", "color": "blue"}, 422)
    assert browser.problem("size") and "blue" in browser.words
    assert browser.form(f"/{thing.name}/{one}")["size"] == "many"


def test_fault_24_a_form_of_the_live_version_may_name_nothing_that_is_not_asked_for(site: Site) -> None:
    thing = Thing(site, "flip_strange")
    thing.promote("size: {type: integer}")
    one = thing.make(size=1)
    browser, form = thing.opened(one)
    browser.post(f"/{thing.name}/{one}", {**form, "size": "2", "color": "blue"}, 422)
    assert "This form does not ask for color" in browser.words


def test_requirement_12_a_renamed_field_keeps_what_was_typed(site: Site) -> None:
    thing = Thing(site, "flip_renamed")
    thing.promote("size: {type: integer}", "color: {type: text}")
    one = thing.make(size=1, color="red")
    browser, form = thing.opened(one)
    browser.get(f"/{thing.name}/new")
    new = browser.form(f"/{thing.name}/new")
    thing.promote("extent: {type: integer, was: size}", "color: {type: text}")
    site.update(thing.name, one, color="green")                        # somebody else: what is typed stays ours
    browser.post(f"/{thing.name}/{one}", {**form, "size": "7"}, 409)
    again = browser.form(f"/{thing.name}/{one}")
    assert again["extent"] == "7" and again["color"] == "green"
    browser.post(f"/{thing.name}/{one}", again)
    assert {key: thing.read(one)[key] for key in ("extent", "color")} == {"extent": 7, "color": "green"}
    browser.post(f"/{thing.name}/new", {**new, "name": "New", "size": "3"})
    assert thing.read(int(browser.location.rpartition("/")[2]))["extent"] == 3


def test_requirement_12_a_field_that_is_required_by_now_is_told_beside_it_and_nothing_is_lost(site: Site) -> None:
    thing = Thing(site, "flip_required")
    thing.promote("size: {type: integer}", "color: {type: text}")
    browser = site.browser("ada")
    browser.get(f"/{thing.name}/new")
    form = browser.form(f"/{thing.name}/new")
    thing.promote("size: {type: integer}", "color: {type: text, required: true}")
    browser.post(f"/{thing.name}/new", {**form, "name": "Typed", "size": "3"}, 422)
    assert browser.problem("color")
    again = browser.form(f"/{thing.name}/new")
    assert (again["name"], again["size"]) == ("Typed", "3")
    browser.post(f"/{thing.name}/new", {**again, "color": "red"})


def test_a_choice_that_is_retired_by_now_is_told_beside_it(site: Site) -> None:
    thing = Thing(site, "flip_choice")
    choices = site.settings.metadata / "choices"
    choices.mkdir(exist_ok=True)
    (choices / "flip_color.yaml").write_text("choices: flip_color\nvalues: {red: {title: Red}, blue: {title: Blue}}\n")
    thing.promote("color: {type: choice, of: flip_color}", "size: {type: integer}")
    browser = site.browser("ada")
    browser.get(f"/{thing.name}/new")
    form = browser.form(f"/{thing.name}/new")
    (choices / "flip_color.yaml").write_text(
        "choices: flip_color\nvalues: {red: {title: Red}, blue: {title: Blue, retired: true}}\n")
    thing.promote("color: {type: choice, of: flip_color}", "size: {type: integer}")
    browser.post(f"/{thing.name}/new", {**form, "name": "Typed", "color": "blue", "size": "3"}, 422)
    assert browser.problem("color") and browser.form(f"/{thing.name}/new")["size"] == "3"


def tones(site: Site, values: str, name: str = "flip_tone") -> None:
    """Choices, with these values beside `warm`."""
    choices = site.settings.metadata / "choices"
    choices.mkdir(exist_ok=True)
    (choices / f"{name}.yaml").write_text(f"choices: {name}\nvalues: {{warm: {{title: Warm}}, {values}}}\n")


TONES = "tone: {type: choice, of: flip_tone}", "tones: {type: choice, of: flip_tone, many: true}", "size: {type: integer}"
COLD, COOL = "cold: {title: Cold}, icy: {title: Icy}", "cool: {title: Cool, was: [cold, icy]}"


def test_requirement_12_a_choice_of_another_name_by_now_is_taken(site: Site) -> None:
    tones(site, COLD)
    thing = Thing(site, "flip_choice_renamed")
    thing.promote(*TONES)
    one = thing.make(tone="cold", tones=["icy", "warm"], size=1)
    browser, form = thing.opened(one)
    tones(site, COOL)
    thing.promote(*TONES)
    browser.post(f"/{thing.name}/{one}", {**form, "size": "2"})            # what nobody touched is not sent again
    assert {key: thing.read(one)[key] for key in ("tone", "tones", "size")} == {
        "tone": "cool", "tones": ["warm", "cool"], "size": 2}
    site.update(thing.name, one, tone="warm", tones=None)
    browser.post(f"/{thing.name}/{one}", {**form, "_base": "{}", "_version": "3", "tone": "cold", "tones": ["cold", "icy"],
                                          "size": "4"})
    assert {key: thing.read(one)[key] for key in ("tone", "tones", "size")} == {"tone": "cool", "tones": ["cool"], "size": 4}


def test_a_choice_that_is_gone_by_now_is_told_beside_it_and_nothing_else_is_lost(site: Site) -> None:
    tones(site, COLD, "flip_went")
    thing = Thing(site, "flip_choice_gone")
    thing.promote("tone: {type: choice, of: flip_went}", "size: {type: integer}")
    one = thing.make(size=1)
    browser, form = thing.opened(one)
    tones(site, "cool: {title: Cool}", "flip_went")
    thing.promote("tone: {type: choice, of: flip_went}", "size: {type: integer}")
    browser.post(f"/{thing.name}/{one}", {**form, "tone": "cold", "size": "4"}, 422)
    assert browser.problem("tone") and browser.form(f"/{thing.name}/{one}")["size"] == "4"


def test_bookmarks_saved_views_and_actions_on_many_follow_a_choice_of_another_name(site: Site) -> None:
    tones(site, COLD, "flip_tone")
    thing = Thing(site, "flip_toned")
    thing.promote(*TONES)
    for name, tone in (("Cold one", "cold"), ("Warm one", "warm")):
        site.create(thing.name, name=name, tone=tone)
    browser = site.browser("ada")
    address = "where=tone+==+'cold'"
    browser.get(f"/-/views/{thing.name}/new?{address}")
    form = browser.form(f"/-/views/{thing.name}?where=tone+%3D%3D+%27cold%27")
    browser.post(f"/-/views/{thing.name}?{address}", {**form, "title": "The cold"})
    view = browser.location
    tones(site, COOL, "flip_tone")
    thing.promote(*TONES)
    for place in (f"/{thing.name}?{address}", view):
        browser.get(place)
        assert "Cold one" in browser.words and "Warm one" not in browser.words, place
    browser.get(f"/{thing.name}")
    token = browser.form(f"/-/many/{thing.name}?")["_csrf"]
    browser.post(f"/-/many/{thing.name}?where=tone+==+'warm'", {
        "_csrf": token, "all": "1", "action": "edit", "field": "tone", "value": "icy", "sure": "1", "count": "1"})
    assert [one["tone"] for one in _all(thing, "tone")] == ["cool", "cool"]


def test_a_saved_view_of_a_value_that_went_says_so_and_goes_on_like_one_of_a_field(site: Site) -> None:
    tones(site, COLD, "flip_left")
    thing = Thing(site, "flip_leaving")
    fields = ("tone: {type: choice, of: flip_left}", "size: {type: integer}")
    thing.promote(*fields)
    site.create(thing.name, name="Cold one", size=3)
    browser = site.browser("ada")
    views = []
    for title, where in (("Sized", "size == 3"), ("Toned", "tone == 'cold'")):
        browser.get(f"/-/views/{thing.name}/new?where={quote(where)}")
        action = f"/-/views/{thing.name}?where={quote_plus(where)}"
        browser.post(action, {**browser.form(action), "title": title})
        views.append(browser.location)
    tones(site, "cool: {title: Cool}", "flip_left")
    thing.promote(fields[0])
    for view, said in zip(views, ('"size" is not on table', '"cold" is not a value of flip_left'), strict=True):
        browser.get(view, 400)
        assert said in browser.words, browser.words


def test_requirement_12_an_import_with_values_of_other_names_comes_in(site: Site) -> None:
    tones(site, COLD, "flip_tone")
    thing = Thing(site, "flip_import_tone")
    thing.promote(*TONES)
    browser = site.browser("ada")
    path = f"/{thing.name}/import"
    browser.get(path)
    browser.post(path, {**browser.form(path), "file": (io.BytesIO(b"name;tone;tones\nA;cold;icy\nB;warm;\n"), "r.csv")})
    place = browser.location
    browser.get(place)
    browser.post(place, browser.form(place))
    tones(site, COOL, "flip_tone")
    thing.promote(*TONES)
    work(site)
    assert [(one["tone"], one["tones"]) for one in _all(thing, "tone", "tones")] == [("cool", ["cool"]), ("warm", None)]


def test_a_field_of_another_type_takes_what_was_typed_or_says_why_not(site: Site) -> None:
    thing = Thing(site, "flip_retyped")
    thing.promote("size: {type: text}", "color: {type: text}")
    one = thing.make(size="5", color="red")
    browser, form = thing.opened(one)
    thing.promote("size: {type: integer}", "color: {type: text}")
    browser.post(f"/{thing.name}/{one}", {**form, "size": "twelve", "color": "blue"}, 422)
    assert browser.problem("size")
    again = browser.form(f"/{thing.name}/{one}")
    assert (again["size"], again["color"]) == ("twelve", "blue")
    browser.post(f"/{thing.name}/{one}", {**again, "size": "12"})
    assert {key: thing.read(one)[key] for key in ("size", "color")} == {"size": 12, "color": "blue"}


def test_lines_go_with_the_form(site: Site) -> None:
    part = Thing(site, "flip_part")
    thing = Thing(site, "flip_whole")
    folder = site.settings.metadata / "tables"
    fields = "  item: {type: text}\n  color: {type: text}\n"
    text = "table: flip_part\ntitle: Part\nplural: Parts\ndisplay: \"{name}\"\nfields:\n  name: {type: text}\n" \
           "  whole: {type: link, to: flip_whole, on_delete: cascade}\n"
    (folder / "flip_part.yaml").write_text(text + fields)
    thing.promote("parts: {type: lines, of: flip_part, by: whole}")
    one = thing.make()
    line = part.make(whole=one, item="Bolt", color="red")
    browser, form = thing.opened(one)
    keys = {value: key for key, value in form.items() if value in ("Bolt", "red")}
    (folder / "flip_part.yaml").write_text(text + "  article: {type: text, was: item}\n")
    thing.promote("parts: {type: lines, of: flip_part, by: whole}")
    browser.post(f"/{thing.name}/{one}", {**form, keys["Bolt"]: "Nut", keys["red"]: "blue"})
    assert part.read(line)["article"] == "Nut"
    browser.get(browser.location)
    assert "is there no more; what was entered was not saved: blue" in browser.words


def test_a_renamed_table_is_found_at_its_old_address(site: Site) -> None:
    thing = Thing(site, "flip_old")
    thing.promote("size: {type: integer}")
    one = thing.make(size=1)
    browser, form = thing.opened(one)
    thing.promote("size: {type: integer}", more="was: flip_old", name="flip_new")
    browser.post(f"/flip_old/{one}", {**form, "size": "5"})
    assert browser.location == f"/flip_new/{one}" and thing.read(one)["size"] == 5
    browser.get(f"/flip_old/{one}?edit=1", 303)
    assert browser.location == f"/flip_new/{one}?edit=1"
    browser.get("/flip_old", 303)
    assert browser.location == "/flip_new"
    site.browser("nil").get("/flip_old", 404)


def test_after_thirty_days_an_old_address_leads_nowhere(site: Site) -> None:
    from core.bm.follow import Systems
    from core.web.application import Application
    thing = Thing(site, "flip_stale")
    thing.promote("size: {type: integer}")
    one = thing.make(size=1)
    thing.promote("size: {type: integer}", more="was: flip_stale", name="flip_stale_now")
    with site.owner.begin() as connection:
        connection.exec_driver_sql("update bm.former_name set noted_on = now() - interval '31 days'"
                                   " where name = 'flip_stale'")
    before = site.application
    site.application = Application(site.settings, site.engine, Systems(site.engine, site.plugins))
    try:
        site.browser("ada").get(f"/flip_stale/{one}", 404)
        site.browser("ada").get(f"/flip_stale_now/{one}")
    finally:
        site.application = before


def test_bookmarks_and_saved_views_of_lists_go_on(site: Site) -> None:
    thing = Thing(site, "flip_listed")
    thing.promote("size: {type: integer}", "color: {type: text}")
    thing.make(size=1, color="red")
    site.create(thing.name, name="Two", size=2, color="blue")
    browser = site.browser("ada")
    address = "where=size+>=+2&sort=-size&columns=name,size"
    browser.get(f"/{thing.name}?{address}")
    browser.get(f"/-/views/{thing.name}/new?{address}")
    form = browser.form(f"/-/views/{thing.name}?where=size+%3E%3D+2&sort=-size&columns=name%2Csize")
    browser.post(f"/-/views/{thing.name}?{address}", {**form, "title": "Large"})
    view = browser.location
    for name, was in (("extent", "size"), ("measure", "[extent, size]")):
        thing.promote(f"{name}: {{type: integer, was: {was}}}", "color: {type: text}")
    browser.get(f"/{thing.name}?{address}")
    assert "Two" in browser.words and "One" not in browser.words
    with site.owner.begin() as connection:
        connection.exec_driver_sql("delete from bm.former_name where name in ('size', 'extent')")  # as years later
    browser.get(view)
    assert "Two" in browser.words and "One" not in browser.words
    [state] = site.owner.connect().exec_driver_sql("select state from sys.saved_view where title = 'Large'").one()
    assert state == {"where": "measure >= 2", "sort": ["-measure"], "columns": ["name", "measure"]}


def test_requirement_12_an_import_that_was_prepared_before_comes_in(site: Site) -> None:
    thing = Thing(site, "flip_import")
    thing.promote("size: {type: integer}", "color: {type: text}")
    browser = site.browser("ada")
    path = f"/{thing.name}/import"
    browser.get(path)
    browser.post(path, {**browser.form(path), "file": (io.BytesIO(b"name;size\nFrom a file;4\n"), "rows.csv")})
    place = browser.location
    browser.get(place)
    form = browser.form(place)
    assert "size" in form.values()
    thing.promote("extent: {type: integer, was: size}", "color: {type: text}")
    browser.post(place, form)                                          # mapped before, begun after
    thing.promote("measure: {type: integer, was: [extent, size]}", "color: {type: text}")     # and queued before that
    work(site)
    [found] = [record for record in _all(thing, "measure") if record["name"] == "From a file"]
    assert found["measure"] == 4


def test_requirement_12_an_import_whose_field_went_is_refused_with_the_reason(site: Site) -> None:
    thing = Thing(site, "flip_import_gone")
    thing.promote("size: {type: integer}", "color: {type: text}")
    browser = site.browser("ada")
    path = f"/{thing.name}/import"
    browser.get(path)
    browser.post(path, {**browser.form(path), "file": (io.BytesIO(b"name;size\nNever in;4\n"), "rows.csv")})
    place = browser.location
    browser.get(place)
    browser.post(place, browser.form(place))
    thing.promote("color: {type: text}")
    work(site)
    browser.get(place)
    assert "there is no field 'size'" in browser.words and not _all(thing, "name")


def test_a_mass_change_that_was_asked_before_is_done_after(site: Site) -> None:
    thing = Thing(site, "flip_many")
    thing.promote("size: {type: integer}")
    one = thing.make(size=1)
    browser = site.browser("ada")
    browser.get(f"/{thing.name}")
    token = browser.form(f"/-/many/{thing.name}?")["_csrf"]
    thing.promote("extent: {type: integer, was: size}")
    browser.post(f"/-/many/{thing.name}", {"_csrf": token, "id": str(one), "action": "edit", "field": "size",
                                           "value": "9", "sure": "1", "count": "1"})
    assert thing.read(one)["extent"] == 9


def _all(thing: Thing, *fields: str) -> list[dict[str, Any]]:
    with thing.site.records() as records:
        return [dict(record) for record in records.page(thing.name, ["name", *fields]).records]


@pytest.mark.parametrize("extra", [
    {"created_by": "1"}, {"_type": "1"}, {"id": "7"}, {"_deleted_on": "2026-01-01"}, {"_base": "[1]"}, {"hidden": "6"}])
def test_a_form_that_says_it_is_old_writes_nothing_but_its_own_fields(site: Site, extra: dict[str, str]) -> None:
    thing = Thing(site, "flip_lies")
    (site.settings.metadata / "forms").mkdir(exist_ok=True)
    (site.settings.metadata / "forms" / "flip_lies.xml").write_text(
        '<form name="flip_lies" of="flip_lies"><field name="name"/><field name="size"/></form>')
    thing.promote("size: {type: integer}", "hidden: {type: integer}")
    one = thing.make(size=1, hidden=5)
    before = _system_columns(thing, one)
    browser, form = thing.opened(one)
    browser.post(f"/{thing.name}/{one}", {**form, "_model": "1", "size": "2", **extra})
    assert thing.read(one)["size"] == 2 and _system_columns(thing, one) == before


def _system_columns(thing: Thing, identity: int) -> dict[str, Any]:
    with thing.site.records() as records:
        return dict(records.read(thing.name, [identity], ["id", "hidden", "created_by", "created_on"])[0]) | {
            "_version": 0}
