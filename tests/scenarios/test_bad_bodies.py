"""API: bodies, methods, versions, keys and tokens that no honest client sends; none of them leaves a trace."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.client import Answer, Person
from tests.scenarios.hostile import FORM, READER, SELLER, Crm, problems

pytestmark = pytest.mark.usefixtures("no_faults")
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def company(crm: Crm) -> str:
    """The address of a company of the administrator's."""
    return f"/api/v1/company/{crm.create('company', name='Untouched')}"


def post(who: Person, body: bytes, path: str = "/api/v1/company", **headers: str) -> Answer:
    return who.ask("POST", path, body, {**JSON, **{name.replace("_", "-"): text for name, text in headers.items()}})


# 72, 73: JSON

@pytest.mark.parametrize(("body", "offset"), [
    (b"", 0), (b"{", 1), (b"{'name': 'x'}", 1), (b'{"name": "x",}', 13), (b'{"name": "x"} more', 14),
    (b'{"name": "a", "name": "b"}', 14), (b'{"employees": NaN}', 14), (b'{"employees": -Infinity}', 14),
    (b'{"employees": 1e999}', 14), (b'{"employees": ' + b"9" * 5000 + b"}", 14), (b"[" * 100_000, 32),
    (b'{"a":' * 100_000, 160), (b"\xff\xfe{\x00}\x00", 0), (b"\xef\xbb\xbf{}", 0), (b'{"name": "\x00"}', 10),
    (b'{"name": "\xed\xa0\x80"}', 10)], ids=lambda value: str(value)[:30])
def test_rows_72_and_73_a_body_that_is_no_json_is_refused_with_the_place(crm: Crm, company: str, body: bytes, offset: int) -> None:
    with crm.refused():
        for answer in (post(crm.api("admin"), body), crm.api("admin").ask("PATCH", company, body, JSON)):
            assert answer.status == 400
            assert f"(offset {offset})" in answer.json()["detail"] and answer.json()["column"] == offset + 1
            assert answer.headers["content-type"] == "application/problem+json"


def test_row_73_a_body_that_is_no_record_is_refused(crm: Crm, company: str) -> None:
    with crm.refused():
        for body in (b"null", b"1", b'"text"', b"true", b"[1]", b"[[]]", b"[null]", b'[{"name": "x"}, 5]'):
            assert post(crm.api("admin"), body).status == 422
            assert crm.api("admin").ask("PATCH", company, body, JSON).status == 400
        assert post(crm.api("admin"), b"[]").status == 400
        assert post(crm.api("admin"), json.dumps([{"name": "x"}] * 1001).encode()).status == 400


