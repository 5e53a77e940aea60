"""Attacks on the way into the offline system: bytes that are no request of a browser, and cookies that are two."""

from __future__ import annotations

import pytest

from tests.core.web.site import Browser
from tests.core.web.test_offline import Far
from tests.core.web.test_offline import ada as ada
from tests.core.web.test_offline import far as far


@pytest.mark.parametrize("query", ["q=\xff", "q=a b", "q=\x7f", "q=%0d%0aX: y", "q=\u00e4\u00f6"])
def test_an_address_of_any_bytes_gets_an_answer(far: Far, ada: Browser, query: str) -> None:
    answer = ada.client.get("/offline/x", environ_overrides={"QUERY_STRING": query})
    assert answer.status_code in (200, 400), answer.status_code


@pytest.mark.parametrize("cookie", [
    "offline-a=\xc3\xa9", "offline-a=\xe2\x82\xac",
    'offline-a="\\015\\012X-Evil: 1"', 'offline-a="b\\073 sid=live"', "offline-\xff=\xff",
    "offline-=x", "offline-a=x; sid=mine; csrf=y", 'offline-a="\\342\\202\\254"', "offline-a b=c", "offline-offline-sid=z",
    'offline-a="x\\000"'])
def test_a_cookie_of_any_bytes_stays_one_cookie(far: Far, ada: Browser, cookie: str) -> None:
    jar = ada.client.get_cookie("sid")
    assert jar is not None
    answer = ada.client.get("/offline/x", environ_overrides={"HTTP_COOKIE": f"sid={jar.value}; {cookie}"})
    assert answer.status_code == 200, answer.text[:300]
    headers = answer.json["headers"]
    assert "X-Evil" not in headers and jar.value not in headers.get("Cookie", "")
    assert "sid=live" not in headers.get("Cookie", "").split("; ") and "sid=mine" not in headers.get("Cookie", "")


@pytest.mark.parametrize("path", [
    "/offline//elsewhere.example/", "/offline/../admin", "/offline/%2e%2e/control/fresh", "/offline/..%2fcontrol/standing",
    "/offline/\\elsewhere", "/offline/x%0d%0aSet-Cookie:a=b", "/offline/%00", "/offline/%ff%fe", "/offline/a;b?c"])
def test_no_path_leads_out_of_the_offline_system(far: Far, ada: Browser, path: str) -> None:
    ada.client.get(path)
    for heard in far.heard:
        assert heard.environ["PATH_INFO"].startswith("/offline/")


@pytest.mark.parametrize("headers", [
    {"Transfer-Encoding": "chunked"}, {"Transfer-Encoding": "identity"}, {"Connection": "cookie, content-length, host"},
    {"Content-Length": "0", "Transfer-Encoding": "chunked"}, {"Expect": "100-continue"}, {"X-Odd": "\xe9\xff"}])
def test_headers_end_where_they_say(far: Far, ada: Browser, headers: dict[str, str]) -> None:
    answer = ada.client.get("/offline/x", headers=headers)
    assert answer.status_code in (200, 411), answer.status_code
    if answer.status_code == 200:
        assert answer.json["headers"].get("Host") == "localhost"
        assert "Transfer-Encoding" not in answer.json["headers"]
