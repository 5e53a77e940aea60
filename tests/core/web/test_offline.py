"""The way into the offline system: who may, what goes along and what does not, and what is said when nobody answers."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from core.database.offline import FOLDER
from core.web import offline_server, offline_socket
from core.web.offline_standing import STANDING, Standing
from tests.core.cli.test_serve import wait_for
from tests.core.web.site import Browser, Site

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Far:
    """Stands for the offline system: tells what came, or answers as it is told to."""

    def __init__(self) -> None:
        self.answer: Response | None = None
        self.heard: list[Request] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        self.heard.append(request)
        self.go_on.wait(30)
        told = {"path": environ["PATH_INFO"], "query": environ["QUERY_STRING"], "method": request.method,
                "headers": dict(request.headers), "size": len(body), "end": body[-20:].decode("latin-1")}
        response = self.answer or Response(json.dumps(told), content_type="application/json")
        return response(environ, start_response)


@pytest.fixture
def far(site: Site) -> Iterator[Far]:
    """An offline system behind the site."""
    found = Far()
    with offline_socket.listen(site.settings.home / FOLDER) as listener:
        server = offline_server.server(listener, found)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ada(site: Site) -> Browser:
    return site.browser("ada")


def told(browser: Browser) -> dict[str, Any]:
    return dict(json.loads(browser.text))


def test_only_who_may_customise_comes_in(site: Site, far: Far) -> None:
    assert "offline" in site.browser("ada").get("/offline/")
    for login in ("sam", "max", "nil"):
        browser = site.browser(login)
        for path in ("/offline", "/offline/", "/offline/companies", "/offline/static/x/app.js", "/admin/offline"):
            browser.get(path, 403)
        browser.post("/offline/companies/new", {"name": "x"}, 403)
    stranger = site.browser()
    stranger.get("/offline/companies", 303)
    assert stranger.location == "/login?next=%2Foffline%2Fcompanies"
    assert len(far.heard) == 1


def test_a_write_from_another_site_does_not_get_through(site: Site, far: Far, ada: Browser) -> None:
    ada.post("/offline/companies/new", {"name": "x"}, 403, Origin="http://elsewhere.example")
    assert far.heard == []
    ada.post("/offline/companies/new", {"name": "x"}, 200)
    assert told(ada)["method"] == "POST"


def test_live_gives_nothing_of_itself_and_takes_no_word_for_who_stands_before_it(far: Far, ada: Browser) -> None:
    ada.client.set_cookie("offline-sid", "theirs", path="/offline/")
    ada.client.set_cookie("offline-csrf", "token", path="/offline/")
    ada.get("/offline/a%20b/%25?q=%2F", 200, **{
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Prefix": "/evil", "Forwarded": "for=6.6.6.6", "X-Real-Ip": "6.6.6.6",
        "Connection": "close, X-Secret", "X-Secret": "hop", "Te": "trailers", "Upgrade": "websocket",
        "Authorization": "Bearer of-the-offline-system"})
    heard = told(ada)
    assert (heard["path"], heard["query"]) == ("/offline/a b/%", "q=%2F")
    headers = heard["headers"]
    assert headers["Cookie"] == "sid=theirs; csrf=token"
    assert headers["X-Forwarded-For"] == "127.0.0.1" and headers["Connection"] == "close"
    assert headers["Authorization"] == "Bearer of-the-offline-system"
    assert not {"X-Forwarded-Prefix", "Forwarded", "X-Real-Ip", "X-Secret", "Te", "Upgrade"} & set(headers)


def test_cookies_of_the_offline_system_are_its_own(far: Far, ada: Browser) -> None:
    far.answer = Response("x", headers=[
        ("Set-Cookie", "sid=s; HttpOnly; Path=/; SameSite=Lax"),
        ("Set-Cookie", "__Host-csrf=c; Secure; HttpOnly; Path=/; SameSite=Lax")])
    ada.get("/offline/")
    assert ada.page is not None
    assert ada.page.headers.getlist("Set-Cookie") == [
        "offline-sid=s; HttpOnly; SameSite=Lax; Path=/offline/",
        "__Secure-offline-csrf=c; Secure; HttpOnly; SameSite=Lax; Path=/offline/"]
    far.answer = None
    ada.client.set_cookie("__Secure-offline-csrf", "c", path="/offline/")
    ada.get("/offline/")
    assert "__Host-csrf=c" in told(ada)["headers"]["Cookie"]


def test_bodies_go_through_up_to_the_limit(far: Far, ada: Browser) -> None:
    origin = {"Origin": "http://localhost"}
    answer = ada.client.post("/offline/x", data=b"\x00" * 3_000_000 + b"the end", headers=origin,
                             content_type="application/octet-stream")
    assert json.loads(answer.text)["size"] == 3_000_007 and json.loads(answer.text)["end"].endswith("the end")
    large = ada.client.post("/offline/x", headers=origin, environ_overrides={"CONTENT_LENGTH": "60000001"})
    assert large.status_code == 413
    packed = ada.client.post("/offline/x", data=b"x", headers={**origin, "Content-Encoding": "gzip"})
    assert packed.status_code == 415
    assert len(far.heard) == 1


def test_an_answer_keeps_its_status_its_policy_and_its_pieces(far: Far, ada: Browser) -> None:
    far.answer = Response((b"a" * 100_000 for _ in range(30)), 418, {
        "Content-Security-Policy": "sandbox", "Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=9",
        "Content-Disposition": "attachment"}, content_type="application/octet-stream")
    answer = ada.client.get("/offline/file")
    assert answer.status_code == 418 and len(answer.data) == 3_000_000
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert not {"X-Hop", "Keep-Alive"} & set(answer.headers)


def test_a_broken_off_answer_is_no_whole_one(far: Far, ada: Browser) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the offline system dies")

    far.answer = Response(pieces(), content_type="text/plain")
    with pytest.raises(Exception, match="IncompleteRead"):
        _ = ada.client.get("/offline/x").data


def test_a_request_holds_no_connection_and_no_turn_while_the_offline_system_thinks(site: Site, far: Far,
                                                                                   ada: Browser) -> None:
    many = site.settings.threads + 2
    browsers = [site.browser("ada") for _ in range(many)]
    far.go_on.clear()
    waiting = [threading.Thread(target=one.client.get, args=("/offline/x",)) for one in browsers]
    for thread in waiting:
        thread.start()
    wait_for(lambda: len(far.heard) == many)
    held = site.engine.pool.checkedout()  # type: ignore[attr-defined]
    ada.get("/companies")
    far.go_on.set()
    for thread in waiting:
        thread.join(30)
    assert held == 0


def test_what_keeps_it_from_answering_is_said_and_live_goes_on(far: Far, ada: Browser) -> None:
    failed = Standing("failed", "site", problems=('site/tables/company.yaml:2:9: there is no type "<txet>"',))
    far.answer = Response(json.dumps(failed.as_json()), 503, {STANDING: "failed"}, content_type="application/json")
    page = ada.get("/offline/companies?q=1", 503)
    assert "site/tables/company.yaml:2:9: there is no type &#34;&lt;txet&gt;&#34;" in page
    assert 'href="/offline/companies?q=1"' in page and ada.page is not None and "Refresh" not in ada.page.headers
    starting = Standing("starting", "site")
    far.answer = Response(json.dumps(starting.as_json()), 503, {STANDING: "starting"}, content_type="application/json")
    assert "It starts." in ada.get("/offline/", 503) and ada.page.headers["Refresh"] == "1"
    ada.get("/companies")


def test_nobody_at_the_other_end_is_a_page_of_live(site: Site, ada: Browser) -> None:
    (site.settings.home / FOLDER / "socket").unlink(missing_ok=True)
    assert "It does not answer; live is not affected." in ada.get("/offline/companies", 503)
    assert "It does not answer" in ada.get("/admin/offline")
    ada.get("/companies")


def test_starting_over_is_asked_of_live_with_its_own_token(far: Far, ada: Browser) -> None:
    far.answer = Response(json.dumps(Standing("ready", "site", 7).as_json()), content_type="application/json")
    assert "It runs, version 7, and follows site." in ada.get("/admin/offline")
    ada.post("/admin/offline/fresh", {}, 403)
    assert [one.path for one in far.heard] == ["/control/standing"]
    ada.post("/admin/offline/fresh", ada.form("/admin/offline/fresh") if ada.get("/admin/offline") else {})
    assert ada.location == "/offline/"
    assert (far.heard[-1].method, far.heard[-1].path) == ("POST", "/control/fresh")


def test_the_way_for_the_server_itself_cannot_be_reached_by_browsers(far: Far, ada: Browser) -> None:
    for path in ("/offline/control/fresh", "/offline//control/fresh", "/offline/../control/fresh",
                 "/offline/%2e%2e/control/fresh"):
        ada.client.post(path, headers={"Origin": "http://localhost"})
    assert all(one.path.startswith("/offline/") and ".." not in one.path.split("/")[:2] for one in far.heard)


def test_it_can_be_switched_off(site: Site, ada: Browser) -> None:
    before = site.application.settings
    site.application.settings = before.model_copy(update={"offline": False})
    try:
        for path in ("/offline", "/offline/", "/offline/companies", "/admin/offline"):
            assert "--no-offline" in ada.get(path, 404)
    finally:
        site.application.settings = before


def test_nobody_else_on_the_machine_can_reach_the_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("a long name " * 12) / "offline"        # longer than the address of a socket can be
    with offline_socket.listen(deep), closing(offline_socket.Wire(deep, 1)) as wire:
        assert stat.S_IMODE(deep.stat().st_mode) == 0o700
        wire.connect()
    with offline_socket.listen(deep):                          # what an earlier server left does not matter
        pass
