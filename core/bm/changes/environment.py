"""Settings whose value each system has for itself: a promotion asks for those that are needed and not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from core.bm.engine.steps import Step
from core.bm.inputs.questions import Question, unfit
from core.bm.inputs.way import Way
from core.ed import setting as settings_of
from core.errors import Words, words
from core.types.base import BadValue, Locale

if TYPE_CHECKING:
    from core.definition.named import Setting


def questions(way: Way) -> Iterator[Question]:
    """What each system has to say for itself, and this one has not yet; the first version is asked nothing."""
    for one in _missing(way):
        yield Question(
            f"setting {one.name}",
            words('what is "{title}" here? Each system has its own value, which no definition holds',
                  title=one.field.title), (), free=True, place=way.target.place("setting", one.name))


def problems(way: Way) -> Iterator[Words]:
    """Answers that are no values of the setting's type."""
    for one in _missing(way):
        answer = way.answer("setting", one.name)
        if answer is None:
            continue
        try:
            _read(one, answer)
        except BadValue as error:
            yield unfit(f"setting {one.name}", error)


def steps(way: Way) -> Iterator[Step]:
    """Before the new version is anybody's: its settings have their values."""
    for one in _missing(way):
        answer = way.answer("setting", one.name)
        if answer is not None:
            yield Step(0, "set", f"setting {one.name}", data={"setting": one.name, "value": _read(one, answer)},
                       note=words("the value that this system has for itself"))


def put(connection: Connection, step: Step) -> None:
    """Keep the value of a step."""
    settings_of.put(connection, step.data["setting"], step.data["value"])


def take_away(connection: Connection, step: Step) -> None:
    """Forget the value of a step: the next promotion that needs it asks again."""
    settings_of.take_away(connection, step.data["setting"])


def _missing(way: Way) -> Iterator[Setting]:
    if way.target.model is None or way.base.version is None or way.back:
        return
    for one in way.target.model.settings.values():
        if one.environment and one.field.required is True and not way.facts.settings.intersection((one.name, *one.was)):
            yield one


def _read(setting: Setting, text: str) -> object:
    """The value as it is kept. Raises BadValue."""
    properties = setting.field.properties
    return setting.field.type.to_wire(setting.field.type.parse(text, properties, Locale("en")), properties)
