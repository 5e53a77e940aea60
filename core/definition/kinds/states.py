"""What workflows do to the tables they serve: the states become choices, and the phase of a state becomes a field.

A table is built with the bodies of the workflows, not with their values, for those may name fields of tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from core.definition.building import Building
from core.definition.model import Choices, ChoiceValue, Field, Table
from core.definition.names import suggestion
from core.definition.processes import PHASES, Workflow
from core.definition.scope import ModelScope, Written
from core.definition.texts import humanised
from core.definition.values import BodyPath, Merged
from core.types.choice import ChoiceProperties, ChoiceType
from core.types.state import StateProperties

PHASE = "phase"         # the built-in choices: what a state is, whatever it is called
STATE = "state"
COLORS = {"draft": "gray", "waiting": "yellow", "open": "blue", "paused": "orange", "done": "green", "void": "red"}


@dataclass(frozen=True)
class Flow:
    """What a table needs to know of a workflow."""

    name: str
    of: str
    field: str
    start: str
    phases: Mapping[str, str]
    values: Mapping[str, ChoiceValue]


def phases() -> Choices:
    """The built-in choices `phase`: what code may know of a state."""
    return Choices(PHASE, "Phase", {name: ChoiceValue(name, humanised(name), color=COLORS[name],
                                                      path=f"choices {PHASE}.values.{name}") for name in PHASES})


def phase_field(state: str) -> str:
    """The name of the field that holds the phase of a state: `phase` beside `state`, `paid_phase` beside `paid`."""
    return PHASE if state == STATE else f"{state}_{PHASE}"


def serving(building: Building, table: str) -> list[Workflow]:
    """The workflows that serve a table: its own, and those of its bases for other fields."""
    found: dict[str, Workflow] = {}
    for current in _chain(building, table):
        for workflow in building.values["workflow"].values():
            if workflow.of == current:
                found.setdefault(workflow.field, workflow)
    return list(found.values())


def serve(building: Building, table: str, fields: dict[str, Field]) -> None:
    """Give a table's fields of type state their choices and default, and the table the fields that say the phase."""
    for field in [one for one in fields.values() if one.type.name == STATE]:
        own = _flow(building, table, field.name)
        below = {kind: flow for kind in building.names.under.get(table, ())
                 if (flow := _flow(building, kind, field.name)) is not None and flow is not own}
        if own is None and not below:   # told where the table is checked
            if _unread(building):
                building.names.lost.add(phase_field(field.name))
            continue
        choices = f"{table}.{field.name}"
        made = Choices(choices, field.title, _values(own, below.values()))
        building.names.choices[choices] = building.values["choices"][choices] = made
        written = {**field.written, "default": _default(building, field, own)} if own is not None else field.written
        fields[field.name] = replace(field, properties=StateProperties(of=choices), written=written)
        phase = _phase(building, table, field, own, below)
        before = fields.get(phase.name)
        if before is None or before.path.startswith("workflow "):       # else it is told with the workflow
            fields[phase.name] = phase


def check_moments(merged: Merged, table: Table, building: Building) -> None:
    """Tell rules that are for transitions which no record of the table can take."""
    if not any(table.rules[name].at for name in _rules(merged)):
        return
    tables = (table.name, *table.kinds)
    workflows = {flow.name: flow for each in tables for flow in serving(building, each)}
    known = {name: flow for flow in workflows.values() for name in flow.transitions}
    if any(kind == "workflow" for kind, _ in building.broken):
        return
    for rule in _rules(merged):
        for index, name in enumerate(table.rules[rule].at):
            place = ("rules", rule, "at", index)
            if name in known:
                building.refer(merged, place, "workflow", f"{known[name].name}.transitions.{name}")
            else:
                building.tell(merged, place, f'no workflow of table "{table.name}" has a transition "{name}"'
                              + suggestion(name, known))


def _rules(merged: Merged) -> list[str]:
    rules = merged.body.get("rules")
    return list(rules) if isinstance(rules, dict) else []


def _default(building: Building, field: Field, own: Flow) -> object:
    """The state of a new record: what the field says, if that is not only the start of the workflow of its base."""
    said = field.written.get("default")
    base = _flow(building, str(getattr(field.properties, "of", "")).partition(".")[0], field.name)
    return own.start if said is None or (base is not None and said == base.start) else said


def check_served(merged: Merged, table: Table, building: Building) -> None:
    """Tell fields of type state for which there is no workflow."""
    for field in table.fields.values():
        if field.type.name != STATE or table.abstract or _flow(building, table.name, field.name) is not None:
            continue
        path: BodyPath = ("fields", field.name) if field.table == table.name else ("base",)
        if not _unread(building) and not any(_astray(building, table, flow) for flow in _flows(building)):
            building.tell(merged, path, f'no workflow serves field "{field.name}" of table "{table.name}": write one, '
                                        "or give the field another type")


