"""The kinds `table` and `mixin`: what records are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.circles import circle_of, spelled
from core.definition.kinds.access import check_during, check_scope, scopes_of
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import FieldSchema, check_field, make_field, type_of
from core.definition.kinds.locks import LockSchema, check_lock, lock_of
from core.definition.kinds.schema import Expression, Line, Name, Names, Path, Schema, Text
from core.definition.kinds.states import check_moments, check_served, serve
from core.definition.model import Access, Field, Index, RecordRole, Rule, Table, Unique
from core.definition.scope import Written
from core.definition.texts import faults, humanised, text_paths, text_places
from core.definition.values import BodyPath, Merged, value_at
from core.expression.errors import ExpressionError

MOST_FIELDS = 400


class RoleSchema(Schema):
    """How a person stands to a record."""

    is_: Path | list[Path] | None = Property(None, alias="is", description="The path, or list of paths, that ends at "
                                             "people: users, or records of a table that has `people`.")
    above: Path | None = Property(None, description="The path to people; the role is held by those above them.")
    within: Path | None = Property(None, description="The path of links into a tree, such as `department`; the role is "
                                   "held by those who stand there, or higher in the tree.")
    of: Path | None = Property(None, description="With `within`: the path from the user to where in that tree the user "
                               "stands, such as `department` or `leads`.")


class RuleSchema(Schema):
    """A condition that records must meet."""

    check: Expression = Property(description="The condition; unknown passes.")
    message: Text | None = Property(None, description="What is said when it fails; may hold {path}.")
    at: list[Name] = Property([], description="The transitions at which it is checked; without it, at every save.")
    level: Literal["error", "warning"] = Property("error", description="A warning is shown, but saves.")


class UniqueSchema(Schema):
    """Fields that no two records may share."""

    fields: list[Name] = Property(min_length=1, description="The fields; the trash is left out, and so are records "
                                  "where one of them is empty.")
    where: Expression | None = Property(None, description="The records it concerns.")
    message: Text | None = Property(None, description="What is said when two records clash.")


class IndexSchema(Schema):
    """Fields that lists filter and sort by together."""

    fields: list[Name] = Property(min_length=1, description=(
        "The fields, in order; of several, records are found by the first ones and come in the order of the last."))


class AccessSchema(Schema):
    """Rights that come from other records."""

    through: list[Path] = Property([], description="Links: whoever may read what they lead to may read this record.")
    only: Name | None = Property(None, description="A record role: nobody else has any right, whatever is granted.")


class MixinSchema(Schema):
    """Fields, roles and rules that tables share without sharing an identity; tables take them with `uses`."""

    title: Text | None = Property(None, description="What implementers call it.")
    help: Text | None = Property(None, description="What it is for.")
    fields: dict[Name, FieldSchema] = Property({}, description="The fields, in order.")
    roles: dict[Name, RoleSchema] = Property({}, description="How people stand to a record, by name.")
    rules: dict[Name, RuleSchema] = Property({}, description="Conditions that records must meet, by name.")
    unique: dict[Name, UniqueSchema] = Property({}, description="Fields that no two records may share, by name.")
    indexes: dict[Name, IndexSchema] = Property({}, description="Fields that are looked up together, by name.")


class TableSchema(MixinSchema):
    """A table of records."""

    title: Text | None = Property(None, description="What people call one record; the name in words if left out.")
    help: Text | None = Property(None, description="What the records are, in a sentence.")
    plural: Text | None = Property(None, description="What people call several; the title with an s if left out.")
    display: Line | None = Property(None, description="What stands for a record in links, search and breadcrumbs, with "
                                    "{path}s; without it the field name, title or code, or the first text field.")
    base: Name | None = Property(None, description="The table it is a kind of: its records are the base's records too, "
                                 "with the same ids, in the same physical table.")
    abstract: bool = Property(False, description="True for a base that has no records but those of its kinds.")
    uses: list[Name] = Property([], description="Mixins whose fields, roles and rules it takes.")
    keeps: list[Literal["history", "timeline", "attachments"]] = Property(
        [], description="What is kept beside each record: its history, a timeline, attachments.")
    peek: list[Name] = Property([], description="The fields a masked look-up may see (the right `peek`).")
    access: AccessSchema | None = Property(None, description="Rights that come from other records.")
    trash_days: int | None = Property(None, ge=0, le=36_500, description="Days that deleted records stay in the trash "
                                      "before they are removed for good; 0 for ever. Without it the system's own.")
    lock: LockSchema | None = Property(None, description="When records refuse every write, whoever asks.")
    people: Path | None = Property(None, description="For tables whose records stand for people: the path to users "
                                   "(`id` on the table user, `members` on a team).")
    above: Path | None = Property(None, description="The path to a record's superior, of the same table.")
    during: list[Name] | None = Property(None, min_length=2, max_length=2, description="The date fields with the first "
                                         "and the last day on which a record gives rights to people, if it has such: "
                                         "of role assignments, memberships, posts. An empty one sets no limit.")
    epoch: bool = Property(False, description="True if writing it changes what people may see, so that every session "
                           "must look again.")
    was: Names | None = Property(None, description="Its former name or names: a rename keeps the records.")


class Mixin(Kind):
    """Fields, roles and rules that tables take with `uses`."""

    name = "mixin"
    folder = "tables"
    lazy = True
    schema: ClassVar[type[Schema]] = MixinSchema

    def build(self, merged: Merged, schema: MixinSchema, building: Building) -> MixinSchema | None:
        """The schema itself: tables build its members for themselves. All types are checked here once."""
        for name, field in schema.fields.items():
            type_of(merged, ("fields", name), name, field, building, schema.fields)
        return schema


class TableKind(Kind):
    """A table of records."""

    name = "table"
    reserved = frozenset({"files", "query"})     # addresses of the API
    folder = "tables"
    lazy = True
    schema: ClassVar[type[Schema]] = TableSchema

    def order(self, merged: list[Merged], building: Building) -> Iterable[Merged]:
        """Bases before their kinds; tables whose bases go round in a circle are told and left out."""
        by_name = {table.name: table for table in merged}
        done: dict[str, Merged] = {}
        for table in merged:
            chain = _chain(table, by_name)
            if chain is None:
                _tell_circle(table, by_name, building)
                continue
            for name in reversed(chain):
                done.setdefault(name, by_name[name])
        for table in done.values():
            _enter(table, _chain(table, by_name) or [], by_name, building)
        building.names.scopes = scopes_of(building.merged.values())
        return done.values()

    def build(self, merged: Merged, schema: TableSchema, building: Building) -> Table | None:
        """The table with the fields of its base first, then its mixins', then its own."""
        base = building.names.tables.get(schema.base) if schema.base else None
        if schema.base and base is None:
            building.find(merged, ("base",), "table", schema.base)
        fields: dict[str, Field] = dict(base.fields) if base else {}
        parts = [(building.merged["mixin", name], mixin) for index, name in enumerate(schema.uses)
                 if (mixin := building.find(merged, ("uses", index), "mixin", name)) is not None]
        parts.append((merged, schema))
        if schema.base and base is None:
            return None
        _take_fields(parts, merged.name, fields, building)
        serve(building, merged.name, fields)
        if len(fields) > MOST_FIELDS:
            building.tell(merged, ("fields",), f'table "{merged.name}" has {len(fields)} fields: '
                          f"at most {MOST_FIELDS} are allowed")
        table = _table(merged, schema, fields, parts, base, building)
        building.names.tables[merged.name] = table
        return table

    def check(self, merged: Merged, value: Table, building: Building) -> None:
        """Check fields, expressions and everything that names a field."""
        for field in value.fields.values():
            kind, _, name = field.path.partition(".")[0].partition(" ")
            if kind == "mixin" or name == value.name:       # the base's are checked with the base
                check_field(building.merged[kind, name], field, building)
        if value.base is not None:
            building.find(merged, ("base",), "table", value.base)
        check_members(merged, value, building)
        for mixin in value.uses:
            if mixin in building.values["mixin"]:
                check_members(building.merged["mixin", mixin], value, building)
        _check_people(merged, value, building)
        check_during(merged, value, building)
        check_lock(merged, value, building, check_text)
        check_served(merged, value, building)
        check_moments(merged, value, building)
        check_text(merged, ("display",), value.name, value.display, building)
        if isinstance(merged.body.get("display"), str) and not text_paths(value.display):
            building.tell(merged, ("display",), 'display has no {path}: write "{' + value.display + '}" for a field')
        for index, name in enumerate(value.peek if "peek" in merged.body else ()):
            building.field(merged, ("peek", index), value.name, name)


