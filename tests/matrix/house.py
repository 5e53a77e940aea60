"""A live system of the shipped addons and the hostile one, full of marked values, with somebody for each role."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from werkzeug.test import Client, TestResponse

from core.bm import service
from core.bm.follow import Systems
from core.bm.versions import live
from core.database import engine as engines
from core.definition.model import Field, Model, Table
from core.ed import beside, saved_views
from core.ed.accounts import create_user
from core.ed.files import FileStore, Upload
from core.ed.records import Records
from core.ed.saved_views import Audience
from core.ed.search_index import index_queue, queue_all
from core.ed.session import Principals, Session
from core.ed.staging import stage
from core.errors import Invalid, TesseraError
from core.plugins import Plugins
from core.settings import Settings
from core.web import accounts, tokens
from core.web.application import Application

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
ADDONS = (FIXTURES / "hostile",)
PEOPLE: Mapping[str, Sequence[str]] = {
    "administrator": ["administrator"], "employee": ["employee"], "party_reader": ["party_reader"],
    "salesperson": ["salesperson"], "sales_manager": ["sales_manager"], "product_manager": ["product_manager"],
    "auditor": ["auditor"], "warden": ["warden"], "ranker": ["ranker"], "outsider": ["outsider"],
    "mixed": ["warden", "ranker", "outsider"], "nobody": []}
TOKENS: Mapping[str, tuple[str, Sequence[str]]] = {
    "reading auditor": ("auditor", ["read"]), "company reader": ("sales_manager", ["read:company"])}
UNMARKED = frozenset(("user.name", "user.time_zone", "organisation.time_zone", "organisation.name"))
LEFT = frozenset(("user.language", "user.theme", "user.active", "organisation.currency"))
SHIPPED = frozenset(("currency", "organisation", "role_assignment", "user"))      # tables that are filled already
SENT = -1                           # stands for the record of what is marked in a file that was sent
PICTURE = (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff"
           b"\xff?\0\5\xfe\2\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82")


@dataclass(frozen=True)
class Record:
    """A record as core itself reads it."""

    id: int
    table: str
    values: Mapping[str, Any]
    trashed: bool


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: signed in with a browser and with a token, or a stranger."""

    name: str
    user: int = 0
    roles: tuple[str, ...] = ()
    cookie: str = ""
    csrf: str = ""
    token: str = ""
    scopes: tuple[str, ...] | None = None


