"""Steps of agents, transitions and scenarios: one verb each; a step's name is its identity and names its result."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Discriminator, Tag, ValidationError
from pydantic import Field as Property

from core.definition.building import NO_VARIABLES, Building
from core.definition.faults import tell_all
from core.definition.kinds.schema import Condition, Name, Schema, Value
from core.definition.kinds.times import Span
from core.definition.names import suggestion
from core.definition.processes import Step
from core.definition.scope import ModelScope, Names, Written
from core.definition.texts import faults, text_paths
from core.definition.values import BodyPath, Merged, value_at
from core.expression import ExpressionError
from core.expression.type_rules import describe, unify
from core.types.base import Type

Where = Literal["agent", "workflow", "scenario"]
AGENT, WORKFLOW, SCENARIO = frozenset({"agent"}), frozenset({"workflow"}), frozenset({"scenario"})
Source = Callable[[], Type | None]      # the type of a variable, worked out when it is asked for
Gives = Source | Mapping[str, Source] | None


def _kind_of_else(value: object) -> str:
    return "steps" if isinstance(value, dict) else "value"


Otherwise = Annotated[Annotated[dict[Name, "StepSchema"], Tag("steps")] | Annotated[Value, Tag("value")],
                      Discriminator(_kind_of_else)]


class OnErrorSchema(Schema):
    """What is done when a step fails."""

    retry: int = Property(0, ge=0, le=20, description="How often it is tried again.")
    pause: Span | None = Property(None, description="How long it waits before each try, such as 5 minutes.")
    skip: bool = Property(False, description="True: goes on with the next step when all tries have failed.")
    then: dict[Name, StepSchema] = Property({}, description="Steps that are done when all tries have failed, by name.")


class StepSchema(Schema):
    """A step: one verb, and the properties of the verb beside it."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    if_: Condition = Property(None, alias="if", description="Whether the step is done.")
    else_: Otherwise = Property(None, alias="else", description="What the step gives if it is not done, a value; of a "
                                "step without a verb: the steps that are done instead, by name.")
    do: dict[Name, StepSchema] = Property({}, description="The steps inside: of `for`, of `transaction`, or of a step "
                                          "that has only `if`; by name.")
    once: Condition = Property(None, description="True: is done once for each record, however often the agent runs. An "
                               "expression: once for each of its values.")
    on_error: OnErrorSchema | None = Property(None, description="What is done when it fails; without it, all that was "
                                              "done since the last wait, question or batch is undone, and the run "
                                              "ends.")


    @staticmethod
    def beside(body: Mapping[str, object]) -> Iterator[type[VerbSchema]]:
        """The schemas of the built-in verbs that a step's body has, for its texts."""
        from core.definition.kinds.verbs import VERBS
        yield from (verb.schema for name, verb in VERBS.items() if name in body)


OnErrorSchema.model_rebuild()
_UNKNOWN = re.compile('"([a-z0-9_]+)" is not known here')
COMMON = frozenset({"if", "else", "do", "once", "on_error"})


class VerbSchema(Schema):
    """A verb with its properties."""


