"""A picture of a record: a photo, a logo."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from core.types.base import BadValue
from core.types.file import FileProperties, FileType
from core.types.raster import RASTERS, dimensions


class ImageProperties(FileProperties):
    """The properties of a picture."""

    max_size: int = Field(10_000_000, ge=1, le=50_000_000, description="The most bytes it may have.")
    accept: tuple[str, ...] = Field(RASTERS, description="The media types that may be uploaded; only those of "
                                    "pictures made of points can be.")
    max_side: int = Field(8_000, ge=16, le=20_000, description="The most points that it may be wide or high.")

    @field_validator("accept")
    @classmethod
    def _of_points(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= set(RASTERS):
            raise ValueError(f"pictures are of one of these media types: {', '.join(RASTERS)}")
        return value


class ImageType(FileType):
    """A picture made of points (PNG, JPEG, GIF or WebP), which pages show; drawings with scripts in them are none."""

    name: ClassVar[str] = "image"
    properties: ClassVar = ImageProperties
    looks: ClassVar[bool] = True

    def check(self, content: bytes, media: str, p: FileProperties) -> None:
        if media not in RASTERS:
            raise BadValue("image", "This is no picture that can be shown: PNG, JPEG, GIF and WebP are.")
        found = dimensions(content, media)
        if found is None:
            raise BadValue("image", "This picture is damaged.")
        most = getattr(p, "max_side", 0)
        if max(found) > most:
            raise BadValue("image_size", "This picture is {width} × {height} points; each side may have {most}.",
                           width=found[0], height=found[1], most=most)
