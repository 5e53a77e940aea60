"""The parameters of a query above its rows: controls by their prompts, and the values that stand in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from core.definition.kinds.parameters import Amount, split_amount
from core.ed import query_values
from core.ed.query_words import prompt
from core.errors import Invalid
from core.types.base import BadValue
from core.types.characters import plain_number
from core.web import linking
from core.web.binding import known_homes
from core.web.widgets.base import Bound, Control, Entry, Posted
from core.web.widgets.registry import widget_of, widgets

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.definition.queries import Query
    from core.web.context import Context

PREFIX = "p."


@dataclass(frozen=True, slots=True)
class Question:
    """One parameter, ready to draw."""

    id: str
    prompt: str
    help: str
    required: bool
    control: Markup
    problem: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query is asked with: its questions, and the values of all parameters if they are right."""

    questions: tuple[Question, ...]
    values: Mapping[str, object] | None
    wrong: bool                     # something that was given cannot be read


def asked(context: Context, query: Query) -> Asked:
    """Read the parameters from the address; defaults stand in the controls that nobody filled in."""
    posted = Posted(context.request.args, MultiDict())
    bounds = {name: _bound(context, field) for name, field in query.parameters.items()}
    entries: dict[str, Entry] = {}
    given: dict[str, object] = {}
    problems: dict[str, str] = {}
    for name, bound in bounds.items():
        entry = widget_of(context.system, bound.field).posted(bound, posted, PREFIX + name)
        if entry is None:
            continue
        entries[name] = entry
        try:
            value = _value(context, bound, entry)
        except BadValue as error:
            problems[name] = context.text(error.message, **error.params)
            continue
        if value is not None:
            given[name] = value
    wrong = bool(problems)
    values: Mapping[str, object] | None = None
    try:
        values = query_values.values(context.session, query, given)
    except Invalid as error:
        for problem in error.problems:
            wrong = wrong or problem.code != "required"
            if problem.code != "required" or problem.field in entries:      # else nobody was asked yet
                problems.setdefault(problem.field, context.text(problem.message, **problem.params))
    defaults = _defaults(context, query)
    questions = tuple(_question(context, bounds[name], entries.get(name), problems.get(name, ""), defaults)
                      for name in bounds)
    return Asked(questions, None if problems else values, wrong)


def _bound(context: Context, field: Field) -> Bound:
    model, language = context.system.model, context.viewer.locale.language
    return Bound(field, field.name, prompt(model, field, language),
                 (model.text(f"{field.path}.help", language) or field.help) if field.help else "", model, language,
                 context.text, known_homes(context.system), widgets(context.system))


def _value(context: Context, bound: Bound, entry: Entry) -> object:
    """What somebody typed as a value; money may name its currency."""
    number, currency = split_amount(entry.text) if bound.field.type.name == "money" else (entry.text, None)
    if currency is not None:
        entry = replace(entry, texts=(number,))
    value = widget_of(context.system, bound.field).value(bound, entry, context.viewer)
    return Amount(value, currency) if currency is not None else value


def _defaults(context: Context, query: Query) -> Mapping[str, object]:
    """The defaults of all parameters, as far as they are known by themselves."""
    free = replace(query, parameters={name: replace(field, written={**field.written, "required": False})
                                      for name, field in query.parameters.items()})
    try:
        return query_values.values(context.session, free, {})
    except Invalid:                         # the rate of a default's currency is missing: then that one is told
        return {}


def _question(context: Context, bound: Bound, entry: Entry | None, problem: str,
              defaults: Mapping[str, object]) -> Question:
    field, name = bound.field, bound.field.name
    widget = widget_of(context.system, field)
    if entry is None:
        entry = widget.entry(bound, defaults, context.viewer) if defaults.get(name) is not None else Entry()
    if field.type.is_link:
        entry = replace(entry, titles=_titles(context, field, entry))
    identity = f"p-{name}"
    described = " ".join(filter(None, (f"{identity}-help" if bound.help else "",
                                       f"{identity}-problem" if problem else "")))
    control = Control(PREFIX + name, identity, "", field.required is True, bool(problem), described)
    drawn = widget.edit(bound)(entry, control, context.viewer)
    return Question(identity, bound.title, bound.help, field.required is True, Markup("{}").format(drawn), problem)


def _titles(context: Context, field: Field, entry: Entry) -> tuple[str, ...]:
    """The titles of chosen records, as far as the viewer may know them."""
    ids = {text: number for text in entry.texts if (number := plain_number(text)) is not None}
    found = linking.titles(context, field.target or "", ids.values()) if ids else {}
    return tuple(found.get(str(ids.get(text)), f"#{text}") for text in entry.texts)
