"""The page of settings: who may see it, typed controls, errors beside them, each organisation's own value, history."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from core.settings import Settings
from tests.core.web.site import Browser, Site, sample_site
from tests.small_system import forget_settings

MORE = {
    "tables/user_office.yaml": "change: table user\nfields: {office: {type: link, to: organisation}}\n",
    "settings/limit.yaml": "setting: limit\ntitle: Most discount\nhelp: More than this is refused.\ntype: percent\n"
                           "min: 0\nmax: 90\ndefault: 20\nrequired: true\nwho: [manager]\nper: office\n",
    "settings/greeting.yaml": "setting: greeting\ntitle: Greeting <b>\ntype: text\nmax: 20\n",
    "settings/strict.yaml": "setting: strict\ntype: boolean\ndefault: true\n",
    "settings/stage.yaml": "setting: stage\ntype: choice\nof: deal_stage\ndefault: open\n",
    "settings/since.yaml": "setting: since\ntype: date\n",
    "settings/least.yaml": "setting: least\ntype: money\ndefault: \"1000\"\n",
    "settings/note.yaml": "setting: note\ntype: memo\n",
    "translations/zh_CN.po": 'msgctxt "setting limit.title"\nmsgid "Most discount"\nmsgstr "最高折扣"\n\n'
                             'msgctxt "setting limit.help"\nmsgid "More than this is refused."\nmsgstr "超过则拒绝。"\n',
}
PAGE = "/admin/settings"


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("settings"), MORE) as found:
        yield found


@pytest.fixture(autouse=True)
def as_shipped(site: Site) -> None:
    forget_settings(site.owner)


def change(browser: Browser, name: str, status: int = 303, query: str = "", **values: str) -> None:
    browser.get(f"{PAGE}/{name}{query}")
    form = browser.form(f"{PAGE}/{name}")
    browser.post(f"{PAGE}/{name}", {**form, **values}, status)


def kept(site: Site) -> dict[str, object]:
    with site.owner.connect() as connection:
        rows = connection.execute(text("select key, value from sys.setting where key like 'setting.%'"))
        return {row.key: row.value for row in rows}


def test_administrators_see_all_with_their_values(site: Site) -> None:
    browser = site.browser("ada")
    browser.get(PAGE)
    for word in ("Most discount", "More than this is refused.", "20", "Greeting <b>", "Strict", "As shipped"):
        assert word in browser.words
    assert "<b>" not in re.sub(r"<title>.*?</title>", "", browser.text).split('class="t-sheet"')[1]


def test_managers_see_what_they_may_change_and_others_nothing(site: Site) -> None:
    browser = site.browser("max")
    browser.get(PAGE)
    assert "Most discount" in browser.words and "Strict" not in browser.words
    browser.get("/my-account")
    assert f'href="{PAGE}"' in browser.text
    browser.get(f"{PAGE}/strict", 404)
    browser.get("/admin", 403)
    other = site.browser("sam")
    other.get(PAGE, 403)
    other.get(f"{PAGE}/limit", 404)
    csrf = other.form("/my-account/settings")["_csrf"] if other.get("/my-account") else ""
    other.post(f"{PAGE}/limit", {"_csrf": csrf, "value": "5", "_seen": "null"}, 404)
    assert f'href="{PAGE}"' not in other.get("/my-account")


@pytest.mark.parametrize(("name", "typed", "wire"), [
    ("limit", "30", "30"), ("greeting", "Dear <b>", "Dear <b>"), ("stage", "won", "won"),
    ("since", "2026-03-01", "2026-03-01"),
    ("least", "1,250.50", "1250.50"), ("note", "one\ntwo", "one\ntwo")])
def test_each_type_has_its_control(site: Site, name: str, typed: str, wire: str) -> None:
    browser = site.browser("ada")
    change(browser, name, value=typed)
    assert kept(site) == {f"setting.{name}": wire}
    assert browser.location == f"{PAGE}/{name}?done=1"
    browser.get(browser.location)
    assert "The setting is saved." in browser.words
    assert browser.form(f"{PAGE}/{name}")["value"].replace("\r\n", "\n") == typed.replace(",", "")


def test_a_switch_is_switched_off_and_on(site: Site) -> None:
    browser = site.browser("ada")
    browser.get(f"{PAGE}/strict")
    form = browser.form(f"{PAGE}/strict")
    assert form["value"] == "true"
    browser.post(f"{PAGE}/strict", {key: value for key, value in form.items() if key != "value"})
    assert kept(site) == {"setting.strict": False}
    change(browser, "strict", value="true")
    assert kept(site) == {"setting.strict": True}


@pytest.mark.parametrize(("name", "typed", "said"), [
    ("limit", "much", "is not a number"), ("limit", "91", "90"), ("limit", "", "This must be filled in."),
    ("greeting", "x" * 21, "20"), ("since", "soon", "soon"), ("stage", "lots", "is not one of the choices"),
    ("limit", "1e400", ""), ("greeting", "a\x00b", "")])
def test_what_does_not_fit_is_told_beside_the_control(site: Site, name: str, typed: str, said: str) -> None:
    browser = site.browser("ada")
    change(browser, name, 422, value=typed)
    problem = browser.problem("value")
    assert problem and said in problem
    assert 'aria-invalid="true"' in browser.text and 'aria-describedby="' in browser.text
    assert kept(site) == {}


def test_the_shipped_value_comes_back(site: Site) -> None:
    browser = site.browser("ada")
    change(browser, "limit", value="30")
    change(browser, "limit", _reset="1", value="whatever")
    assert kept(site) == {}
    browser.get(f"{PAGE}/limit")
    assert browser.form(f"{PAGE}/limit")["value"] == "20"


def test_an_organisation_has_its_own(site: Site) -> None:
    north, south = site.create("organisation", name="North"), site.create("organisation", name="South")
    browser = site.browser("ada")
    change(browser, "limit", value="30")
    change(browser, "limit", query=f"?for={north}", value="50")
    assert kept(site) == {"setting.limit": "30", f"setting.limit@{north}": "50"}
    browser.get(browser.location)
    assert "North 50" in browser.words and "South 30" in browser.words and "As for everybody" in browser.words
    browser.get(f"{PAGE}/limit?for={south}")
    assert browser.form(f"{PAGE}/limit")["value"] == "30"
    browser.get(f"{PAGE}/limit?for=99999999", 400)
    browser.get(f"{PAGE}/limit?for=x", 400)
    browser.get(f"{PAGE}/greeting?for={north}", 400)


def test_the_history_says_who_and_what(site: Site) -> None:
    change(site.browser("ada"), "limit", value="30")
    browser = site.browser("max")
    change(browser, "limit", value="40")
    browser.get(f"{PAGE}/limit")
    assert re.search(r"Max Manager changed .* 30 → became 40", browser.words.replace(" %", "").replace("%", ""))
    assert "Nobody has changed" not in browser.words
    browser.get(f"{PAGE}/limit")
    assert browser.words.index("Max Manager changed") < browser.words.rindex("– → became 30")


def test_two_who_change_at_once_are_told(site: Site) -> None:
    first, second = site.browser("ada"), site.browser("max")
    for browser in (first, second):
        browser.get(f"{PAGE}/limit")
    first.post(f"{PAGE}/limit", {**first.form(f"{PAGE}/limit"), "value": "30"})
    second.post(f"{PAGE}/limit", {**second.form(f"{PAGE}/limit"), "value": "40"}, 409)
    assert "Somebody else changed this setting" in second.problem("value")
    assert second.form(f"{PAGE}/limit")["value"] == "40"
    second.post(f"{PAGE}/limit", {**second.form(f"{PAGE}/limit")})
    assert kept(site) == {"setting.limit": "40"}


@pytest.mark.parametrize("values", [
    {"_seen": "{"}, {"_seen": "[" * 20_000}, {"_seen": '"x"'}, {"_for": "x"}, {"_for": "1e3"}, {"_for": "9" * 40},
    {"other": "1"}])
def test_odd_forms_are_refused(site: Site, values: dict[str, str]) -> None:
    change(site.browser("ada"), "limit", 400, value="30", **values)


def test_without_the_token_nothing_changes(site: Site) -> None:
    site.browser("ada").post(f"{PAGE}/limit", {"value": "30", "_seen": "null"}, 403)


def test_it_speaks_chinese_and_shows_nothing_that_runs(site: Site) -> None:
    browser = site.browser("ada")
    browser.get(f"{PAGE}/limit", **{"Accept-Language": "zh-CN"})
    browser.get("/my-account")
    form = browser.form("/my-account/settings")
    browser.post("/my-account/settings", {"_csrf": form["_csrf"], "language": "zh_CN"})
    try:
        browser.get(PAGE)
        assert "最高折扣" in browser.words and "出厂值" in browser.words
        browser.get(f"{PAGE}/limit")
        assert "超过则拒绝。" in browser.words and "尚无人更改过此设置。" in browser.words
        change(browser, "limit", 422, value="91")
        assert re.search(r"[\u3400-\u9fff]", browser.problem("value"))
        assert not re.search(r"<script(?![^>]* nonce=)", browser.text) and not re.search(r"\son\w+=", browser.text)
    finally:
        browser.post("/my-account/settings", {"_csrf": form["_csrf"], "language": "en"})


def test_the_page_takes_few_statements(site: Site) -> None:
    browser = site.browser("ada")
    browser.get(PAGE)
    browser.get(PAGE)
    assert len(browser.statements) == 2                 # who asks, and what is kept