@pytest.mark.parametrize(("values", "found"), [
    ({"name": "\ud800"}, {"name": "character"}), ({"name": "a\x00"}, {"name": "character"}),
    ({"name": {"$ne": None}}, {"name": "type"}), ({"name": ["a"]}, {"name": "type"}), ({"name": 5}, {"name": "type"}),
    ({"name": True}, {"name": "type"}), ({"name": None}, {"name": "required"}), ({"name": " "}, {"name": "required"}),
    ({"name": "x" * 201}, {"name": "too_long"}), ({"name": "a\nb"}, {"name": "line_break"}),
    ({"employees": "5"}, {"employees": "type"}), ({"employees": 5.5}, {"employees": "type"}),
    ({"employees": True}, {"employees": "type"}), ({"employees": 10**15}, {"employees": "range"}),
    ({"employees": -1}, {"employees": "rule"}),
    ({"revenue": 5.5}, {"revenue": "type"}), ({"revenue": "NaN"}, {"revenue": "number"}),
    ({"revenue": "Infinity"}, {"revenue": "number"}), ({"revenue": "1e3"}, {"revenue": "number"}),
    ({"revenue": "1.005"}, {"revenue": "scale"}), ({"revenue": str(10**15)}, {"revenue": "range"}),
    ({"revenue": " 1"}, {"revenue": "number"}), ({"revenue": "１"}, {"revenue": "number"}),
    ({"parent": "1"}, {"parent": "type"}), ({"parent": -1}, {"parent": "type"}), ({"parent": 0}, {"parent": "type"}),
    ({"parent": 1e3}, {"parent": "type"}), ({"parent": 2**63}, {"parent": "type"}), ({"parent": True}, {"parent": "type"}),
    ({"parent": 999_999_999}, {"parent": "link"}), ({"owner": 999_999_999}, {"owner": "link"}),
    ({"kinds": "prospect"}, {"kinds": "type"}), ({"kinds": ["nothing"]}, {"kinds": "choice"}),
    ({"kinds": [["a"]]}, {"kinds": "type"}), ({"industry": "nothing"}, {"industry": "choice"}),
    ({"kinds": ["a"] * 1001}, {"kinds": "too_many"}), ({"tags": [1] * 10_001}, {"tags": "too_many"}),
    ({"tags": ["1"]}, {"tags": "type"}), ({"tags": [None]}, {"tags": "type"}), ({"tags": [999_999_999]}, {"tags": "link"}),
    ({"archived": "yes"}, {"archived": "type"}), ({"archived": 1}, {"archived": "type"}),
    ({"website": "javascript:alert(1)"}, {"website": "url"}), ({"email": "a@b\r\nx: y"}, {"email": "line_break"}),
    ({"contacts": {}}, {"contacts": "type"}), ({"contacts": [1]}, {"contacts": "type"}),
    ({"contacts": [{"name": "x"}] * 2001}, {"contacts": "too_many"}),
    ({"contacts": [{"id": 1, "name": "x"}]}, {"contacts.0.id": "line"}),
    ({"contacts": [{"name": "x", "nothing": 1}]}, {"contacts.0.nothing": "unknown"}),
    ({"contacts": [{"name": "x", "affiliations": [{"company": 1}]}]}, {"contacts.0.affiliations.0.company": "link"}),
    ({"id": 5}, {"id": "system"}), ({"_type": "contact"}, {"_type": "system"}), ({"created_by": 1}, {"created_by": "system"}),
    ({"_version": 5}, {"_version": "system"}), ({"_delete": True}, {"_delete": "system"}),
    ({"_deleted_on": None}, {"_deleted_on": "system"}), ({"contact_count": 5}, {"contact_count": "computed"}),
    ({"won_total": "5"}, {"won_total": "computed"}), ({"nothing": 5}, {"nothing": "unknown"}),
    ({"Name": "x"}, {"Name": "unknown"}), ({"": 1}, {"": "unknown"}), ({"__class__": {}}, {"__class__": "unknown"}),
    ({"owner_title": "x"}, {"owner_title": "unknown"}), ({"parent.name": "x"}, {"parent.name": "unknown"}),
], ids=lambda value: str(value)[:40])
def test_rows_36_to_43_a_value_that_cannot_be_is_told_by_field_and_code(crm: Crm, values: dict[str, object],
                                                          found: dict[str, str]) -> None:
    with crm.refused():
        answer = post(crm.api("admin"), json.dumps({"name": "New", **values}).encode())
    assert answer.status == 422, answer.text
    assert problems(answer) == found
    assert all(error["message"] for error in answer.json()["errors"])


@pytest.mark.parametrize(("values", "found"), [
    ({"engage_date": "10000-01-01"}, {"engage_date": "date"}), ({"engage_date": "infinity"}, {"engage_date": "date"}),
    ({"engage_date": "2024-02-30"}, {"engage_date": "date"}), ({"engage_date": "1899-12-31"}, {"engage_date": "range"}),
    ({"engage_date": "2201-01-01"}, {"engage_date": "range"}), ({"engage_date": 0}, {"engage_date": "type"}),
    ({"starts": "9999-12-31T23:59:59Z"}, {"starts": "range"}), ({"starts": "2024-01-01T00:00:00"}, {"starts": "datetime"}),
    ({"starts": "2024-01-01T25:00:00Z"}, {"starts": "datetime"}), ({"stage": "nothing"}, {"stage": "choice"}),
    ({"stage": ["won"]}, {"stage": "type"}), ({"code": "OPP-1"}, {"code": "computed"}),
    ({"weighted": "1"}, {"weighted": "computed"}), ({"line_total": "1"}, {"line_total": "computed"}),
    ({"document": "x"}, {"document": "type"}), ({"document": 5}, {"document": "file"}),
    ({"document": {"id": 1}}, {"document": "file"}), ({"document": {"name": "a", "content": "%%"}}, {"document": "content"}),
    ({"document": {"name": "a", "content": ""}}, {"document": "empty"}),
    ({"document": {"name": "a", "content": "YQ==", "type": "text/html"}}, {"document": "type"}),
    ({"lines": [{"price": "NaN"}]}, {"lines.0.price": "number"}), ({"lines": [{"total": "1"}]}, {"lines.0.total": "computed"}),
    ({"lines": [{}, {"_delete": True}]}, {"lines": "line"}), ({"lines": [{"_delete": 1}]}, {"lines": "type"}),
    ({"lines": [{"opportunity": 1}]}, {"lines.0.opportunity": "parent"}),
], ids=lambda value: str(value)[:40])
def test_rows_41_to_44_a_value_of_a_deal_that_cannot_be_is_told(crm: Crm, values: dict[str, object], found: dict[str, str]) -> None:
    with crm.refused():
        answer = post(crm.api("admin"), json.dumps({"name": "New", **values}).encode(), "/api/v1/opportunity")
    assert answer.status == 422, answer.text
    assert problems(answer) == found


