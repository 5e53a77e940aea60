"""Values by name that are built when they are first asked for; and notes of who was asked for, for later checks."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from core.definition.values import Merged

# What a check looked at: a whole definition (kind, name, ""), all of a kind (kind, "", ""), or a field of a table
# ("table", table, field), which may not be there.
Fact = tuple[str, str, str]
V = TypeVar("V")


class Notes:
    """Notes what is looked at, while somebody wants to know."""

    def __init__(self) -> None:
        self.facts: set[Fact] | None = None

    @contextmanager
    def into(self, facts: set[Fact] | None) -> Iterator[None]:
        """Note into this set for the block; into none if it is None."""
        before, self.facts = self.facts, facts
        try:
            yield
        finally:
            self.facts = before

    def add(self, kind: str, name: str = "", field: str = "") -> None:
        """Something was looked at."""
        if self.facts is not None:
            self.facts.add((kind, name, field))


class Values(dict[str, V], Generic[V]):
    """The values of a kind by name. `later` gives the names it will have, and builds one of them on demand.

    Asking for a value is noted as looking at all of it; `quiet` is for those who note less themselves.
    """

    def __init__(self, kind: str, notes: Notes) -> None:
        super().__init__()
        self.kind = kind
        self.notes = notes
        self._waiting: dict[str, Callable[[str], None]] = {}
        self._order: dict[str, None] = {}

    def later(self, names: Iterable[str], make: Callable[[str], None]) -> None:
        """These values come too, in this order; `make` puts one here, or leaves it out with its problems told."""
        self._waiting |= dict.fromkeys(names, make)
        self._order = dict.fromkeys((*super().__iter__(), *self._order, *self._waiting))

    def quiet(self, name: str) -> V | None:
        """A value, or None; this is not noted."""
        if name in self._waiting:
            self._make(name)
        return super().get(name)

    def _make(self, name: str) -> None:
        make = self._waiting.get(name)
        if make is not None:
            make(name)
            self._waiting.pop(name, None)       # only now: another thread must find it waiting, or there

    def __setitem__(self, name: str, value: V) -> None:
        super().__setitem__(name, value)
        self._waiting.pop(name, None)
        if self._order:
            self._order[name] = None

    def __getitem__(self, name: str) -> V:
        self.notes.add(self.kind, name)
        if name in self._waiting:
            self._make(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> V | None:      # type: ignore[override]
        """A value, or the default."""
        self.notes.add(self.kind, name)
        if name in self._waiting:
            self._make(name)
        found: V | None = super().get(name, default)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._waiting or super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in self._order if name in self]) if self._order else super().__iter__()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> KeysView[str]:                # type: ignore[override]
        """All names, also of values that nobody asked for yet."""
        return KeysView(self)

    def values(self) -> ValuesView[V]:              # type: ignore[override]
        """All values."""
        self.notes.add(self.kind)
        self._make_all()
        return ValuesView(self)

    def items(self) -> ItemsView[str, V]:           # type: ignore[override]
        """All names and values."""
        self.notes.add(self.kind)
        self._make_all()
        return ItemsView(self)

    def _make_all(self) -> None:
        for name in list(self._waiting):
            self._make(name)


class Definitions(dict[tuple[str, str], "Merged"]):
    """Merged definitions by kind and name; who asks for one in a check looked at all of it."""

    def __init__(self, found: Iterable[Merged], notes: Notes) -> None:
        super().__init__(((one.kind, one.name), one) for one in found)
        self.notes = notes

    def __getitem__(self, key: tuple[str, str]) -> Merged:
        self.notes.add(*key)
        return super().__getitem__(key)

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        """A definition, or the default."""
        if key not in self:
            return default
        return self[key]

    def look(self, key: tuple[str, str]) -> Merged:
        """A definition, for a moment only."""
        return self[key]

    @property
    def hashes(self) -> dict[tuple[str, str], str]:
        """The hash of each."""
        return {key: one.hash for key, one in super().items()}

    @property
    def renamed(self) -> bool:
        """False if surely none of them has a former name."""
        return True

    def values(self) -> ValuesView[Merged]:         # type: ignore[override]
        """All definitions."""
        self.notes.add("")
        return ValuesView(self)

    def items(self) -> ItemsView[tuple[str, str], Merged]:      # type: ignore[override]
        """All definitions with their keys."""
        self.notes.add("")
        return ItemsView(self)
