"""While somebody types: totals follow, suggestions come, and what was typed is never replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from core.settings import Settings
from tests.browser.conftest import People, Served
from tests.core.web.site import sample_site
from tests.core.web.test_form_live import FILES


@pytest.fixture(scope="module")
def served(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The bills of the tests without a browser, behind a threaded server."""
    with sample_site(database, tmp_path_factory.mktemp("browser"), FILES) as site:
        site.create("ware", name="Pen", price=3)
        site.create("ware", name="Ink", price=80)
        server = make_server("127.0.0.1", 0, site.application, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(site, f"http://127.0.0.1:{server.port}")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("width", [1280, 360])
def test_totals_and_suggestions_follow_until_somebody_types(people: People, served: Served, width: int) -> None:
    page = people.open("ada", width=width)
    page.goto("/bills/new")
    page.fill("[name=name]", f"By hand {width}")

    def choose(text: str) -> None:
        page.click("[data-field=ware] input:not([type=hidden])")
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        page.locator("[role=option]", has_text=text).first.click()

    def shows(key: str, text: str) -> None:
        page.wait_for_function("([key, text]) => document.querySelector(`[data-field=${key}] .t-value`)?.innerText"
                               ".includes(text)", arg=[key, text])
    choose("Ink")
    page.wait_for_function("() => document.querySelector('[name=price]').value.startsWith('80')")
    shows("amount", "160")
    page.fill("[name=price]", "5")
    shows("amount", "10")
    choose("Pen")
    page.wait_for_timeout(800)
    assert page.input_value("[name=price]").startswith("5")      # it was typed, so it stays
    page.click("[data-add-line]")
    page.fill("[name='rows.0.price']", "7")
    page.fill("[name='rows.0.count']", "3")
    shows("total", "21")
    page.wait_for_function("() => document.querySelector('td[data-col=total]').innerText.includes('21')")
    page.keyboard.press("Control+s")
    page.wait_for_selector("[data-edit]")
    assert "21.00" in page.inner_text("[data-field=total]") and "10.00" in page.inner_text("[data-field=amount]")
