"""Views that are kept, locks that are opened, remarks, files that are imported, tokens: by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from core.settings import Settings
from tests.browser.conftest import People, Served, serving
from tests.core.web.site import sample_site
from tests.core.web.test_importing import work

MORE = {
    "tables/deal.yaml": "change: table deal\nkeeps: [history, timeline, attachments]\n"
                        "lock: {if: stage == 'lost', message: \"{name} is lost.\"}\n",
    "roles/manager.yaml": "change: role manager\ngrants: {deal: {unlock: true}}\n",
}


@pytest.fixture(scope="module")
def served(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The sample site with remarks and locks."""
    with sample_site(database, tmp_path_factory.mktemp("trust"), MORE) as site, serving(site) as found:
        yield found


def deal(served: Served, **values: object) -> int:
    return served.site.create("deal", **{"name": "Trusted", "owner": served.site.users["sam"],
                                         "amount": Decimal(10), **values})


def test_a_view_is_saved_and_chosen_by_keyboard(people: People, served: Served) -> None:
    deal(served)
    page = people.open("sam")
    page.goto("/deals?f=&group=stage")
    page.keyboard.press("v")
    page.focus("a:has-text('Save as a view')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#title")
    assert page.evaluate("document.activeElement.id") == "title"
    page.keyboard.type("By stage, mine")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deals?view=**")
    assert page.locator("[data-group]").count() >= 1
    page.goto("/deals?f=")
    page.keyboard.press("v")
    page.click("a:has-text('By stage, mine')")
    page.wait_for_selector("[data-group]")
    assert "By stage, mine" in page.inner_text("details.t-tools > summary")


def test_a_locked_record_is_unlocked_with_a_reason(people: People, served: Served) -> None:
    record = deal(served, stage="lost")
    page = people.open("max")
    page.goto(f"/deals/{record}")
    assert "Trusted is lost." in page.inner_text("main")
    page.focus("[data-dialog=unlock]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "unlock-reason"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.dialog") == "unlock", "the focus goes back"
    page.keyboard.press("Enter")
    page.keyboard.type("The customer came back")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("button:has-text('Lock again')")
    page.wait_for_selector(".t-timeline >> text=The customer came back")
    page.keyboard.press("e")
    page.fill("#f-name", "Found again")
    page.keyboard.press("Control+s")
    page.wait_for_selector("h1 >> text=Found again")
    assert page.locator("[data-dialog=unlock]").count() == 1, "locked again after the save"


def test_a_remark_is_written_and_taken_back(people: People, served: Served) -> None:
    page = people.open("sam")
    page.goto(f"/deals/{deal(served)}")
    page.fill("[name=remark]", "Call on <b>Monday</b>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".t-timeline >> text=Call on <b>Monday</b>")
    page.click("button:has-text('Take back')")
    assert page.evaluate("document.activeElement.closest('dialog')?.id") == "confirm"
    page.click("#confirm [value=no]")
    assert page.locator("text=Call on <b>Monday</b>").count() == 1
    page.click("button:has-text('Take back')")
    page.click("#confirm [value=yes]")
    page.wait_for_selector(".t-timeline >> text=took a remark back")
    assert page.locator("text=Call on <b>Monday</b>").count() == 0


@pytest.mark.parametrize("width", [1280, 360])
def test_a_file_is_imported_and_taken_back(people: People, served: Served, width: int) -> None:
    page = people.open("ada", width=width)
    page.goto("/deals/import")
    lines = f"name,amount,what\nImported {width},12,x\nImported badly,much,y\n".encode()
    page.set_input_files("#file", {"name": "deals.csv", "mimeType": "text/csv", "buffer": lines})
    page.click("main button:has-text('Next')")
    page.wait_for_selector("text=2 rows")
    assert [one.input_value() for one in page.locator("td select").all()] == ["name", "amount", ""]
    page.click("main button.btn-primary")
    page.wait_for_selector("text=waits for its turn")
    work(served.site)
    page.click("text=Look again")
    page.wait_for_selector("text=The import is done.")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_download() as errors:
        page.click("a[download]")
    assert "Imported badly" in errors.value.path().read_text("utf-8-sig")
    page.click("button:has-text('Take back')")
    page.click("#confirm [value=yes]")
    page.wait_for_selector("text=taken back")
    work(served.site)
    page.goto(f"/deals?f=&q=Imported {width}")
    assert page.locator("a.t-record").count() == 0


def test_a_token_is_made_and_ended(people: People, served: Served) -> None:
    page = people.open("sam")
    page.goto("/my-account")
    page.click("a:has-text('Tokens for programs')")
    page.fill("#name", "Nightly")
    page.keyboard.press("Enter")
    page.wait_for_selector("#token")
    bearer = page.input_value("#token")
    assert bearer.startswith("tessera_")
    page.reload()
    assert page.locator("td:has-text('Nightly')").count() == 1 and bearer not in page.content()
    page.click("button:has-text('End')")
    page.wait_for_selector("text=The token has ended")
    assert page.locator("td:has-text('Nightly')").count() == 0
