"""Verbs of steps that find, make, change and remove records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field as Property
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from core.definition.kinds.schema import Expression, Name, Order, Schema, Value
from core.definition.kinds.step_values import (
    check_arguments,
    check_complete,
    check_records,
    check_table,
    check_values,
    one_of,
    records,
    table_part,
    table_source,
    value_parts,
)
from core.definition.kinds.steps import Gives, Place, Verb, VerbSchema, fixed, lazily
from core.definition.names import suggestion
from core.definition.processes import Step, Transition, Workflow
from core.definition.scope import Written
from core.expression.type_rules import SUMMABLE
from core.types.base import Type

TableName = Annotated[str, Property(min_length=1, json_schema_extra={
    "word": "name of a table, or = and an expression that gives one"})]
WITH = "The values of its fields, by field; a value that begins with = is an expression."


class FindWhatSchema(Schema):
    """What is looked for: records of a table, or those of a query."""

    of: Name | None = Property(None, description="The table.")
    query: Name | None = Property(None, description="The query; instead of a table.")
    with_: dict[Name, Value] = Property({}, alias="with", description="The query's parameters.")
    where: Expression | None = Property(None, description="The condition that the records must meet; bare names are "
                                        "their fields.")
    order: list[Order] = Property([], description="The paths they are sorted by; -path from high to low.")
    limit: int | None = Property(None, ge=1, le=10_000, description="How many at most.")
    first: bool = Property(False, description="True: gives the first one, or nothing, rather than all.")

    @model_validator(mode="after")
    def _either(self) -> FindWhatSchema:
        if (self.of is None) == (self.query is None):
            raise PydanticCustomError("find", 'records are found by either "of" or "query"')
        return self


class FindSchema(VerbSchema):
    """Finds records."""

    find: FindWhatSchema = Property(description="What is looked for.")


class Find(Verb):
    """Finds records; the step's name is them, or the first of them."""

    name = "find"
    schema: ClassVar[type[VerbSchema]] = FindSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        find = schema.find
        parts = {f"find.{key}": one for key, one in value_parts(place, find.with_).items()}
        table = find.of or _query_table(place, find.query)
        if find.where is not None:
            parts["find.where"] = Written(find.where, place.about(table), "boolean")
        return {**parts, "table": table}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        table = cast("str | None", parts["table"])
        return fixed(Type("link", table, not schema.find.first) if table else None)

    def check(self, place: Place, step: Step) -> None:
        find = step.said.find
        inside = place.at("find")
        if find.query is not None:
            query = inside.find("query", find.query, "query")
            if query is not None:
                check_arguments(inside, find.with_, query.parameters, f'query "{find.query}"')
                if step.parts["table"] is None:
                    inside.tell(f'query "{find.query}" gives no records of a table, so nothing can be found by it',
                                "query")
        elif inside.find("table", find.of, "of") is None:
            return
        inside.check(step.parts.get("find.where"), "where")
        table = cast("str | None", step.parts["table"])
        for index, path in enumerate(find.order if table else ()):
            place.building.field(place.merged, (*inside.path, "order", index), str(table), path.removeprefix("-"))


def _query_table(place: Place, name: str | None) -> str | None:
    """The table whose records a query chooses; None if it gives others."""
    found = place.building.names.queries.get(name or "")
    return found.table if found is not None and not found.obstacle else None


class CreateSchema(VerbSchema):
    """Makes a record."""

    create: TableName = Property(description="The table of the new record.")
    with_: dict[Name, Value] = Property({}, alias="with", description=WITH)


class Create(Verb):
    """Makes a record; the step's name is the new record."""

    name = "create"
    schema: ClassVar[type[VerbSchema]] = CreateSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {self.name: table_part(place, getattr(schema, self.name)), **value_parts(place, schema.with_)}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return table_source(parts[self.name])

    def check(self, place: Place, step: Step) -> None:
        table = check_table(place, step, self.name)
        check_values(place, step.said.with_, table)
        if not isinstance(step.parts[self.name], Written):
            check_complete(place, step.said.with_, table)


class SetSchema(VerbSchema):
    """Changes records."""

    set: Expression = Property(description="The record, or set of records.")
    with_: dict[Name, Value] = Property(alias="with", min_length=1, description=WITH)


class SetVerb(Verb):
    """Changes fields of a record, or of all records of a set."""

    name = "set"
    schema: ClassVar[type[VerbSchema]] = SetSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"set": records(place, schema.set), **value_parts(place, schema.with_)}

    def check(self, place: Place, step: Step) -> None:
        check_values(place, step.said.with_, check_records(place, step, "set"))