@dataclass
class House:
    """The system, what is in it, and who may come in."""

    settings: Settings
    owner: Engine
    engine: Engine
    systems: Systems
    model: Model
    callers: dict[str, Caller] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)
    marks: dict[str, tuple[int, str]] = field(default_factory=dict)     # a marked text: the record and field it is of
    attachments: dict[int, list[int]] = field(default_factory=dict)
    views: dict[str, int] = field(default_factory=dict)
    upload: int = 1                     # a file for an import, which the administrator has sent
    touched: set[tuple[str, str]] = field(default_factory=set)          # rules and methods of routes that were asked
    number: Iterator[int] = field(default_factory=lambda: itertools.count(1000))

    def __post_init__(self) -> None:
        self.real = self._application(self.engine)
        self.dry = self._application(_Dry(self.engine))     # type: ignore[arg-type]  # it connects like an engine

    def _application(self, engine: Engine) -> Client:
        application = Application(self.settings, engine, self.systems)
        match = application.routes.match

        def noted(request: Any) -> Any:
            found = match(request)
            self.touched.add((found[0].rule, request.method))
            return found
        application.routes.match = noted        # type: ignore[method-assign]  # to see which routes are asked
        return Client(application, use_cookies=False)

    def ask(self, caller: Caller, method: str, path: str, *, dry: bool = False, headers: Mapping[str, str] | None = None,
            **body: Any) -> TestResponse:
        """Send a request as somebody; by token to the API, else as a page. `dry`: whatever it does is taken back."""
        sent = dict(headers or {})
        if path.startswith("/api/"):
            sent |= {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        elif caller.cookie:
            sent["Cookie"] = f"sid={caller.cookie}"
        if method == "POST" and not path.startswith("/api/"):
            body["data"] = [("_csrf", caller.csrf), *_pairs(body.get("data"))] if "files" not in body else \
                {"_csrf": caller.csrf, **(body.get("data") or {}), **body.pop("files")}
            sent["Origin"] = "http://localhost"
            if isinstance(body["data"], list):
                body["data"] = _multi(body["data"])
        return (self.dry if dry else self.real).open(path, method=method, headers=sent, **body)

    @contextmanager
    def session(self, login: str | None = None) -> Iterator[Session]:
        """The record service in a transaction, as core itself or as somebody."""
        with engines.transaction(self.owner) as connection:
            version, epoch = live.current(connection)
            system = live.system(connection, version, Plugins())
            session = Session.system_session(system, connection) if login is None else Session.open(
                system, connection, Principals.load(connection, system, self.callers[login].user, epoch))
            session.files = FileStore(self.settings.home / "files")
            yield session

    def of(self, table: str) -> list[Record]:
        """The records of a table and of the tables under it."""
        kinds = {table, *self.model.tables[table].kinds}
        return [one for one in self.records.values() if one.table in kinds]

    def mark(self, record: int, name: str) -> str:
        """A text that stands nowhere else."""
        found = f"zq{next(self.number)}x"
        self.marks[found] = (record, name)
        return found

    def reindex(self) -> None:
        """Bring the search index up to date."""
        with self.session() as session:
            queue_all(session.connection, session.system)
            while index_queue(session.connection, session.system):
                pass

    def reload(self) -> None:
        """Read all records anew."""
        self.records = {}
        with self.session() as session:
            records = Records(session)
            for name, table in self.model.tables.items():
                if table.abstract:
                    continue
                fields = [one for one, kind in table.fields.items() if not kind.virtual and kind.formula is None]
                for trash in (False, True):
                    ids = session.connection.scalars(_ids_of(session, name)).all()
                    for row in records.read(name, ids, [*fields, "created_by"], trash=trash):
                        self.records[row["id"]] = Record(row["id"], name, dict(row), trash)


class _Dry:
    """Connections that take back what they are told to keep."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def connect(self) -> Connection:
        connection = self._engine.connect()
        connection.commit = connection.rollback         # type: ignore[method-assign]
        return connection


def _ids_of(session: Session, name: str) -> Any:
    from sqlalchemy import select
    stored = session.system.stored(name)
    return select(stored.table.c.id).where(stored.table.c["_type"] == session.system.identities[name]).order_by(
        stored.table.c.id)


def _pairs(data: Any) -> list[tuple[str, str]]:
    return list(data.items()) if isinstance(data, Mapping) else list(data or ())


def _multi(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


@contextmanager
def house(database: Settings) -> Iterator[House]:
    """The system, promoted, filled and indexed; the same for the same seed."""
    settings = database.model_copy(update={"addons": ADDONS, "metadata": FIXTURES / "vault_site", "rate": 0,
                                           "anonymous_rate": 0})
    owner = engines.open(settings, "owner")
    service.promote_folder(settings, owner, plugins=Plugins())
    engine = engines.open(settings, "app")
    systems = Systems(engine, Plugins())
    with owner.connect() as connection:
        model = live.system(connection, live.current(connection)[0], Plugins()).model
    found = House(settings, owner, engine, systems, model)
    try:
        _fill(found, random.Random(7))
        yield found
    finally:
        engine.dispose()
        owner.dispose()


def _fill(found: House, chance: random.Random) -> None:
    _people(found)
    tables = [table for name, table in found.model.tables.items() if not table.abstract and name not in SHIPPED]
    made: dict[str, list[int]] = {"user": [one.user for one in found.callers.values() if one.user]}
    with found.session() as session:
        records = Records(session)
        for name in ("currency", "organisation"):
            made[name] = [row["id"] for row in records.page(name, ["id"]).records]
        waiting = list(tables)
        while waiting:
            table = waiting.pop(0)
            if all(_targets(found.model, made, one) for one in _needed(table)):
                for _ in range(8 if table.name in ("asset", "ship", "part", "opportunity") else 5):
                    made.setdefault(table.name, []).append(_create(found, records, table, made, chance))
            else:
                waiting.append(table)
    for marked in range(2):
        with found.session() as session:
            for table in [*tables, found.model.tables["organisation"], found.model.tables["user"]]:
                for id in made[table.name]:
                    _change(found, Records(session), table, id, made, chance, linked=marked == 1)
    _beside(found, made)
    _close(found, made, chance)
    _views(found)
    _upload(found)
    found.reload()
    found.reindex()


def _people(found: House) -> None:
    with found.session() as session:
        users = {login: create_user(session, login, login.title(), roles) for login, roles in PEOPLE.items()}
        for login in PEOPLE:
            account = session.connection.scalar(text("select id from sys.account where login = :login"),
                                                {"login": login})
            cookie = accounts.open_session(session.connection, account)
            csrf = session.connection.scalar(text("select csrf from sys.session where account_id = :id"),
                                             {"id": account})
            made = {name: tokens.create(session.connection, found.model, account, name, scopes, 10)
                    for name, scopes in (("all", ["read", "write", "export"]),
                                         *((name, scopes) for name, (of, scopes) in TOKENS.items() if of == login))}
            roles = tuple(PEOPLE[login])
            found.callers[login] = Caller(login, users[login], roles, cookie, str(csrf), made.pop("all"))
            for name, token in made.items():
                found.callers[name] = Caller(name, users[login], roles, cookie, str(csrf), token,
                                             tuple(TOKENS[name][1]))
        found.callers["stranger"] = Caller("stranger")


def _needed(table: Table) -> list[Field]:
    return [one for one in table.fields.values() if one.required is True and one.target is not None]


def _targets(model: Model, made: Mapping[str, list[int]], one: Field) -> list[int]:
    """The records that a link may lead to, as far as they are there."""
    if one.type.name == "any_link":
        return made.get("asset", []) + made.get("company", [])
    names = getattr(one.properties, "to", None) or one.target
    found: list[int] = []
    for name in [names] if isinstance(names, str) else names:
        for kind in (name, *model.tables[name].kinds):
            found += made.get(kind, [])
    return found


def _create(found: House, records: Records, table: Table, made: dict[str, list[int]], chance: random.Random) -> int:
    values: dict[str, Any] = {}
    pending: list[str] = []
    for name, one in table.fields.items():
        if one.required is True and "default" not in one.written:
            value = _value(found, table, one, 0, made, chance)
            if value is not None:
                values[name] = value
                pending += [value] if value in found.marks else []
    id = int(records.create(table.name, [values])[0])
    for mark in pending:
        found.marks[mark] = (id, found.marks[mark][1])
    return id


def _change(found: House, records: Records, table: Table, id: int, made: Mapping[str, list[int]],
            chance: random.Random, *, linked: bool) -> None:
    """Give a record values for all it can have; fields that do not go together are left out."""
    wanted = {name: one for name, one in table.fields.items()
              if one.formula is None and not one.virtual and one.type.name != "sequence" and one.readonly is not True
              and f"{table.name}.{name}" not in LEFT and name not in ("closed",)
              and (one.target is None or linked) and (name not in ("one", "two") or not linked)}
    values = {name: value for name, one in wanted.items() if chance.random() < 0.9
              and (value := _value(found, table, one, id, made, chance)) is not None}
    for _ in range(12):
        if not values:
            return
        row = records.read(table.name, [id], ["id"])[0]
        try:
            with records.session.connection.begin_nested():
                records.update(table.name, [{"id": id, "_version": row["_version"], **values}])
            return
        except Invalid as invalid:
            names = {problem.field.split(".")[0] for problem in invalid.problems}
            for name in (names & values.keys()) or [chance.choice(sorted(values))]:
                del values[name]
    raise AssertionError(f"{table.name} {id} takes no values")


def _value(found: House, table: Table, one: Field, id: int, made: Mapping[str, list[int]],
           chance: random.Random) -> Any:
    """A value for a field, marked where it is a text."""
    if f"{one.table}.{one.name}" in UNMARKED or one.name == "time_zone":
        return "Europe/Berlin" if one.name == "time_zone" else None
    if one.type.name in ("link", "any_link"):
        among = _targets(found.model, made, one)
        if not among:
            return None
        return chance.sample(among, min(2, len(among))) if one.many else chance.choice(among)
    number = next(found.number)
    match one.type.name:
        case "text" | "memo":
            return found.mark(id, one.name)
        case "email":
            return f"{found.mark(id, one.name)}@example.com"
        case "url":
            return f"https://{found.mark(id, one.name)}.example/"
        case "phone":
            return f"+4930{20_000_000 + number}"
        case "tags":
            return [found.mark(id, one.name)]
        case "file" | "image" | "document":
            mark = found.mark(id, one.name)
            return Upload(f"{mark}.png", PICTURE) if number % 2 else Upload(f"{mark}.txt", mark.encode())
        case "integer":
            return 71_000_000 + number - 1000
        case "decimal" | "money":
            return Decimal(number) + Decimal("0.25")
        case "percent":
            return Decimal(chance.randrange(1, 99))
        case "boolean":
            return chance.random() < 0.4
        case "date":
            return date(2020, 1, 1) + timedelta(days=number % 2000)
        case "datetime":
            return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number % 2000)
        case "table":
            return chance.choice(("asset", "part", "company"))
        case "choice":
            names = sorted(found.model.choices[str(getattr(one.properties, "of", ""))].values)
            return chance.sample(names, min(2, len(names))) if one.many else chance.choice(names)
    raise AssertionError(f"no value for {one.path} of type {one.type.name}")


def _beside(found: House, made: Mapping[str, list[int]]) -> None:
    """Remarks and attachments, marked as well."""
    with found.session() as session:
        for name, table in found.model.tables.items():
            for id in made.get(name, ())[:4]:
                if "timeline" in table.keeps:
                    beside.remark(session, name, id, f"said {found.mark(id, '')}")
                if "attachments" in table.keeps:
                    mark = found.mark(id, "")
                    file = beside.attach(session, name, id, Upload(f"{mark}.txt", mark.encode()))
                    found.attachments.setdefault(id, []).append(file.id)


def _upload(found: House) -> None:
    """A file that was sent to be imported, marked as its sender's."""
    with found.session("administrator") as session:
        mark = found.mark(SENT, "administrator")
        found.upload = stage(session, Upload("sent.csv", f"name\n{mark}\n".encode())).id


def _close(found: House, made: Mapping[str, list[int]], chance: random.Random) -> None:
    """Some records are locked, one of each table lies in the trash."""
    users = sorted({one.user for one in found.callers.values() if one.user})
    with found.session() as session:
        records = Records(session)
        for name, ids in made.items():
            stored = session.system.stored(name).table
            for id in ids:
                session.connection.execute(stored.update().where(stored.c.id == id).values(
                    created_by=chance.choice(users)))
            if "closed" in found.model.tables[name].fields:
                for row in records.read(name, ids[:3], ["id"]):
                    records.update(name, [{"id": row["id"], "_version": row["_version"], "closed": True}])
            if name in ("user", "currency", "organisation"):
                continue
            for id in ids[-2:]:
                try:
                    with session.connection.begin_nested():
                        records.delete(name, [id])
                except TesseraError:
                    continue
                break


def _views(found: House) -> None:
    """A view of each list for everybody, that names what few may read."""
    with found.session("administrator") as session:
        for name, thing in found.model.objects.items():
            if thing.rows is not None or thing.of not in found.model.tables:
                continue
            fields = [one.name for one in found.model.tables[thing.of].fields.values() if one.type.name == "text"]
            state: dict[str, Any] = {"columns": [*fields, "owner.note"][:20], "sort": fields[-1:]}
            if "secret" in fields:
                state |= {"where": "secret > 'zq'", "group": ["secret"], "sort": ["secret"]}
            found.views[name] = saved_views.save(session, name, f"View of {name}", state, Audience(everyone=True))
