"""Words of schemas for time: durations and timetables."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from core.definition.processes import UNITS, cron, duration


def span(value: object) -> object:
    """A text that says a duration."""
    if not isinstance(value, str) or duration(value) is None:
        raise PydanticCustomError("duration", "a duration is a whole number and a unit, such as 3 workdays; there are "
                                  "{units}", {"units": ", ".join(UNITS)})
    return value


def _timetable(value: object) -> object:
    wrong = cron(value) if isinstance(value, str) else "a timetable is a text: put it in quotes"
    if wrong:
        raise PydanticCustomError("timetable", "{wrong}", {"wrong": wrong})
    return value


Span = Annotated[str, BeforeValidator(span), Field(json_schema_extra={"word": "duration, such as 3 workdays"})]
Timetable = Annotated[str, BeforeValidator(_timetable), Field(json_schema_extra={
    "word": "timetable: minute hour day month weekday"})]