class UpsertSchema(VerbSchema):
    """Changes the record that has the same key, or makes it."""

    upsert: TableName = Property(description="The table.")
    key: list[Name] = Property(min_length=1, description="The fields by which a record is found; they are among the "
                               "values.")
    with_: dict[Name, Value] = Property(alias="with", min_length=1, description=WITH)


class Upsert(Create):
    """Changes the record with the same key, or makes one; the step's name is the record."""

    name = "upsert"
    schema: ClassVar[type[VerbSchema]] = UpsertSchema

    def check(self, place: Place, step: Step) -> None:
        super().check(place, step)
        for index, name in enumerate(step.said.key):
            if name not in step.said.with_:
                place.tell(f'the key "{name}" is not among the values' + suggestion(name, step.said.with_), "key",
                           index)


class DeleteSchema(VerbSchema):
    """Puts records into the trash."""

    delete: Expression = Property(description="The record, or set of records.")


class Delete(Verb):
    """Puts a record, or all records of a set, into the trash."""

    name = "delete"
    schema: ClassVar[type[VerbSchema]] = DeleteSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"delete": records(place, schema.delete)}

    def check(self, place: Place, step: Step) -> None:
        check_records(place, step, "delete")


class FireSchema(VerbSchema):
    """Takes a transition."""

    fire: Name = Property(description="The transition.")
    record: Expression | None = Property(None, description="The record, or set of records; the one at hand if left "
                                         "out.")
    with_: dict[Name, Value] = Property({}, alias="with", description="What the transition asks, by name.")


class Fire(Verb):
    """Takes a transition of a record's workflow, as people do with its button."""

    name = "fire"
    schema: ClassVar[type[VerbSchema]] = FireSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"record": records(place, schema.record), **value_parts(place, schema.with_)}

    def check(self, place: Place, step: Step) -> None:
        table = check_records(place, step, "record")
        if table is None:
            return
        found = transitions_of(place, table)
        if step.said.fire not in found:
            if table not in place.building.names.broken and not any(
                    kind == "workflow" for kind, _ in place.building.broken):
                place.tell(f'table "{table}" has no transition "{step.said.fire}"' + suggestion(step.said.fire, found),
                           "fire")
            return
        workflow, transition = found[step.said.fire]
        place.building.refer(place.merged, (*place.path, "fire"), "workflow",
                             f"{workflow.name}.transitions.{transition.name}")
        asked = transition.ask.fields if transition.ask else {}
        check_arguments(place, step.said.with_, asked, f'transition "{transition.name}"')


def transitions_of(place: Place, table: str) -> dict[str, tuple[Workflow, Transition]]:
    """The transitions that records of a table may take, those of its kinds too."""
    from core.definition.kinds.states import serving
    names = place.building.names
    tables = (table, *(names.tables[table].kinds if table in names.tables else ()))
    return {transition.name: (workflow, transition) for one in tables
            for workflow in serving(place.building, one) for transition in workflow.transitions.values()}


class CopySchema(VerbSchema):
    """Makes a record out of another."""

    copy_: Expression = Property(alias="copy", description="The record.")
    to: TableName | None = Property(None, description="The table of the copy, whose fields of the same names are "
                                    "filled; that of the record if left out.")
    lines: list[Name] = Property([], description="The lines that are copied too.")
    without: list[Name] = Property([], description="Fields that are not copied.")
    with_: dict[Name, Value] = Property({}, alias="with", description=WITH)


class Copy(Verb):
    """Makes a record out of another; the step's name is the copy."""

    name = "copy"
    schema: ClassVar[type[VerbSchema]] = CopySchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        target = {"to": table_part(place, schema.to)} if schema.to else {}
        return {"copy": records(place, schema.copy_), **target, **value_parts(place, schema.with_)}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return table_source(parts["to"]) if "to" in parts else one_of(parts["copy"])

    def check(self, place: Place, step: Step) -> None:
        table = check_records(place, step, "copy", many=False)
        if "to" in step.parts:
            table = check_table(place, step, "to")
        check_values(place, step.said.with_, table)
        for key in ("lines", "without"):
            for index, name in enumerate(getattr(step.said, key) if table else ()):
                kind = place.building.field(place.merged, (*place.path, key, index), str(table), name)
                if key == "lines" and kind is not None and kind.name != "set":
                    place.tell(f'field "{name}" holds no lines', key, index)


