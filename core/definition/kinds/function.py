"""The kind `function`: an expression with a name and parameters."""

from __future__ import annotations

import ast
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict
from pydantic import Field as Property

from core.definition.building import Building
from core.definition.circles import circle_of, spelled
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import check_target, typed
from core.definition.kinds.parameters import ParameterSchema, argument, check_parameters, parameter_fields
from core.definition.kinds.schema import Expression, Name, Schema, Text
from core.definition.model import Field
from core.definition.named import Function
from core.definition.scope import Written
from core.definition.texts import humanised
from core.definition.values import Merged
from core.expression.errors import ExpressionError
from core.expression.functions import BUILT_IN
from core.expression.parse import parse
from core.expression.scope import NamedFunction

TAKEN = frozenset({"count", "sum", "min", "max", "avg", "exists", "first", "running", "under", "query", "func"})


class ReturnsSchema(Schema):
    """The type of a value; the properties of the type stand beside it."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Name = Property(description="The type: one of those of fields.")


def _type(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


class FunctionSchema(Schema):
    """An expression that others call by its name, with values for its parameters."""

    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it gives, in a sentence.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What it takes, by name, in the order of a "
                                                       "call; the expression names them as `parameter.NAME`.")
    returns: Annotated[ReturnsSchema, BeforeValidator(_type)] = Property(
        description="The type of what it gives, such as money; a link says to which table: {type: link, to: product}.",
        json_schema_extra={"word": "type, or mapping"})
    is_: Expression = Property(alias="is", description="The expression; it sees the parameters, and no record.")


class FunctionKind(Kind):
    """An expression with a name and parameters."""

    name = "function"
    folder = "functions"
    schema: ClassVar[type[Schema]] = FunctionSchema

    def order(self, merged: list[Merged], building: Building) -> list[Merged]:
        """As they come; those that call each other in a circle are told once, and nothing that calls them follows."""
        calls = {one.name: called(one.body.get("is")) for one in merged}
        for one in merged:
            circle = circle_of(one.name, lambda name: sorted(calls.get(name, ())))
            if circle:
                building.names.broken.add(f"function {one.name}")
                if one.name == min(circle):
                    building.tell(one, ("is",), "functions go round in a circle: " + spelled(circle))
        return merged

    def build(self, merged: Merged, schema: Any, building: Building) -> Function | None:
        """The function, known to expressions from now on."""
        fields = parameter_fields(building, merged, ("parameters",), schema.parameters)
        returned = typed(merged, ("returns",), schema.returns.type, schema.returns, building, building.types)
        if returned is None or len(fields) < len(schema.parameters):
            return None
        kind, properties = returned
        if kind.virtual or kind.is_file or kind.is_drawn:
            building.tell(merged, ("returns",), f'a function cannot give a value of type "{kind.name}"')
            return None
        given_back = Field("", "returns", kind, properties, "", path=f"function {merged.name}.returns")
        gives = given_back.expression_type
        arguments = {name: argument(field) for name, field in fields.items()}
        variables = {f"parameter.{name}": one.type for name, one in arguments.items()}
        building.names.named_functions[merged.name] = NamedFunction(arguments, gives, schema.is_)
        return Function(merged.name, schema.title or humanised(merged.name), fields, given_back,
                        Written(schema.is_, building.scope(None, variables), gives), schema.help or "")

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check the name, the parameters, and that the expression gives what it says."""
        if merged.name in TAKEN or merged.name in (building.names.functions or BUILT_IN):
            building.tell(merged, (), f'function cannot be called "{merged.name}": the language of expressions has '
                                      "one of that name")
        check_parameters(building, merged, ("parameters",), value.parameters)
        check_target(merged, ("returns",), value.returned, building)
        late = False
        for name, field in value.parameters.items():
            optional = field.written.get("default") is not None or field.written.get("required") is False
            if late and not optional:
                building.tell(merged, ("parameters", name), f'parameter "{name}" must be given, so it cannot stand '
                                                            "behind one that need not")
            late = late or optional
        known = all(field.target is None or field.target in building.names.tables
                    for field in value.parameters.values())
        if known:                       # else all that follows from the missing table would be told too
            building.check(merged, ("is",), value.written)


def called(source: object) -> frozenset[str]:
    """What an expression calls by a bare name; nothing if it is none."""
    try:
        tree = parse(str(source)).tree
    except ExpressionError:
        return frozenset()
    return frozenset(node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)
                     and isinstance(node.func, ast.Name))