def _chain(table: Merged, by_name: Mapping[str, Merged]) -> list[str] | None:
    """A table and its bases, nearest first; None if they go round in a circle."""
    chain: list[str] = []
    name: object = table.name
    while isinstance(name, str) and name in by_name:
        if name in chain:
            return None
        chain.append(name)
        name = by_name[name].body.get("base")
    return chain


def _enter(table: Merged, chain: list[str], by_name: Mapping[str, Merged],
           building: Building) -> None:
    """Note how a table stands to others, which is asked for more often than the tables themselves."""
    names = building.names
    names.families.setdefault(chain[-1], []).append(table.name)
    if any(by_name[name].body.get("people") for name in chain):
        names.people.append(table.name)
    for base in chain[1:] if table.body.get("abstract") is not True else ():
        names.under.setdefault(base, []).append(table.name)


def _tell_circle(table: Merged, by_name: Mapping[str, Merged], building: Building) -> None:
    building.broken.add(("table", table.name))
    building.names.broken.add(table.name)
    circle = circle_of(table.name, lambda name: [str(by_name[name].body["base"])])
    if circle and table.name == min(circle):
        building.tell(table, ("base",), "bases go round in a circle: " + spelled(circle))


def _take_fields(parts: list[tuple[Merged, MixinSchema]], table: str, fields: dict[str, Field],
                 building: Building) -> None:
    """Add the fields of mixins and the table itself; nothing follows from fields that are wrong themselves."""
    for source, schema in parts:
        for name, field in schema.fields.items():
            if source.kind == "mixin" and name in fields:
                continue
            made = make_field(source, name, field, table, fields, building)
            if made is not None:
                fields[name] = made
            else:
                building.names.lost.add(name)


