"""Numbers: right-aligned, with the reader's separators, exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from markupsafe import Markup, escape

from core.types.numbers import separators
from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader, Record, Widget

AMOUNT = Piece('<span>{}\u202f<span class="t-unit">{}</span></span>')


def grouped(language: str) -> Callable[[str], str]:
    """From 1,234.5 to the separators of a language; English and Chinese write it just so."""
    decimal, group = separators(language)
    if (decimal, group) == (".", ","):
        return lambda text: text
    table = str.maketrans({".": decimal, ",": group})
    return lambda text: text.translate(table)


class IntegerWidget(Widget):
    """A whole number."""

    name: ClassVar[str] = "integer"
    numeric: ClassVar[bool] = True
    mode: ClassVar[str] = "numeric"

    def pattern(self, bound: Bound) -> Callable[[Any], str]:
        """The function that writes a value with grouping."""
        if not getattr(bound.field.properties, "group", True):
            return str
        return lambda value: f"{value:,}"

    def read(self, bound: Bound) -> Reader:
        path, pattern, swap = bound.path, self.pattern(bound), grouped(bound.language)

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return NOTHING if value is None else escape(swap(pattern(value)))
        return draw

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="text" inputmode="{}" {} value="{}" autocomplete="off">').format(
                self.mode, control.attributes("form-control t-number"), entry.text)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        decimal, _ = separators(bound.language)
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        return text.replace(".", decimal)


class DecimalWidget(IntegerWidget):
    """A number with decimals, as many as it has."""

    name: ClassVar[str] = "decimal"
    mode: ClassVar[str] = "decimal"

    def pattern(self, bound: Bound) -> Callable[[Any], str]:
        def write(value: Any) -> str:
            text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        return write

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        text = super().typed(bound, value, viewer)
        decimal, _ = separators(bound.language)
        return text.rstrip("0").rstrip(decimal) if decimal in text else text


class FloatWidget(DecimalWidget):
    """A measured number, with its unit."""

    name: ClassVar[str] = "float"

    def read(self, bound: Bound) -> Reader:
        kind, properties, path = bound.field.type, bound.field.properties, bound.path

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return NOTHING if value is None else escape(kind.format(value, properties, viewer.locale))
        return draw


class MoneyWidget(IntegerWidget):
    """An amount, always with its decimals, and the record's currency; a list leaves out the organisation's own."""

    name: ClassVar[str] = "money"
    mode: ClassVar[str] = "decimal"

    def needs(self, bound: Bound) -> tuple[str, ...]:
        table = bound.model.tables.get(bound.field.table)          # a setting is of none
        currency = table.fields.get("currency") if table is not None else None
        own = currency is not None and currency.target == "currency" and "." not in bound.path
        return ("currency",) if own else ()

    def read(self, bound: Bound) -> Reader:
        return self._with_unit(bound, bound.model.system.currency)

    def cell(self, bound: Bound) -> Reader:
        return self._with_unit(bound, "")

    def _with_unit(self, bound: Bound, without: str) -> Reader:
        """The amount with the code of its currency; `without` is what stands where the record names none."""
        draw, own = super().read(bound), bound.model.system.currency
        if not self.needs(bound):
            return draw

        def draw_with_unit(record: Record, viewer: Viewer) -> str:
            code = record.get("currency_title") or without
            if record.get(bound.path) is None or not code or (code == own and not without):
                return draw(record, viewer)
            return AMOUNT(draw(record, viewer), code)
        return draw_with_unit

    def pattern(self, bound: Bound) -> Callable[[Any], str]:
        scale = getattr(bound.field.properties, "scale", 2)
        return lambda value: f"{value:,.{scale}f}"


class PercentWidget(DecimalWidget):
    """Of a hundred."""

    name: ClassVar[str] = "percent"

    def pattern(self, bound: Bound) -> Callable[[Any], str]:
        write = super().pattern(bound)
        return lambda value: write(value) + "\u202f%"

    def edit(self, bound: Bound) -> Editor:
        inner = super().edit(bound)
        return lambda entry, control, viewer: Markup(
            '<div class="input-group">{}<span class="input-group-text">%</span></div>').format(
                inner(entry, control, viewer))
