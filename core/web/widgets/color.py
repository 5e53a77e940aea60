"""Colours, as a patch with their code."""

from __future__ import annotations

from typing import ClassVar

from markupsafe import Markup

from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader
from core.web.widgets.text import TextWidget

# An attribute of a drawing, for pages allow no styles of their own.
PATCH = Piece('<span class="t-patched"><svg class="t-patch" viewBox="0 0 16 16" aria-hidden="true"><rect width="16" '
              'height="16" rx="4" fill="{}"/></svg> <span class="t-code">{}</span></span>')


class ColorWidget(TextWidget):
    """A colour; typed as its code, or picked beside it."""

    name: ClassVar[str] = "color"

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: PATCH(record[path], record[path]) if record.get(path) else NOTHING

    def edit(self, bound: Bound) -> Editor:
        pick = bound.text("Pick a colour")

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<div class="t-patched is-edit"><input type="text" {} value="{}" maxlength="7" placeholder='
                          '"#1a7f37" autocomplete="off" spellcheck="false"><input type="color" data-color aria-label='
                          '"{}" value="{}"></div>').format(
                control.attributes(), entry.text, pick, entry.text if len(entry.text) == 7 else "#808080")
        return draw