def _table(merged: Merged, schema: TableSchema, fields: dict[str, Field],
           parts: list[tuple[Merged, MixinSchema]], base: Table | None, building: Building) -> Table:
    scope = building.scope(merged.name)
    roles = dict(base.roles) if base else {}
    rules = dict(base.rules) if base else {}
    unique: dict[str, Unique] = {}
    indexes: dict[str, Index] = {}
    for _, part in parts:
        for name, role in part.roles.items():
            paths = role.is_ if isinstance(role.is_, list) else [role.is_] if role.is_ else []
            roles[name] = RecordRole(name, tuple(paths), role.above, role.within, role.of)
        for name, rule in part.rules.items():
            rules[name] = Rule(name, Written(rule.check, scope, "boolean"), tuple(rule.at), rule.level,
                               rule.message or "")
        for name, one in part.unique.items():
            where = Written(one.where, scope, "boolean") if one.where else None
            unique[name] = Unique(name, tuple(one.fields), one.message or "", where)
        for name, index in part.indexes.items():
            indexes[name] = Index(name, tuple(index.fields))
    title = schema.title or humanised(merged.name)
    access = schema.access
    return Table(
        merged.name, merged.layer, title, schema.plural or title + "s",
        schema.display or (base.display if base else _display(fields)), fields, schema.base,
        base.root if base else merged.name, schema.abstract, tuple(building.names.under.get(merged.name, ())),
        tuple(schema.uses), roles, rules, unique, indexes,
        frozenset(schema.keeps) | (base.keeps if base else frozenset()),
        tuple(schema.peek) or (base.peek if base else ()),
        Access(tuple(access.through), access.only) if access else base.access if base else Access(),
        lock_of(schema.lock, scope) or (base.lock if base else None),
        schema.people or (base.people if base else None), schema.above or (base.above if base else None),
        (schema.during[0], schema.during[1]) if schema.during else base.during if base else None,
        schema.epoch or bool(base and base.epoch), schema.help or "", tuple(schema.was or ()),
        schema.trash_days if schema.trash_days is not None else base.trash_days if base else None)


def _display(fields: Mapping[str, Field]) -> str:
    for name in ("name", "title", "code"):
        if name in fields:
            return "{" + name + "}"
    texts = (name for name, field in fields.items() if field.expression_type.name == "text")
    return "{" + next(texts, "id") + "}"


def check_text(merged: Merged, path: BodyPath, table: str, text: str, building: Building) -> None:
    """Check the {path}s of a text."""
    if text and isinstance(value_at(merged.body, path), str):
        for column, message in faults(text):
            building.tell(merged, path, message, inside=column)
        for inside, found in text_places(text):
            building.field(merged, path, table, found, inside)


