"""What must hold of a workflow: its table, its states and the ways between them, and whom and what they name."""

from __future__ import annotations

from collections.abc import Iterator

from core.definition.building import Building
from core.definition.kinds.dialogs import DialogSchema, check_ask
from core.definition.kinds.people import check_people
from core.definition.kinds.states import phase_field, serving
from core.definition.kinds.steps import check_steps
from core.definition.kinds.table import check_text
from core.definition.model import Table
from core.definition.names import suggestion
from core.definition.processes import ENDED, Transition, Workflow, WorklistLine
from core.definition.texts import faults, text_paths
from core.definition.values import BodyPath, Merged, value_at

LINE_NAMES = ("title", "plural")


def check_workflow(merged: Merged, workflow: Workflow, building: Building) -> None:
    """Tell every problem of a workflow."""
    table = building.find(merged, ("of",), "table", workflow.of)
    _check_states(merged, workflow, building)
    _check_ways(merged, workflow, building)
    if table is None:
        return
    table = building.names.tables[workflow.of]
    _check_field(merged, workflow, table, building)
    for name, state in workflow.states.items():
        check_people(merged, ("states", name, "edit"), state.edit, workflow.of, building)
        for field, people in state.fields.items():
            building.field(merged, ("states", name, "fields", field), workflow.of, field)
            check_people(merged, ("states", name, "fields", field), people, workflow.of, building)
        for index, field in enumerate(state.requires):
            building.field(merged, ("states", name, "requires", index), workflow.of, field)
    for transition in workflow.transitions.values():
        _check_transition(merged, workflow, transition, table, building)
    for line in workflow.worklist.values():
        _check_line(merged, workflow, line, building)


def _check_field(merged: Merged, workflow: Workflow, table: Table, building: Building) -> None:
    path: BodyPath = ("field",) if "field" in merged.body else ("of",)
    if building.field(merged, path, workflow.of, workflow.field) is None:
        return
    field = table.fields.get(workflow.field)
    if field is None or field.type.name != "state":
        building.tell(merged, path, f'field "{workflow.field}" of table "{workflow.of}" holds no state: give it type: '
                                    "state")
        return
    phase = phase_field(workflow.field)
    for one in (table, *(building.names.tables[kind] for kind in table.kinds)):
        found = one.fields.get(phase)
        if found is not None and found.path.partition(" ")[0] != "workflow":
            building.tell(merged, path, f'table "{one.name}" has a field "{phase}", and the workflow makes one of that '
                                        "name: rename it")
    for other in building.values["workflow"].values():
        if other.of == workflow.of and other.field == workflow.field and other.name < workflow.name:
            building.tell(merged, ("of",), f'table "{workflow.of}" has a workflow for "{workflow.field}" already: '
                                           f'"{other.name}"')


def _check_states(merged: Merged, workflow: Workflow, building: Building) -> None:
    states = workflow.states
    _check_state(merged, ("start",), workflow.start, workflow, building)
    for title, names in _titles(workflow).items():
        pair = " and ".join(f'"{name}"' for name in names)
        building.tell(merged, ("states", names[-1]), f'the states {pair} are both called "{title}": people cannot tell '
                                                     "them apart")
    for name, state in states.items():
        if state.result and state.phase not in ENDED:
            building.tell(merged, ("states", name, "result"), f'"{name}" has a result, but it is {state.phase}: only '
                                                              "done and void have one")
    if ("workflow", workflow.name) in building.broken or _unknown(workflow):
        return                          # what leads where follows from what is wrong already
    reached = _reached(workflow)
    for name, state in states.items():
        if name not in reached and not state.retired:
            building.tell(merged, ("states", name), f'no way leads to state "{name}" from "{workflow.start}"')
        if name in reached and state.phase not in ENDED and not _ways_out(workflow, name):
            building.tell(merged, ("states", name), f'no way leads out of state "{name}", and it is {state.phase}: a '
                                                    "state to stay in is done or void")


def _unknown(workflow: Workflow) -> bool:
    named = {workflow.start, *(name for one in workflow.transitions.values() for name in (*one.sources, one.to))}
    return not named <= workflow.states.keys()


def _titles(workflow: Workflow) -> dict[str, list[str]]:
    """The states that have the same title, by title."""
    found: dict[str, list[str]] = {}
    for state in workflow.states.values():
        found.setdefault(state.title, []).append(state.name)
    return {title: names for title, names in found.items() if len(names) > 1}


def _reached(workflow: Workflow) -> set[str]:
    """The states that a new record can come to."""
    reached, waiting = set[str](), [workflow.start]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [one.to for one in _ways_out(workflow, name)]
    return reached


def _ways_out(workflow: Workflow, state: str) -> list[Transition]:
    return [one for one in workflow.transitions.values() if state in one.sources and one.to != state]


def _check_state(merged: Merged, path: BodyPath, name: str, workflow: Workflow, building: Building) -> bool:
    """Remember that a state is named; False, with a problem told, if there is none."""
    building.refer(merged, path, "workflow", f"{workflow.name}.states.{name}")
    if name not in workflow.states and ("workflow", workflow.name) not in building.broken:
        building.tell(merged, path, f'there is no state "{name}"' + suggestion(name, workflow.states))
    return name in workflow.states


