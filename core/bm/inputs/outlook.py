"""What records that definitions ship will do to live, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that people gave and that stays, with the one that is shipped now."""

    key: str
    field: str
    live: str
    shipped: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one `data` definition will do."""

    comes: int = 0
    changes: int = 0
    adopted: tuple[str, ...] = ()           # people have entered these; they are left as they are
    kept: tuple[Kept, ...] = ()
    away: int = 0                           # people threw them away: they stay away
    leaves: tuple[str, ...] = ()            # shipped no longer: people's own from now on

    def __bool__(self) -> bool:
        return self != NONE


NONE = Outlook()