def check_members(merged: Merged, table: Table, building: Building) -> None:
    """Check roles, rules, unique and indexes that one definition writes for a table."""
    for name in _keys(merged, "rules"):
        rule = table.rules[name]
        building.check(merged, ("rules", name, "check"), rule.written)
        check_text(merged, ("rules", name, "message"), table.name, rule.message, building)
    for name in _keys(merged, "unique"):
        one = table.unique[name]
        building.check(merged, ("unique", name, "where"), one.written)
        _check_lasting(merged, ("unique", name, "where"), one.written, building)
        _check_stored(merged, ("unique", name, "fields"), one.fields, table, building)
    for name in _keys(merged, "indexes"):
        _check_stored(merged, ("indexes", name, "fields"), table.indexes[name].fields, table, building)
    for name in _keys(merged, "roles"):
        _check_role(merged, table.roles[name], table, building)


def _check_lasting(merged: Merged, path: BodyPath, written: Written | None, building: Building) -> None:
    """A condition that an index keeps must give the same today and tomorrow, to everybody and under any setting."""
    try:
        variables = written.expression.variables if written is not None else frozenset()
    except ExpressionError:         # told by check
        return
    if variables:
        named = ", ".join(sorted(".".join(variable) for variable in variables))
        building.tell(merged, path, f"this condition is part of an index, so it reads the record alone: not {named}")
    elif written is not None and not written.expression.indexable:
        building.tell(merged, path, "this condition is part of an index, so it reads fields of the record itself alone")


def _keys(merged: Merged, part: str) -> list[str]:
    members = merged.body.get(part)
    return list(members) if isinstance(members, dict) else []


def _check_stored(merged: Merged, path: BodyPath, names: Iterable[str], table: Table, building: Building) -> None:
    for index, name in enumerate(names):
        if building.field(merged, (*path, index), table.name, name) is None:
            continue
        field = table.fields.get(name)
        if field is not None and field.virtual:
            building.tell(merged, (*path, index), f'field "{name}" is not stored, so it cannot stand here')


def _check_role(merged: Merged, role: RecordRole, table: Table, building: Building) -> None:
    path: BodyPath = ("roles", role.name)
    if [bool(role.is_), bool(role.above), bool(role.within)].count(True) != 1:
        building.tell(merged, path, f'record role "{role.name}" has one of "is", "above" and "within"')
    check_scope(merged, role, table, building)
    several = isinstance(value_at(merged.body, (*path, "is")), list)
    for index, one in enumerate(role.is_):
        _check_people_path(merged, (*path, "is", index) if several else (*path, "is"), one, table, building)
    if role.above:
        _check_people_path(merged, (*path, "above"), role.above, table, building)


def _check_people_path(merged: Merged, path: BodyPath, people: str, table: Table, building: Building) -> None:
    found = building.field(merged, path, table.name, people)
    if found is not None and found.name == "any_link":
        building.tell(merged, path, f'"{people}" leads to several tables: name the one whose records stand for people, '
                                    f'such as {people}.user')
        return
    if found is None or found.of is None:
        if found is not None:
            building.tell(merged, path, f'"{people}" does not end at people')
        return
    target = building.names.tables.get(found.of)
    if target is not None and target.people is None:
        building.tell(merged, path, f'"{people}" ends at table "{target.name}", which stands for no people '
                                    '(give it "people")')


def _check_people(merged: Merged, table: Table, building: Building) -> None:
    if isinstance(merged.body.get("people"), str):
        found = building.field(merged, ("people",), table.name, table.people or "id")
        if found is not None and found.of != "user":
            building.tell(merged, ("people",), f'"{table.people}" does not end at users')
    if isinstance(merged.body.get("above"), str) and table.above:
        found = building.field(merged, ("above",), table.name, table.above)
        if found is not None and not (found.of and building.names.is_kind_of(table.name, found.of)):
            building.tell(merged, ("above",), f'"{table.above}" does not lead to another record of "{table.name}"')
    for index, name in enumerate(table.access.through if "access" in merged.body else ()):
        kind = building.field(merged, ("access", "through", index), table.name, name)
        if kind is not None and kind.name != "link":
            building.tell(merged, ("access", "through", index), f'"{name}" is no link')
    only = table.access.only
    if only and "access" in merged.body:
        building.refer(merged, ("access", "only"), *building.declared(table.name, "roles", only))
        if only not in table.roles:
            building.tell(merged, ("access", "only"), f'table "{table.name}" has no record role "{only}"')
