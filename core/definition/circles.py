"""Definitions that name each other in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def circle_of(start: str, following: Callable[[str], Iterable[str]]) -> list[str] | None:
    """The shortest way from a name back to itself, both ends included; None if there is none.

    A circle is told once, where `start` is the first of its names.
    """
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        for name in following(way[-1]):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return None


def spelled(circle: Iterable[str]) -> str:
    """A circle as people read it."""
    return " → ".join(circle)