def test_row_46_a_hidden_field_is_written_as_little_as_an_unknown_one(crm: Crm) -> None:
    number = crm.create("opportunity", name="Mine", owner=crm.user(SELLER))
    seller = crm.api(SELLER)
    with crm.refused():
        for method, path, more in (("POST", "/api/v1/opportunity", {"name": "x"}),
                                   ("PATCH", f"/api/v1/opportunity/{number}", {"_version": 1})):
            for value in ("7", "seven", ["7"], None):
                hidden, unknown = (seller.send(method, path, {**more, name: value}) for name in ("target_margin", "no_such"))
                assert (hidden.status, unknown.status) == (422, 422)
                assert problems(hidden) == {"target_margin": "unknown"} and problems(unknown) == {"no_such": "unknown"}
                assert hidden.json()["errors"][0]["message"] == unknown.json()["errors"][0]["message"]


def test_row_73_a_flood_of_mistakes_is_answered_shortly(crm: Crm) -> None:
    with crm.refused():
        many = b"{" + b",".join(b'"k%d": 1' % n for n in range(500_000)) + b"}"
        answer = post(crm.api("admin"), many)
        assert answer.status == 422 and len(answer.json()["errors"]) <= 500
        rows = json.dumps([{"name": 5, "city": 5, "phone": 5}] * 1000).encode()
        answer = post(crm.api("admin"), rows)
        assert answer.status == 422 and len(answer.json()["errors"]) <= 500
        assert post(crm.api("admin"), b'"' + b"x" * 9_999_990 + b'"').status == 422


# 74, 75: the envelope

def test_rows_74_and_75_only_plain_json_of_a_known_length_is_taken(crm: Crm) -> None:
    admin, body = crm.api("admin"), b'{"name": "x"}'
    with crm.refused():
        for kind in ("text/plain", FORM, "application/json; charset=utf-16", "", "application/vnd.api+json",
                     "multipart/form-data; boundary=x", "text/json"):
            assert post(admin, body, Content_Type=kind).status == 415
        for coding in ("gzip", "br", "deflate", "zstd", "identity, gzip"):
            assert post(admin, body, Content_Encoding=coding).status == 415
        head = f"POST /api/v1/company HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\nConnection: close\r\n" \
               "Content-Type: application/json\r\n"
        chunked = crm.raw(f"{head}Transfer-Encoding: chunked\r\n\r\nd\r\n".encode() + body + b"\r\n0\r\n\r\n")
        assert chunked.startswith(b"HTTP/1.1 411 ")
        assert crm.raw(f"{head}Content-Length: 10000001\r\n\r\n".encode() + body).startswith(b"HTTP/1.1 413 ")
        for length in ("-1", "1e3", "x", "13, 14"):
            assert crm.raw(f"{head}Content-Length: {length}\r\n\r\n".encode() + body).startswith(b"HTTP/1.1 400 ")
        crm.raw(f"{head}Content-Length: 20\r\n\r\n".encode() + body, close=True)       # seven bytes never come


def test_row_75_a_method_is_what_the_request_line_says(crm: Crm, company: str) -> None:
    admin = crm.api("admin")
    with crm.refused():
        for method, path in (("PUT", company), ("POST", company), ("PUT", "/api/v1/company"), ("TRACE", company),
                             ("BREW", company),
                             ("GET", "/api/v1/files"), ("POST", "/api/v1/openapi.json"), ("DELETE", "/api/v1/query/open_deals")):
            assert admin.ask(method, path, b"{}" if method in ("PUT", "POST", "PATCH") else None, JSON).status == 405
        for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            assert admin.ask("GET", company, None, {header: "DELETE"}).status == 200
        for path in (f"{company}?_method=DELETE", f"{company}?x=1"):
            assert admin.get(path).status == 400
        assert admin.ask("DELETE", f"{company}?x=1").status == 400
        assert post(admin, b'{"name": "x"}', "/api/v1/company?x=1").status == 400


