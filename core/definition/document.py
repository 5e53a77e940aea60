"""The text of a definition file that can be changed by paths; each change leaves every other character as it is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from core.definition.values import BodyPath
from core.errors import Refused


class Document(ABC):
    """A definition file that can be changed; paths are those of the definition's body, without the kind word.

    It is read anew after each change. Raises Refused, at once too, if the text is too broken to change.
    """

    def __init__(self, text: str, file: str = "") -> None:
        self.file = file
        self.text = text
        self._read()

    @abstractmethod
    def _read(self) -> None:
        """Find out where everything stands. Raises Refused if the text cannot be read."""

    def replace(self, start: int, end: int, new: str) -> None:
        """Put other text between two places. Raises Refused, and changes nothing, if the file were broken by it."""
        old, self.text = self.text, self.text[:start] + new + self.text[end:]
        try:
            self._read()
        except Refused:
            self.text = old
            self._read()
            raise

    @abstractmethod
    def has(self, path: BodyPath) -> bool:
        """True if something stands at the path."""

    @abstractmethod
    def span(self, path: BodyPath) -> tuple[int, int]:
        """Where the value at a path stands in the text, quotes included. Raises Refused if nothing does."""

    @abstractmethod
    def set(self, path: BodyPath, value: object) -> None:
        """Put a value at a path, in place of what is there or as a new property. Raises Refused."""

    @abstractmethod
    def remove(self, path: BodyPath) -> None:
        """Take away what stands at a path, and what becomes empty by it. Raises Refused if nothing does."""

    @abstractmethod
    def rename(self, path: BodyPath, new: str) -> None:
        """Give the member at a path another name. Raises Refused if nothing stands there."""

    @property
    @abstractmethod
    def bare(self) -> bool:
        """True if the file says nothing but its kind and name."""
