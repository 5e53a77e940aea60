"""A form as functions: its layout becomes a tree of bound fields, built once per version and language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.ed.selection import readable_paths
from core.web.binding import bind
from core.web.widgets.base import Bound, Editor, Reader, Widget
from core.web.widgets.registry import widget_of

if TYPE_CHECKING:
    from core.definition.model import FormNode, Model
    from core.ed.access import Gate
    from core.ed.session import Session
    from core.ed.system import System
    from core.expression import Expression


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form, ready to draw both ways."""

    key: str                               # its name: key in records and in the posted form
    bound: Bound
    widget: Widget
    read: Reader
    edit: Editor
    fixed: bool                            # never typed by people
    required: bool | Expression
    readonly: bool | Expression
    show: bool | Expression
    wide: bool

    @property
    def conditions(self) -> tuple[Expression, ...]:
        """The conditions that decide how it stands."""
        return tuple(c for c in (self.required, self.readonly, self.show) if not isinstance(c, bool))


@dataclass(frozen=True, slots=True)
class Box:
    """A group, tab or row of tabs."""

    tag: str                               # group, tabs, tab, form
    ref: str
    title: str
    columns: int
    children: tuple[Box | FormField, ...]

    def fields(self) -> Iterator[FormField]:
        """All fields in it, in order."""
        for child in self.children:
            if isinstance(child, FormField):
                yield child
            else:
                yield from child.fields()


@dataclass(frozen=True, slots=True)
class FormView:
    """A compiled form."""

    name: str
    of: str
    root: Box
    fields: tuple[FormField, ...]
    names: tuple[str, ...]                 # what the record service is asked for

    @property
    def files(self) -> bool:
        """Whether files may come with the form."""
        return any(field.bound.field.type.is_file and not field.fixed for field in self.fields)


def form_view(session: Session, name: str, table: str, language: str) -> FormView:
    """The compiled form for all who may read the same fields; built on first use."""
    return session.system.cache.get(("form view", name, table, language, session.user.shape),
                                    lambda: _compile(session.system, session.gate, name, table, language))


def _compile(system: System, gate: Gate, name: str, table: str, language: str) -> FormView:
    definition = system.model.forms.get(name) or system.model.form_of(table)
    maker = _Maker(system, definition.name, table, language, frozenset(gate.readable(table)))
    children = tuple(maker.children(definition.root))
    root = Box("form", "", "", 1, children)
    fields = tuple({field.key: field for field in root.fields()}.values())
    wanted = {path for field in fields for condition in field.conditions for path in condition.reads}
    wanted |= {tuple(path.split(".")) for field in fields for path in field.widget.needs(field.bound)}
    drawn = [name for field in fields for name in _drawn(gate, field)]
    rest = sorted(".".join(path) for path in wanted if path[0] in maker.readable)
    return FormView(definition.name, table, root, fields, tuple(dict.fromkeys([*drawn, *rest])))


def _drawn(gate: Gate, field: FormField) -> Iterator[str]:
    """What a field is drawn from; of lines, what their readers may see."""
    if not field.bound.field.type.is_lines:
        return iter(field.widget.reads(field.bound))
    start = field.key + "."
    inner = [name.removeprefix(start) for name in field.widget.reads(field.bound)]
    return (start + name for name in readable_paths(gate, field.bound.field.target or "", inner))


class _Maker:
    """Walks a form's nodes once."""

    def __init__(self, system: System, form: str, table: str, language: str, readable: frozenset[str]) -> None:
        self.system = system
        self.model: Model = system.model
        self.form = form
        self.table = table
        self.language = language
        self.readable = readable

    def children(self, node: FormNode) -> Iterator[Box | FormField]:
        """What stands in a node; what has nothing to show is left out."""
        for child in node.children:
            if child.tag == "field":
                field = self.field(child)
                if field is not None:
                    yield field
            elif child.tag not in ("header", "workflow", "menu"):
                inside = tuple(self.children(child))
                if inside:
                    yield Box(child.tag, child.ref, self.title(child), _columns(child), inside)

    def title(self, node: FormNode) -> str:
        """A node's title in the reader's language."""
        own = node.attributes.get("title", "")
        if not own:
            return ""
        return self.model.text(f"form {self.form}.{node.ref}.title", self.language) or own

    def field(self, node: FormNode) -> FormField | None:
        """A field that this reader may see."""
        path = node.attributes["name"]
        if path.split(".")[0] not in self.readable:
            return None
        title = self.model.text(f"form {self.form}.{node.ref}.title", self.language) if node.attributes.get("title") \
            else ""
        bound = bind(self.system, self.table, path, self.language, title, list=node.attributes.get("list"))
        if bound is None:
            return None
        widget = widget_of(self.system, bound.field)
        field = bound.field
        fixed = ("." in path or field.computed or field.type.is_drawn
                 or field.readonly is True or node.attributes.get("readonly") == "true")
        return FormField(path, bound, widget, widget.read(bound), widget.edit(bound), fixed,
                         field.required, field.readonly, field.show, widget.wide)


def _columns(node: FormNode) -> int:
    text = node.attributes.get("columns", "1")
    return min(4, int(text)) if text.isdigit() and int(text) else 1
