"""A written document kept with the record."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from core.types.file import FileProperties, FileType

DOCUMENTS = (
    "application/pdf", "text/plain", "text/csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
    "image/png", "image/jpeg")


class DocumentProperties(FileProperties):
    """The properties of a document."""

    accept: tuple[str, ...] = Field(DOCUMENTS, description="The media types that may be uploaded; PDF, text, office "
                                    "documents and scanned pages if left out.")


class DocumentType(FileType):
    """A file that people read: PDF, text, office documents, scans. Former ones stay in the record's history."""

    name: ClassVar[str] = "document"
    properties: ClassVar = DocumentProperties
