"""Every route with hostile arguments, and every field of every table where it does not belong."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from core.bm.versions import live
from core.definition.model import Field, Model, Table
from core.plugins import Plugins
from core.web.routes import ROUTES
from core.web.routing import Route
from tests.scenarios.client import Answer, Person
from tests.scenarios.hostile import NOBODY, READER, SELLER, Browser, Crm, problems

pytestmark = pytest.mark.usefixtures("no_faults")
ARGUMENTS = ("1", "0", "-1", "1e3", "9223372036854775808", "１", "x", "\x00", "..", "../../etc/passwd", "company", "companies",
             "name", "__class__", "%", "' or 1=1 --", "<script>", "名称", "\ud800", "a" * 3000, "new", "openapi.json")
QUERIES = ("", "?where=(((&order=x&fields=x&q=%00&after=x&sort=x&start=-1&limit=0&next=//evil.example&_kind=x&edit=1")
NUMBERS = itertools.count(700)            # records of tests have names that nobody else uses
SYSTEM = ("id", "_version", "_type", "_delete", "_deleted_on", "created_on", "created_by", "changed_on", "changed_by")


@pytest.fixture(scope="module")
def model(crm: Crm) -> Model:
    """The Model that is live."""
    with crm.owner.connect() as connection:
        return live.system(connection, live.current(connection)[0], Plugins()).model


# Routes

def addresses(route: Route) -> Iterator[str]:
    """Addresses of a route, with each argument in the place of each placeholder."""
    places = re.findall(r"<[^>]+>", route.rule)
    for position, argument in itertools.product(range(max(1, len(places))), ARGUMENTS if places else ("",)):
        path = route.rule
        for number, place in enumerate(places):
            filler = argument if number == position else "company" if "table" in place else "1"
            path = path.replace(place, quote(filler, safe="", errors="surrogatepass"), 1)
        yield path


def ask(who: Person, route: Route, path: str, csrf: str) -> Answer:
    body = f"_csrf={csrf}&_version=1".encode() if route.methods[0] != "GET" else None
    return who.ask(route.methods[0], path, body, {"Content-Type": "application/x-www-form-urlencoded"} if body else {})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods[0]} {route.rule}")
def test_past_case_11_strangers_and_nobodies_get_nothing_anywhere(crm: Crm, route: Route) -> None:
    if route.rule in ("/logout", "/login"):         # these are for everybody
        return
    stranger, nobody = Person(crm.site.address), crm.browser(NOBODY)
    foreign = crm.browser("admin").token_of_forms
    with crm.refused():
        for path in addresses(route):
            for query in QUERIES:
                answer = ask(stranger, route, path + query, foreign)
                assert answer.status < 500, path
                if route.auth in ("session", "token"):
                    assert answer.status in (303, 401, 403, 404, 405, 414), path
                    assert answer.status != 303 or answer.headers["location"].startswith("/login")
                answer = ask(nobody, route, path + query, nobody.token_of_forms)
                assert answer.status < 500, path
                assert route.right != "administrator" or answer.status in (403, 404), path
                assert route.right != "records" or b"Untouched" not in answer.body


# What is behind /offline/ is another system, which begins with the first request (tests/core/cli/test_offline.py).
@pytest.mark.parametrize("route", [route for route in ROUTES if route.methods[0] == "GET" and route.auth != "offline"],
                         ids=lambda route: route.rule)
def test_nothing_an_administrator_opens_fails(crm: Crm, route: Route) -> None:
    admin = crm.browser("admin")
    with crm.refused():
        for path in addresses(route):
            for query in QUERIES:
                assert admin.get(path + query).status < 500, path


# Fields

def concrete(model: Model) -> list[Table]:
    return [table for table in model.tables.values() if not table.abstract]


def sample(crm: Crm, model: Model, field: Field) -> Any:
    """A value that would do, as JSON."""
    plain = {"text": "Ab", "memo": "Ab", "integer": 7, "decimal": "7", "money": "7", "percent": "7", "boolean": True,
             "date": "2020-02-02", "datetime": "2020-02-02T02:02:02Z", "email": "a@b.example", "url": "https://a.example",
             "phone": "+49 30 1234567", "sequence": "X-1", "lines": [], "file": {"name": "a.txt", "content": "YQ=="}}
    kind = field.type.name
    if kind == "choice":
        value: Any = next(iter(model.choices[field.properties.of].values), "x")     # type: ignore[attr-defined]
    elif kind == "link":
        found = crm.api("admin").get(f"/api/v1/{field.target}", limit="1").json()["records"]
        value = found[0]["id"] if found else 1
    else:
        value = plain[kind]
    return [value] if field.many else value


def made(crm: Crm, model: Model, table: Table) -> dict[str, Any]:
    """A record of a table, by the administrator."""
    values = {name: made(crm, model, model.tables[field.target])["id"] if field.target else sample(crm, model, field)
              for name, field in table.fields.items() if field.required is True and field.type.name != "sequence"}
    number = next(NUMBERS)
    for name in values:
        if table.fields[name].type.name == "text":
            values[name] = "".join(chr(65 + number // 26**place % 26) for place in (2, 1, 0))
    answer = crm.api("admin").send("POST", f"/api/v1/{table.name}", values)
    assert answer.status == 201, (table.name, answer.text)
    return dict(crm.api("admin").get(f"/api/v1/{table.name}/{answer.json()['id']}").json())


def settable(field: Field) -> bool:
    return field.formula is None and field.readonly is not True and field.type.name != "sequence"


def test_past_case_19_only_what_is_declared_is_changed_and_nothing_beside_it(crm: Crm, model: Model) -> None:
    admin = crm.api("admin")
    for table in concrete(model):
        record = made(crm, model, table)
        path = f"/api/v1/{table.name}/{record['id']}"
        follows = {f for f, x in table.fields.items() if x.formula is not None or x.suggest is not None}
        for name in (*SYSTEM, *table.fields, "nothing", f"{table.name}.name", "__class__"):
            field = table.fields.get(name)
            value = 5 if field is None else sample(crm, model, field)
            answer = admin.send("PATCH", path, {"_version": record["_version"], name: value} if name != "_version" else
                                {"_version": 99})
            if field is None or not settable(field):
                assert answer.status in (400, 409, 422), (table.name, name, answer.text)
                assert admin.get(path).json() == record
                continue
            assert answer.status in (200, 422), (table.name, name, answer.text)
            after = admin.get(path).json()
            changed = {key for key in after if after[key] != record.get(key)}
            assert changed <= {name, f"{name}_title", "_version", *follows}, (table.name, name)
            assert answer.status == 200 or not changed
            record = after


def test_past_case_19_nothing_undeclared_comes_into_a_new_record(crm: Crm, model: Model) -> None:
    with crm.refused():
        for table in concrete(model):
            for name in (*SYSTEM, *(n for n, f in table.fields.items() if not settable(f)), "nothing", "__class__", "user.name"):
                value = sample(crm, model, table.fields[name]) if name in table.fields else 5
                answer = crm.api("admin").send("POST", f"/api/v1/{table.name}", {name: value})
                assert answer.status == 422 and problems(answer)[name] in ("system", "computed", "readonly", "unknown"), name


@pytest.mark.parametrize("login", [READER, NOBODY])
def test_past_case_8_those_without_the_right_change_no_field_of_any_table(crm: Crm, model: Model, login: str) -> None:
    who: Browser = crm.browser(login)
    proof = {"X-CSRF-Token": who.token_of_forms, "Content-Type": "application/json"}
    for table in concrete(model):
        record = made(crm, model, table)
        with crm.refused():
            for name, field in table.fields.items():
                body = {name: sample(crm, model, field)}
                for method, path in (("POST", f"/api/v1/{table.name}"), ("PATCH", f"/api/v1/{table.name}/{record['id']}")):
                    if method == "POST" and table.name == "tag" and login == READER:
                        continue                    # every employee makes tags
                    sent = {**body, "_version": 1} if method == "PATCH" else body
                    answer = who.ask(method, path, json.dumps(sent).encode(), proof)
                    assert answer.status in (403, 404), (table.name, name, method, answer.text)
            assert who.ask("DELETE", f"/api/v1/{table.name}/{record['id']}", None, proof).status in (403, 404)


def test_past_case_10_people_give_themselves_no_rights(crm: Crm) -> None:
    for login in (SELLER, READER, NOBODY):
        who, own = crm.browser(login), crm.user(login)
        proof = {"X-CSRF-Token": who.token_of_forms, "Content-Type": "application/json"}
        with crm.refused():
            for path, body in (("/api/v1/role_assignment", f'{{"user": {own}, "role": "administrator"}}'),
                               ("/api/v1/team", f'{{"name": "x", "members": [{own}]}}'),
                               ("/api/v1/user", '{"name": "x"}')):
                assert who.ask("POST", path, body.encode(), proof).status in (403, 404)
            for body in (f'{{"_version": 1, "roles": [{{"user": {own}, "role": "administrator"}}]}}',
                         '{"_version": 1, "roles": [{"role": "administrator"}]}', '{"_version": 1, "manager": null}',
                         '{"_version": 1, "active": false}', '{"_version": 1, "department": null}',
                         '{"_version": 1, "reports": [{"name": "x"}]}'):
                answer = who.ask("PATCH", f"/api/v1/user/{own}", body.encode(), proof)
                assert answer.status in (403, 404, 422), body
            for role in ("administrator", "sales_manager"):
                answer = who.save(f"/users/{own}", 1, ("roles~", "1"), ("roles.0.role", role))
                assert answer.status in (403, 404, 422)
                assert who.post("/role_assignments/new", ("user", str(own)), ("role", role)).status in (403, 404)


def test_past_case_19_forms_take_no_field_that_is_not_on_them(crm: Crm, model: Model) -> None:
    """Every field of every table, and every other table's fields, to the form of every object."""
    admin, names = crm.browser("admin"), sorted({name for table in model.tables.values() for name in table.fields})
    for thing in model.objects.values():
        table = model.tables[thing.of]
        if table.kinds or thing.rows is not None:       # rows of a query have no forms
            continue
        path = f"/{thing.name}/{made(crm, model, table)['id']}"
        page = admin.get(f"{path}?edit=1").text
        on_form = set(re.findall(r'name="([\w.]+)[~-]?"', page)) | set(re.findall(r'data-name="(\w+)"', page))
        with crm.refused():
            for name in (*SYSTEM, *names):
                if name in on_form or name == "_version":
                    continue
                answer = admin.save(path, 1, (name, "5"))
                assert answer.status == 422, (thing.name, name, answer.status)
