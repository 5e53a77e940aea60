"""The kind `template`: a text with places for values, for mails, documents and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from pydantic import Field as Property

from core.definition import markup
from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.parameters import ParameterSchema, check_parameters, parameter_fields
from core.definition.kinds.schema import Name, Names, Schema, Text
from core.definition.model import Field
from core.definition.named import Template
from core.definition.names import suggestion
from core.definition.scope import Written
from core.definition.template import Choice, Loop, Node, Piece, Shown, bound, walk
from core.definition.texts import faults, humanised, text_places
from core.definition.values import BodyPath, Mark, Merged, Origin


class TemplateSchema(Schema):
    """A text with places for values of a record: of a mail, a document, a note.

    It stands in `body`, or in a file `templates/NAME.html` or `.txt` of its own: first the other properties between
    two lines of `---`, then the text. `{{ expression }}` shows a value; `{% if condition %}`, `{% elif condition %}`,
    `{% else %}` and `{% endif %}` choose; `{% for line in lines if condition %}` and `{% endfor %}` repeat for each
    record of a set; `{# #}` is a comment. Expressions are those of formulas; a name after `for` is the record at hand.
    """

    of: Name | None = Property(None, description="The table whose records it is about; left out if it shows none.")
    title: Text | None = Property(None, description="What people call it; the name in words if left out.")
    help: Text | None = Property(None, description="What it is for.")
    format: Literal["text", "html"] = Property("text", description="Plain text, or what stands in the body of an HTML "
                                               "page; values never become elements.")
    parameters: dict[Name, ParameterSchema] = Property({}, description="What it is given beside the record, by name; "
                                                       "it shows them as `parameter.NAME`.")
    subject: Text | None = Property(None, description="The subject of a mail, or the name of a document; may hold "
                                    "{path}.")
    body: str = Property(description="The text.", json_schema_extra={"word": "text", "translated": True})
    was: Names | None = Property(None, description="Its former name or names.")


@dataclass(frozen=True)
class Place:
    """Where a text stands: in the template itself, or in a translation of it."""

    merged: Merged
    path: BodyPath
    building: Building
    source: str

    @property
    def translated(self) -> bool:
        """True for a text in a catalogue, which has no places of its own."""
        return self.merged.kind == "translation"

    def at(self, index: int) -> Merged:
        """The definition as if its text began at the index, so that columns count from there."""
        line = self.source.count("\n", 0, index)
        column = index - (self.source.rfind("\n", 0, index) + 1)
        mark = self.merged.mark(self.path)
        if self.translated or not mark.value_line:
            return self.merged
        moved = Mark(mark.file, mark.value_line + line, mark.value_column + column,
                     mark.value_line + line, mark.value_column + column)
        layer = self.merged.layer
        return replace(self.merged, origin={(): Origin(layer, self.merged.mark()), self.path: Origin(layer, moved)})

    def tell(self, index: int, message: str) -> None:
        """A problem at an index of the text."""
        behind = f" (line {self.source.count(chr(10), 0, index) + 1} of the text)" if self.translated else ""
        self.building.tell(self.at(index), self.path, message + behind, inside=1)


class TemplateKind(Kind):
    """A text with places for values, for mails, documents and notes."""

    name = "template"
    folder = "templates"
    schema: ClassVar[type[Schema]] = TemplateSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Template | None:
        """The template; its text is taken apart on first use."""
        fields = parameter_fields(building, merged, ("parameters",), schema.parameters)
        if len(fields) < len(schema.parameters):
            return None
        variables = {f"parameter.{name}": field.expression_type for name, field in fields.items()}
        return Template(merged.name, schema.title or humanised(merged.name), building.scope(schema.of, variables),
                        schema.format, schema.subject or "", schema.body, fields, schema.help or "",
                        tuple(schema.was or ()))

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check every place, condition and loop of the text and of its translations, and its HTML."""
        if value.of is not None and building.find(merged, ("of",), "table", value.of) is None:
            return
        check_parameters(building, merged, ("parameters",), value.parameters)
        if not value.source.strip():
            building.tell(merged, ("body",), f'template "{value.name}" has no text')
        _check_subject(merged, ("subject",), value, value.subject, building)
        _check_body(Place(merged, ("body",), building, value.source), value)
        for language in building.values["translation"]:
            catalogue = building.merged["translation", language]
            texts = building.values["translation"][language]
            for key in ("subject", "body"):
                path = f"template {value.name}.{key}"
                if texts.get(path) and key == "subject":
                    _check_subject(catalogue, ("texts", path), value, texts[path], building)
                elif texts.get(path):
                    _check_body(Place(catalogue, ("texts", path), building, texts[path]), value)


