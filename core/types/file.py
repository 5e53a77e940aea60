"""A file kept with the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Plain, Properties, Type
from core.types.link import record_id


@dataclass(frozen=True, slots=True)
class FileValue:
    """A stored file; all but its id is empty until the record service has looked it up."""

    id: int
    name: str = ""
    type: str = ""
    size: int = 0


SAID = frozenset(("id", "name", "type", "size"))        # of a stored file, which may be sent back as it came


class FileProperties(Properties):
    """The properties of an uploaded file."""

    max_size: int = Field(20_000_000, ge=1, le=1_000_000_000, description="The most bytes it may have.")
    accept: tuple[str, ...] = Field((), description="The media types that may be uploaded, such as image/png; all if "
                                    "left out.")


class FileType(FieldType[FileProperties]):
    """The id of an uploaded file."""

    name: ClassVar[str] = "file"
    properties: ClassVar = FileProperties
    sortable: ClassVar[bool] = False
    is_file: ClassVar[bool] = True
    looks: ClassVar[bool] = False            # whether `check` reads what is in an upload

    def expression_type(self, p: FileProperties) -> Type:
        return Type("link", "file")

    def parts(self, p: FileProperties) -> tuple[Part, ...]:
        return (Part("", "bigint"),)

    def check(self, content: bytes, media: str, p: FileProperties) -> None:
        """Check what is in an upload, whose kind and size were found to be allowed. Raises BadValue."""

    def validate(self, value: Any, p: FileProperties) -> FileValue | None:
        if value is None or value == "":
            return None
        if isinstance(value, FileValue):
            return value
        return FileValue(record_id(value))

    def parse(self, text: str, p: FileProperties, locale: Locale) -> None:
        if text.strip():
            raise BadValue("file", "A file cannot be given as text.")

    def from_wire(self, value: Any, p: FileProperties) -> FileValue | None:
        said = isinstance(value, Mapping) and value.get("id") is not None and SAID.issuperset(value)
        return self.validate(value["id"] if said else value, p)     # another object is no file, and not none either

    def to_wire(self, value: FileValue | None, p: FileProperties) -> Any:
        if value is None:
            return None
        return {"id": value.id, "name": value.name, "type": value.type, "size": value.size}

    def to_columns(self, value: FileValue | None, p: FileProperties) -> tuple[Any, ...]:
        return (None if value is None else value.id,)

    def from_columns(self, values: tuple[Any, ...], p: FileProperties) -> FileValue | None:
        return None if values[0] is None else FileValue(values[0])

    def format(self, value: FileValue | None, p: FileProperties, locale: Locale) -> str:
        return "" if value is None else value.name

    def plain(self, value: FileValue | None, p: FileProperties) -> Plain:
        """The name of the file, for people: its bytes come and go by themselves."""
        return None if value is None else value.name
