"""Settings: values that people change without a promotion. They stand in sys.setting, and who changed them beside it.

A value is kept under `setting.NAME`, that of one organisation (or what else a setting is `per`) under
`setting.NAME@RECORD`. Changing one raises the epoch, so that every request after it sees the new value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Connection, DateTime, Integer, MetaData, Table, Text, delete, or_, select
from sqlalchemy import update as sql_update
from sqlalchemy.dialects.postgresql import JSONB, insert

from core.ed import tables
from core.ed.columns import RecordColumns, live
from core.errors import Conflict, Denied, FieldProblem, Invalid, NotFound
from core.types.base import BadValue

if TYPE_CHECKING:
    from core.definition.model import Model
    from core.definition.named import Setting
    from core.ed.session import Principals, Session
    from core.ed.system import System

MOST_CHANGES = 50
FIELD = "value"                 # what problems of a new value are told about

_kept = Table("setting", tables.SYSTEM, Column("key", Text, primary_key=True),
              Column("value", JSONB(none_as_null=True)))
_change = Table(
    "setting_change", tables.SYSTEM, Column("id", BigInteger, primary_key=True), Column("key", Text),
    Column("before", JSONB(none_as_null=True)), Column("after", JSONB(none_as_null=True)),
    Column("at", DateTime(timezone=True)), Column("user_id", BigInteger), Column("how", Text))
_live = Table("live", MetaData(schema="bm"), Column("epoch", Integer))


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a setting: the values before and after in normal form, None where the default held."""

    at: datetime
    user_id: int | None
    how: str
    record: int | None          # whose value it is, where a setting may differ
    before: object
    after: object


def load(connection: Connection, system: System, user_id: int | None) -> dict[str, object]:
    """The value of every setting as it holds for a user, under the names that expressions have for them."""
    settings = system.model.settings
    if not settings:
        return {}
    found = kept(connection)
    records = _records(connection, system, user_id)
    return {f"setting.{setting.name}": _holding(setting, found, records.get(setting.per or "")) for setting in
            settings.values()}


def parameters(model: Model, variables: Mapping[str, object]) -> dict[str, object]:
    """The same values as statements take them."""
    return {f"setting_{one.name}": one.field.type.to_columns(variables.get(f"setting.{one.name}"),
                                                             one.field.properties)[0]
            for one in model.settings.values()}


def kept(connection: Connection) -> dict[str, Any]:
    """All values that were said, as they are kept."""
    rows = connection.execute(select(_kept.c.key, _kept.c.value).where(_kept.c.key.startswith("setting.")))
    return {row.key: row.value for row in rows}


def values(setting: Setting, found: Mapping[str, Any]) -> dict[int | None, object]:
    """Of all that is kept, the values of one setting: by the id of the record they hold for, None for everybody's."""
    result: dict[int | None, object] = {}
    for name in (*reversed(setting.was), setting.name):
        for key, value in found.items():
            whole, _, record = key.partition("@")
            fits, normal = _normal(setting, value)
            if whole == _key(name) and fits:
                result[int(record) if record else None] = normal
    return result


def history(connection: Connection, setting: Setting) -> list[Change]:
    """Who changed a setting, newest first."""
    names = [_key(name) for name in (setting.name, *setting.was)]
    mine = or_(_change.c.key.in_(names), *(_change.c.key.startswith(name + "@", autoescape=True) for name in names))
    rows = connection.execute(select(_change).where(mine).order_by(_change.c.id.desc()).limit(MOST_CHANGES))
    return [Change(row.at, row.user_id, row.how, int(row.key.partition("@")[2]) if "@" in row.key else None,
                   _normal(setting, row.before)[1], _normal(setting, row.after)[1]) for row in rows]


def may_change(user: Principals, setting: Setting) -> bool:
    """Whether somebody may change a setting: administrators, and the roles it names."""
    return user.all or not user.roles.isdisjoint(setting.who)


def changeable(session: Session) -> list[Setting]:
    """The settings that the session's user may change, in the order of the model."""
    return [one for one in session.system.model.settings.values() if may_change(session.user, one)]


def find(session: Session, name: str) -> Setting:
    """A setting that the user may change; raises NotFound for any other, for who may not change it may not know it."""
    setting = session.system.model.settings.get(name)
    if setting is None or not may_change(session.user, setting):
        raise NotFound("There is no setting {name} that you may change.", name=name)
    return setting


