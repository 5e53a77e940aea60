"""The words of refusals: who has the right, and rules' own messages with the values they speak of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.definition.texts import text_paths
from core.ed.selection import readable_paths
from core.ed.shape import Shape
from core.errors import Denied, Words, words
from core.types.base import Locale

if TYPE_CHECKING:
    from core.definition.model import Rule
    from core.ed.session import Session

HIDDEN = "…"


def denied(session: Session, table: str, right: str) -> Denied:
    """The error that says that a right is missing, and which roles give it."""
    values = {"table": title(session, table), "roles": who_may(session, table, right) or "–"}
    match right:
        case "create":
            return Denied("You may not create this {table}. These roles may: {roles}.", **values)
        case "change":
            return Denied("You may not change this {table}. These roles may: {roles}.", **values)
        case "unlock":
            return Denied("You may not unlock this {table}. These roles may: {roles}.", **values)
        case "export":
            return Denied("You may not export this {table}. These roles may: {roles}.", **values)
        case "delete":
            return Denied("You may not delete this {table}. These roles may: {roles}.", **values)
    return Denied("You may not read this {table}. These roles may: {roles}.", **values)


def who_may(session: Session, table: str, right: str) -> str:
    """The titles of the roles that give a right on records of a table, in the user's language."""
    model, names, current = session.system.model, [table], model_base(session, table)
    while current is not None:
        names.append(current)
        current = model_base(session, current)
    return ", ".join(model.text(f"role {role.name}.title", session.language) for role in model.roles.values()
                     if role.all or any(_grants(role.grants.get(name), right) for name in names))


def model_base(session: Session, table: str) -> str | None:
    """The base of a table."""
    return session.system.model.tables[table].base


def lock(session: Session, table: str, id_: int) -> Words | str:
    """Why a record is locked, by its table's own words in the user's language."""
    path = f"table {table}.lock.message"
    written = session.system.model.tables[table].lock
    text = (session.system.model.text(path, session.language) or written.message) if written and written.message else ""
    return _filled(session, table, id_, text) if text else words("its table says so.")


def title_of(session: Session, table: str, id_: int) -> str | None:
    """What a record is called, if the user may read it."""
    from core.ed.read import read  # a refusal is rare, and reading builds on all of this
    records = read(session, table, [id_], ["_title"]) if session.gate.may(table, "read") else []
    return str(records[0].get("_title") or id_) if records else None


def _grants(grant: Any, right: str) -> bool:
    return grant is not None and bool(getattr(grant, right))


def title(session: Session, table: str) -> str:
    """What a table's records are called within a sentence, in the user's language."""
    return session.system.model.text(f"table {table}.title", session.language).lower()


def rule(session: Session, shape: Shape, rule_: Rule, id_: int) -> Words:
    """The message of a broken rule in the user's language, filled with what the user may read of the record."""
    model = session.system.model
    text = model.text(f"table {shape.table.name}.rules.{rule_.name}.message", session.language) or rule_.message
    if not text:
        return words("The rule “{name}” does not hold.", name=rule_.name)
    return Words(_filled(session, shape.table.name, id_, text))


def _filled(session: Session, table: str, id_: int, text: str) -> str:
    """A definition's text with what the user may read of the record in its places."""
    values = {path: _value(session, table, id_, path) for path in text_paths(text)}
    return re.sub(r"\{([a-z0-9_.]+)\}", lambda found: values.get(found[1], found[0]), text)


def _value(session: Session, table: str, id_: int, path: str) -> str:
    from core.ed.read import read  # a refusal is rare, and reading builds on all of this
    records = read(session, table, [id_], [path]) if readable_paths(session.gate, table, [path]) else []
    if not records:
        return HIDDEN
    record = records[0]
    if f"{path}_title" in record:
        return str(record[f"{path}_title"] or "")
    return _formatted(session, table, path, record.get(path))


def _formatted(session: Session, table: str, path: str, value: Any) -> str:
    field = None
    for name in path.split("."):
        field = session.system.model.field(table, name)
        if field is None:
            return "" if value is None else str(value)
        table = field.target or ""
    if field is None or value is None:
        return ""
    return field.type.format(value, field.properties, Locale(session.language, session.environment.zone))
