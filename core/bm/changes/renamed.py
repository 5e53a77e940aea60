"""What follows a rename: former names are noted for those outside, and what people keep in live is written anew.

Saved views, settings and the scopes of tokens name tables, fields and values of choices, and belong to people, not to a
version: they are rewritten in the transaction of the flip, by identity, so that they mean for good what they meant.
Programs and pages outside are given some time instead (core/ed/former.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.types import Text

from core.bm.versions import choice_values
from core.bm.versions.choice_values import Answers
from core.bm.versions.diff import former_name
from core.ed.former_names import FORMER_NAME
from core.ed.scopes import SCOPE
from core.expression import ExpressionError, check

if TYPE_CHECKING:
    from core.bm.versions.state import State
    from core.definition.model import Model

PATHS = ("columns", "sort", "group")            # of a saved view: lists of paths, some with a sign or a unit
_VIEWS = text("select id, object, state, version from sys.saved_view for update")
_KEEP = text("update sys.saved_view set object = :object, state = :state where id = :id").bindparams(
    bindparam("state", type_=JSONB))
_FIRST = text("update sys.first_view f set object = :new where object = :old and not exists"
              " (select from sys.first_view o where o.user_id = f.user_id and o.object = :new)")
_TOKENS = text("select hash, scopes from sys.token where revoked_on is null and cast(scopes as text) like '%:%'"
               " for update")
_IMPORTS = text("update sys.import set table_name = :new where table_name = :old")
_SETTING = text("update sys.setting set value = to_jsonb(cast(:new as text)) where split_part(key, '@', 1) = any(:keys)"
                " and value = to_jsonb(cast(:old as text))").bindparams(bindparam("keys", type_=ARRAY(Text)))
_SERIES = text("""
    insert into sys.sequence (name, value)
    select :new || substr(name, length(:old) + 1), value from sys.sequence
     where name = :old or starts_with(name, :old || '/')
        on conflict (name) do update set value = greatest(excluded.value, sys.sequence.value)""")
OPERATORS = {"==": "in", "!=": "not in"}        # for one value, and for several
_SCOPES = text("update sys.token set scopes = :scopes where hash = :hash").bindparams(
    bindparam("scopes", type_=ARRAY(Text)))


class Renaming:
    """Names of one version in those of the next, by identity; what the next lacks keeps its name.

    `values` are those of choices and states, by their choices in the base; each with whose they are in the target.
    """

    def __init__(self, model: Model, base: State, target: State, answers: Answers) -> None:
        self._model = model
        self.changed = {path: new for path, identity in base.identities.items()
                        if (new := target.names.get(identity, path)).rpartition(".")[2] != path.rpartition(".")[2]}
        self.objects = dict(_objects(base, target))
        self.values = choice_values.everywhere(base, target, answers)

    @property
    def any(self) -> bool:
        """Whether anything has another name."""
        return bool(self.changed or self.objects or self.values)

    def table(self, name: str) -> str:
        """The name of a table of the base."""
        return self.changed.get(name, name)

    def field(self, table: str, name: str) -> str:
        """The name of a field of a table of the base, also of a kind under it."""
        found = self._model.field(table, name)
        new = self.changed.get(f"{found.table}.{name}", name) if found is not None else name
        return new.rpartition(".")[2]

    def path(self, table: str, path: str) -> str:
        """A path through links, with what may stand around it: `-sold`, `sold:month`."""
        bare, colon, unit = path.removeprefix("-").partition(":")
        names: list[str] = []
        current: str | None = table
        naming = False
        for step in bare.split("."):
            if naming or current is None or current not in self._model.tables:
                names.append(self.table(step) if naming else step)
                current, naming = (step if naming else None), False
                continue
            names.append(self.field(current, step))
            found = self._model.field(current, step)
            naming = found is not None and (len(found.targets) > 1 or found.type.name == "any_link")
            current = found.target if found is not None and not naming else None
        return ("-" if path.startswith("-") else "") + ".".join(names) + colon + unit

    def condition(self, table: str, source: str) -> str:
        """An expression about a record of a table; one that means nothing stays as it is."""
        try:
            mentions = check(source, self._model.scope(table), "boolean").mentions
        except ExpressionError:
            return source
        for one in sorted(mentions, key=lambda mention: -mention.column):
            if one.kind == "choice":
                source = values_at(source, one.column - 1, one.name, self.value(one.owner, one.name))
                continue
            new = self.field(one.owner, one.name) if one.kind == "field" else \
                self.table(one.name) if one.kind == "table" else one.name
            start = one.column - 1
            if new != one.name and source[start:start + len(one.name)] == one.name:
                source = source[:start] + new + source[start + len(one.name):]
        return source

    def value(self, choices: str, name: str) -> tuple[str, ...]:
        """What a value of choices of the base is in the target: several, where it was several before."""
        return self.values[choices][1].get(name, (name,)) if choices in self.values else (name,)


def values_at(source: str, start: int, old: str, values: Sequence[str]) -> str:
    """An expression in which a value, written from a column on, becomes others: `== 'a'` one of several."""
    end = start + len(old)
    if source[start:end] != old or tuple(values) == (old,):
        return source
    before, quote, after = source[:start - 1], source[start - 1], source[end + 1:]
    several = ", ".join(f"{quote}{value}{quote}" for value in values)
    operator = before.rstrip()[-2:]
    if len(values) == 1 or operator not in OPERATORS:
        return f"{before}{several}{after}"
    return f"{before.rstrip()[:-2]}{OPERATORS[operator]} ({several}){after}"


def note(connection: Connection, base: State, target: State, answers: Answers) -> None:
    """Write down what is called otherwise from now on. Before workers build the target, so that they know it."""
    if base.model is None:
        return
    renaming = Renaming(base.model, base, target, answers)
    rows = [{"kind": "field" if "." in old else "table", "name": old.rpartition(".")[2],
             "means": str(base.identities[old])} for old in renaming.changed]
    rows += [{"kind": "object", "name": old, "means": new} for old, new in renaming.objects.items()]
    rows += [{"kind": "value", "name": old, "means": means} for old, means in sorted(
        {(old, f"{whose}.{new[0]}") for whose, values in renaming.values.values() for old, new in values.items()})]
    if rows:
        connection.execute(insert(FORMER_NAME).on_conflict_do_update(
            index_elements=["kind", "name", "means"], set_={"noted_on": func.now()}), rows)


def follow(connection: Connection, base: State, target: State, answers: Answers) -> None:
    """Write what people keep in live with the names of the target; part of the flip's transaction."""
    if base.model is None:
        return
    renaming = Renaming(base.model, base, target, answers)
    if not renaming.any:
        return
    for row in connection.execute(_VIEWS).all():
        thing = base.model.objects.get(row.object)
        state = dict(row.state) if thing is None else view_state(renaming, thing.of, row.state)
        name = renaming.objects.get(row.object, row.object)
        if (name, state) != (row.object, row.state):
            connection.execute(_KEEP, {"id": row.id, "object": name, "state": state})
    for old, new in renaming.objects.items():
        connection.execute(_FIRST, {"old": old, "new": new})
    for old, new in renaming.changed.items():
        if "." not in old:
            connection.execute(_IMPORTS, {"old": old, "new": new})
    for row in connection.execute(_TOKENS).all():
        scopes = [scope(renaming, one) for one in row.scopes]
        if scopes != row.scopes:
            connection.execute(_SCOPES, {"hash": row.hash, "scopes": scopes})
    if renaming.values:
        _follow_settings(connection, base.model, renaming)
        _follow_series(connection, base.model, renaming)


