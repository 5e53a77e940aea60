"""The business objects a user may see, by area: the desktop, the side bar and the phone's bottom bar."""

from __future__ import annotations

from dataclasses import dataclass

from core.definition.model import Model, Object
from core.web.context import Context
from core.web.pages.objects import visible


@dataclass(frozen=True, slots=True)
class Entry:
    """One object on the desktop."""

    name: str
    title: str
    icon: str
    href: str
    color: str
    help: str
    create: bool


@dataclass(frozen=True, slots=True)
class Group:
    """An area with its objects."""

    name: str
    title: str
    icon: str
    entries: tuple[Entry, ...]


def menu_of(context: Context) -> tuple[Group, ...]:
    """The areas and objects this user may read; worked out once per set of roles and language."""
    user = context.session.user
    language = context.viewer.locale.language
    return context.system.cache.get(("menu", user.shape, language), lambda: _build(context, language))


def _build(context: Context, language: str) -> tuple[Group, ...]:
    model = context.system.model
    shown = [thing for thing in model.objects.values() if visible(context.session, thing)]
    groups = []
    for name, area in model.areas.items():
        entries = tuple(_entry(context, thing, language, area.color) for thing in shown if thing.area == name)
        if entries:
            groups.append(Group(name, _area_title(model, name, area.title, language), area.icon or "folder", entries))
    rest = tuple(_entry(context, thing, language, None) for thing in shown if thing.area not in model.areas)
    if rest:
        groups.append(Group("", context.text("More"), "dots", rest))
    return tuple(groups)


def _entry(context: Context, thing: Object, language: str, color: str | None) -> Entry:
    title = context.system.model.text(f"object {thing.name}.title", language) or thing.title
    help_text = (context.system.model.text(f"object {thing.name}.help", language) if thing.help else "") or ""
    return Entry(thing.name, title, thing.icon or "point", f"/{thing.name}", thing.color or color or "blue", help_text,
                 thing.rows is None and context.records.may(thing.of, "create"))


def _area_title(model: Model, name: str, title: str, language: str) -> str:
    for menu in model.menus.values():
        if name in menu.areas:
            for path in (f"menu {menu.name}.areas.{name}.title", f"menu {menu.name}.title"):
                found = model.text(path, language)
                if found and found != path:
                    return found
    return title
