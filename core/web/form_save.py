"""From a posted form to a row for the record service: only what the user changed, each problem at its field."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import FieldProblem
from core.types.base import BadValue
from core.types.characters import plain_number
from core.web import clash
from core.web.context import Viewer
from core.web.form_view import FormField, FormView
from core.web.i18n import N_
from core.web.widgets.base import Entry, Posted, Record
from core.web.widgets.lines import Line, columns_of, is_place

OWN_KEYS = frozenset(("_csrf", "csrf", "_version", "_model", "_base", "_kind", "_typed", "_changed", clash.ORIGINAL))
Signature = Any           # what stood in a control, as JSON: a list of texts, or {line id: {column: texts}}


@dataclass(slots=True)
class Sent:
    """A form that came back, read."""

    entries: dict[str, Entry]
    values: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    places: dict[str, list[str]] = field(default_factory=dict)      # lines: place in what was sent -> place in the form
    gone: dict[str, list[str]] = field(default_factory=dict)        # entered in controls that the form has no more


def signature(one: FormField, entry: Entry) -> Signature:
    """What a control's content looks like in the form's own memory of how it began."""
    if not one.bound.field.type.is_lines:
        return list(entry.texts)
    return {line.id: {name: list(inner.texts) for name, inner in line.entries.items()}
            for line in entry.rows if line.id}


def memory(view: FormView, entries: Mapping[str, Entry]) -> str:
    """How every control began, to be sent along: what is sent back unchanged is not written."""
    return json.dumps({one.key: signature(one, entries[one.key]) for one in view.fields if one.key in entries},
                      ensure_ascii=False, separators=(",", ":"))


def recall(text: str) -> dict[str, Signature]:
    """Read the memory that came back; whatever is wrong with it, all counts as changed."""
    try:
        found = json.loads(text) if len(text) < 1_000_000 else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def begin(view: FormView, record: Record, viewer: Viewer) -> dict[str, Entry]:
    """What stands in each control for a stored record."""
    return {one.key: one.widget.entry(one.bound, record, viewer) for one in view.fields if not one.fixed}


def read(view: FormView, posted: Posted, base: Mapping[str, Signature] | None, viewer: Viewer, *,
         older: bool = False) -> Sent:
    """Read a posted form. With a base (an existing record) only what differs from it is a value to write.

    One of an `older` version may have controls that are gone: their values are left out, and told.
    """
    sent = Sent({})
    asked = {one.key: one for one in view.fields if not one.fixed}
    strange = [*(name for name in posted.form if not _asked_for(asked, name, file=False)),
               *(name for name in posted.files if not _asked_for(asked, name, file=True))]
    if strange and older:
        sent.gone = _gone(posted, strange, base or {})
    elif strange:
        sent.problems[""] = viewer.text(N_("This form does not ask for {names}; nothing was saved."),
                                        names=", ".join(strange)[:100])
    for one in view.fields:
        if one.fixed:
            continue
        try:
            entry = one.widget.posted(one.bound, posted, one.key)
        except BadValue as error:
            sent.problems[one.key] = _words(viewer, error)
            continue
        choice = clash.chosen(posted.form, one.key)
        if choice == clash.BEFORE:
            entry = clash.original(posted.form, one.key) or entry
        if entry is None or choice == clash.THEIRS:
            continue
        sent.entries[one.key] = entry
        began = base.get(one.key) if base is not None else None
        if base is not None and one.key in base and entry.upload is None and began == _comparable(one, entry):
            continue
        sent.changed.add(one.key)
        _value(sent, one, entry, began, viewer)
    return sent


def suggested_memory(view: FormView, entries: Mapping[str, Entry]) -> str:
    """How the controls with suggestions began in a form for a new record; "" if it has none."""
    found = {one.key: signature(one, entries[one.key]) for one in view.fields
             if one.key in entries and one.bound.field.suggest is not None}
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


def untouched(view: FormView, sent: Sent, base: str, typed: Collection[str]) -> set[str]:
    """The fields of a new record that stand as they were suggested at the start, and that nobody typed in."""
    began = recall(base) if base else {}
    return {one.key for one in view.fields if one.bound.field.suggest is not None and one.key in sent.entries
            and one.key not in typed and began.get(one.key) == signature(one, sent.entries[one.key])}


def _asked_for(asked: Mapping[str, FormField], name: str, *, file: bool) -> bool:
    """Whether a form has a control of that name: nothing that somebody sends is passed over in silence."""
    if name.startswith(clash.CHOICE):
        return not file and name.removeprefix(clash.CHOICE) in asked
    key, _, rest = name.rstrip("~-").partition(".")
    one = asked.get(key)
    if one is None:
        return name in OWN_KEYS
    if not rest:
        return file == (one.widget.files and name == key)
    place, _, column = rest.partition(".")
    return not file and one.bound.field.type.is_lines and is_place(place) and (
        column in ("id", "_delete") or any(c.name == column and c.editor is not None for c in columns_of(one.bound)))


def _gone(posted: Posted, names: Collection[str], base: Mapping[str, Signature]) -> dict[str, list[str]]:
    """What was entered in controls that are there no more; what stood there before is no loss."""
    found: dict[str, list[str]] = {}
    for name in names:
        key = name.rstrip("~-")
        texts = [text for text in posted.form.getlist(name) if text] if name == key else []
        if texts and base.get(key) != texts and not key.endswith(("_title", ".id", "._delete")):
            found[key] = texts
        if name in posted.files and posted.files[name].filename:
            found[name] = [str(posted.files[name].filename)]
    return found


def _comparable(one: FormField, entry: Entry) -> Signature:
    if one.bound.field.type.is_lines and any(line.removed or not line.id for line in entry.rows):
        return None
    return signature(one, entry)


def _value(sent: Sent, one: FormField, entry: Entry, began: Signature, viewer: Viewer) -> None:
    try:
        if one.bound.field.type.is_lines:
            sent.values[one.key] = _lines(sent, one, entry, began if isinstance(began, dict) else {}, viewer)
        else:
            sent.values[one.key] = one.widget.value(one.bound, entry, viewer)
    except BadValue as error:
        sent.problems[one.key] = _words(viewer, error)


def _lines(sent: Sent, one: FormField, entry: Entry, began: Mapping[str, Any], viewer: Viewer) -> list[dict[str, Any]]:
    """The lines that are new, changed or removed."""
    rows, places = [], []
    for line in entry.rows:
        row = _line(sent, one, line, began.get(line.id) if line.id else None, viewer)
        if row is not None:
            rows.append(row)
            places.append(line.key)
    sent.places[one.key] = places
    return rows


def _line(sent: Sent, one: FormField, line: Line, began: Any, viewer: Viewer) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    if line.id:
        id = plain_number(line.id)
        if id is None:
            raise BadValue("id", N_('"{value}" is not the id of a record.'), value=line.id[:40])
        row["id"] = id
        if line.removed:
            return {**row, "_delete": True}
    elif line.removed or not _filled(line):
        return None
    known = began if isinstance(began, dict) else {}
    for column in columns_of(one.bound):
        inner = line.entries.get(column.name)
        if inner is None or (line.id and known.get(column.name) == list(inner.texts)):
            continue
        if not line.id and not inner.texts:
            continue                                    # left empty in a new line: its default holds
        try:
            row[column.name] = column.widget.value(column.bound, inner, viewer)
        except BadValue as error:
            sent.problems[f"{one.key}.{line.key}.{column.name}"] = _words(viewer, error)
    return row if len(row) > ("id" in row) or not line.id else None


def _filled(line: Line) -> bool:
    return any(inner.texts and inner.texts != ("false",) for inner in line.entries.values())


def place_problems(sent: Sent, problems: tuple[FieldProblem, ...], view: FormView, viewer: Viewer) -> None:
    """Put what the record service refused beside the fields; what has no field here goes on top."""
    known = {one.key for one in view.fields}
    for problem in problems:
        message = viewer.text(problem.message, **problem.params)
        key, _, rest = problem.field.partition(".")
        if key not in known:
            sent.problems[""] = "\n".join(filter(None, (sent.problems.get(""), message)))
            continue
        place, _, column = rest.partition(".")
        if place.isdigit() and key in sent.places and int(place) < len(sent.places[key]):
            rest = ".".join(filter(None, (sent.places[key][int(place)], column)))
        sent.problems[f"{key}.{rest}" if rest else key] = message


def _words(viewer: Viewer, error: BadValue) -> str:
    return viewer.text(error.message, **error.params)
