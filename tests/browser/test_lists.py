"""Lists by mouse and keyboard: groups that open, rows that are chosen, cards that are dragged, search while typing."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tests.browser.conftest import People, Served


@pytest.fixture(scope="module")
def deals(served: Served) -> list[int]:
    """Five deals of sam, in two stages."""
    site = served.site
    return [site.create("deal", name=f"Listed {number}", owner=site.users["sam"], starts=date(2026, 1, 1),
                        amount=Decimal(100), stage="lost" if number > 3 else "open") for number in range(5)]


def test_groups_open_and_close_in_place(people: People, deals: list[int]) -> None:
    page = people.open("sam")
    page.goto("/deals?f=&q=Listed&group=stage")
    page.click("[data-group] >> nth=0")
    page.wait_for_selector("tr[data-depth='1'][data-href]")
    assert page.locator("tr[data-depth='1'][data-href]").count() == 4
    assert page.get_attribute("[data-group] >> nth=0", "aria-expanded") == "true"
    page.keyboard.press("Enter")                            # the focus is still on it
    page.wait_for_selector("tr[data-depth='1'][data-href]", state="detached")
    assert "group=stage" in page.url


def test_rows_are_chosen_and_changed_together(people: People, deals: list[int]) -> None:
    page = people.open("sam")
    page.goto("/deals?f=&q=Listed&sort=name")
    boxes = page.locator("td.t-choose input")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert page.text_content("[data-count]") == "3"
    page.keyboard.press("Escape")
    page.click("#many button[value=edit]")
    page.wait_for_selector("#field")
    assert "3 records are meant" in page.text_content("main")
    page.select_option("#field", "result")
    page.keyboard.press("Enter")
    page.click("button:has-text('Next')")
    page.fill("#value", "Together")
    page.click("button:has-text('Change 3 records')")
    page.wait_for_url(re.compile("//[^/]+/deals"))
    page.goto("/deals?f=&q=Listed&columns=name,result")
    assert page.locator("td:has-text('Together')").count() == 3


def test_cards_are_dragged_and_moved_by_keyboard(people: People, deals: list[int], served: Served) -> None:
    page = people.open("sam")
    page.goto("/deals?f=&q=Listed&mode=kanban")
    card = page.locator(f"[data-card='{deals[0]}']")
    card.drag_to(page.locator(".t-board >> nth=2"))
    page.wait_for_selector(f".t-board:nth-child(3) [data-card='{deals[0]}']")
    assert served.site.read("deal", deals[0])["stage"] == "lost"
    page.focus(f"[data-card='{deals[1]}'] a")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".t-board:nth-child(3) [data-card='{deals[1]}']")
    assert served.site.read("deal", deals[1])["stage"] == "lost"
    page.locator(f"[data-card='{deals[2]}']").drag_to(page.locator(".t-board >> nth=1"))    # won needs a company
    page.wait_for_selector("#toasts *")
    assert served.site.read("deal", deals[2])["stage"] == "open"


def test_a_condition_is_made_row_by_row(people: People, deals: list[int]) -> None:
    page = people.open("sam")
    page.goto("/deals?f=")
    page.click("details.t-where summary")
    page.select_option("[data-where-field]", "name")
    assert page.input_value("[name='w.op']") == "contains"
    page.fill("[data-where-value]", "listed 4")
    page.keyboard.press("Enter")
    page.wait_for_url("**where=**")
    assert page.locator("a.t-record").count() == 1


def test_search_shows_results_while_somebody_types(people: People, deals: list[int]) -> None:
    page = people.open("sam")
    page.goto("/deals")
    page.keyboard.press("/")
    page.keyboard.type("listed 3")
    page.wait_for_selector(".t-found mark")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/deals/{deals[3]}")


@pytest.mark.parametrize("address", ["/deals?f=", "/deals?f=&group=stage", "/deals?f=&mode=kanban", "/search?q=listed",
                                     "/deals?f=&where=amount+%3E+1", "/-/views/deals/new?f="])
def test_nothing_is_wider_than_a_phone(people: People, deals: list[int], address: str) -> None:
    page = people.open("ada")
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_condition_that_cannot_be_is_told_where_it_was_typed(people: People, deals: list[int]) -> None:
    page = people.open("sam")
    page.goto("/deals?f=&w.field=amount&w.op=is&w.value=abc")
    box = page.locator("#where-problem").bounding_box()
    assert box["width"] > 80 and box["height"] < 60, "one line, under the field"
    assert page.locator("#where").bounding_box()["width"] > 300


def test_rows_are_chosen_without_scripts(people: People, deals: list[int]) -> None:
    page = people.open("sam", java_script_enabled=False)
    page.goto("/deals?f=&q=Listed")
    page.locator("td.t-choose input").nth(0).check()
    page.click("#many button[value=edit]")
    assert "1 record is meant" in page.text_content("main")