class RelinkSchema(VerbSchema):
    """Lets all links to a record lead to another."""

    relink: Expression = Property(description="The record that links lead to now, or a set of them.")
    into: Expression = Property(description="The record they lead to then.")
    only: list[Name] = Property([], description="The tables whose links are changed; all if left out.")


class Relink(Verb):
    """Lets all links to a record lead to another one, as merging duplicates does."""

    name = "relink"
    schema: ClassVar[type[VerbSchema]] = RelinkSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"relink": records(place, schema.relink), "into": records(place, schema.into)}

    def check(self, place: Place, step: Step) -> None:
        old, new = check_records(place, step, "relink"), check_records(place, step, "into", many=False)
        names = place.building.names
        if old and new and not (names.is_kind_of(old, new) or names.is_kind_of(new, old)):
            place.tell(f'links to "{old}" cannot lead to "{new}"', "into")
        for index, name in enumerate(step.said.only):
            place.find("table", name, "only", index)


class ChangeTypeSchema(VerbSchema):
    """Turns a record into another kind under its base."""

    change_type: Expression = Property(description="The record.")
    to: TableName = Property(description="The table it is a record of then.")
    with_: dict[Name, Value] = Property({}, alias="with", description=WITH)


class ChangeType(Verb):
    """Turns a record into another kind under its base; it keeps id and history."""

    name = "change_type"
    schema: ClassVar[type[VerbSchema]] = ChangeTypeSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"change_type": records(place, schema.change_type), "to": table_part(place, schema.to),
                **value_parts(place, schema.with_)}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return table_source(parts["to"])

    def check(self, place: Place, step: Step) -> None:
        table, to = check_records(place, step, "change_type", many=False), check_table(place, step, "to")
        check_values(place, step.said.with_, to)
        tables = place.building.names.tables
        if table in tables and to in tables and tables[str(table)].root != tables[str(to)].root:
            place.tell(f'tables "{table}" and "{to}" have no base in common', "to")


class ChooseWhatSchema(Schema):
    """Which record is chosen, and how."""

    source: Expression = Property(alias="from", description="The set of records to choose from.")
    by: Literal["turn", "load", "score"] = Property("turn", description="One after another (turn), the one with the "
                                                    "least load, or the one with the highest score.")
    per: Expression | None = Property(None, description="What each turn is kept for, such as a team.")
    value: Expression | None = Property(None, description="The load or the score of a record; bare names are its "
                                        "fields.")


class ChooseSchema(VerbSchema):
    """Chooses one of several records."""

    choose: ChooseWhatSchema = Property(description="Which record is chosen, and how.")


class Choose(Verb):
    """Chooses one of several records, such as whose turn it is; the step's name is that one."""

    name = "choose"
    schema: ClassVar[type[VerbSchema]] = ChooseSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        source = records(place, schema.choose.source)
        parts: dict[str, object] = {"choose.from": source}
        if schema.choose.per is not None:
            parts["choose.per"] = Written(schema.choose.per, place.scope)
        return parts

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return one_of(parts["choose.from"])

    def check(self, place: Place, step: Step) -> None:
        choose = step.said.choose
        inside = place.at("choose")
        kind = inside.check(step.parts["choose.from"], "from")
        if kind is not None and kind.name != "set":
            inside.tell("one is chosen from several records, and this is one", "from")
        inside.check(step.parts.get("choose.per"), "per")
        if choose.by == "turn" and choose.value is not None:
            inside.tell('"value" is a load or a score: say by: load or by: score', "value")
        if choose.by != "turn" and choose.value is None:
            inside.tell(f'by {choose.by} needs "value": an expression about each record', "by")
        if choose.value is not None and kind is not None:
            found = inside.check(Written(choose.value, place.about(kind.of)), "value")
            if found is not None and found.name not in SUMMABLE | {"null"}:
                inside.tell(f"a {choose.by} is a number", "value")


class LetSchema(VerbSchema):
    """Works a value out."""

    let: Expression = Property(description="The expression.")


class Let(Verb):
    """Works a value out; the step's name is the value."""

    name = "let"
    schema: ClassVar[type[VerbSchema]] = LetSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"let": Written(schema.let, place.scope)}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return lazily(cast(Written, parts["let"]))

    def check(self, place: Place, step: Step) -> None:
        place.check(step.parts["let"], "let")


RECORD_VERBS: tuple[Verb, ...] = (Find(), Create(), SetVerb(), Upsert(), Delete(), Fire(), Copy(), Relink(),
                                  ChangeType(), Choose(), Let())


