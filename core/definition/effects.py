"""What layers do to what lower ones made: the record from which provenance, conflicts and upgrades are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from core.definition.tree import Node, plain
from core.definition.values import BodyPath, Mark

Act = Literal["add", "set", "remove", "include", "exclude", "place"]
Path = tuple[str, ...]
Key = tuple[str, str]           # kind, name


class Gap(NamedTuple):
    """Where something is put: `after`, `before` or `into` an aim, or `first` or `last` of its collection."""

    around: Path
    word: str
    aim: str = ""

    @property
    def shared(self) -> bool:
        """True for the end of a collection: several may add there, in the order of their layers."""
        return self.word in ("last", "into")


@dataclass(frozen=True, eq=False)
class Effect:
    """What one layer does at one place of a definition.

    `path` is of names (in a form: of elements), `where` the place in the layer's own body. `old` stood there before,
    `new` is what the layer says. An effect that `missed` did nothing: a problem says why.
    """

    layer: str
    act: Act
    path: Path
    where: BodyPath
    mark: Mark
    old: Node | None = None
    new: Node | None = None
    gap: Gap | None = None
    stands_on: tuple[Path, ...] = ()    # what else must be there for it
    held: str = ""                      # in a form: the elements around what is moved and around its aim
    named: Path | None = None           # in a form: the path as the layer's aim says it
    missed: bool = False

    @property
    def said(self) -> object:
        """What the layer says there; None for a removal."""
        return plain(self.new) if self.new is not None else None

    @property
    def key(self) -> str:
        """The place as text, by which the lock knows it."""
        text = ".".join(self.named or self.path)
        if self.act in ("include", "exclude"):
            return f"{'.'.join(self.path[:-1])} {'+' if self.act == 'include' else '-'}{self.path[-1]}"
        return f"{text} {self.gap.word}" if self.act == "place" and self.gap else text


Effects = Mapping[Key, Sequence[Effect]]
