"""A field that two people changed at once: yours, theirs and the original side by side, with a choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from core.types.base import BadValue
from core.web.context import Viewer
from core.web.form_view import FormField
from core.web.i18n import N_
from core.web.widgets.base import EMPTY, NOTHING, Entry, Record

CHOICE = "_choice."            # + the field's key: which value a form that comes back wants
ORIGINAL = "_original"         # what stood there at first, by key, as texts
YOURS, THEIRS, BEFORE = "yours", "theirs", "original"


@dataclass(frozen=True, slots=True)
class Clash:
    """What a field holds in the form, in the record of now, and what it held when the form was opened."""

    yours: Entry
    theirs: Record
    original: Entry | None               # None where it cannot be put back by a form: lines


def draw(one: FormField, clash: Clash, viewer: Viewer) -> Markup:
    """The three values of a field with a choice; "yours" is what stands in the control above."""
    _ = viewer.text
    choices = [(YOURS, _("Yours"), said(one, clash.yours, clash.theirs, viewer)),
               (THEIRS, _("Theirs"), one.read(clash.theirs, viewer) or EMPTY)]
    if clash.original is not None:
        choices.append((BEFORE, _("Original"), said(one, clash.original, clash.theirs, viewer)))
    drawn = NOTHING.join(
        Markup('<label class="t-clash-choice"><input type="radio" name="{}{}" value="{}"{}> <span class="t-clash-who">'
               '{}</span> <span class="t-clash-value">{}</span></label>').format(
            CHOICE, one.key, value, Markup(" checked") if value == YOURS else NOTHING, who, shown)
        for value, who, shown in choices)
    return Markup('<fieldset class="t-clash" data-clash><legend>{}</legend>{}</fieldset>').format(
        _(N_("Somebody else changed this too. Which value shall it be?")), drawn)


def said(one: FormField, entry: Entry, record: Record, viewer: Viewer) -> str:
    """What stands in a control, as it would be read."""
    if one.bound.field.type.is_lines:
        return viewer.text("the lines as you left them")
    if entry.upload is not None:
        return escape(entry.upload.filename or "")
    if entry.titles:
        return escape(", ".join(entry.titles))
    if not entry.texts:
        return EMPTY
    try:
        value = one.widget.value(one.bound, entry, viewer)
    except BadValue:                                 # typed, but no value of this field
        return escape(", ".join(entry.texts))
    return one.widget.cell(one.bound)({**record, one.bound.path: value}, viewer) or EMPTY


def memory(clashes: Mapping[str, Clash]) -> str:
    """The original values, to be sent along with the choice."""
    return json.dumps({key: list(clash.original.texts) for key, clash in clashes.items() if clash.original is not None},
                      ensure_ascii=False, separators=(",", ":"))


def chosen(form: Mapping[str, str], key: str) -> str:
    """Which value somebody chose for a field: yours, unless they said otherwise."""
    wanted = form.get(CHOICE + key, YOURS)
    return wanted if wanted in (THEIRS, BEFORE) else YOURS


def original(form: Mapping[str, str], key: str) -> Entry | None:
    """What a field held at first, as the form remembers it."""
    try:
        texts = json.loads(form.get(ORIGINAL, "")[:1_000_000])[key]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return Entry(tuple(texts)) if isinstance(texts, list) and all(isinstance(t, str) for t in texts) else None