def change(session: Session, name: str, value: object, record: int | None = None, seen: object = ...) -> None:
    """Say another value, in normal form; None brings back what held without it.

    `seen` is what the user saw before; raises Conflict if it is another by now, NotFound, Denied, Invalid.
    """
    setting = find(session, name)
    if record is not None:
        _check_record(session, setting, record)
    normal = _checked(session, setting, value, record)
    connection = session.connection
    keys = [_key(one) + ("" if record is None else f"@{record}") for one in (setting.name, *setting.was)]
    rows = connection.execute(select(_kept.c.key, _kept.c.value).where(_kept.c.key.in_(keys)).with_for_update())
    found = {row.key: row.value for row in rows}
    before = next((found[key] for key in keys if key in found), None)
    if seen is not ... and _normal(setting, before)[1] != seen:
        raise Conflict("Somebody else changed this setting meanwhile. Look at the value of now, then change it again.")
    after = setting.field.type.to_wire(normal, setting.field.properties) if normal is not None else None
    if before == after:
        return
    connection.execute(delete(_kept).where(_kept.c.key.in_(keys)))
    if after is not None:
        new = insert(_kept).values(key=keys[0], value=after)
        connection.execute(new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}))
    connection.execute(insert(_change).values(key=keys[0], before=before, after=after, user_id=session.user.user_id,
                                              how=session.how))
    raise_epoch(connection)


def put(connection: Connection, name: str, value: object) -> None:
    """Keep a value as it is kept, of a setting that no version in use has yet."""
    new = insert(_kept).values(key=_key(name), value=value)
    connection.execute(new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}))
    connection.execute(insert(_change).values(key=_key(name), before=None, after=value, user_id=None, how="system"))


def take_away(connection: Connection, name: str) -> None:
    """Forget a value that was put for a version which does not come."""
    before = connection.scalar(delete(_kept).where(_kept.c.key == _key(name)).returning(_kept.c.value))
    if before is not None:
        connection.execute(insert(_change).values(key=_key(name), before=before, after=None, user_id=None,
                                                  how="system"))


def raise_epoch(connection: Connection) -> None:
    """Let every request after this one see what live owns as it is now."""
    connection.execute(sql_update(_live).values(epoch=_live.c.epoch + 1))


def problem(error: BadValue) -> FieldProblem:
    """What is wrong with a new value."""
    return FieldProblem(FIELD, error.code, error.message, params=error.params)


def missing() -> FieldProblem:
    """The problem of a setting that always has a value."""
    return FieldProblem(FIELD, "required", "This must be filled in.")


def _key(name: str) -> str:
    return f"setting.{name}"


def _holding(setting: Setting, found: Mapping[str, Any], record: int | None) -> object:
    """The value that holds: the record's own, else everybody's, else the default."""
    names = (setting.name, *setting.was)
    own = [f"{_key(name)}@{record}" for name in names] if record is not None else []
    for key in (*own, *map(_key, names)):
        if key in found:
            fits, value = _normal(setting, found[key])
            if fits:
                return value
    return setting.default


def _normal(setting: Setting, wire: Any) -> tuple[bool, object]:
    """A kept value in normal form, and whether it still is one: a later version may take other values."""
    try:
        return wire is not None, setting.field.type.from_wire(wire, setting.field.properties)
    except BadValue:
        return False, None


def _records(connection: Connection, system: System, user_id: int | None) -> dict[str, int | None]:
    """The records by which settings differ for this user, by the link that leads to each."""
    links = sorted({one.per for one in system.model.settings.values() if one.per})
    if not links or user_id is None:
        return {}
    stored = system.stored("user")
    statement = select(*(stored.column(link).label(link) for link in links)).where(stored.column("id") == user_id)
    row = connection.execute(statement).mappings().first()
    return dict(row) if row is not None else {}


def _check_record(session: Session, setting: Setting, record: int) -> None:
    link = session.system.model.field("user", setting.per) if setting.per else None
    if link is None or link.target is None:
        raise Denied("This setting is the same for everybody.")
    columns = RecordColumns(session.system, session.gate, link.target)
    found = select(columns.root.id).select_from(columns.source).where(columns.root.id == record)
    may = session.gate.may(link.target, "read")
    if not may or session.connection.execute(found.where(*live(columns)), session.parameters).first() is None:
        raise NotFound("There is no record {id}.", id=record)


def _checked(session: Session, setting: Setting, value: object, record: int | None) -> object:
    """The value in normal form. Raises Invalid."""
    try:
        normal = setting.field.type.validate(value, setting.field.properties)
    except BadValue as error:
        raise Invalid([problem(error)]) from None
    taken_away = value is None and record is None and setting.environment       # nothing stands behind it
    if normal is None and (value is not None or taken_away) and setting.field.required is True:
        raise Invalid([missing()])
    kind = setting.field.expression_type
    choices = session.system.model.choices.get(kind.of or "") if kind.name == "choice" else None
    if choices is not None and normal is not None:
        chosen = choices.values.get(str(normal))
        if chosen is None or chosen.retired:
            raise Invalid([FieldProblem(FIELD, "choice", "This is none of the choices.")])
    return normal
