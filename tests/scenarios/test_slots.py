"""Past case 4: every place where a request may name something, and every value, holds what was never meant for SQL.

Nothing of it is ever parsed by PostgreSQL: its log holds no error at all, whatever the server answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy.exc import DataError

from tests.scenarios.hostile import SELLER, Crm

EVIL = ('name"; drop table x; --', "name'", "name) --", '"name"', "name desc", "1=1", "sys.account.login", "pg_sleep(9)",
        "name::int", "name||''", "(select 1)", "*", "%s", "%(name)s", "%", ":name", "$1", "{name}", "name\\", "a" * 70,
        "name%s", "name/**/", "?", "名称\"", "''", "ed.party", "name\n", "xmin", "ctid", "tableoid")

API = ("{}", "{}/1", "company/{}", "company/1/{}", "query/{}", "query/open_deals?{}=1", "company?fields={}", "company?fields=name,{}",
       "company?order={}", "company?order=-{}", "company?order=name,{}", "company?fields=parent.{}", "company?order=parent.{}",
       "company?group={}", "company?group=city,{}", "company?group={}:month", "company?group=created_on:{}",
       "company?group=parent.{}", "company?aggregate=sum({})", "company?aggregate={}(revenue)", "company?aggregate={}:sum(revenue)",
       "company?group=city&having={}>1", "company?group=city&having=count>{}", "company?group=city&order={}", "company?{}=1",
       "company?where={}", "company?where={} == 1", "company?where=parent.{} == 1", "company?where=exists({})",
       "company?where=count(all.{}) > 1", "company?where={}(name)", "company?where=name == '{}'", "company?where=contains(name, '{}')",
       "company?where=starts_with(name, '{}')", "company?where='{}' in ['a', name]", "company?q={}", "company?after={}",
       "company?format={}", "company?format=csv&fields={}", "company?format=json&order={}", "company?format=csv&where={}",
       "company?format=csv&where=name == '{}'", "company?format=csv&links={}")

PAGES = ("/{}", "/{}/1", "/companies/{}", "/companies/1/{}", "/companies?sort={}", "/companies?sort=-{}", "/companies?columns={}",
         "/companies?columns=name,parent.{}", "/companies?group={}", "/companies?group=city&sort={}", "/companies?group=created_on:{}",
         "/companies?list={}", "/companies?mode={}", "/companies?f={}", "/companies?where={}", "/companies?where=name == '{}'",
         "/companies?q={}", "/companies?view={}", "/companies?in=[\"{}\"]&group=city", "/companies?after={}", "/companies?before={}",
         "/companies?w.field={}&w.op=is&w.value=x", "/companies?w.field=name&w.op={}&w.value=x", "/companies?w.field=name&w.op=is&w.value={}",
         "/companies?w.field=name&w.op=contains&w.value={}", "/companies?p.{}=1", "/companies/new?{}=1", "/companies/new?name={}",
         "/companies/new?_kind={}", "/companies/export?format={}", "/companies/export?sort={}", "/companies/export?where=name == '{}'",
         "/search?q={}", "/-/lookup/{}/company", "/-/lookup/opportunity/{}", "/-/lookup/opportunity/company?q={}",
         "/-/lookup/opportunity/company?beside={}", "/-/names/{}/of", "/-/names/company/{}", "/-/file/{}/1/document",
         "/-/file/opportunity/1/{}", "/-/open/{}/1", "/-/views/{}/new", "/companies/1/history?before={}", "/companies/1/version?at={}",
         "/opportunities?mode=kanban&sort={}", "/open_deals?p.{}=1", "/admin/access?table={}", "/admin/access?table=company&field={}",
         "/admin/access?table=company&id=1&user={}", "/admin/settings/{}")

FORMS = (("/companies/new", "{}", "x"), ("/companies/new", "name", "{}"), ("/companies/new", "parent", "{}"),
         ("/companies/new", "contacts.0.{}", "x"), ("/companies/new", "{}~", "1"), ("/companies/new", "_kind", "{}"),
         ("/companies/new/conditions", "{}", "x"), ("/companies/new/conditions", "_changed", "{}"),
         ("/-/many/companies", "field", "{}"), ("/-/many/companies", "id", "{}"), ("/-/many/companies?sort={}", "all", "1"),
         ("/-/many/companies?where={}", "all", "1"), ("/-/views/{}", "title", "x"), ("/-/views/companies", "for", "role:{}"),
         ("/-/views/companies", "for", "{}"), ("/-/kanban/{}/1", "value", "x"), ("/-/kanban/opportunities/1", "value", '"{}"'),
         ("/my-account/settings", "{}", "x"), ("/my-account/settings", "time_zone", "{}"), ("/my-account/tokens", "scopes", "read:{}"),
         ("/admin/settings/{}", "value", "x"))


@pytest.fixture(scope="module")
def known(crm: Crm) -> list[int]:
    """A company and an opportunity, so that there is something to read."""
    return [crm.create("company", name="Slots", city="Bonn"), crm.create("opportunity", name="Slots")]


def errors(crm: Crm, since: int) -> list[str]:
    """What PostgreSQL could not carry out since its log was that long."""
    with (crm.site.home / "postgres" / "log").open("rb") as log:
        log.seek(since)
        return [line for line in log.read().decode("utf-8", "replace").splitlines() if "ERROR" in line or "FATAL" in line]


def length(crm: Crm) -> int:
    return (crm.site.home / "postgres" / "log").stat().st_size


@pytest.fixture
def nothing_breaks(crm: Crm, known: list[int]) -> Iterator[None]:
    """No statement of the test fails in PostgreSQL, for whatever reason, and the server does not either."""
    before, faults = length(crm), len(crm.faults())
    yield
    assert errors(crm, before) == []
    assert crm.faults()[faults:] == []


def address(slot: str, evil: str) -> str:
    path, mark, query = slot.partition("?")
    filled = path.format(quote(evil, safe=""))
    return filled + mark + "&".join("=".join(quote(part.replace("{}", evil), safe="") for part in pair.partition("=")[::2])
                                    for pair in query.split("&")) if mark else filled


def test_the_log_tells_of_a_statement_that_breaks(crm: Crm) -> None:
    before = length(crm)
    with pytest.raises(DataError):
        crm.one("select 1 / 0")
    assert len(errors(crm, before)) == 1
    assert address("a/{}?b={}:c&d=1", 'x"%') == "a/x%22%25?b=x%22%25%3Ac&d=1"


@pytest.mark.usefixtures("nothing_breaks")
@pytest.mark.parametrize("slot", API)
def test_past_case_4_no_name_in_the_api_reaches_sql(crm: Crm, slot: str) -> None:
    for evil in EVIL:
        for login in ("admin", SELLER):
            answer = crm.api(login).get("/api/v1/" + address(slot, evil))
            assert answer.status in (200, 400, 403, 404, 405, 422), (slot, evil, answer.text)


@pytest.mark.usefixtures("nothing_breaks")
@pytest.mark.parametrize("slot", PAGES)
def test_past_case_4_no_name_in_an_address_of_a_page_reaches_sql(crm: Crm, slot: str) -> None:
    for evil in EVIL:
        answer = crm.browser("admin").get(address(slot, evil))
        assert answer.status in (200, 303, 400, 403, 404, 405, 422), (slot, evil, answer.text[:500])


@pytest.mark.usefixtures("nothing_breaks")
@pytest.mark.parametrize(("slot", "key", "value"), FORMS)
def test_past_case_4_no_name_in_a_form_reaches_sql(crm: Crm, slot: str, key: str, value: str) -> None:
    for evil in EVIL:
        answer = crm.browser("admin").post(address(slot, evil), (key.replace("{}", evil), value.replace("{}", evil)))
        assert answer.status < 500, (slot, evil, answer.text[:500])


@pytest.mark.usefixtures("nothing_breaks")
def test_past_case_4_no_name_in_a_body_reaches_sql(crm: Crm, known: list[int]) -> None:
    admin = crm.api("admin")
    for evil in EVIL:
        for method, path, body in (
                ("POST", "company", {"name": "x", evil: 1}), ("POST", "company", {"name": "x", "contacts": [{evil: 1}]}),
                ("POST", "company", {"name": "x", "industry": evil}), ("POST", "opportunity", {"name": "x", "stage": evil}),
                ("POST", "company", [{"name": "x"}, {evil: 1}]), ("PATCH", f"company/{known[0]}", {"_version": 1, evil: "x"}),
                ("PATCH", f"company?where={quote(evil)}&count=1", {"city": "x"}), ("PATCH", "company", [{"id": known[0], evil: 1}]),
                ("PATCH", f"company?where={quote(f'name == {evil!r} and False')}&count=0", {"city": "x"})):
            answer = admin.ask(method, f"/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
            assert answer.status in (400, 409, 422, 428) or (answer.status == 200 and "count=0" in path), (evil, body, answer.text)
        made = admin.send("POST", "/api/v1/tag", {"name": f"{len(evil)} {evil.strip()}"[:80]})
        assert made.status in (201, 422), (evil, made.text)