def _check_ways(merged: Merged, workflow: Workflow, building: Building) -> None:
    for name, one in workflow.transitions.items():
        path: BodyPath = ("transitions", name)
        for index, source in enumerate(one.sources):
            place = _item(merged, (*path, "from"), index)
            if _check_state(merged, place, source, workflow, building) and source in one.sources[:index]:
                building.tell(merged, place, f'"{source}" stands twice here')
        if _check_state(merged, (*path, "to"), one.to, workflow, building) and workflow.states[one.to].retired:
            building.tell(merged, (*path, "to"), f'state "{one.to}" is retired: nothing leads to it any more')
        if "auto" in one.written:
            _check_twins(merged, workflow, one, building)


def _check_twins(merged: Merged, workflow: Workflow, one: Transition, building: Building) -> None:
    """Two ways that are taken by themselves from one state, at the same time: nobody knows which."""
    for other in workflow.transitions.values():
        if other.name >= one.name or "auto" not in other.written:
            continue
        both = [name for name in one.sources if name in other.sources]
        if both and other.written["auto"].source == one.written["auto"].source:
            building.tell(merged, ("transitions", one.name, "auto"),
                          f'it is ambiguous where "{both[0]}" leads: "{other.name}" and "{one.name}" both happen by '
                          "themselves under the same condition")


def _item(merged: Merged, path: BodyPath, index: int) -> BodyPath:
    """The place of one of several names, or of the only one."""
    return (*path, index) if isinstance(value_at(merged.body, path), list) else path


def _check_transition(merged: Merged, workflow: Workflow, one: Transition, table: Table, building: Building) -> None:
    path: BodyPath = ("transitions", one.name)
    check_people(merged, (*path, "who"), one.who, workflow.of, building)
    for key, written in one.written.items():
        building.check(merged, (*path, key), written)
    for index, rule in enumerate(one.check):
        if rule not in table.rules:
            building.tell(merged, (*path, "check", index), f'table "{workflow.of}" has no rule "{rule}"'
                          + suggestion(rule, table.rules))
        else:
            building.refer(merged, (*path, "check", index), "table", f"{workflow.of}.{rule}")
    if one.ask is not None:
        check_ask(building, merged, path, one.ask)
    else:
        for key in DialogSchema.model_fields:
            if value_at(merged.body, (*path, key)) is not None:
                building.tell(merged, (*path, key), f'"{key}" is for what the transition asks, and it asks nothing')
    check_text(merged, (*path, "confirm"), workflow.of, one.confirm, building)
    check_text(merged, (*path, "message"), workflow.of, one.message, building)
    check_steps(building, merged, one.steps, (*path, "do"), workflow.of, building.verbs, "workflow")
    _check_name(merged, workflow, one.name, building)


def _check_name(merged: Merged, workflow: Workflow, name: str, building: Building) -> None:
    """Transitions and agents of a table share one name space: each is an address under a record."""
    for other in _neighbours(workflow, building):
        if name in other.transitions and other.name < workflow.name:
            building.tell(merged, ("transitions", name), f'workflow "{other.name}" has a transition "{name}" for the '
                                                         "same table: give one of them another name")
    agent = building.values["agent"].get(name)
    if agent is not None and agent.of is not None and _related(agent.of, workflow.of, building):
        building.tell(merged, ("transitions", name), f'there is an agent "{name}" for table "{agent.of}": give one of '
                                                     "them another name")


def _neighbours(workflow: Workflow, building: Building) -> Iterator[Workflow]:
    """The other workflows that serve a table together with this one."""
    table = building.names.tables[workflow.of]
    found = {other.name: other for one in (table.name, *table.kinds) for other in serving(building, one)
             if other is not workflow and workflow in serving(building, one)}
    yield from found.values()


def _related(one: str, other: str, building: Building) -> bool:
    return building.names.is_kind_of(one, other) or building.names.is_kind_of(other, one)


def _check_line(merged: Merged, workflow: Workflow, line: WorklistLine, building: Building) -> None:
    path: BodyPath = ("worklist", line.name)
    said = value_at(merged.body, (*path, "state")) is not None
    for index, state in enumerate(line.states):
        _check_state(merged, _item(merged, (*path, "state"), index) if said else path, state, workflow, building)
    check_people(merged, (*path, "for"), line.people, workflow.of, building)
    building.check(merged, (*path, "where"), line.written)
    _check_line_text(merged, (*path, "title"), line.title, building)


def _check_line_text(merged: Merged, path: BodyPath, text: str, building: Building) -> None:
    for column, message in faults(text):
        building.tell(merged, path, message, inside=column)
    for found in text_paths(text):
        if found not in LINE_NAMES:
            building.tell(merged, path, f'"{found}" is not known here: a line of the worklist may hold {{title}} and '
                                        "{plural} of the table" + suggestion(found, LINE_NAMES))