@dataclass(frozen=True)
class Place:
    """Where a step stands: its definition, its path, and the names it may use."""

    building: Building
    merged: Merged
    path: BodyPath
    table: str | None               # of `record`
    scope: ModelScope               # variables only: bare names are no fields
    where: Where

    def about(self, table: str | None) -> ModelScope:
        """The names of a condition about records of a table, beside the variables."""
        return replace(self.scope, table=table)

    def at(self, *path: str | int) -> Place:
        """A place inside this one."""
        return replace(self, path=(*self.path, *path))

    def tell(self, message: str, *path: str | int) -> None:
        """A problem at a path inside the step."""
        self.building.tell(self.merged, (*self.path, *path), message)

    def find(self, kind: str, name: str, *path: str | int) -> Any | None:
        """What a path of the step names; None, with a problem told."""
        return self.building.find(self.merged, (*self.path, *path), kind, name)

    def check(self, written: object, *path: str | int, shift: int = 0) -> Type | None:
        """Check an expression; its type, or None with a problem told."""
        if not isinstance(written, Written) or self._bare(written, path, shift):
            return None
        self.building.check(self.merged, (*self.path, *path), written, shift)
        return type_of(written)

    def _bare(self, written: Written, path: tuple[str | int, ...], shift: int) -> bool:
        """Whether a field is named without its record, which is told."""
        try:
            self.building.names.touched = False
            return written.expression is None
        except ExpressionError as error:
            found = _UNKNOWN.fullmatch(error.message)
            if found is None or self.table is None or self.building.names.member(self.table, found[1]) is None:
                return False
            place = (*self.path, *path)
            self.building.tell(self.merged, place, f'"{found[1]}" is not known here: a field has its record before it, '
                                                   f"write record.{found[1]}", inside=error.column + shift)
            return True

    def text(self, text: str | None, *path: str | int) -> None:
        """Check the {path}s of a text: they begin with variables."""
        said = value_at(self.merged.body, (*self.path, *path))
        if not text or said != text:
            return
        for column, message in faults(text):
            self.building.tell(self.merged, (*self.path, *path), message, inside=column)
        for found in dict.fromkeys(text_paths(text)):
            self.check(Written(found, self.scope), *path, shift=text.index("{" + found + "}") + 1)

    def said(self, *path: str | int) -> object:
        """What the step says at a path."""
        return value_at(self.merged.body, (*self.path, *path))


def type_of(written: Written) -> Type | None:
    """The type of an expression; None if it is wrong."""
    try:
        return written.expression.type
    except ExpressionError:
        return None


class Known(Mapping[str, Type]):
    """The variables at a place; the type of a step's result is worked out when somebody asks for it."""

    def __init__(self, names: Names, sources: Mapping[str, Source], around: Mapping[str, Type] = NO_VARIABLES) -> None:
        self._names, self._sources, self._around = names, sources, around

    def __getitem__(self, name: str) -> Type:
        if name not in self._sources:
            return self._around[name]
        found = self._sources[name]()
        if found is None:
            self._names.touched = True      # what follows from a step that is wrong is not told
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._sources or name in self._around

    def __iter__(self) -> Iterator[str]:
        return iter((*self._around, *(name for name in self._sources if name not in self._around)))

    def __len__(self) -> int:
        return len(self._sources.keys() | self._around.keys())


