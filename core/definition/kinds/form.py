"""The kind `form`: the layout of one record, written in XML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.layout import change_layout
from core.definition.kinds.schema import Name, Schema, Text
from core.definition.merge import Change
from core.definition.model import Field, Form, FormNode
from core.definition.names import fault, suggestion
from core.definition.processes import Ask, every_step
from core.definition.tree import Node
from core.definition.values import BodyPath, Merged


@dataclass(frozen=True)
class Tag:
    """What an element of a form may hold: attributes with their meaning, and elements."""

    help: str
    attributes: dict[str, str]
    children: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


ID = "its identity in the form, by which layers aim at it and texts are translated"
CONTENT = ("group", "tabs", "field", "text")
TAGS: dict[str, Tag] = {
    "header": Tag("The bar above the form.", {}, ("workflow", "menu", "field")),
    "workflow": Tag("The state, and the buttons of its transitions.", {}),
    "menu": Tag("A slot that actions hang their buttons in.", {"id": ID, "title": "what people call it"}, (), ("id",)),
    "group": Tag("Fields side by side.", {"id": ID, "title": "its heading", "columns": "how many columns, 1 to 4"},
                 CONTENT, ("id",)),
    "tabs": Tag("Pages of which one is seen.", {"id": ID}, ("tab",), ("id",)),
    "tab": Tag("One page.", {"id": ID, "title": "its heading"}, CONTENT, ("id", "title")),
    "field": Tag("A field of the table, or one behind links (read only).", {
        "name": "the field, or a path through links", "id": "its identity, where a field stands twice",
        "title": "what people call it here", "list": "for lines and plural links: the list that shows them",
        "readonly": "true: not to be changed here", "wide": "true: takes the whole width",
        "widget": "how it is drawn, where its type has several ways"}, (), ("name",)),
    "text": Tag("A sentence for people.", {"id": ID, "title": "the sentence"}, (), ("id", "title")),
}
TOP = ("header", *CONTENT)
FLAGS = ("readonly", "wide")


class FormSchema(Schema):
    """The layout of one record; the attributes of <form>."""

    of: Name | None = Property(None, description="The table; left out for the form of a dialog, which a step or a "
                               "transition names.")
    title: Text | None = Property(None, description="Its heading; the table's title if left out.")
    layout: list[Any] = Property([], description="The elements in it; they have a page of their own.")


class FormKind(Kind):
    """The layout of one record."""

    name = "form"
    folder = "forms"
    suffix = ".xml"
    lazy = True
    schema: ClassVar[type[Schema]] = FormSchema

    def merge(self, below: Node, change: Node, what: Change) -> Node:
        """Carry out the changes in their order: after, before, into, set, move, remove."""
        return change_layout(below, change, what)

    def build(self, merged: Merged, schema: Any, building: Building) -> Form:
        """The form; elements that cannot stand where they are are told."""
        table = building.names.tables.get(schema.of or "")
        children = tuple(_node(child) for child in schema.layout)
        return Form(merged.name, schema.of or "", schema.title or (table.title if table else merged.name),
                    FormNode("form", "form", {}, children))

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check elements, attributes, refs, fields and the lists they name."""
        table = building.find(merged, ("of",), "table", value.of) if value.of else None
        if not value.of:
            _check_dialog(merged, value, building)
        refs: dict[tuple[bool, str], BodyPath] = {}
        for node, parent, path in _walk(value.root, ()):
            if not _check_tag(merged, node, parent, path, building):
                continue
            key = ("id" in node.attributes or node.tag != "field", node.ref)
            if key in refs:
                first, here = merged.mark(refs[key]), merged.mark(path)
                place = f"line {first.line}" if first.file == here.file else str(first)
                building.tell(merged, path, f'"{node.ref}" stands twice in this form: also in {place} '
                              "(give one of them an id of its own)")
            refs.setdefault(key, path)
            if node.tag == "field" and table is not None and "name" in node.attributes:
                _check_field(merged, node, value.of, path, building)


