"""Requests that browsers do not make: broken off, forged, oversized, for other hosts, leading elsewhere."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.scenarios.hostile import FORM, SELLER, Browser, Crm

pytestmark = pytest.mark.usefixtures("no_faults")


@pytest.fixture
def admin(crm: Crm) -> Browser:
    return crm.browser("admin")


@pytest.fixture(scope="module")
def company(crm: Crm) -> str:
    """The address of a company of the administrator's."""
    return f"/companies/{crm.create('company', name='Untouched', note='A note of some length')}"


def status(answer: bytes) -> int:
    """The status of a raw answer; 0 if the server hung up without one."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


# 43: proofs that a write comes from our own pages

def test_row_43_a_write_without_its_proof_is_forbidden(crm: Crm, admin: Browser, company: str) -> None:
    good, foreign = admin.token_of_forms, crm.browser(SELLER).token_of_forms
    cases: list[tuple[str | None, dict[str, str]]] = [
        (None, {}), ("", {}), (foreign, {}), ("é\x00", {}), ("😀" * 1000, {}), (good[:-1], {}), (good + "x", {}),
        (None, {"X-CSRF-Token": foreign}), (None, {"X-CSRF-Token": "\xff\xfe"}), (None, {"Cookie": f"{admin.cookies}; csrf={foreign}"}),
        (good, {"Origin": "https://evil.example"}), (good, {"Origin": "null"}), (good, {"Origin": "http://127.0.0.1:1"}),
        (good, {"Origin": "http://[::1"}), (good, {"Origin": f"{crm.site.address}.evil.example"}), (good, {"Origin": ""}),
        (good, {"Sec-Fetch-Site": "cross-site"}), (good, {"Sec-Fetch-Site": "same-site"}),
        (good, {"Content-Type": "text/plain"}), (good, {"Content-Type": "application/json"}),
        (good, {"Content-Type": "multipart/form-data"}), (good, {"Content-Type": "multipart/form-data; boundary=x"})]
    with crm.refused():
        for token, headers in cases:
            pairs = [*((("_csrf", token),) if token is not None else ()), ("_version", "1"), ("_base", "{}"), ("name", "X")]
            for path in (company, f"{company}/delete", "/companies/new", "/my-account/settings", "/admin/promote", "/logout"):
                answer = admin.ask("POST", path, urlencode(pairs).encode(), {"Content-Type": FORM, **headers})
                assert answer.status == 403, (path, token, headers)
        query = urlencode({"_csrf": good})
        assert admin.ask("POST", f"{company}?{query}", b"_version=1&name=X", {"Content-Type": FORM}).status == 403


def test_a_sign_in_needs_its_proof_too(crm: Crm) -> None:
    stranger = Browser(crm.site.address)
    body = urlencode({"login": "admin", "password": "tessera-demo", "csrf": "guess"}).encode()
    assert stranger.ask("POST", "/login", body, {"Content-Type": FORM}).status == 403
    stranger.get("/login")
    assert stranger.ask("POST", "/login", body, {"Content-Type": FORM}).status == 403
    assert not any(cookie.name == "sid" for cookie in stranger.jar)


@pytest.mark.parametrize(("login", "password", "status"), [
    ("\x00", "x", 401), ("admin\x00", "tessera-demo", 401), ("admin", "\x00", 401), ("\ud800", "x", 401),
    ("x" * 5000, "x", 401), ("admin", "x" * 15_000, 401), ("admin", "x" * 20_000, 413), ("' or 1=1 --", "x", 401),
    ("ad\nmin", "x", 401), ("", "", 401)])
def test_a_login_that_is_none_fails_as_all_do(crm: Crm, login: str, password: str, status: int) -> None:
    stranger = Browser(crm.site.address)
    stranger.token_of_forms = stranger.csrf("/login")
    assert stranger.post("/login", ("login", login), ("password", password)).status == status
    crm.one("with gone as (delete from sys.login_attempt returning 1) select count(*) from gone")


# Where an answer leads

@pytest.mark.parametrize("target", [
    "//evil.example", "///evil.example", "https://evil.example", "http:evil.example", "/\\evil.example", "\\/evil.example",
    "/\t/evil.example", "/./\\evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "", "\x00/x",
    "/x\r\nSet-Cookie: a=b", "/x\nLocation: //evil.example", " //evil.example", "/\x7f/evil.example"])
def test_next_leads_nowhere_else(crm: Crm, admin: Browser, target: str) -> None:
    stranger = Browser(crm.site.address)
    stranger.token_of_forms = stranger.csrf("/login")
    entered = stranger.post("/login", ("login", "chenwei"), ("password", "tessera-demo"), ("next", target))
    saved = admin.post("/my-account/settings", ("theme", "system"), ("next", target))
    shown = admin.get("/login", next=target)
    for answer in (entered, saved, shown):
        assert answer.status == 303 and answer.headers["location"] == "/"
        assert "set-cookie" not in saved.headers


def test_odd_local_paths_stay_local(admin: Browser) -> None:
    for target in ("/%0d%0aSet-Cookie:x=y", "/@evil.example", "/.evil.example", "/é", "/" + "x" * 5000, "/?next=//evil.example"):
        location = admin.post("/my-account/settings", ("theme", "system"), ("next", target)).headers["location"]
        assert location.startswith("/") and location[1] not in "/\\" and len(location) <= 2000


def test_no_address_and_no_header_chooses_where_we_are(crm: Crm) -> None:
    for line in ("GET /companies HTTP/1.1\r\nHost: evil.example", "GET http://evil.example/companies HTTP/1.1\r\nHost: a",
                 "GET /companies HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example"):
        answer = crm.raw(f"{line}\r\nConnection: close\r\n\r\n".encode())
        assert status(answer) == 303 and b"location: /login?next=%2Fcompanies\r\n" in answer
        assert b"evil.example" not in answer
    for path in ("//evil.example", "//evil.example/companies", "/companies/", "//companies", "/companies//new", "/./companies"):
        assert status(crm.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())) in (303, 404)


# Broken off, packed, oversized

def test_rows_71_and_75_half_a_form_is_no_form(crm: Crm, admin: Browser, company: str) -> None:
    body = urlencode([("_csrf", admin.token_of_forms), ("_version", "1"), ("_base", "{}"), ("note", "x" * 3000)]).encode()
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in (
        ("_csrf", admin.token_of_forms), ("_version", "1"), ("_base", "{}"), ("note", "x" * 3000))).encode()
    head = f"POST {company} HTTP/1.1\r\nHost: 127.0.0.1:{crm.site.port}\r\nCookie: {admin.cookies}\r\nConnection: close\r\n"
    with crm.refused():
        for kind, data in ((FORM, body), ("multipart/form-data; boundary=b", parts)):
            typed = f"{head}Content-Type: {kind}\r\n"
            crm.raw(f"{typed}Content-Length: {len(data)}\r\n\r\n".encode() + data[:-1000], close=True)
            crm.raw(f"{typed}Content-Length: {len(data) + 10}\r\n\r\n".encode() + data, close=True)
            assert status(crm.raw(f"{typed}Content-Length: {len(data) - 1000}\r\n\r\n".encode() + data)) in (303, 400, 403) \
                if kind != FORM else True
            chunk = f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n"
            assert status(crm.raw(f"{typed}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk)) == 411
            assert status(crm.raw(f"{typed}Content-Encoding: gzip\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)) == 415


@pytest.mark.parametrize("path", ["/login", "/companies/new", "/companies/import", "/-/many/companies", "/api/v1/company",
                                  "/api/v1/files?name=a", "/my-account/settings"])
def test_past_case_41_two_gigabytes_are_refused_before_they_are_read(crm: Crm, admin: Browser, path: str) -> None:
    """The answer comes though nothing of the body was sent, to who is signed in, has a token, or has neither."""
    token = crm.api("admin").token
    for kind in (FORM, "multipart/form-data; boundary=b", "application/json", "application/octet-stream"):
        for proof in (f"Cookie: {admin.cookies}", f"Authorization: Bearer {token}", "X-None: 1"):
            answer = crm.raw(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{crm.site.port}\r\n{proof}\r\nContent-Type: {kind}\r\n"
                             "Content-Length: 2147483648\r\nConnection: close\r\n\r\n".encode())
            assert status(answer) == 413 or (status(answer) in (303, 401, 403, 415) and proof != f"Cookie: {admin.cookies}"), (
                kind, proof[:10], answer[:100])


@pytest.mark.parametrize("headers", [
    b"Content-Length: -1", b"Content-Length: 1e3", b"Content-Length: 5\r\nContent-Length: 6", b"X-A: " + b"x" * 2_000_000,
    b"\r\n".join(b"X-%d: a" % n for n in range(1000)), b"no colon", b"X-A: a\x00b"])
def test_row_75_a_request_that_is_none_is_refused_at_the_door(crm: Crm, headers: bytes) -> None:
    answer = crm.raw(b"POST /login HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\nConnection: close\r\n\r\n")
    assert status(answer) in (0, 400, 413, 431)


@pytest.mark.parametrize("header", [
    b"Cookie: sid=" + b"x" * 100_000, b"Cookie: sid=\xff\xfe; csrf=\xc3(", b"Cookie: sid=a; sid=b; sid; =; ;;", b"Cookie: sid=%00",
    b'Cookie: sid="\\000"', b"Cookie: " + b"; ".join(b"c%d=x" % n for n in range(5000)), b"Accept-Language: \xff;q=x,zh;q=1e999",
    b"Accept-Language: " + b"en;q=-1," * 1000, b"Accept: \xff/\xff;q=a", b"X-Request-Id: " + b"a" * 5000,
    b"X-Request-Id: <script>", b"Authorization: Bearer \xff\xfe", b"Authorization: Bearer " + b"x" * 100_000,
    b"Range: bytes=0-1,5-", b"If-None-Match: \xff", b"X-Forwarded-For: 1.2.3.4\xff", b"Expect: 100-continue",
    b"Upgrade: websocket", b"HX-Request: true", b"Host: b", b"Origin: http://[::1", b"Referer: \xff",
    b"Content-Type: multipart/form-data; boundary=\xff"], ids=lambda header: repr(header)[:40])
def test_past_case_23_a_header_that_makes_no_sense_makes_no_difference(crm: Crm, header: bytes) -> None:
    for path, expected in ((b"/companies", (303, 401)), (b"/api/v1/company", (401,)), (b"/login", (200,))):
        answer = crm.raw(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n" + header + b"\r\nConnection: close\r\n\r\n")
        assert status(answer) in expected
        assert b"<script>" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("path", ["/" + "x" * 100_000, "/companies?q=" + "x" * 100_000, "/%zz/%f", "/%00/%00", "/companies%0d%0aX:y",
                                  "/名称", "/companies/1/2/3/4", "/static/../../etc/passwd", "/static/x/%2e%2e/wsgi.py",
                                  "/static/x/..%2f..%2fwsgi.py", "/set-up/%00", "/set-up/" + "x" * 5000])
def test_an_address_that_leads_nowhere_is_told_so(crm: Crm, path: str) -> None:
    answer = crm.raw(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) in (303, 404, 414)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECTX", "OPTIONS"])
def test_row_75_a_method_that_is_not_for_a_page_is_refused(crm: Crm, admin: Browser, company: str, method: str) -> None:
    with crm.refused():
        for path in (company, "/companies", f"{company}/delete", "/"):
            assert admin.ask(method, path).status == 405
        for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            assert admin.ask("GET", company, None, {header: method}).status == 200
        assert admin.get(company, _method=method).status == 200
        assert admin.save(company, 1, ("_method", method)).status == 422
