"""A small live system of its own definitions: people, companies in a tree, deals with lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, text

from core.bm import service
from core.bm.follow import Systems
from core.bm.versions import live
from core.database import engine as engines
from core.ed.records import Records
from core.ed.session import Principals, Session
from core.plugins import Plugins
from core.settings import Settings
from tests.first_version import copied, users_of

BASE = {
    "addon.yaml": "addon: people\nversion: 1.0.0\n",
    "tables/user.yaml": """
table: user
title: User
plural: Users
display: "{name}"
keeps: [history]
people: id
above: manager
epoch: true
fields:
  name:      {type: text, required: true}
  manager:   {type: link, to: user, on_delete: clear}
  job:       {type: text}
  language:  {type: text}
  theme:     {type: text}
  time_zone: {type: text}
  photo:     {type: file}
roles:
  self: {is: id}
unique:
  name: {fields: [name]}
""",
    "tables/role_assignment.yaml": """
table: role_assignment
title: Role assignment
plural: Role assignments
display: "{role}"
epoch: true
fields:
  user: {type: link, to: user, required: true, on_delete: cascade}
  role: {type: choice, of: role, required: true}
""",
    "tables/organisation.yaml": """
table: organisation
title: Organisation
plural: Organisations
display: "{name}"
fields:
  name:      {type: text}
  currency:  {type: link, to: currency}
  time_zone: {type: text}
""",
    "tables/currency.yaml": """
table: currency
title: Currency
plural: Currencies
display: "{code}"
fields:
  code: {type: text}
  rate: {type: decimal}
""",
    "tables/team.yaml": """
table: team
title: Team
plural: Teams
display: "{name}"
keeps: [history]
people: members
epoch: true
fields:
  name:    {type: text, required: true}
  members: {type: link, to: user, many: true}
unique:
  name: {fields: [name]}
""",
    "roles/administrator.yaml": "role: administrator\ntitle: Administrator\nall: true\n",
}
DEALS = {
    "addon.yaml": "addon: deals\nversion: 1.0.0\nneeds: [people]\n",
    "sequences/deal.yaml": 'sequence: deal\nformat: "D-{number:4}"\ngaps: none\n',
    "choices/stage.yaml": """
choices: stage
values:
  open: {title: Open}
  won:  {title: Won deal}
  lost: {title: Lost}
""",
    "tables/company.yaml": """
table: company
title: Company
plural: Companies
display: "{name}"
keeps: [history]
fields:
  name:    {type: text, max: 80, required: true, search: contains}
  city:    {type: text}
  size:    {type: integer, min: 0}
  revenue: {type: money}
  founded: {type: date}
  parent:  {type: link, to: company, tree: true, on_delete: clear}
  vip:     {type: boolean}
  secret:  {type: text}
  photo:   {type: file}
unique:
  name: {fields: [name]}
""",
    "tables/deal.yaml": """
table: deal
title: Deal
plural: Deals
display: "{name}"
keeps: [history]
fields:
  code:     {type: sequence, sequence: deal}
  key:      {type: text}
  name:     {type: text, required: true}
  company:  {type: link, to: company, on_delete: restrict}
  owner:    {type: link, to: user, default: =user}
  stage:    {type: choice, of: stage, default: open}
  begun:    {type: date, default: =today()}
  closed:   {type: date}
  amount:   {type: money}
  chance:   {type: percent}
  expected: {type: money, formula: amount * chance / 100}
  lines:    {type: lines, of: line, by: deal}
roles:
  owner: {is: owner}
rules:
  dates: {check: closed >= begun, message: "It closes before it begins."}
unique:
  key: {fields: [key]}
""",
    "tables/line.yaml": """
table: line
title: Line
plural: Lines
display: "{item}"
access: {through: [deal]}
keeps: [history]
fields:
  deal:     {type: link, to: deal, required: true, on_delete: cascade}
  item:     {type: text, required: true}
  quantity: {type: decimal, default: 1}
""",
    "roles/seller.yaml": """
role: seller
title: Seller
grants:
  user: {read: true}
  company: {read: true, create: true}
  company.secret: {read: false, create: false}
  deal: {create: true, read: [owner], change: [owner], delete: [owner]}
""",
}
SITE = ("system: small\ntitle: Small\naddons: [people, deals]\nlanguages: [en]\ncurrency: EUR\n"
        "time_zone: Europe/Berlin\n")


@dataclass
class Small:
    """A live system and its people: `ada` is an administrator, `bob` and `eve` sell."""

    settings: Settings
    owner: Engine
    engine: Engine
    systems: Systems
    users: dict[str, int]

    @contextmanager
    def session(self, user: str = "ada", how: str = "page") -> Iterator[Session]:
        with engines.transaction(self.engine) as connection:
            version, epoch = live.current(connection)
            with self.systems.pin(version) as system:
                assert system is not None
                principals = Principals.load(connection, system, self.users[user], epoch)
                yield Session.open(system, connection, principals, how=how, zone="Europe/Berlin")

    @contextmanager
    def records(self, user: str = "ada") -> Iterator[Records]:
        with self.session(user) as session:
            yield Records(session)

    def create(self, table: str, **values: Any) -> int:
        with self.records() as records:
            return int(records.create(table, [values])[0])

    def read(self, table: str, id_: int) -> dict[str, Any]:
        with self.records() as records:
            return dict(records.read(table, [id_])[0])

    def all(self, table: str, where: str | None = None, fields: tuple[str, ...] = ("name",)) -> list[dict[str, Any]]:
        with self.records() as records:
            return [dict(record) for record in records.page(table, fields, where, order=["id"], limit=1_000).records]

    def sql(self, statement: str, **parameters: Any) -> list[Any]:
        with self.owner.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]


@contextmanager
def small_system(database: Settings, folder: Path, more: Mapping[str, str] = MappingProxyType({})) -> Iterator[Small]:
    """Promote the definitions into a fresh database and add its people; `more` are files of the addon `deals`."""
    _write(folder / "addons" / "people", BASE)
    _write(folder / "addons" / "deals", DEALS | dict(more))
    _write(folder / "site", {"system.yaml": SITE})
    settings = database.model_copy(update={"addons": (folder / "addons",), "metadata": folder / "site"})
    copied(settings, "small", _fill)
    owner, engine = engines.open(settings, "owner"), engines.open(settings, "app")
    try:
        yield Small(settings, owner, engine, Systems(engine, Plugins()), users_of(owner))
    finally:
        engine.dispose()
        owner.dispose()


def _fill(settings: Settings, owner: Engine) -> None:
    plugins = Plugins()
    service.promote_folder(settings, owner, plugins=plugins)
    with engines.transaction(owner) as connection:
        system = live.system(connection, live.current(connection)[0], plugins)
        records = Records(Session.system_session(system, connection))
        for login, role in (("ada", "administrator"), ("bob", "seller"), ("eve", "seller")):
            user = records.create("user", [{"name": login.title()}])[0]
            records.create("role_assignment", [{"user": user, "role": role}])
            connection.execute(text("insert into sys.account (user_id, login) values (:user, :login)"),
                               {"user": user, "login": login})


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.lstrip("\n"), encoding="utf-8")


def forget_settings(owner: Engine) -> None:
    """Make every setting what it was shipped as, for all who have read it."""
    with owner.begin() as connection:
        connection.execute(text("delete from sys.setting where key like 'setting.%'"))
        connection.execute(text("delete from sys.setting_change"))
        connection.execute(text("update bm.live set epoch = epoch + 1"))