def _check_dialog(merged: Merged, form: Form, building: Building) -> None:
    """A form without a table is that of a dialog, which checks what it shows."""
    asks = [step.parts.get("ask") for agent in building.values["agent"].values() for step in every_step(agent.steps)]
    asks += [way.ask for flow in building.values["workflow"].values() for way in flow.transitions.values()]
    wrong = any(kind in ("agent", "workflow") for kind, _ in building.broken)
    if not wrong and not any(isinstance(ask, Ask) and ask.form == form.name for ask in asks):
        building.tell(merged, (), f'form "{form.name}" needs "of": the table, for no dialog names it')


def _node(raw: Any) -> FormNode:
    return FormNode(raw["tag"], raw["ref"], dict(raw.get("attributes", {})),
                    tuple(_node(child) for child in raw.get("children", ())))


def _walk(node: FormNode, path: BodyPath) -> Iterator[tuple[FormNode, FormNode, BodyPath]]:
    """Every node below one, with the node it stands in and its path in the body."""
    for index, child in enumerate(node.children):
        here = (*path, "layout" if not path else "children", index)
        yield child, node, here
        yield from _walk(child, here)


def _check_tag(merged: Merged, node: FormNode, parent: FormNode, path: BodyPath, building: Building) -> bool:
    """Check an element and its attributes; False if there is no such element."""
    tag = TAGS.get(node.tag)
    if tag is None:
        building.tell(merged, path, f"there is no element <{node.tag}>" + suggestion(node.tag, TAGS))
        return False
    allowed = TOP if parent.tag == "form" else TAGS[parent.tag].children if parent.tag in TAGS else ()
    if node.tag not in allowed and parent.tag in ("form", *TAGS):
        building.tell(merged, path, f"<{node.tag}> cannot stand in <{parent.tag}>: "
                      + (f"it may hold {', '.join(f'<{name}>' for name in allowed)}" if allowed else "it holds none"))
    for name in tag.needs:
        if not node.attributes.get(name):
            building.tell(merged, path, f'<{node.tag}> needs "{name}"')
    for name, text in node.attributes.items():
        _check_attribute(merged, (*path, "attributes", name), node.tag, name, text, building)
    return True


def _check_attribute(merged: Merged, path: BodyPath, tag: str, name: str, text: str, building: Building) -> None:
    known = TAGS[tag].attributes
    if name not in known:
        building.tell(merged, path, f'<{tag}> has no attribute "{name}"' + suggestion(name, known))
    elif name in FLAGS and text not in ("true", "false"):
        building.tell(merged, path, f'"{name}" is true or false')
    elif name == "columns" and text not in ("1", "2", "3", "4"):
        building.tell(merged, path, '"columns" is 1, 2, 3 or 4')
    elif name == "id" and (wrong := fault(text)) is not None:
        building.tell(merged, path, wrong)


def _check_field(merged: Merged, node: FormNode, table: str, path: BodyPath, building: Building) -> None:
    name = node.attributes["name"]
    if building.field(merged, path, table, name) is None:
        return
    shown = _end(table, name, building)
    of = node.attributes.get("list")
    if of is None:
        return
    found = building.find(merged, (*path, "attributes", "list"), "list", of)
    if shown is None or shown.target is None:
        building.tell(merged, (*path, "attributes", "list"), f'field "{name}" holds no records that a list could show')
    elif found is not None and not building.names.is_kind_of(shown.target, found.of) \
            and not building.names.is_kind_of(found.of, shown.target):
        building.tell(merged, (*path, "attributes", "list"), f'list "{of}" is of table "{found.of}", not '
                                                             f'"{shown.target}"')


def _end(table: str, path: str, building: Building) -> Field | None:
    current: str | None = table
    field: Field | None = None
    for part in path.split("."):
        field = building.names.field(current, part) if current else None
        current = field.target if field else None
    return field