def _unread(building: Building) -> bool:
    """Whether there is a workflow whose file could not be read: it may be the one that is meant."""
    return any(kind == "workflow" and (kind, name) not in building.merged for kind, name in building.broken)


def _astray(building: Building, table: Table, flow: Flow) -> bool:
    """Whether a workflow may be meant for the table, and is wrong itself."""
    if ("workflow", flow.name) in building.broken or ("table", flow.of) not in building.merged:
        return True
    found = table.fields.get(flow.field)
    return flow.of in _chain(building, table.name) and (found is None or found.type.name != STATE)


def _flow(building: Building, table: str, field: str) -> Flow | None:
    """The workflow that serves a field of a table, or of its nearest base that has one."""
    flows = _flows(building)
    return next((flow for current in _chain(building, table) for flow in flows
                 if flow.of == current and flow.field == field), None)


def _flows(building: Building) -> tuple[Flow, ...]:
    building.names.notes.add("workflow")
    if building.flows is None:
        building.flows = tuple(flow for name in building.known("workflow")
                               if (flow := _read(building.merged["workflow", name])) is not None)
    return building.flows


def _chain(building: Building, table: str) -> Iterator[str]:
    """A table and its bases, nearest first."""
    seen: set[str] = set()
    current: object = table
    while isinstance(current, str) and current not in seen and ("table", current) in building.merged:
        seen.add(current)
        yield current
        current = building.merged["table", current].body.get("base")


def _read(merged: Merged) -> Flow | None:
    """A workflow as written; what is wrong in it is told elsewhere."""
    of, states = merged.body.get("of"), merged.body.get("states")
    if not isinstance(of, str) or not isinstance(states, dict) or not states:
        return None
    said = {name: state if isinstance(state, dict) else {} for name, state in states.items()}
    values = {name: ChoiceValue(name, str(state.get("title") or humanised(name)), str(state.get("phase")),
                                _text(state.get("color")) or COLORS.get(str(state.get("phase"))),
                                state.get("retired") is True, f"workflow {merged.name}.states.{name}")
              for name, state in said.items()}
    return Flow(merged.name, of, _text(merged.body.get("field")) or STATE,
                _text(merged.body.get("start")) or next(iter(states)),
                {name: str(state.get("phase")) for name, state in said.items() if state.get("phase") in PHASES}, values)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _values(own: Flow | None, below: Iterable[Flow]) -> dict[str, ChoiceValue]:
    """The states as choices; those of the kinds under a base can be read there, not chosen."""
    found = dict(own.values) if own is not None else {}
    for flow in below:
        for name, value in flow.values.items():
            found.setdefault(name, replace(value, retired=True))
    return found


def _phase(building: Building, table: str, field: Field, own: Flow | None, below: Mapping[str, Flow]) -> Field:
    """The computed field that says the phase."""
    flow = own or next(iter(below.values()))
    properties, name = ChoiceProperties(of=PHASE), phase_field(field.name)
    scope = ModelScope(building.names, table, forgiving=True)
    formula = Written(_source(field.name, own, below), scope, ChoiceType().expression_type(properties))
    return Field(field.table, name, ChoiceType(), properties, humanised(name), path=f"workflow {flow.name}.{name}",
                 written={"formula": formula})


def _source(state: str, own: Flow | None, below: Mapping[str, Flow]) -> str:
    """The expression for the phase. A state that has different phases asks which kind of record it is."""
    meanings: dict[str, dict[str, list[str]]] = {}      # state -> phase -> kinds, "" for the table's own records
    for kind, flow in (*(() if own is None else (("", own),)), *below.items()):
        for name, phase in flow.phases.items():
            meanings.setdefault(name, {}).setdefault(phase, []).append(kind)
    result = "None"
    for phase in reversed(PHASES):
        plain = [f"'{name}'" for name, found in meanings.items() if list(found) == [phase]]
        parts = [f"{state} in [{', '.join(plain)}]"] if plain else []
        parts += [_of_kinds(state, name, phase, found) for name, found in meanings.items()
                  if phase in found and len(found) > 1]
        if parts:
            result = f"'{phase}' if {' or '.join(parts)} else {result}"
    return result


def _of_kinds(state: str, name: str, phase: str, found: Mapping[str, list[str]]) -> str:
    """When a record in a state is in one of its phases, by the kind of record."""
    if "" in found[phase]:
        others = (kind for other, kinds in found.items() if other != phase for kind in kinds)
        return f"({state} == '{name}' and not ({' or '.join(f'record is {kind}' for kind in others)}))"
    return f"({state} == '{name}' and ({' or '.join(f'record is {kind}' for kind in found[phase])}))"