class Verb(ABC):
    """A verb of steps, built in or from an addon's hook `verbs`: its schema, what it gives, what it refers to."""

    name: ClassVar[str]
    schema: ClassVar[type[VerbSchema]]          # has a property called like the verb
    places: ClassVar[frozenset[str]] = AGENT | WORKFLOW | SCENARIO
    attended: ClassVar[bool] = False            # needs a person who looks at a page
    block: ClassVar[bool] = False               # has steps inside, in `do`
    loop: ClassVar[bool] = False                # does them several times: what they give is not known after it

    def build(self, place: Place, schema: Any) -> Mapping[str, object]:
        """Its parts by dotted path: expressions not yet parsed, dialogs."""
        return {}

    def gives(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Gives:
        """What its step's name means to the following steps: a type, several dotted names, or nothing.

        Sources live as long as the Model: they hold expressions and types, never the place.
        """
        return None

    def inside(self, place: Place, schema: Any, parts: Mapping[str, object]) -> Mapping[str, Source]:
        """The names that the steps inside know beside the others."""
        return {}

    def alone(self, schema: Any) -> StepSchema | None:
        """The one step that stands in the property called like the verb, if any."""
        return None

    def needs_person(self, schema: Any) -> bool:
        """Whether a person must look at a page while it is done."""
        return self.attended

    @abstractmethod
    def check(self, place: Place, step: Step) -> None:
        """Tell every problem, and every reference it makes; its expressions and texts are not checked yet."""


def fixed(kind: Type | None) -> Source:
    """A source whose type is known."""
    return lambda: kind


def lazily(written: Written) -> Source:
    """A source of the type of an expression."""
    return lambda: type_of(written)


@dataclass
class Builder:
    """Builds the steps of one definition; every name is there once, for it is the step's identity."""

    building: Building
    merged: Merged
    verbs: Mapping[str, Verb]
    where: Where
    table: str | None

    def __post_init__(self) -> None:
        self.names: set[str] = set()

    def scope(self, known: Mapping[str, Source]) -> ModelScope:
        """A scope that has these variables."""
        return self.building.scope(None, Known(self.building.names, dict(known)))

    def steps(self, schemas: Mapping[str, StepSchema], path: BodyPath,
              known: Mapping[str, Source]) -> tuple[dict[str, Step], dict[str, Source]]:
        """The steps, and the names that are known after them."""
        made: dict[str, Step] = {}
        after = dict(known)
        for name, schema in schemas.items():
            place = Place(self.building, self.merged, (*path, name), self.table, self.scope(after), self.where)
            if name in self.names or name in known:
                place.tell(f'there is a step "{name}" already' if name in self.names else
                           f'a step cannot be called "{name}": that is known here already')
            self.names.add(name)
            found = self._step(place, name, schema, after)
            if found is None:
                after[name] = lambda: None
                continue
            made[name], gives = found
            after |= gives
        return made, after

    def _step(self, place: Place, name: str, schema: StepSchema,
              known: Mapping[str, Source]) -> tuple[Step, dict[str, Source]] | None:
        verb = _verb(place, schema, self.verbs)
        if verb is None:
            return None
        said = _validated(place, schema, verb)
        if said is None:
            return None
        parts = {**_common(place, schema), **verb.build(place, said)}
        text_path = self.merged.text_path(place.path)
        inside = {**known, **verb.inside(place, said, parts)}
        alone = verb.alone(said)
        steps, after_steps = self.steps(schema.do, (*place.path, "do"), inside) if alone is None else \
            self._alone(place, verb.name, alone, known)
        others = schema.else_ if isinstance(schema.else_, dict) else {}
        otherwise, after_otherwise = self.steps(others, (*place.path, "else"), known)
        error = schema.on_error
        rescue, _ = self.steps(error.then if error else {}, (*place.path, "on_error", "then"), known)
        gives = _names_given(name, verb.gives(place, said, parts), parts.get("else"))
        if not verb.loop:
            gives |= {key: one for key, one in {**after_steps, **after_otherwise}.items() if key not in known}
        return Step(name, verb.name, said, text_path, place.scope, parts, steps, otherwise, rescue,
                    getattr(schema, "as_", None)), gives


    def _alone(self, place: Place, name: str, schema: StepSchema,
               known: Mapping[str, Source]) -> tuple[dict[str, Step], dict[str, Source]]:
        """The step that stands in a property of another: it is called like the property, and gives nothing."""
        found = self._step(place.at(name), name, schema, known)
        return ({name: found[0]} if found else {}), {}


def _names_given(name: str, gives: Gives, otherwise: object) -> dict[str, Source]:
    if gives is None:
        return {}
    if isinstance(gives, Mapping):
        return {f"{name}.{key}": one for key, one in gives.items()}
    return {name: _either(gives, otherwise) if isinstance(otherwise, Written) else gives}


def _either(gives: Source, otherwise: Written) -> Source:
    """What a step gives, or what stands in if it is not done."""
    def find() -> Type | None:
        given, other = gives(), type_of(otherwise)
        return None if given is None or other is None else unify(given, other, otherwise.scope.is_kind_of)
    return find


def _verb(place: Place, schema: StepSchema, verbs: Mapping[str, Verb]) -> Verb | None:
    """The one verb of a step; a property of a verb may be called like another verb."""
    keys = list(schema.model_extra or {})
    found = [verbs[key] for key in keys if key in verbs]
    found = [verb for verb in found if not any(verb.name in _properties(other) for other in found if other is not verb)]
    if not found and schema.if_ is not None and (schema.do or isinstance(schema.else_, dict)):
        found = [verbs["if"]]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(f'"{verb.name}"' for verb in found)
        place.tell(f"a step has one verb, and this has {len(found)}: {names} (make a step of each)")
    else:
        near = next((hint for key in keys if (hint := suggestion(key, verbs))), "")
        place.tell("a step has one verb, such as create, set or send, and this has none" + near)
    return None


def _properties(verb: Verb) -> set[str]:
    return {info.alias or name for name, info in verb.schema.model_fields.items()}


def _validated(place: Place, schema: StepSchema, verb: Verb) -> VerbSchema | None:
    """What is said beside the verb, by its schema; None, with problems told."""
    extras = dict(schema.model_extra or {})
    if place.where not in verb.places:
        place.tell(f'"{verb.name}" is no step of {_ARTICLE[place.where]}', verb.name)
    if isinstance(schema.else_, dict) and verb.name != "if":
        place.tell(f'"else" of "{verb.name}" is a value, what the step gives if it is not done', "else")
    if schema.do and not verb.block:
        place.tell(f'"{verb.name}" has no steps inside', "do")
    if verb.name == "if":
        return verb.schema()
    try:
        return verb.schema.model_validate(extras)
    except ValidationError as error:
        what = f'a step with "{verb.name}"'
        tell_all(error, place.merged, place.path, place.building, verb.schema, what,
                 [*sorted(COMMON), *place.building.verbs])
        return None


_ARTICLE = {"agent": "an agent", "workflow": "a transition", "scenario": "a scenario"}


def _common(place: Place, schema: StepSchema) -> dict[str, object]:
    """The parts that every step may have."""
    parts: dict[str, object] = {}
    for key, value in (("if", schema.if_), ("once", schema.once)):
        if isinstance(value, str):
            parts[key] = Written(value, place.scope, "boolean" if key == "if" else None)
        elif value is not None:
            parts[key] = value
    if schema.else_ is not None and not isinstance(schema.else_, dict):
        parts["else"] = value_part(place, schema.else_)
    return parts


def value_part(place: Place, value: object, expects: str | Type | None = None) -> object:
    """A literal as it is, or what follows `=` as an expression."""
    return Written(value[1:], place.scope, expects) if isinstance(value, str) and value.startswith("=") else value


def check_steps(building: Building, merged: Merged, steps: Mapping[str, Step], path: BodyPath, table: str | None,
                verbs: Mapping[str, Verb], where: Where) -> None:
    """Tell every problem of steps and those inside them; all values are built by now."""
    for name, step in steps.items():
        here = (*path, name)
        place = Place(building, merged, here, table, step.scope, where)
        _check_common(place, step)
        verbs[step.verb].check(place, step)
        _check_else(place, step, verbs[step.verb])
        inside = here if step.verb in step.steps and verbs[step.verb].alone(step.said) else (*here, "do")
        check_steps(building, merged, step.steps, inside, table, verbs, where)
        check_steps(building, merged, step.otherwise, (*here, "else"), table, verbs, where)
        check_steps(building, merged, step.rescue, (*here, "on_error", "then"), table, verbs, where)


def _check_else(place: Place, step: Step, verb: Verb) -> None:
    """What stands in for a step that is not done must be of the same type."""
    gives, other = verb.gives(place, step.said, step.parts), step.parts.get("else")
    if not callable(gives) or not isinstance(other, Written):
        return
    given, instead = gives(), type_of(other)
    if given is not None and instead is not None and unify(given, instead, other.scope.is_kind_of) is None:
        place.tell(f"the step gives {describe(given)}, and this is {describe(instead)}", "else")


def _check_common(place: Place, step: Step) -> None:
    for key in ("if", "once"):
        place.check(step.parts.get(key), key)
    if "else" in step.parts:
        if "if" not in step.parts:
            place.tell('"else" is what the step gives if it is not done: it needs an "if"', "else")
        place.check(step.parts["else"], "else", shift=1)
