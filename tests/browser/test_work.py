"""A day's work in a real browser, mostly by keyboard."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.browser.conftest import People, Served


@pytest.fixture(scope="module")
def companies(served: Served) -> dict[str, int]:
    site = served.site
    return {
        name: site.create("company", name=name, owner=site.users["sam"])
        for name in ("Acme GmbH", "Aurora AB", "Zephyr & Söhne", "北京数据公司")
    }


def deal(served: Served, **values: Any) -> int:
    return served.site.create(
        "deal",
        **{
            "name": "Big deal",
            "owner": served.site.users["sam"],
            "starts": date(2026, 1, 1),
            "amount": Decimal(5000),
            **values,
        },
    )


def test_a_wrong_password_and_then_the_right_one(people: People) -> None:
    page = people.open(None)
    page.goto("/deals")
    page.wait_for_url("**/login?next=%2Fdeals")
    page.keyboard.type("sam")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.evaluate("document.activeElement.id") == "password"
    page.keyboard.type("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deals")


def test_sort_filter_search_and_back(people: People, served: Served) -> None:
    for number in range(3):
        deal(served, name=f"Sorted {number}", amount=Decimal(1000 - number))
    page = people.open("sam")
    page.click(".t-side >> text=Deals")
    page.wait_for_url("**/deals")
    page.fill("[data-list-search]", "Sorted")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=Sorted**")
    page.click("thead >> text=Amount")
    page.wait_for_selector("th[aria-sort=ascending]")
    assert page.locator("a.t-record").all_inner_texts() == ["Sorted 2", "Sorted 1", "Sorted 0"]
    page.click(".t-filter-chip >> text=Big")
    page.wait_for_selector(".t-nothing")
    page.go_back()
    page.wait_for_selector("text=Sorted 1")
    page.click("a.t-record >> text=Sorted 1")
    page.wait_for_selector("h1 >> text=Sorted 1")
    page.click(".t-crumbs >> text=Deals")
    page.wait_for_selector("th[aria-sort=ascending]")
    assert "q=Sorted" in page.url


def test_rows_are_walked_by_keys(people: People, served: Served) -> None:
    deal(served, name="Walked to")
    page = people.open("ada")
    page.goto("/deals?q=Walked")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1 >> text=Walked to")
    page.keyboard.press("e")
    page.wait_for_selector("[data-save]")
    page.keyboard.press("Escape")
    page.wait_for_selector("[data-edit]")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("Walked")
    page.wait_for_selector("#found a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1 >> text=Walked to")


def test_create_with_a_link_chosen_by_keyboard(people: People, served: Served, companies: dict[str, int]) -> None:
    page = people.open("sam")
    page.goto("/deals")
    page.keyboard.press("n")
    page.wait_for_selector("[data-save]")
    page.fill("#f-name", "Made by keyboard")
    page.focus("#f-company")
    page.keyboard.type("zeph")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("Enter")
    assert page.input_value("#f-company") == "Zephyr & Söhne"
    assert (
        page.locator("[data-field=company] a.t-open").get_attribute("href")
        == f"/companies/{companies['Zephyr & Söhne']}"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Control+s")
    page.wait_for_selector("h1 >> text=Made by keyboard")
    assert page.locator("dd >> text=Zephyr & Söhne").count() == 1
    assert re.search(r"/deals/\d+$", page.url)


def test_text_that_is_no_choice_is_not_kept(people: People, served: Served, companies: dict[str, int]) -> None:
    record = deal(served, company=companies["Acme GmbH"])
    page = people.open("sam")
    page.goto(f"/deals/{record}?edit=1")
    page.fill("#f-company", "nothing like it")
    page.wait_for_selector(".t-options .t-none")
    page.keyboard.press("Tab")
    assert page.input_value("#f-company") == "Acme GmbH"
    page.fill("#f-company", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+s")
    page.wait_for_selector("[data-edit]")
    assert served.site.read("deal", record)["company"] is None


def test_an_error_is_beside_its_field_which_has_the_focus(people: People, served: Served) -> None:
    record = deal(served)
    page = people.open("sam")
    page.goto(f"/deals/{record}?edit=1")
    page.fill("#f-amount", "a lot")
    page.fill("#f-name", "Kept while wrong")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#f-amount-problem")
    assert page.evaluate("document.activeElement.id") == "f-amount"
    assert page.input_value("#f-name") == "Kept while wrong" and page.input_value("#f-amount") == "a lot"
    page.fill("#f-amount", "4,200")
    page.keyboard.press("Control+s")
    page.wait_for_selector("h1 >> text=Kept while wrong")
    assert "4,200.00" in page.inner_text("main")


def test_a_condition_follows_what_is_typed(people: People, served: Served) -> None:
    page = people.open("sam")
    page.goto(f"/deals/{deal(served)}?edit=1")
    star = page.locator("[data-field=amount] .t-star")
    assert not star.is_visible()
    page.select_option("#f-stage", "won")
    star.wait_for(state="visible")


def test_lines_are_typed_into_a_table(people: People, served: Served) -> None:
    record = deal(
        served, lines=[{"product": "Server", "price": Decimal(100)}, {"product": "Cable", "price": Decimal(5)}]
    )
    page = people.open("sam")
    page.goto(f"/deals/{record}?edit=1")
    page.locator("[data-remove-line]").nth(1).click()
    page.click("[data-add-line]")
    page.keyboard.type("Rack")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.keyboard.type("350")
    page.keyboard.press("Control+s")
    page.wait_for_selector("[data-edit]")
    assert [row.split()[0] for row in page.locator(".t-lines tbody tr").all_inner_texts()] == ["Server", "Rack"]
    assert "800.00" in page.inner_text(".t-lines tfoot")


def test_two_people_on_one_record(people: People, served: Served) -> None:
    record = deal(served)
    mine, theirs = people.open("sam"), people.open("max")
    mine.goto(f"/deals/{record}?edit=1")
    theirs.goto(f"/deals/{record}?edit=1")
    theirs.fill("#f-amount", "7000")
    theirs.keyboard.press("Control+s")
    theirs.wait_for_selector("[data-edit]")
    mine.fill("#f-amount", "8000")
    mine.fill("#f-name", "Mine")
    mine.keyboard.press("Control+s")
    mine.wait_for_selector(".t-clash")
    assert "7,000.00" in mine.inner_text(".t-clash") and mine.input_value("#f-amount") == "8000"
    assert mine.input_value("#f-name") == "Mine"
    mine.check(".t-clash input[value=theirs]")
    mine.fill("#f-amount", "8500")
    assert mine.is_checked(".t-clash input[value=yours]")          # who goes on typing wants that
    mine.check(".t-clash input[value=theirs]")
    mine.keyboard.press("Control+s")
    mine.wait_for_selector("h1 >> text=Mine")
    assert served.site.read("deal", record)["amount"] == Decimal(7000)


def test_delete_asks_and_can_be_undone(people: People, served: Served) -> None:
    record = deal(served, name="Short-lived")
    page = people.open("sam")
    page.goto(f"/deals/{record}")
    page.click("summary[aria-label='More actions']")
    page.click(".t-menu-box >> text=Delete")
    page.wait_for_selector("#confirm[open]")
    page.keyboard.press("Escape")
    assert "/deals/" in page.url
    page.click(".t-menu-box >> text=Delete")
    page.click("[data-yes]")
    page.wait_for_selector("text=Moved to the trash.")
    page.click("text=Undo")
    page.wait_for_selector("h1 >> text=Short-lived")


def test_leaving_with_changes_asks_first(people: People, served: Served) -> None:
    record = deal(served)
    page = people.open("sam")
    page.goto(f"/deals/{record}?edit=1")
    page.fill("#f-name", "Not saved")
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss() if len(asked) == 1 else dialog.accept()

    page.on("dialog", answer)
    page.click(".t-side >> text=Companies")
    assert page.input_value("#f-name") == "Not saved"
    page.click(".t-side >> text=Companies")
    page.wait_for_url("**/companies")
    assert len(asked) == 2 and "not saved" in asked[0]


def test_history_is_told(people: People, served: Served) -> None:
    record = deal(served)
    page = people.open("sam")
    page.goto(f"/deals/{record}?edit=1")
    page.fill("#f-amount", "6000")
    page.keyboard.press("Control+s")
    page.wait_for_selector("[data-edit]")
    page.wait_for_selector(".t-timeline >> text=Sam Seller")
    assert "6,000.00" in page.inner_text(".t-timeline")


def test_theme_and_language_are_switched_from_the_menu(people: People) -> None:
    page = people.open("max", color_scheme="light")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#user-menu summary")
    page.click("#user-menu button[value=dark]")
    page.wait_for_selector("html[data-bs-theme=dark]")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground
    page.click("#user-menu summary")
    page.click("#user-menu button[value=zh_CN]")
    page.wait_for_selector("html[lang=zh-CN]")
    assert "桌面" in page.inner_text(".t-side")


def test_the_device_decides_until_somebody_chooses(people: People) -> None:
    assert people.open("sue", color_scheme="dark").locator("html[data-bs-theme=dark]").count() == 1
    assert people.open("sue", color_scheme="light").locator("html[data-bs-theme=light]").count() == 1
