"""Verbs of steps that say what is done when, how often, and by whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator
from pydantic import Field as Property

from core.definition.kinds.schema import Expression, Name, Text, Value
from core.definition.kinds.step_values import check_arguments, check_given, check_records, one_of, records, value_parts
from core.definition.kinds.steps import AGENT, SCENARIO, WORKFLOW, Gives, Place, Source, Verb, VerbSchema, fixed
from core.definition.kinds.times import Span, span
from core.definition.names import suggestion
from core.definition.processes import Agent, Step, duration, every_step
from core.definition.scope import Written
from core.types.base import Type

EACH = "each"


class IfSchema(VerbSchema):
    """Does the steps in `do` if a condition holds, and those in `else` if not."""


class If(Verb):
    """A step that has only `if`: does the steps inside where the condition holds."""

    name = "if"
    schema: ClassVar[type[VerbSchema]] = IfSchema
    block = True

    def check(self, place: Place, step: Step) -> None:
        """Nothing beyond what every step has."""


class ForSchema(VerbSchema):
    """Does the steps inside for each record of a set."""

    for_: Expression = Property(alias="for", description="The set of records.")
    as_: Name = Property(EACH, alias="as", description="What the steps inside call the record.")
    batch: int | None = Property(None, ge=1, le=2_000, description="How many records are done in one transaction; "
                                 "without it, all in one.")
    skip: bool = Property(False, description="True: a record whose steps fail is left as it was and counted, and the "
                          "others go on.")
    preview: bool = Property(False, description="True: people first see which records are meant and how many, and "
                             "what would be done.")


class For(Verb):
    """Does the steps inside for each record of a set."""

    name = "for"
    schema: ClassVar[type[VerbSchema]] = ForSchema
    block = True
    loop = True

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"for": records(place, schema.for_)}

    def inside(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Mapping[str, Source]:
        return {schema.as_: one_of(parts["for"])}

    def needs_person(self, schema: Any) -> bool:
        return bool(schema.preview)

    def check(self, place: Place, step: Step) -> None:
        check_records(place, step, "for", many=True)
        if not step.steps:
            place.tell('"for" needs "do": the steps for each record', "for")
        if step.said.as_ in step.scope.given:
            place.tell(f'"{step.said.as_}" is known here already: give the record another name', "as")


def _awaited(value: object) -> object:
    """What begins like a duration must be one."""
    return span(value) if isinstance(value, str) and re.fullmatch(r"[0-9.]+ ?[a-z]+", value) else value


Awaited = Annotated[Expression, BeforeValidator(_awaited), Property(json_schema_extra={
    "word": "expression, or duration such as 3 workdays"})]


class WaitSchema(VerbSchema):
    """Waits for a time, or until a condition holds."""

    wait: Awaited = Property(description="The condition, or a duration such as 3 workdays.")
    at_most: Span | None = Property(None, description="How long it waits for the condition.")


class Wait(Verb):
    """Waits; after a condition the step's name is true, or empty if it waited in vain."""

    name = "wait"
    schema: ClassVar[type[VerbSchema]] = WaitSchema
    places = AGENT | SCENARIO

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {} if duration(schema.wait) else {"wait": Written(schema.wait, place.scope, "boolean")}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        return fixed(Type("boolean")) if "wait" in parts else None

    def check(self, place: Place, step: Step) -> None:
        place.check(step.parts.get("wait"), "wait")
        if step.said.at_most and "wait" not in step.parts:
            place.tell('"at_most" is for a condition: this waits for a time', "at_most")


class StopSchema(VerbSchema):
    """Ends the run."""

    stop: Text = Property(description="What people are told; may hold {path}.")
    undo: bool = Property(False, description="True: takes back all that was done since the last wait, question or "
                          "batch, and tells it as an error.")


class Stop(Verb):
    """Ends the run and says why."""

    name = "stop"
    schema: ClassVar[type[VerbSchema]] = StopSchema
    places = AGENT | WORKFLOW

    def check(self, place: Place, step: Step) -> None:
        place.text(step.said.stop, "stop")


class TransactionSchema(VerbSchema):
    """Does the steps inside wholly or not at all."""

    transaction: Literal[True] = Property(description="True.")


class Transaction(Verb):
    """Does the steps inside wholly or not at all; without it, all steps up to the next wait are one transaction."""

    name = "transaction"
    schema: ClassVar[type[VerbSchema]] = TransactionSchema
    places = AGENT
    block = True

    def check(self, place: Place, step: Step) -> None:
        if not step.steps:
            place.tell('"transaction" needs "do": the steps inside', "transaction")
        for inner in every_step(step.steps):
            if inner.verb in ("wait", "ask"):
                place.tell(f'step "{inner.name}" waits, and a transaction cannot', "transaction")


class CallSchema(VerbSchema):
    """Runs another agent."""

    call: Name = Property(description="The agent.")
    record: Expression | None = Property(None, description="The record it works on; the one at hand if left out.")
    with_: dict[Name, Value] = Property({}, alias="with", description="Its parameters; a value that begins with = is "
                                        "an expression.")
    answers: dict[Name, dict[Name, Value]] = Property({}, description="What is answered to its questions, by step and "
                                                      "name; for scenarios.")


class Call(Verb):
    """Runs another agent, and goes on when it is done."""

    name = "call"
    schema: ClassVar[type[VerbSchema]] = CallSchema

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        return {"record": records(place, schema.record), **value_parts(place, schema.with_)}

    def check(self, place: Place, step: Step) -> None:
        agent = place.find("agent", step.said.call, "call")
        if agent is None:
            return
        if agent.of is not None:
            _check_record(place, step, agent)
        elif step.said.record is not None:
            place.tell(f'agent "{agent.name}" works on no record', "record")
        check_arguments(place, step.said.with_, agent.parameters, f'agent "{agent.name}"')
        _check_answers(place, step, agent)


def _check_record(place: Place, step: Step, agent: Agent) -> None:
    table = check_records(place, step, "record", many=False)
    names = place.building.names
    if table and agent.of in names.tables and not (
            names.is_kind_of(table, str(agent.of)) or names.is_kind_of(str(agent.of), table)):
        place.tell(f'agent "{agent.name}" works on "{agent.of}", not on "{table}"',
                   *(("record",) if step.said.record else ("call",)))


def _check_answers(place: Place, step: Step, agent: Agent) -> None:
    asks = {one.name: one.parts["ask"] for one in every_step(agent.steps) if one.verb == "ask"}
    if step.said.answers and place.where != "scenario":
        place.tell("people answer what an agent asks: answers are for scenarios", "answers")
        return
    for name, answers in step.said.answers.items():
        if name not in asks:
            place.tell(f'agent "{agent.name}" has no question "{name}"' + suggestion(name, asks), "answers", name)
        else:
            _check_fields(place, name, answers, asks[name])


def _check_fields(place: Place, name: str, answers: Mapping[str, object], ask: Any) -> None:
    known = {key: value for key, value in answers.items() if key in ask.fields}
    for key in answers.keys() - known.keys():
        place.tell(f'"{name}" does not ask "{key}"' + suggestion(key, ask.fields), "answers", name, key)
    for key, value in known.items():
        check_given(place.at("answers", name, key), ask.fields[key], value)


FLOW_VERBS: tuple[Verb, ...] = (Call(), For(), If(), Wait(), Stop(), Transaction())
