"""The kind `agent`: steps that are done at a button, by the clock, when records change, or when called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Property
from pydantic_core import PydanticCustomError

from core.definition.building import Building
from core.definition.circles import circle_of, spelled
from core.definition.kinds.base import Kind
from core.definition.kinds.parameters import ParameterSchema, check_parameters, parameter_fields
from core.definition.kinds.people import PeopleNames, check_people
from core.definition.kinds.schema import Color, Condition, Line, Name, Names, Schema, Text
from core.definition.kinds.states import serving
from core.definition.kinds.steps import Builder, Source, StepSchema, check_steps, fixed
from core.definition.kinds.system import zone_fault
from core.definition.kinds.table import check_text
from core.definition.kinds.times import Timetable
from core.definition.names import suggestion
from core.definition.processes import Agent, Step, Trigger, every_step
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged
from core.types.base import Type

USER, SYSTEM = "user", "system"


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Happenings = Annotated[list[Literal["created", "changed", "deleted"]], BeforeValidator(_several), Property(
    json_schema_extra={"word": "`created`, `changed` or `deleted`, or a list of them"})]


class WhenSchema(Schema):
    """What starts an agent; several may."""

    button: Name | None = Property(None, description="People, by a button: the id of the <menu> of a form that it "
                                   "hangs in.")
    schedule: Timetable | None = Property(None, description="The clock: minute, hour, day, month, weekday, such as "
                                          '"0 8 * * 1-5".')
    zone: Line | None = Property(None, description="The time zone of the timetable; that of the system if left out.")
    record: Happenings = Property([], description="What happens to a record of the table, whoever does it.")
    fields: list[Name] = Property([], description="Of a changed record: only if one of these fields changed.")
    if_: Condition = Property(None, alias="if", description="Whether what happened to the record starts it; bare names "
                              "are fields of the record.")
    call: bool = Property(False, description="True: other agents, the API and addons.")

    @model_validator(mode="after")
    def _something(self) -> WhenSchema:
        if self.button is None and self.schedule is None and not self.record and not self.call:
            raise PydanticCustomError("when", "nothing starts it: say button, schedule, record or call")
        return self


class AgentSchema(Schema):
    """Steps that are done one after another."""

    of: Name | None = Property(None, description="The table of the record it works on, `record`; without it there is "
                               "no record.")
    title: Text | None = Property(None, description="What its button says; the name in words if left out.")
    help: Text | None = Property(None, description="What it does, in a sentence.")
    icon: Line | None = Property(None, description="The name of the icon of its button.")
    color: Color | None = Property(None, description="The colour of its button.")
    when: WhenSchema = Property(description="What starts it.")
    if_: Condition = Property(None, alias="if", description="Whether it applies to a record, however it is started; "
                              "bare names are fields of the record.")
    who: PeopleNames = Property(None, description="Who may start it, if they may read the record; whoever may "
                                "read it if left out.")
    run_as: Name = Property(USER, description="Whose rights it has: `user` (who started it), `system`, or a record "
                            "role of the table.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What a caller gives it, by name; steps call "
                                                       "it parameter.NAME.")
    confirm: Text | None = Property(None, description="What people are asked to confirm; may hold {path} of the "
                                    "record.")
    do: dict[Name, StepSchema] = Property(min_length=1, description="The steps by name, in order; see below.")
    was: Names | None = Property(None, description="Its former name or names.")


class AgentKind(Kind):
    """Steps that are done one after another."""

    name = "agent"
    folder = "agents"
    lazy = True
    schema: ClassVar[type[Schema]] = AgentSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Agent:
        """The agent; its own conditions are about the record, its steps have variables."""
        given = {"record": Type("link", schema.of)} if schema.of else {}
        parameters = parameter_fields(building, merged, ("parameters",), schema.parameters, given)
        known: dict[str, Source] = {name: fixed(kind) for name, kind in given.items()}
        known |= {f"parameter.{name}": fixed(parameters[name].expression_type if name in parameters else None)
                  for name in schema.parameters}
        builder = Builder(building, merged, building.verbs, "agent", schema.of)
        steps, _ = builder.steps(schema.do, ("do",), known)
        return Agent(merged.name, schema.title or humanised(merged.name), schema.of, _trigger(schema, building), steps,
                     schema.run_as, schema.who, parameters, schema.confirm or "", schema.icon, schema.color,
                     schema.help or "", _condition(schema.if_, schema.of, building))

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check what starts it, whose rights it has, its parameters and its steps."""
        if value.of is not None and building.find(merged, ("of",), "table", value.of) is None:
            return
        _check_trigger(merged, value, building)
        building.check(merged, ("if",), value.written)
        if value.written is not None and value.of is None:
            building.tell(merged, ("if",), 'there is no record that this could be about: say "of"')
        check_people(merged, ("who",), value.who, value.of, building)
        _check_run_as(merged, value, building)
        check_parameters(building, merged, ("parameters",), value.parameters)
        if value.of is not None:
            check_text(merged, ("confirm",), value.of, value.confirm, building)
        check_steps(building, merged, value.steps, ("do",), value.of, building.verbs, "agent")
        if value.when.schedule is not None:
            _check_alone(merged, value.steps, ("do",), building)
        _check_circle(merged, value, building)


