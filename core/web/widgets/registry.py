"""All widgets by the name of the type they draw: the built-in ones, and those addons add through the hook."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from core.types.registry import registry
from core.web.widgets.base import Widget
from core.web.widgets.boolean import BooleanWidget
from core.web.widgets.choice import ChoiceWidget, StateWidget
from core.web.widgets.color import ColorWidget
from core.web.widgets.date import DatetimeWidget, DateWidget
from core.web.widgets.file import DocumentWidget, FileWidget, ImageWidget
from core.web.widgets.json import JsonWidget
from core.web.widgets.lines import LinesWidget
from core.web.widgets.link import AnyLinkWidget, LinksWidget, LinkWidget
from core.web.widgets.names import FieldNameWidget, TableNameWidget
from core.web.widgets.number import DecimalWidget, FloatWidget, IntegerWidget, MoneyWidget, PercentWidget
from core.web.widgets.rating import RatingWidget
from core.web.widgets.rich import HtmlWidget
from core.web.widgets.several import of_several
from core.web.widgets.tags import TagsWidget
from core.web.widgets.text import (
    EmailWidget,
    ExpressionWidget,
    FaxWidget,
    MemoWidget,
    PhoneWidget,
    SequenceWidget,
    TextWidget,
    UrlWidget,
)
from core.web.widgets.time import DurationWidget, TimeWidget

if TYPE_CHECKING:
    from core.definition.model import Field
    from core.ed.system import System


class PlainWidget(TextWidget):
    """What a type gets that nobody drew: its own format and a line of text."""

    name = ""
    read = Widget.read
    typed = Widget.typed


@cache
def built_in() -> Mapping[str, Widget]:
    """The widgets of the built-in types."""
    kinds = (TextWidget, MemoWidget, IntegerWidget, DecimalWidget, MoneyWidget, PercentWidget, BooleanWidget,
             DateWidget, DatetimeWidget, ChoiceWidget, LinkWidget, LinesWidget, EmailWidget, PhoneWidget, UrlWidget,
             SequenceWidget, FileWidget, ExpressionWidget, StateWidget, HtmlWidget, FloatWidget, TimeWidget,
             DurationWidget, FaxWidget, ColorWidget, RatingWidget, TagsWidget, ImageWidget, DocumentWidget, JsonWidget,
             AnyLinkWidget, LinksWidget, TableNameWidget, FieldNameWidget)
    return {kind.name: kind() for kind in kinds}


def widgets(system: System) -> Mapping[str, Widget]:
    """All widgets of a version."""
    def find() -> Mapping[str, Widget]:
        plugins: Any = system.plugins
        found = {**built_in(), **(getattr(plugins, "widgets", None) or {})}
        return {**found, **of_several(found, getattr(plugins, "field_types", None) or registry())}
    return system.cache.get("widgets", find)


def widget_of(system: System, field: Field) -> Widget:
    """The widget that draws a field."""
    return widgets(system).get(field.type.name) or PlainWidget()
