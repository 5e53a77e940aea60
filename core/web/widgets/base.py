"""What a widget is: functions bound to a field once per version, called for each record."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup, escape
from werkzeug.datastructures import FileStorage, MultiDict

from core.web.context import Viewer
from core.web.i18n import Text

if TYPE_CHECKING:
    from core.definition.model import Field, Model

Record = Mapping[str, Any]
Reader = Callable[[Record, Viewer], str]
NOTHING = Markup("")
EMPTY = Markup('<span class="t-empty" aria-hidden="true">–</span>')


@dataclass(frozen=True, slots=True)
class Bound:
    """One field in one place: all that a widget needs to know, worked out once."""

    field: Field
    path: str                              # its key in a record: a name, or a path such as "company.city"
    title: str
    help: str
    model: Model
    language: str
    text: Text
    homes: Mapping[str, str]               # table -> where its records are opened, such as "/companies"
    widgets: Mapping[str, Widget]          # by type: what draws the cells of lines
    badge: bool = False
    list: str | None = None                # lines: the list that gives the columns
    memo: dict[str, Any] = default(default_factory=dict, compare=False)    # what a widget worked out for it


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a control: texts as typed, with the titles of linked records; nested rows for lines."""

    texts: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    upload: FileStorage | None = None
    rows: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        """The only text, or nothing."""
        return self.texts[0] if self.texts else ""


@dataclass(frozen=True, slots=True)
class Control:
    """One input on a page: its key in the form, its id, and how it stands there."""

    name: str
    id: str
    label: str = ""                        # for controls without a <label>, such as cells of lines
    required: bool = False
    invalid: bool = False
    described: str = ""                    # ids of help and error
    problems: Mapping[str, str] = default(default_factory=dict)   # lines: by key below this control

    def attributes(self, kind: str = "form-control") -> Markup:
        """The attributes that every control has."""
        parts = [Markup('name="{}" id="{}" class="{}"').format(
            self.name, self.id, kind + (" is-invalid" if self.invalid else ""))]
        if self.label:
            parts.append(Markup('aria-label="{}"').format(self.label))
        if self.required:
            parts.append(Markup('aria-required="true"'))
        if self.invalid:
            parts.append(Markup('aria-invalid="true"'))
        if self.described:
            parts.append(Markup('aria-describedby="{}"').format(self.described))
        return Markup(" ").join(parts)


Editor = Callable[[Entry, Control, Viewer], str]


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that came back."""

    form: MultiDict[str, str]
    files: MultiDict[str, FileStorage]


class Widget(ABC):
    """How one type is drawn. The base draws what FieldType.format says and edits it as a line of text."""

    name: ClassVar[str]                    # the type it draws
    numeric: ClassVar[bool] = False        # right-aligned, tabular figures
    wide: ClassVar[bool] = False           # takes the whole width of a group
    many: ClassVar[bool] = False           # its key may come more than once in a form
    files: ClassVar[bool] = False          # what it takes comes as a file

    def read(self, bound: Bound) -> Reader:
        """The function that draws a value for reading."""
        path, kind, properties = bound.path, bound.field.type, bound.field.properties

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return NOTHING if value is None else escape(kind.format(value, properties, viewer.locale))
        return draw

    def needs(self, bound: Bound) -> tuple[str, ...]:
        """Fields of the record that it draws beside its own."""
        return ()

    def reads(self, bound: Bound) -> tuple[str, ...]:
        """What the record service is asked for to draw it: the field itself, or the parts of it that are shown."""
        return (bound.path,)

    def cell(self, bound: Bound) -> Reader:
        """The function that draws a value in a list."""
        return self.read(bound)

    def edit(self, bound: Bound) -> Editor:
        """The function that draws the control."""
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="text" {} value="{}" autocomplete="off">').format(
                control.attributes(), entry.text)
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        """What stands in the control for a stored value."""
        value = record.get(bound.path)
        return Entry() if value is None else Entry((self.typed(bound, value, viewer),))

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        """A value as somebody would type it; parse brings back the same."""
        return bound.field.type.format(value, bound.field.properties, viewer.locale)

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        """What came back in the form; None if the control was not on the page."""
        if key not in posted.form:
            return None
        text = posted.form[key]
        return Entry((text,) if text.strip() else ())

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        """The value that a control's content stands for, in normal form. Raises BadValue."""
        return bound.field.type.parse(entry.text, bound.field.properties, viewer.locale) if entry.texts else None
