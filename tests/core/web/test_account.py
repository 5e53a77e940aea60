"""The user menu: language, theme and time zone are kept on the user's record and followed at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.core.web.site import Browser, Site


def keep(browser: Browser, status: int = 303, **values: str) -> None:
    browser.get("/my-account")
    form = browser.form("/my-account/settings")
    browser.post("/my-account/settings", {"_csrf": form["_csrf"], **values}, status)


def test_the_language_is_switched_at_once(site: Site) -> None:
    browser = site.browser("sam")
    keep(browser, language="zh_CN")
    html = browser.get("/deals?f=")
    assert '<html lang="zh-CN"' in html and "搜索" in browser.words and "没有您可以查看的内容" in browser.words
    assert site.read("user", site.users["sam"])["language"] == "zh_CN"
    browser.get("/nothing", 404)
    assert "没有此页面" in browser.words
    keep(browser, language="en")
    browser.get("/deals")
    assert "Search" in browser.words


def test_moments_are_read_and_typed_in_the_users_zone(site: Site) -> None:
    record = site.create("specimen", a_text="x", a_datetime=datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
    browser = site.browser("ada")
    browser.get(f"/specimens/{record}")
    assert "Jan 2, 2026 00:30" in browser.words  # Berlin, the organisation's
    keep(browser, time_zone="America/New_York")
    browser.get(f"/specimens/{record}")
    assert "Jan 1, 2026 18:30" in browser.words
    browser.get(f"/specimens/{record}?edit=1")
    form = browser.form(f"/specimens/{record}")
    assert form["a_datetime"] == "2026-01-01T18:30"
    browser.post(f"/specimens/{record}", {**form, "a_datetime": "2026-07-01T12:00"})
    assert site.read("specimen", record)["a_datetime"] == datetime(2026, 7, 1, 16, 0, tzinfo=UTC)


def test_numbers_and_dates_follow_the_language(site: Site) -> None:
    record = site.create("specimen", a_text="x", a_number=1234567, a_date=datetime(2026, 3, 4, tzinfo=UTC).date())
    browser = site.browser("max")
    keep(browser, language="zh_CN")
    browser.get(f"/specimens/{record}")
    assert "2026年3月4日" in browser.words and "1,234,567" in browser.words


@pytest.mark.parametrize("values", [{"language": "tlh"}, {"theme": "pink"}, {"time_zone": "Moon/Base"}])
def test_what_is_no_choice_is_refused(site: Site, values: dict[str, str]) -> None:
    keep(site.browser("sam"), 422, **values)


def test_someone_without_any_role_still_chooses(site: Site) -> None:
    browser = site.browser("nil")
    browser.get("/")
    assert "Nobody gave you a role yet" in browser.words
    keep(browser, language="zh_CN")
    browser.get("/")
    assert "还没有人给您分配角色" in browser.words
