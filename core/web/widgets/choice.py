"""Choices as coloured badges with their words; edited as a select, or as check marks where several may be true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

from markupsafe import Markup

from core.definition.kinds.schema import Color
from core.types.base import BadValue
from core.web.context import Viewer
from core.web.i18n import N_
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget

COLORS = frozenset(get_args(Color))


PHASES = {"draft": N_("Draft"), "waiting": N_("Waiting"), "open": N_("In progress"), "paused": N_("Paused"),
          "done": N_("Done"), "void": N_("Void")}


def titles(bound: Bound) -> dict[str, str]:
    """The values of the field's choices, in order, with their titles in the reader's language."""
    name = str(getattr(bound.field.properties, "of", ""))
    choices = bound.model.choices.get(name)
    if choices is None:
        return {}
    if name == "phase":                 # built in: what the states of all workflows are
        return {value: bound.text(title) for value, title in PHASES.items()}
    return {value.name: bound.model.text(f"{value.path}.title", bound.language) or value.title
            for value in choices.values.values()}


def badges(bound: Bound) -> Mapping[str, Markup]:
    """Each value as a badge."""
    name = str(getattr(bound.field.properties, "of", ""))
    values = bound.model.choices[name].values if name in bound.model.choices else {}
    found = {}
    for key, title in titles(bound).items():
        color = values[key].color or ""
        css = f"t-badge c-{color if color in COLORS else 'plain'}"
        found[key] = Markup('<span class="{}">{}</span>').format(css, title)
    return found


class ChoiceWidget(Widget):
    """One of a list, or several."""

    name: ClassVar[str] = "choice"
    many: ClassVar[bool] = True

    def read(self, bound: Bound) -> Reader:
        path, known = bound.path, badges(bound)

        def one(value: str) -> Markup:
            found = known.get(value)
            return found if found is not None else Markup('<span class="t-badge c-plain">{}</span>').format(value)

        if not bound.field.many:
            return lambda record, viewer: one(record[path]) if record.get(path) else NOTHING
        return lambda record, viewer: Markup('<span class="t-badges">{}</span>').format(
            Markup(" ").join(map(one, record[path]))) if record.get(path) else NOTHING

    def edit(self, bound: Bound) -> Editor:
        return self._marks(bound) if bound.field.many else self._select(bound)

    def _offered(self, bound: Bound) -> dict[str, tuple[str, bool]]:
        name = str(getattr(bound.field.properties, "of", ""))
        values = bound.model.choices[name].values if name in bound.model.choices else {}
        return {key: (title, values[key].retired) for key, title in titles(bound).items()}

    def _select(self, bound: Bound) -> Editor:
        offered = self._offered(bound)
        always = bound.field.required is True

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            chosen = entry.text
            options = [] if always and chosen else [Markup('<option value=""></option>')]
            for key, (title, retired) in offered.items():
                if not retired or key == chosen:
                    mark = Markup(" selected") if key == chosen else NOTHING
                    options.append(Markup('<option value="{}"{}>{}</option>').format(key, mark, title))
            if chosen and chosen not in offered:
                options.append(Markup('<option value="{0}" selected>{0}</option>').format(chosen))
            return Markup("<select {}>{}</select>").format(control.attributes("form-select"), NOTHING.join(options))
        return draw

    def _marks(self, bound: Bound) -> Editor:
        offered = self._offered(bound)

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            marks = [Markup('<input type="hidden" name="{}~" value="1">').format(control.name)]
            for number, (key, (title, retired)) in enumerate(offered.items()):
                if not retired or key in entry.texts:
                    checked = Markup(" checked") if key in entry.texts else NOTHING
                    identity = control.id if number == 0 else f"{control.id}-{number}"
                    marks.append(Markup(
                        '<label class="t-mark"><input type="checkbox" name="{}" id="{}" value="{}"{}>'
                        '<span>{}</span></label>').format(control.name, identity, key, checked, title))
            return Markup('<div class="t-marks" role="group" aria-labelledby="{}-label">{}</div>').format(
                control.id, NOTHING.join(marks))
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        value = record.get(bound.path)
        return Entry(tuple(value) if bound.field.many and value else (value,) if value else ())

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        if not bound.field.many:
            return super().posted(bound, posted, key)
        if key + "~" not in posted.form and key not in posted.form:
            return None
        return Entry(tuple(text for text in posted.form.getlist(key) if text))

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        known = titles(bound)
        for text in entry.texts:
            if text not in known:
                raise BadValue("choice", N_('"{value}" is not one of the choices.'), value=text[:80])
        wanted: Any = list(entry.texts) if bound.field.many else entry.text
        return bound.field.type.validate(wanted or None, bound.field.properties)


class StateWidget(ChoiceWidget):
    """The state of a record in its workflow: a choice of its states."""

    name: ClassVar[str] = "state"
    many: ClassVar[bool] = False