def _check_subject(merged: Merged, path: BodyPath, value: Template, text: str, building: Building) -> None:
    for column, message in faults(text):
        building.tell(merged, path, message, inside=column)
    for inside, found in text_places(text):
        head, _, rest = found.partition(".")
        if head == "parameter":
            if rest not in value.parameters:
                building.tell(merged, path, f'there is no parameter "{rest}"' + suggestion(rest, value.parameters))
        elif value.of is None:
            building.tell(merged, path, f'"{found}" is not known here: the template has no table (of)')
        else:
            building.field(merged, path, value.of, found, inside)


def _check_body(place: Place, value: Template) -> None:
    problems: list[int] = []

    def tell(index: int, message: str) -> None:
        problems.append(index)
        place.tell(index, message)
    nodes = bound(place.source, value.scope, tell)
    for node in walk(nodes):
        if isinstance(node, Shown) and node.written is not None:
            _check_expression(place, node.piece, node.written)
        elif isinstance(node, Choice):
            for branch in node.branches:
                if branch.piece is not None and branch.written is not None:
                    _check_expression(place, branch.piece, branch.written)
        elif isinstance(node, Loop):
            _refer(place, node, value)
            if node.where is not None and node.written is not None:
                _check_expression(place, node.where, node.written)
    if value.format == "html" and not problems:
        markup.check(place.source, _addresses(place.source, nodes, value), tell)


def _check_expression(place: Place, piece: Piece, written: Written) -> None:
    told = len(place.building.problems)
    place.building.check(place.at(piece.index), place.path, written, begin=piece.index)
    if len(place.building.problems) == told and _looks_elsewhere(written):
        place.tell(piece.index, "a template sees its record and what it is given, not all records of a table: "
                                "make this a formula of the table, or a parameter")


def _looks_elsewhere(written: Written) -> bool:
    from core.expression import ExpressionError
    try:
        return written.expression.needs_database
    except ExpressionError:
        return False


def _refer(place: Place, node: Loop, value: Template) -> None:
    """Remember the fields on a loop's path."""
    head, _, rest = node.path.source.partition(".")
    scope = node.around or value.scope
    if head == "record" and value.of:
        place.building.field(place.at(node.path.index), place.path, value.of, rest, node.path.index + len("record."))
    elif scope.variable(head) is None and value.of:
        place.building.field(place.at(node.path.index), place.path, value.of, node.path.source, node.path.index)
    elif rest and (kind := scope.variable(head)) is not None and kind.of:
        place.building.field(place.at(node.path.index), place.path, kind.of, rest,
                             node.path.index + len(head) + 1)


def _addresses(source: str, nodes: tuple[Node, ...], value: Template) -> Callable[[int], bool]:
    """Of each place by its index in the text: whether it shows a field that holds nothing but a URL."""
    pieces = [node.piece for node in walk(nodes) if isinstance(node, Shown)
              and node.written is not None and _is_address(node.written, value)]
    starts = [piece.index for piece in pieces]
    return lambda index: any(index < start <= index + 40 and not source[index:start].strip("{ \n\t")
                             for start in starts)


def _is_address(written: Written, value: Template) -> bool:
    field = field_at(written, value)
    return field is not None and field.type.name == "url"


def field_at(written: Written, value: Template) -> Field | None:
    """The field or parameter that an expression shows just as it is; None for anything worked out."""
    parts = written.source.split(".")
    if parts[0] == "parameter":
        return value.parameters.get(parts[1]) if len(parts) == 2 else None
    names, scope = value.scope.names, written.scope
    if parts[0] == "record":
        table, parts = scope.table, parts[1:]
    elif (kind := scope.variable(parts[0])) is not None:
        table, parts = kind.of, parts[1:]
    else:
        table = scope.table
    field = None
    for name in parts:
        field = names.field(table, name) if table else None
        table = field.target if field is not None else None
    return field


__all__ = ["TemplateKind", "TemplateSchema", "field_at"]
