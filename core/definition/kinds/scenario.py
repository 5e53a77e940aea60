"""The kind `scenario`: a test of the model, in its own words."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.schema import Expression, Line, Name, Names, Schema, Text, Value
from core.definition.kinds.step_values import check_complete, check_values
from core.definition.kinds.steps import Builder, Place, StepSchema, check_steps, fixed
from core.definition.names import suggestion
from core.definition.processes import Scenario, Step, every_step
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged
from core.types.base import BadValue, Properties, Type
from core.types.datetime import DatetimeType


class UserSchema(Schema):
    """A person of the scenario."""

    roles: list[Name] = Property([], description="The roles of the person.")
    with_: dict[Name, Value] = Property({}, alias="with", description="Other fields of the user, by field.")


class GivenSchema(Schema):
    """A record that is there before."""

    of: Name = Property(description="The table.")
    with_: dict[Name, Value] = Property({}, alias="with", description="The values of its fields, by field; a value "
                                        "that begins with = is an expression, in which users and the records before "
                                        "it have their names.")


class ScenarioStepSchema(StepSchema):
    """A step, and who does it."""

    as_: Name | None = Property(None, alias="as", description="Who does it: a user of the scenario, or a role, which "
                                "stands for somebody who has it; the system if left out.")


class ScenarioSchema(Schema):
    """A test of the model: records that are there, what people do, and what must hold."""

    title: Text | None = Property(None, description="What it shows; the name in words if left out.")
    help: Text | None = Property(None, description="What it is about, in a sentence.")
    now: Line | None = Property(None, description="The moment at which it begins, such as 2026-01-31T08:00:00Z; the "
                                "present if left out.")
    users: dict[Name, UserSchema] = Property({}, description="The people by name; a name is a variable that is the "
                                             "user.")
    given: dict[Name, GivenSchema] = Property({}, description="The records that are there before, by name; a name is a "
                                              "variable that is the record.")
    do: dict[Name, ScenarioStepSchema] = Property({}, description="What is done, by name, in order: steps as those of "
                                                  "agents, and `expect` and `refuse`.")
    expect: dict[Name, Expression] = Property({}, description="What must hold in the end, by name.")
    was: Names | None = Property(None, description="Its former name or names.")


class ScenarioKind(Kind):
    """A test of the model, in its own words."""

    name = "scenario"
    folder = "scenarios"
    lazy = True
    schema: ClassVar[type[Schema]] = ScenarioSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Scenario:
        """The scenario; what is given are steps that create."""
        users = {name: tuple(user.roles) for name, user in schema.users.items()}
        known = {name: fixed(Type("link", "user")) for name in users}
        builder = Builder(building, merged, building.verbs, "scenario", None)
        given, known = builder.steps({name: _given(one) for name, one in schema.given.items()}, ("given",), known)
        steps, known = builder.steps(schema.do, ("do",), known)
        scope = builder.scope(known)
        expect = {name: Written(source, scope, "boolean") for name, source in schema.expect.items()}
        return Scenario(merged.name, schema.title or humanised(merged.name), users, given, steps, expect, schema.now,
                        schema.help or "")

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check users, records, steps, and what must hold."""
        _check_moment(merged, value, building)
        for name, roles in value.users.items():
            for index, role in enumerate(roles):
                building.find(merged, ("users", name, "roles", index), "role", role)
        _check_given(merged, value, building)
        check_steps(building, merged, value.steps, ("do",), None, building.verbs, "scenario")
        for name, step in value.steps.items():
            _check_user(merged, ("do", name, "as"), step, value, building)
        for name, written in value.expect.items():
            building.check(merged, ("expect", name), written)
        if not value.expect and not any(step.verb in ("expect", "refuse") for step in every_step(value.steps)):
            building.tell(merged, (), f'scenario "{value.name}" expects nothing')


def _given(schema: Any) -> StepSchema:
    return StepSchema.model_validate({"create": schema.of, "with": schema.with_})


def _check_given(merged: Merged, scenario: Scenario, building: Building) -> None:
    for name, step in scenario.given.items():
        place = Place(building, merged, ("given", name), None, step.scope, "scenario")
        table = str(step.parts["create"])
        if place.find("table", table, "of") is None:
            continue
        if building.names.tables[table].abstract:
            place.tell(f'table "{table}" is abstract: it has no records but those of its kinds', "of")
        check_values(place, step.said.with_, table)
        check_complete(place, step.said.with_, table)


def _check_user(merged: Merged, path: BodyPath, step: Step, scenario: Scenario, building: Building) -> None:
    if step.user is None or step.user in scenario.users:
        return
    roles = building.known("role")
    if step.user in roles:
        building.find(merged, path, "role", step.user)
    else:
        building.tell(merged, path, f'"{step.user}" is neither a user of the scenario nor a role'
                      + suggestion(step.user, (*scenario.users, *roles)))


def _check_moment(merged: Merged, scenario: Scenario, building: Building) -> None:
    if scenario.now is None:
        return
    try:
        DatetimeType().from_wire(scenario.now, Properties())
    except BadValue:
        building.tell(merged, ("now",), f'"{scenario.now}" is no moment: write it like 2026-01-31T08:00:00Z')
