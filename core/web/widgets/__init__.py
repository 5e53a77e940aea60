"""How each type is drawn for reading and for editing; one small module per family."""

from core.web.widgets.base import Bound, Control, Entry, Posted, Reader, Widget
from core.web.widgets.registry import widget_of, widgets

__all__ = ["Bound", "Control", "Entry", "Posted", "Reader", "Widget", "widget_of", "widgets"]