@pytest.mark.parametrize(("method", "query", "body", "status"), [
    ("PATCH", "", b"{}", 400), ("PATCH", "", b"[]", 400), ("PATCH", "", b"[5]", 422), ("PATCH", "", b'[{"id": 1}]', 428),
    ("PATCH", "", b'[{"id": "1", "_version": 1}]', 422), ("PATCH", "", b'[{"id": 999999999, "_version": 1}]', 404),
    ("PATCH", "", b'[{"_version": 1, "name": "x"}]', 422), ("PATCH", "?where=true", b'{"name": "x"}', 400),
    ("PATCH", "?where=&count=1", b'{"name": "x"}', 400), ("PATCH", "?where=((&count=1", b'{"name": "x"}', 400),
    ("PATCH", "?where=archived&count=1e3", b'{"name": "x"}', 400), ("PATCH", "?where=archived&count=0", b"{}", 400),
    ("PATCH", "?where=name%20is%20None&count=7", b'{"city": "x"}', 409), ("PATCH", "?ids=1", b'{"city": "x"}', 400),
    ("DELETE", "", None, 400), ("DELETE", "?ids=", None, 400), ("DELETE", "?ids=1,,2", None, 400), ("DELETE", "?ids=-1", None, 400),
    ("DELETE", "?ids=1e3", None, 400), ("DELETE", "?ids=%EF%BC%91", None, 400), ("DELETE", "?ids=9223372036854775808", None, 400),
    ("DELETE", "?ids=999999999", None, 404), ("DELETE", "?where=true", None, 400), ("DELETE", "?where=name%20is%20None&count=7", None, 409),
    ("DELETE", "?ids=1&where=true&count=1", None, 400), ("DELETE", "?ids=1&ids=2", None, 400)])
def test_rows_36_and_74_no_body_or_address_writes_to_many_by_mistake(crm: Crm, method: str, query: str, body: bytes | None,
                                                                    status: int) -> None:
    with crm.refused():
        answer = crm.api("admin").ask(method, f"/api/v1/company{query}", body, JSON if body is not None else {})
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"



@pytest.mark.parametrize(("body", "match", "status"), [
    ({}, None, 428), ({"_version": 99}, None, 409), ({"_version": "1"}, None, 400), ({"_version": True}, None, 400),
    ({"_version": 1.0}, None, 400), ({"_version": -1}, None, 400), ({"_version": 2**63}, None, 400), ({}, "*", 400),
    ({}, 'W/"1"', 400), ({}, "1", 400), ({}, '"1", "2"', 400), ({}, '""', 400), ({}, '"' + "9" * 30 + '"', 400),
    ({}, '"１"', 400), ({}, '"2"', 409), ({"_version": 1}, '"2"', 400), ({"id": 1, "_version": 1}, None, 400),
    ({"id": "x", "_version": 1}, None, 400)], ids=str)
def test_row_75_a_change_names_the_version_it_was_made_on(crm: Crm, company: str, body: dict[str, object], match: str | None,
                                                   status: int) -> None:
    headers = {} if match is None else {"If-Match": match.encode().decode("latin-1")}
    with crm.refused():
        answer = crm.api("admin").ask("PATCH", company, json.dumps({"name": "x", **body}).encode(), {**JSON, **headers})
        assert answer.status == status, answer.text
        if "_version" not in body and "id" not in body and status != 428:
            assert crm.api("admin").ask("DELETE", company, None, headers).status == status
        assert crm.api("admin").ask("DELETE", f"{company}?_version=1e3").status == 400


@pytest.mark.parametrize("number", ["0", "-1", "1e3", "1.0", "007", "%EF%BC%91", "9223372036854775808", "9" * 30, "1%00",
                                    "abc", "%F0%9F%98%80", "999999999"])
def test_row_37_an_id_that_is_none_is_not_found(crm: Crm, number: str) -> None:
    with crm.refused():
        for method, body in (("GET", None), ("PATCH", b'{"_version": 1}'), ("DELETE", None)):
            assert crm.api("admin").ask(method, f"/api/v1/company/{number}", body, JSON).status == 404


@pytest.mark.parametrize("table", ["nothing", "COMPANY", "sys.account", "account", "%00", "..", "__class__", "party_9",
                                   "%ED%A0%80", "openapi", "company%00"])
def test_row_37_a_table_that_is_none_is_not_found(crm: Crm, table: str) -> None:
    with crm.refused():
        assert post(crm.api("admin"), b'{"name": "x"}', f"/api/v1/{table}").status == 404
        assert crm.api("admin").get(f"/api/v1/{table}/1").status == 404


