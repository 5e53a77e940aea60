"""Everything that can be asked without changing anything: each entry point with each table, field and record."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from werkzeug.test import TestResponse

from core.definition.model import Model, Table
from tests.matrix.house import House

MARK = re.compile(r"zq\d+x")
TYPING: Mapping[str, str] = {"HX-Request": "true"}
ANY = "zq1"                         # what many marks begin with
# How a field is named to the API: the parameter, and what it says of the field.
USES: Mapping[str, str] = {
    "fields": "{}", "where": "{} is None", "order": "-{}", "group": "{}", "aggregate": "count(),max({})",
    "where more": "{} > 'zq5'", "where within": "{} in ['zq1', 'zq2']", "where sum": "sum(all.{table}.{}) > 1",
    "where exists": "exists(all.{table}[{} is not None])"}


@dataclass(frozen=True)
class Ask:
    """A request that only reads."""

    path: str
    typing: bool = False            # in the search box

    @property
    def headers(self) -> Mapping[str, str]:
        """What it is sent with."""
        return TYPING if self.typing else {}


def asks(house: House) -> Iterator[Ask]:
    """All of them."""
    model = house.model
    yield from map(Ask, ("/", "/my-account", "/my-account/tokens", "/-/token", "/api/v1/openapi.json", "/nothing",
                         "/-/live", "/-/ready", "/login", "/static/0/tessera.css", "/set-up/none", "/admin",
                         "/admin/access", "/admin/caches", "/admin/plan", "/admin/rollback/1", "/admin/settings",
                         "/admin/settings/watchword", "/admin/settings/least_rank", "/admin/promotions",
                         "/admin/promotions/1", "/admin/promotions/1/progress", "/admin/drift", "/admin/drift/warning",
                         "/admin/parked", "/admin/parked/purge", "/admin/offline", "/offline", "/offline/",
                         "/offline/companies", "/api/v1/nothing"))
    yield from searches(house)
    for table in model.tables.values():
        yield from of_table(house, table)
    for name, thing in model.objects.items():
        yield from of_object(house, name, model.tables.get(thing.of))
    for name, query in model.queries.items():
        for more in ("", "?rank=1", "?code=zq1", "?city=zq1", "?limit=1", "?offset=1"):
            yield Ask(f"/api/v1/query/{name}{more}")
        for parameter in query.parameters:
            yield Ask(f"/-/lookup/query/{name}.parameters.{parameter}?q={ANY}")


def searches(house: House) -> Iterator[Ask]:
    """The search box, typed into and sent."""
    for words in (ANY, "zq", "2000", "example", "said", *list(house.marks)[::11]):
        yield Ask(f"/search?q={words}")
        yield Ask(f"/search?q={words}", typing=True)


def of_table(house: House, table: Table) -> Iterator[Ask]:
    """A table, its fields and its records."""
    base = f"/api/v1/{table.name}"
    yield from map(Ask, (base, f"{base}?count=1&limit=2", f"{base}?q={ANY}", f"{base}?q={ANY}&count=1",
                         f"{base}?aggregate=count()", *(f"{base}?format={kind}" for kind in ("csv", "json", "xlsx"))))
    for name in names(table):
        yield from of_field(house.model, table, name)
    for record in house.of(table.name):
        if record.table != table.name:
            continue
        yield from map(Ask, (f"{base}/{record.id}", f"/-/open/{table.name}/{record.id}", f"/-/open/-/{record.id}"))
        for name, one in table.fields.items():
            if one.type.is_file:
                yield from map(Ask, (f"/-/file/{table.name}/{record.id}/{name}", f"{base}/{record.id}/{name}"))


def names(table: Table) -> list[str]:
    """The fields of a table and the paths that lead one step further."""
    return [*table.fields, "created_by", "changed_on"]


def of_field(model: Model, table: Table, name: str) -> Iterator[Ask]:
    """A field in every place where a field is named."""
    base = f"/api/v1/{table.name}"
    for use, says in USES.items():
        yield Ask(f"{base}?{use.split()[0]}={quote(says.format(name, table=table.name))}")
    yield Ask(f"{base}?group={name}&aggregate=n:count(),m:max({name})&having=n%3E0&order=-{name}")
    yield Ask(f"{base}?aggregate=a:sum({name})")
    yield Ask(f"{base}?format=csv&fields={name}")
    yield Ask(f"{base}?format=json&order={name}")
    for place in ("lookup", "names"):
        yield Ask(f"/-/{place}/{table.name}/{name}?q=")
        yield Ask(f"/-/{place}/{table.name}/{name}?q={ANY}")
    found = table.fields.get(name)
    target = model.tables.get(found.target or "") if found is not None else None
    for further in target.fields if target is not None else ():
        for use in ("fields", "order", "where"):
            yield Ask(f"{base}?{use}={quote(USES[use].format(f'{name}.{further}'))}")


def of_object(house: House, name: str, table: Table | None) -> Iterator[Ask]:
    """The pages of a business object."""
    thing = house.model.objects[name]
    pages = ["", "?trash=1", f"?q={ANY}", "?mode=kanban", "?limit=2", "?exact=1", "/export?format=csv",
             "/export?format=json", "/export?format=xlsx", "/new", "/import", f"/import/{house.upload}", f"/import/{house.upload}/errors", "?p.rank=1", "?p.code=zq1"]
    pages += [f"?{urlencode({'list': one})}" for one in thing.lists]
    pages += [f"?list={one}&mode=kanban" for one in thing.lists]
    pages += [f"?view={house.views[name]}", f"/export?format=csv&view={house.views[name]}"] if name in house.views else []
    definition = house.model.lists.get(thing.lists[0]) if thing.lists else None
    pages += [f"?f={one}" for one in (definition.filters if definition is not None else ())]
    for one in names(table) if table is not None else ():
        pages += [f"?sort={one}", f"?columns={one}", f"?group={one}", f"?where={quote(f'{one} is None')}",
                  f"/new?{one}=1", f"/export?format=csv&columns={one}", f"?group={one}&in={quote('[null]')}",
                  f"?add={one}"]
    yield from (Ask(f"/{name}{page}") for page in pages)
    if name in house.views:
        yield from (Ask(f"/-/views/{name}/{page}") for page in ("new", house.views[name]))
    for record in house.of(thing.of) if table is not None else ():
        place = f"/{name}/{record.id}"
        yield from (Ask(place + page) for page in ("", "?edit=1", "/history", "/version?at=1", "/version?at=1&with=2"))
        yield from (Ask(f"{place}/attachments/{file}") for file in house.attachments.get(record.id, ()))


def text_of(answer: TestResponse) -> str:
    """What an answer says, that of a workbook unpacked."""
    data = answer.get_data()
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as workbook:
            data = b"".join(workbook.read(name) for name in sorted(workbook.namelist()) if "docProps" not in name)
    return data.decode("utf-8", "replace")


def marks_in(answer: TestResponse) -> set[str]:
    """The marked texts that an answer tells: in its body and its headers."""
    return set(MARK.findall(text_of(answer))) | set(MARK.findall(str(answer.headers)))


def plain(answer: TestResponse) -> str:
    """An answer without what is another each time: ids of requests, nonces."""
    headers = [(name, re.sub(r"nonce-[^']*", "nonce", value)) for name, value in answer.headers
               if name not in ("X-Request-Id", "Date", "Set-Cookie")
               and not (name == "Content-Length" and answer.get_data()[:2] == b"PK")]       # it says when it was written
    body = re.sub(r'nonce="[^"]*"', "nonce", text_of(answer))
    body = re.sub(re.escape(answer.headers.get("X-Request-Id", "-")), "request", body)
    return f"{answer.status_code}\n{headers}\n{body}"


def sample(found: Iterable[Ask], every: int, start: int = 0) -> Iterator[Ask]:
    """Some of them, evenly; all for 1."""
    yield from (one for number, one in enumerate(found) if number % every == start % every)
