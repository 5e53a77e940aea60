"""What a kind of definition is: one class and one registration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from core.definition.names import NAME, fault
from core.definition.shapes import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.definition.building import Building
    from core.definition.kinds.schema import Schema
    from core.definition.merge import Change
    from core.definition.tree import Node
    from core.definition.values import Body, Merged


class Kind(ABC):
    """A kind of definition: its schema, how layers change it, what it becomes in the Model, and what must hold."""

    name: ClassVar[str]
    folder: ClassVar[str]                   # where its files stand by convention
    suffix: ClassVar[str] = ".yaml"
    schema: ClassVar[type[Schema]]
    format: ClassVar[int] = 1               # of its bodies; older ones are read through `upcasts`
    upcasts: ClassVar[tuple[Callable[[Body, bool], Body], ...]] = ()    # from each format to the next; True: a change
    shared: ClassVar[bool] = False          # several layers give parts of one definition without `change`
    reserved: ClassVar[frozenset[str]] = frozenset()
    named: ClassVar[str] = NAME             # a pattern of what stands behind the kind's word
    lazy: ClassVar[bool] = False            # `build` gives its value and does nothing else that others wait for

    def name_of(self, written: object, layer: str) -> object:
        """The name of a definition whose file of that layer begins with `kind: written`."""
        return written

    def name_fault(self, written: object) -> str | None:
        """Why nothing of this kind can be called so, or None."""
        wrong = fault(written)
        if wrong is None and written in self.reserved:
            return f'{self.name} cannot be called "{written}": that name is reserved'
        return wrong

    def merge(self, below: Node, change: Node, what: Change) -> Node:
        """Change what lower layers made; problems go to `what.tell`."""
        from core.definition.merge import merge_maps
        return merge_maps(below, change, shape_of(self.schema), what)

    def order(self, merged: list[Merged], building: Building) -> Iterable[Merged]:
        """The order to build in."""
        return merged

    @abstractmethod
    def build(self, merged: Merged, schema: Any, building: Building) -> object | None:
        """The value in the Model; None, with a problem told, if it cannot be made."""

    def check(self, merged: Merged, value: Any, building: Building) -> None:  # noqa: B027  # most have more to check
        """Tell every problem of the value, and every reference it makes; all values are built by now."""