def _follow_settings(connection: Connection, model: Model, renaming: Renaming) -> None:
    """Settings of choices hold the values of the target."""
    for one in model.settings.values():
        keys = [f"setting.{name}" for name in (one.name, *one.was)]
        for old, new in renaming.values.get(one.field.expression_type.of or "", ("", {}))[1].items():
            connection.execute(_SETTING, {"keys": keys, "old": old, "new": new[0]})


def _follow_series(connection: Connection, model: Model, renaming: Renaming) -> None:
    """Numbers that are counted for each value of choices go on where those of its former name stopped."""
    counted = {(str(getattr(field.properties, "sequence", "")), table.name) for table in model.tables.values()
               for field in table.fields.values() if field.type.is_drawn}
    for name, table in sorted(counted):
        one = model.sequences.get(name)
        per = model.field(table, one.per) if one is not None and one.per is not None else None
        choices = per.expression_type.of or "" if per is not None else ""
        for old, new in renaming.values.get(choices, ("", {}))[1].items():
            for value in new:
                connection.execute(_SERIES, {"old": f"{name}/{old}", "new": f"{name}/{value}"})


def view_state(renaming: Renaming, table: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """What a saved view of a table keeps, in the names of the target."""
    found = dict(state)
    for key in PATHS:
        if isinstance(found.get(key), list):
            found[key] = [renaming.path(table, str(one)) for one in found[key]]
    if isinstance(found.get("where"), str):
        found["where"] = renaming.condition(table, found["where"])
    return found


def scope(renaming: Renaming, written: str) -> str:
    """A scope of a token, such as `write:ticket`, in the names of the target."""
    match = SCOPE.fullmatch(written)
    return f"{match[1]}:{renaming.table(match[2])}" if match is not None and match[2] else written


def _objects(base: State, target: State) -> Iterator[tuple[str, str]]:
    """The pages of records that go on under another name: renamed themselves, or with their table."""
    if base.model is None or target.model is None:
        return
    renamed = {former_name("object", name, base, target): name for kind, name in target.definitions if kind == "object"}
    for name, thing in base.model.objects.items():
        if name in target.model.objects:
            continue
        table = target.names.get(base.identities.get(thing.of, 0), "")
        same = [other for other, one in target.model.objects.items() if one.of == table]
        new = renamed.get(name) or (table if table in same else same[0] if len(same) == 1 else None)
        if new is not None and new in target.model.objects:
            yield name, new
