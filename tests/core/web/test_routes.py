"""Every way in declares who may come, and answers strangers and bad requests as it should."""

from __future__ import annotations

import re

import pytest

from core.definition.model import DUTIES
from core.web.routes import ROUTES
from core.web.routing import AUTHS, RIGHTS, Route
from tests.core.web.site import Site


def path_of(route: Route) -> str:
    """An address that the route answers."""
    return re.sub(r"<(?:(\w+):)?(\w+)>", lambda m: "1" if m[1] == "id" else "x", route.rule)


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r.methods[0]} {r.rule}")
def test_past_case_5_each_route_declares_auth_and_right(route: Route) -> None:
    assert route.auth in AUTHS and route.right in RIGHTS
    assert route.methods and route.endpoint.__doc__
    if route.right != "everyone":
        assert route.auth in ("session", "token", "offline")
    assert (route.auth == "offline") is route.rule.startswith("/offline/")
    if route.rule.startswith("/admin"):
        assert route.right in ("administrator", "settings", *DUTIES)
        assert (route.right == "settings") is route.rule.startswith("/admin/settings")


def test_no_two_routes_have_the_same_rule_and_method() -> None:
    pairs = [(route.rule, method) for route in ROUTES for method in route.methods]
    assert len(pairs) == len(set(pairs))


def test_past_case_5_strangers_get_nowhere(site: Site) -> None:
    browser = site.browser()
    for route in ROUTES:
        if route.auth in ("none", "public"):
            continue
        method = route.methods[0]
        answer = browser.client.open(path_of(route), method=method, headers={"Origin": "http://localhost"})
        assert answer.status_code in (303, 401, 403), f"{method} {route.rule}: {answer.status_code}"


def test_past_case_11_those_who_are_no_administrators_do_not_administrate(site: Site) -> None:
    for login in ("nil", "sam", "max"):
        browser = site.browser(login)
        browser.get("/my-account")
        csrf = browser.form("/my-account/settings")["_csrf"]
        for route in ROUTES:
            if route.right in ("administrator", *DUTIES):
                if route.methods[0] == "GET":
                    browser.get(path_of(route), 403)
                else:
                    browser.post(path_of(route), {"_csrf": csrf}, 403)


def test_wrong_methods_and_unknown_pages(site: Site) -> None:
    browser = site.browser("ada")
    for path in (
        "/no_such_object",
        "/deals/999999",
        "/deals/1e3",
        "/deals/-1",
        "/deals/9223372036854775808",
        "/a/b/c",
        "/deals/１",
        "/-/open/deal/7",
        "/-/lookup/deal/stage",
        "/-/lookup/nothing/at_all",
        "/-/file/deal/1/name",
        "/static/x/../../wsgi.py",
        "/static/x/nothing.css",
        "/%00",
        "/deals/99999999999999999999999",
    ):
        browser.get(path, 404)
    assert browser.client.put("/deals", headers={"Origin": "http://localhost"}).status_code == 405


def test_past_case_41_too_large_bodies_are_refused_before_they_are_read(site: Site) -> None:
    browser = site.browser("ada")
    answer = browser.client.post("/my-account/settings", data=b"x" * 30_000, headers={"Origin": "http://localhost"})
    assert answer.status_code == 413


def test_headers_of_every_answer(site: Site) -> None:
    browser = site.browser("ada")
    for path in ("/", "/login", "/deals", "/nothing", "/static/x/tessera.css", "/-/live"):
        answer = browser.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert browser.client.get("/").headers["Cache-Control"] == "no-store"


def test_pages_have_no_inline_script_style_or_handler(site: Site) -> None:
    browser = site.browser("ada")
    deal = site.create("deal", name="Plain")
    for path in (
        "/",
        "/deals",
        f"/deals/{deal}",
        f"/deals/{deal}?edit=1",
        "/specimens/new",
        "/my-account",
        "/admin",
        "/search?q=a",
    ):
        html = browser.get(path)
        nonce = re.search(r"'nonce-([^']+)'", browser.page.headers["Content-Security-Policy"])  # type: ignore[union-attr]
        assert nonce is not None
        for script in re.findall(r"<script\b[^>]*>(.*?)</script>", html, re.DOTALL):
            assert script == ""
        assert set(re.findall(r'<script nonce="([^"]+)"', html)) == {nonce[1]}
        assert not re.search(r"<[^>]+\s(on\w+|style)=", html)


def test_static_files_are_kept_for_a_year_under_their_hash(site: Site) -> None:
    browser = site.browser("ada")
    html = browser.get("/")
    path = re.search(r'"(/static/[0-9a-f]{12}/tessera\.css)"', html)
    assert path is not None
    fresh = browser.client.get(path[1], headers={"Accept-Encoding": "gzip"})
    assert "immutable" in fresh.headers["Cache-Control"] and fresh.headers["Content-Encoding"] == "gzip"
    stale = browser.client.get("/static/000000000000/tessera.css")
    assert stale.status_code == 200 and stale.headers["Cache-Control"] == "no-cache"
