"""The kind `workflow`: the states of a table's records, and the ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.dialogs import DialogSchema, make_ask
from core.definition.kinds.parameters import AskedSchema
from core.definition.kinds.people import PeopleNames
from core.definition.kinds.schema import Color, Condition, Expression, Line, Name, Names, Schema, Text
from core.definition.kinds.steps import Builder, Source, StepSchema, fixed
from core.definition.kinds.times import Span
from core.definition.kinds.workflow_checks import check_workflow
from core.definition.processes import Ask, State, Transition, Workflow, WorklistLine, duration
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import Merged
from core.types.base import Type

ANSWER = "answer"       # what the steps of a transition call that which it asked


class StateSchema(Schema):
    """A state."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it means, in a sentence.")
    phase: Literal["draft", "waiting", "open", "paused", "done", "void"] = Property(
        description="What it is to code, lists and reports, whatever it is called: so a site may add states.")
    result: Name | None = Property(None, description="What it came to, such as won or lost; for phase done or void.")
    color: Color | None = Property(None, description="The colour of its badge.")
    edit: PeopleNames = Property(None, description="Who may change the record in it, of those whom the grants allow; "
                                 "all of them if left out, nobody with `none`.")
    fields: dict[Name, PeopleNames] = Property({}, description="Who may change these fields in it, by field.")
    requires: list[Name] = Property([], description="The fields that a record in it must have.")
    retired: bool = Property(False, description="True: records keep it, but none comes into it any more.")
    was: Names | None = Property(None, description="Its former name or names; records in them get this one.")


class TransitionSchema(DialogSchema):
    """A way from some states to another."""

    title: Text | None = Property(None, description="What its button says; the name in words if left out.")
    help: Text | None = Property(None, description="What it does, in a sentence.")
    icon: Line | None = Property(None, description="The name of the icon of its button.")
    color: Color | None = Property(None, description="The colour of its button.")
    from_: Names = Property(alias="from", min_length=1, description="The state or states it leads from.")
    to: Name = Property(description="The state it leads to.")
    who: PeopleNames = Property(None, description="Who may take it, if they may read the record; whoever may change it "
                                "if left out, nobody (but `auto` and agents) with `none`.")
    if_: Condition = Property(None, alias="if", description="Whether it is offered; bare names are fields of the "
                              "record.")
    check: list[Name] = Property([], description="The rules of the table that must hold, beside those that name it in "
                                 "`at`.")
    ask: dict[Name, AskedSchema] = Property({}, description="What people are asked, by name; its steps and "
                                                "conditions call it answer.NAME.")
    do: dict[Name, StepSchema] = Property({}, description="Steps that are done in the transaction of the change, by "
                                          "name.")
    auto: Expression | None = Property(None, description="When it happens by itself; bare names are fields of the "
                                       "record.")
    undo: Span | None = Property(None, description="How long it can be taken back; what it sends waits so long.")
    confirm: Text | None = Property(None, description="What people are asked to confirm; may hold {path} of the "
                                    "record.")
    message: Text | None = Property(None, description="What is said when it is done; may hold {path} of the record.")
    was: Names | None = Property(None, description="Its former name or names.")


class WorklistSchema(Schema):
    """A line of the worklist."""

    title: Text | None = Property(None, description="What it says, with the number behind it; may hold {title} and "
                                  "{plural} of the table. The name in words if left out.")
    state: Names | None = Property(None, description="The state or states it counts; the line's name if left out.")
    people: PeopleNames = Property(None, alias="for", description="Who has it; whoever may take a way out of the state "
                                   "if left out.")
    where: Expression | None = Property(None, description="The records it counts, of those in the state.")


class WorkflowSchema(Schema):
    """The states of a table's records, and the ways between them."""

    of: Name = Property(description="The table; it serves every table based on it that has no workflow of its own.")
    field: Name = Property("state", description="The field that holds the state, of type state.")
    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it is for.")
    start: Name | None = Property(None, description="The state of a new record; the first if left out.")
    states: dict[Name, StateSchema] = Property(min_length=1, description="The states by name, in order.")
    transitions: dict[Name, TransitionSchema] = Property({}, description="The ways between states, by name, in the "
                                                         "order of their buttons.")
    worklist: dict[Name, WorklistSchema] = Property({}, description="Lines of the worklist, by name.")


class WorkflowKind(Kind):
    """The states of a table's records, and the ways between them."""

    name = "workflow"
    folder = "workflows"
    lazy = True
    schema: ClassVar[type[Schema]] = WorkflowSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Workflow:
        """The workflow; conditions are about a record of its table, steps have variables."""
        states = {name: _state(name, one) for name, one in schema.states.items()}
        transitions = {name: _transition(merged, name, one, schema.of, building)
                       for name, one in schema.transitions.items()}
        scope = building.scope(schema.of)
        worklist = {name: WorklistLine(name, one.title or humanised(name), tuple(one.state or [name]), one.people,
                                       Written(one.where, scope, "boolean") if one.where else None)
                    for name, one in schema.worklist.items()}
        return Workflow(merged.name, schema.title or humanised(merged.name), schema.of, schema.field,
                        schema.start or next(iter(states)), states, transitions, worklist, schema.help or "")

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check its table and field, states and ways between them, people, rules, steps and the worklist."""
        check_workflow(merged, value, building)


def _state(name: str, schema: Any) -> State:
    return State(name, schema.title or humanised(name), schema.phase, schema.result, schema.color, schema.edit,
                 schema.fields, tuple(schema.requires), schema.retired, schema.help or "")


def _transition(merged: Merged, name: str, schema: Any, table: str, building: Building) -> Transition:
    path = ("transitions", name)
    known: dict[str, Source] = {"record": fixed(Type("link", table))}
    ask: Ask | None = None
    if schema.ask:
        ask = make_ask(building, merged, path, ANSWER, schema.ask, schema, {"record": Type("link", table)})
        known |= {f"{ANSWER}.{key}": fixed(ask.fields[key].expression_type if key in ask.fields else None)
                  for key in schema.ask}
    builder = Builder(building, merged, building.verbs, "workflow", table)
    steps, _ = builder.steps(schema.do, (*path, "do"), known)
    return Transition(name, schema.title or humanised(name), tuple(schema.from_), schema.to, schema.who,
                      tuple(schema.check), ask, steps, duration(schema.undo) if schema.undo else None,
                      schema.confirm or "", schema.message or "", schema.icon, schema.color, schema.help or "",
                      _conditions(schema, table, building))


def _conditions(schema: Any, table: str, building: Building) -> Mapping[str, Written]:
    scope = building.scope(table)
    return {key: Written(str(value), scope, "boolean") for key, value in (("if", schema.if_), ("auto", schema.auto))
            if value is not None}
