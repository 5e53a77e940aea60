"""Every page at 360 pixels and wide: no sideways scroll, targets for fingers, names for screen readers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.browser.conftest import People, Served

UNNAMED = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary')]
  .filter((one) => one.checkVisibility() && !one.closest('[aria-hidden=true]'))
  .filter((one) => !(one.getAttribute('aria-label') || one.innerText?.trim() || one.labels?.length
                     || one.getAttribute('aria-labelledby') || one.querySelector?.('.visually-hidden')))
  .map((one) => one.outerHTML.slice(0, 200))"""
SMALL = """() => [...document.querySelectorAll('a.btn, button, summary, .t-bottom a, input:not([type=hidden]):not([type=checkbox]):not([type=file]), select, .t-filter-chip')]
  .filter((one) => one.checkVisibility() && !one.closest('.t-hint'))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.height && box.height < 43.5 && !(one.labels?.[0]?.getBoundingClientRect().height >= 44))
  .map(([one, box]) => `${Math.round(box.height)} ${one.outerHTML.slice(0, 160)}`)"""
CONTRAST = """() => {
  const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (css) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = css; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data]; };
  const behind = (one) => { for (let up = one; up; up = up.parentElement) {
    const c = rgba(getComputedStyle(up).backgroundColor); if (c[3] > 250) return c.slice(0, 3); } return [255, 255, 255]; };
  const bad = [];
  for (const one of document.querySelectorAll('main *, header *, nav *')) {
    const own = [...one.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !one.checkVisibility() || one.closest('[aria-hidden=true], .visually-hidden, option')) continue;
    const box = one.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(one), a = light(rgba(style.color).slice(0, 3)), b = light(behind(one));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${one.className} ${one.textContent.trim().slice(0, 40)}`);
  }
  return [...new Set(bad)];
}"""


@pytest.fixture(scope="module")
def places(served: Served) -> list[str]:
    site = served.site
    company = site.create(
        "company",
        name="A company whose name is long enough to need more than one line on a phone",
        city="Berlin",
        kinds=["customer", "vendor"],
        owner=site.users["sam"],
    )
    deal = site.create(
        "deal",
        name="Donaudampfschifffahrtsgesellschaftskapitänsmützenverkauf",
        company=company,
        amount=Decimal("123456789.12"),
        owner=site.users["sam"],
        starts=date(2026, 1, 1),
        note="one\ntwo https://example.org/" + "x" * 120,
        lines=[{"product": "A product", "price": Decimal("1234567.89")}, {"product": "Another", "price": Decimal(5)}],
    )
    specimen = site.create(
        "specimen",
        a_text="中文" * 20,
        a_url="https://example.org/" + "y" * 150,
        choices=["customer", "vendor"],
        a_choice="won",
        a_memo="x" * 300,
        a_phone="+49 30 123456",
        links=[company],
    )
    trashed = site.create("deal", name="Gone", owner=site.users["sam"])
    with site.records() as records:
        records.delete("deal", [trashed])
    return [
        "/",
        "/deals?f=",
        "/deals?where=nonsense",
        "/deals?trash=1",
        "/companies",
        f"/companies/{company}",
        f"/deals/{deal}",
        f"/deals/{deal}?edit=1",
        "/deals/new",
        f"/specimens/{specimen}",
        f"/specimens/{specimen}?edit=1",
        f"/deals/{trashed}",
        "/search?q=product",
        "/my-account",
        "/admin",
        "/admin/plan",
        "/admin/settings",
        "/admin/settings/limit",
        "/admin/settings/greeting",
        "/nothing_here",
    ]


def visit(page: Any, path: str) -> None:
    page.goto(path)
    if page.locator("#history").count():
        page.wait_for_selector(".t-timeline")


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh_CN", "dark")])
def test_pages_at_360_pixels(people: People, places: list[str], language: str, theme: str) -> None:
    page = people.open(
        "ada", width=360, height=740, color_scheme=theme, locale=language.replace("_", "-"), has_touch=True
    )
    for path in places:
        visit(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert page.evaluate(SMALL) == [], path
        assert page.evaluate(CONTRAST) == [], path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_wide_pages_are_readable_and_named(people: People, places: list[str], theme: str) -> None:
    page = people.open("ada", color_scheme=theme)
    for path in places:
        visit(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
        assert page.evaluate(UNNAMED) == [], path
        assert page.evaluate(CONTRAST) == [], path
        assert page.locator("h1").count() == 1, path


def test_the_sign_in_page(people: People) -> None:
    page = people.open(None, width=360, height=640)
    visit(page, "/login")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(UNNAMED) == [] and page.evaluate(SMALL) == []


def test_the_first_tab_skips_to_the_content(people: People) -> None:
    page = people.open("ada")
    visit(page, "/deals")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "t-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_everything_that_has_the_focus_shows_it(people: People, places: list[str]) -> None:
    page = people.open("ada")
    visit(page, places[7])
    for _ in range(25):
        page.keyboard.press("Tab")
        shown = page.evaluate("""() => { const s = getComputedStyle(document.activeElement);
            return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none'; }""")
        assert shown, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
