"""Drawing a compiled form for one record: read, edit, errors beside their fields, and what others changed too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from core.expression import EvaluationError, is_true
from core.web import clash
from core.web.context import Viewer
from core.web.form_view import Box, FormField, FormView
from core.web.html import Piece, join
from core.web.widgets.base import EMPTY, NOTHING, Control, Entry, Record
from core.web.widgets.lines import counted

if TYPE_CHECKING:
    from core.expression import Environment, Expression


READ = Piece('<dl class="t-fields cols-{}">{}</dl>')
EDITED = Piece('<div class="t-fields cols-{}">{}</div>')
SHOWN = Piece('<div class="{}" data-field="{}"{}>{}<dd>{}</dd></div>')
LABEL = Piece('<dt>{}{}</dt>')
OPEN = Piece('<div class="{}" data-field="{}"{}>{}</div>')
STAR = Piece(' <span class="t-star"{}>*</span>')
CAPTION = Piece('<label for="{}" id="{}-label">{}{}</label>')
GROUP = Piece('<section class="t-group">{}{}</section>')
GROUP_TITLE = Piece('<h2 class="t-group-title">{}</h2>')
TABS = Piece('<div class="t-tabs" data-tabs="{}.{}"><div role="tablist">{}</div>{}</div>')
TAB = Piece('<button type="button" role="tab" id="{}" aria-controls="{}-panel" aria-selected="{}"{}>{}{}</button>')
PANEL = Piece('<section role="tabpanel" id="{}-panel" aria-labelledby="{}" class="t-panel">'
              '<h2 class="t-panel-title">{}</h2>{}</section>')
HIDDEN = Markup(" hidden")
BAD = Markup(' class="has-problem"')


@dataclass(frozen=True, slots=True)
class Standing:
    """How a field stands on this record at this moment."""

    show: bool
    required: bool
    fixed: bool


@dataclass(slots=True)
class Sheet:
    """One record on a form: what to draw it from."""

    view: FormView
    viewer: Viewer
    record: Record
    editing: bool
    creating: bool
    standings: Mapping[str, Standing]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)       # by key: "amount", "lines.2.price", ""
    clashes: Mapping[str, clash.Clash] = field(default_factory=dict)    # fields that others changed too

    def draw(self) -> Markup:
        """The whole form."""
        return join(self._box(child) if isinstance(child, Box) else self._alone(child)
                            for child in self.view.root.children)

    def first_problem(self) -> str:
        """The key of the first field with a problem, in the form's order."""
        keys = [key.split(".")[0] for key in self.problems]
        return next((one.key for one in self.view.fields if one.key in keys), "")

    def _alone(self, one: FormField) -> Markup:
        return self._fields((one,), 1)

    def _fields(self, fields: Collection[FormField], columns: int) -> Markup:
        frame = EDITED if self.editing else READ
        return frame(columns, join(map(self._field, fields)))

    def _box(self, box: Box) -> Markup:
        if box.tag == "tabs":
            return self._tabs(box)
        parts, run = [], []
        for child in box.children:
            if isinstance(child, FormField):
                run.append(child)
                continue
            if run:
                parts.append(self._fields(run, box.columns))
                run = []
            parts.append(self._box(child))
        if run:
            parts.append(self._fields(run, box.columns))
        inner = join(parts)
        if box.tag == "tab":
            return inner
        return GROUP(GROUP_TITLE(box.title) if box.title else NOTHING, inner)

    def _tabs(self, box: Box) -> Markup:
        tabs = [child for child in box.children if isinstance(child, Box)]
        buttons, panels = [], []
        for number, tab in enumerate(tabs):
            identity = f"tab-{tab.ref or number}"
            bad = any(key.split(".")[0] == one.key for one in tab.fields() for key in self.problems)
            title = tab.title or tab.ref
            buttons.append(TAB(identity, identity, "true" if number == 0 else "false", BAD if bad else NOTHING, title,
                               self._count(tab)))
            panels.append(PANEL(identity, identity, title, self._box(tab)))
        return TABS(self.view.name, box.ref, join(buttons), join(panels))

    def _count(self, tab: Box) -> Markup:
        for one in tab.fields():
            if one.bound.field.type.is_lines:
                rows = self.record.get(one.key)
                return Markup(' <span class="t-count">{}</span>').format(counted(rows)) if rows else NOTHING
        return NOTHING

    def _field(self, one: FormField) -> Markup:
        standing = self.standings[one.key]
        hidden = NOTHING if standing.show else HIDDEN
        css = "t-field" + (" is-wide" if one.wide else "") + (" is-number" if one.widget.numeric else "")
        if self.editing and not standing.fixed:
            return OPEN(css, one.key, hidden, self._control(one, standing))
        value = one.read(self.record, self.viewer)
        if self.creating and not value and not one.bound.field.computed:
            return NOTHING                       # nothing to see there before the record exists
        if self.editing:
            return Markup('<div class="{} is-fixed" data-field="{}"{}><div class="t-label">{}</div>'
                          '<div class="t-value">{}</div></div>').format(
                css, one.key, hidden, one.bound.title, value or EMPTY)
        label = NOTHING if one.bound.field.type.is_lines else LABEL(
            one.bound.title, self._hint(one))
        return SHOWN(css, one.key, hidden, label, value or EMPTY)

    def _hint(self, one: FormField) -> Markup:
        if not one.bound.help:
            return NOTHING
        hint = Markup(' <span class="t-hint" tabindex="0" role="note" aria-label="{0}" data-hint="{0}">?</span>')
        return hint.format(one.bound.help)

    def _control(self, one: FormField, standing: Standing) -> Markup:
        key, identity = one.key, f"f-{one.key}"
        problem = self.problems.get(key, "")
        inner = {name[len(key) + 1:]: text for name, text in self.problems.items() if name.startswith(key + ".")}
        described = " ".join(filter(None, (f"{identity}-help" if one.bound.help else "",
                                           f"{identity}-problem" if problem else "")))
        control = Control(key, identity, "", standing.required, bool(problem), described, inner)
        drawn = one.edit(self.entries.get(key, Entry()), control, self.viewer)
        star = STAR(NOTHING if standing.required else HIDDEN)
        parts = [CAPTION(identity, identity, one.bound.title, star), drawn]
        if one.bound.help:
            parts.append(Markup('<div class="t-help" id="{}-help">{}</div>').format(identity, one.bound.help))
        if problem:
            parts.append(Markup('<div class="t-problem" id="{}-problem">{}</div>').format(identity, problem))
        if key in self.clashes:
            parts.append(clash.draw(one, self.clashes[key], self.viewer))
        return join(parts)


def standings(view: FormView, values: Mapping[str, Any], environment: Environment,
              unchangeable: Collection[str]) -> dict[str, Standing]:
    """How every field of a form stands for these values: conditions that cannot be known yet hide nothing."""
    def holds(condition: bool | Expression, unknown: bool) -> bool:
        if isinstance(condition, bool):
            return condition
        try:
            return is_true(condition.evaluate(values, environment))
        except EvaluationError:              # it reads what this user may not, or what a new record cannot have yet
            return unknown

    return {one.key: Standing(holds(one.show, True), holds(one.required, False),
                              one.fixed or one.key in unchangeable or holds(one.readonly, False))
            for one in view.fields}
