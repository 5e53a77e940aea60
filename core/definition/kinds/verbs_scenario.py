"""Verbs that only scenarios have: what must hold, and what must be refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.kinds.schema import Expression, Name
from core.definition.kinds.steps import SCENARIO, Place, StepSchema, Verb, VerbSchema, type_of
from core.definition.names import suggestion
from core.definition.processes import Step
from core.definition.scope import Written


class ExpectSchema(VerbSchema):
    """Something must hold now."""

    expect: Expression = Property(description="The condition.")


class Expect(Verb):
    """Something must hold now; the scenario fails if not."""

    name = "expect"
    schema: ClassVar[type[VerbSchema]] = ExpectSchema
    places = SCENARIO

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"expect": Written(schema.expect, place.scope, "boolean")}

    def check(self, place: Place, step: Step) -> None:
        place.check(step.parts["expect"], "expect")


class RefusedSchema(StepSchema):
    """A step that must be refused."""

    because: Name | None = Property(None, description="Why: the record role or role that is missing, the rule or "
                                    "`unique` that does not hold, the field that may not be changed or is empty.")


class RefuseSchema(VerbSchema):
    """A step must be refused."""

    refuse: RefusedSchema = Property(description="The step, and why it must be refused.")


class Refuse(Verb):
    """The step inside must be refused, and change nothing."""

    name = "refuse"
    schema: ClassVar[type[VerbSchema]] = RefuseSchema
    places = SCENARIO

    def alone(self, schema: Any) -> StepSchema | None:
        return RefusedSchema.model_validate(schema.refuse) if schema.refuse is not None else None

    def check(self, place: Place, step: Step) -> None:
        because = step.said.refuse.because
        inner = step.steps.get(self.name)
        if because is None or inner is None:
            return
        known = list(dict.fromkeys(_reasons(place, inner)))
        if because in place.building.known("role"):
            place.find("role", because, "refuse", "because")
        elif because not in known:
            place.tell(f'"{because}" is no role, rule, unique or field' + suggestion(because, known), "refuse",
                       "because")


def _reasons(place: Place, step: Step) -> Iterator[str]:
    """The names of what may refuse a step: record roles, rules, unique and fields of the tables it touches."""
    yield from place.building.known("role")
    for key, part in step.parts.items():
        kind = type_of(part) if isinstance(part, Written) and "." not in key else None
        name = kind.of if kind is not None else part if isinstance(part, str) else None
        table = place.building.names.tables.get(str(name))
        if table is not None:
            for each in (table, *(place.building.names.tables[one] for one in table.kinds)):
                yield from (*each.roles, *each.rules, *each.unique, *each.fields)


SCENARIO_VERBS: tuple[Verb, ...] = (Expect(), Refuse())