def _condition(condition: Any, table: str | None, building: Building) -> Written | None:
    return Written(str(condition), building.scope(table), "boolean") if condition is not None else None


def _trigger(schema: Any, building: Building) -> Trigger:
    when = schema.when
    return Trigger(when.button, when.schedule, when.zone, tuple(when.record), tuple(when.fields), when.call,
                   _condition(when.if_, schema.of, building))


def _check_trigger(merged: Merged, agent: Agent, building: Building) -> None:
    when = agent.when
    for key in ("button", "record"):
        if getattr(when, key) and agent.of is None:
            building.tell(merged, ("when", key), 'a button needs a record: say "of"' if key == "button"
                          else 'it does not say of which table the record is: say "of"')
    if when.button is not None and agent.of is not None:
        _check_slot(merged, agent.of, when.button, building)
    if when.schedule is not None and agent.of is not None:
        building.tell(merged, ("when", "schedule"), 'the clock knows no record: leave "of" out, and find records in a '
                                                    "step")
    _check_zone(merged, agent, building)
    _check_change(merged, agent, building)


def _check_zone(merged: Merged, agent: Agent, building: Building) -> None:
    zone = agent.when.zone
    if zone is None:
        return
    if agent.when.schedule is None:
        building.tell(merged, ("when", "zone"), '"zone" is for a schedule')
    elif (wrong := zone_fault(zone)) is not None:
        building.tell(merged, ("when", "zone"), wrong)


def _check_change(merged: Merged, agent: Agent, building: Building) -> None:
    when = agent.when
    if when.fields and "changed" not in when.record:
        building.tell(merged, ("when", "fields"), '"fields" is for record: changed')
    if when.written is not None and not when.record:
        building.tell(merged, ("when", "if"), '"if" is for what happens to a record here: write it beside "when"')
    elif when.written is not None and agent.of is not None:
        building.check(merged, ("when", "if"), when.written)
    for index, name in enumerate(when.fields if agent.of else ()):
        building.field(merged, ("when", "fields", index), str(agent.of), name)


def _check_slot(merged: Merged, table: str, slot: str, building: Building) -> None:
    """The button must hang in a menu that some form of the table has."""
    names, slots = building.names, []
    for form in building.values["form"].values():
        if form.of and (names.is_kind_of(form.of, table) or names.is_kind_of(table, form.of)):
            slots += [(form.name, node.ref) for node in form.root.walk() if node.tag == "menu"]
            if any(node.tag == "menu" and node.ref == slot for node in form.root.walk()):
                building.refer(merged, ("when", "button"), "form", f"{form.name}.{slot}")
    if slot not in (ref for _, ref in slots) and not any(kind == "form" for kind, _ in building.broken):
        building.tell(merged, ("when", "button"), f'no form of table "{table}" has a <menu id="{slot}"/>'
                      + suggestion(slot, (ref for _, ref in slots)))


def _check_run_as(merged: Merged, agent: Agent, building: Building) -> None:
    if agent.run_as == USER and agent.when.schedule is not None:
        building.tell(merged, ("run_as",) if "run_as" in merged.body else ("when", "schedule"),
                      "nobody starts it but the clock: say run_as: system")
    if agent.run_as in (USER, SYSTEM):
        return
    table = building.names.tables.get(agent.of or "")
    roles = table.roles if table is not None else {}
    if agent.run_as in roles:
        building.refer(merged, ("run_as",), "table", f"{agent.of}.{agent.run_as}")
    else:
        building.tell(merged, ("run_as",), f'"{agent.run_as}" is neither user nor system nor a record role'
                      + (f' of table "{agent.of}"' if agent.of else "")
                      + suggestion(agent.run_as, (USER, SYSTEM, *roles)))


def _check_alone(merged: Merged, steps: Mapping[str, Step], path: BodyPath, building: Building) -> None:
    """What runs by the clock has nobody who could answer or look."""
    for name, step in steps.items():
        here = (*path, name)
        if building.verbs[step.verb].needs_person(step.said):
            building.tell(merged, here, f'it runs by the clock: nobody is there for this "{step.verb}"')
        for key, inner in (("do", step.steps), ("else", step.otherwise)):
            _check_alone(merged, inner, (*here, key), building)
        _check_alone(merged, step.rescue, (*here, "on_error", "then"), building)


def _check_circle(merged: Merged, agent: Agent, building: Building) -> None:
    """Tell a circle of calls once, at the agent whose name comes first."""
    agents = building.values["agent"]
    circle = circle_of(agent.name, lambda name: _called(agents[name], building) if name in agents else ())
    if circle and agent.name == min(circle):
        building.tell(merged, ("do",), "agents call each other in a circle: " + spelled(circle))


def _called(agent: Agent, building: Building) -> Iterator[str]:
    """The agents that an agent calls, itself or by a transition."""
    for step in every_step(agent.steps):
        if step.verb == "call":
            yield step.said.call
        if step.verb == "fire" and agent.of is not None:
            ways = (flow.transitions.get(step.said.fire) for flow in serving(building, agent.of))
            yield from (inner.said.call for way in ways if way is not None for inner in every_step(way.steps)
                        if inner.verb == "call")