def test_row_75_a_key_is_good_for_one_request(crm: Crm) -> None:
    admin = crm.api("admin")
    assert post(admin, b'{"name": "Once"}', Idempotency_Key="once").status == 201
    with crm.refused():
        assert post(admin, b'{"name": "Twice"}', Idempotency_Key="once").status == 422
        assert post(admin, b'{"name": "Once"}', "/api/v1/contact", Idempotency_Key="once").status == 422
        again = post(admin, b'{"name": "Once"}', Idempotency_Key="once")
        assert again.status == 201 and again.headers["idempotency-replayed"] == "true"
        for key in ("", "x" * 201, "a b", "\xe9"):
            assert post(admin, b'{"name": "x"}', Idempotency_Key=key).status == 400


# 76: tokens

def test_row_76_only_a_good_token_in_its_header_is_taken(crm: Crm) -> None:
    good = crm.api("admin").token
    session = next(cookie.value for cookie in crm.browser("admin").jar if cookie.name == "sid")
    crm.site.run("token", "amelie")
    expired, revoked = crm.site.person("lixin").token, crm.site.person("marta").token
    crm.one("update sys.token set expires_on = now() - interval '1 second' from sys.account a "
            "where a.id = account_id and a.login = 'lixin' returning 1")
    crm.site.run("token", "marta", "--revoke")
    headers = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + "x" * 50_000, f"Bearer {expired}", f"Bearer {revoked}",
               f"Basic {good}", f"Token {good}", f"Bearer {good} {good}", f'Bearer "{good}"', f"Bearer {good}x", good,
               f"Bearer {session}", "Bearer \xff\xfe", f"Bearer {good[:-1]}"]
    with crm.refused():
        for header in headers:
            stranger = Person(crm.site.address)
            for method, body in (("GET", None), ("POST", b'{"name": "x"}')):
                answer = stranger.ask(method, "/api/v1/company", body, {**JSON, "Authorization": header})
                assert answer.status == 401, header[:30]
        for path in (f"/api/v1/company?token={good}", f"/api/v1/company?access_token={good}", "/api/v1/openapi.json",
                     f"/companies?token={good}"):
            assert Person(crm.site.address).get(path).status in (401, 303)
        assert Person(crm.site.address).ask("GET", "/api/v1/company", None, {"Cookie": f"sid={good}"}).status == 401
        assert Person(crm.site.address).ask("GET", "/companies", None, {"Authorization": f"Bearer {good}"}).status == 303


def test_row_76_a_token_does_what_it_was_made_for_and_no_more(crm: Crm, company: str) -> None:
    reading = Person(crm.site.address, crm.site.run("token", "admin", "--read-only").strip().split()[-1])
    assert reading.get(company).status == 200
    reader, number = crm.api(READER), company.rpartition("/")[2]
    with crm.refused():
        assert post(reading, b'{"name": "x"}').status == 403
        assert reading.send("PATCH", company, {"name": "x", "_version": 1}).status == 403
        assert reading.ask("DELETE", company).status == 403
        assert post(reader, b'{"name": "x"}').status == 403
        assert reader.send("PATCH", company, {"name": "x", "_version": 1}).status == 403
        assert reader.ask("DELETE", company).status == 403
        assert reader.get(f"/api/v1/opportunity/{number}").status == 404
        assert post(reader, json.dumps({"user": crm.user(READER), "role": "administrator"}).encode(),
                    "/api/v1/role_assignment").status == 403
        assert post(reader, b'{"name": "x"}', "/api/v1/user").status == 403


def test_row_43_a_browser_without_its_proof_does_not_write(crm: Crm) -> None:
    browser, foreign = crm.browser("admin"), crm.browser(SELLER).token_of_forms
    with crm.refused():
        for headers in ({}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": "\xff"},
                        {"X-CSRF-Token": browser.token_of_forms, "Origin": "https://evil.example"},
                        {"X-CSRF-Token": browser.token_of_forms, "Origin": "null"},
                        {"X-CSRF-Token": browser.token_of_forms, "Sec-Fetch-Site": "cross-site"}):
            assert browser.ask("POST", "/api/v1/company", b'{"name": "x"}', {**JSON, **headers}).status == 403
        body = f"_csrf={browser.token_of_forms}".encode()
        assert browser.ask("POST", "/api/v1/company", body, {"Content-Type": FORM}).status == 415
