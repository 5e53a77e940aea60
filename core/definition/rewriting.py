"""Definition files as documents that can be changed, by what they are written in."""

from __future__ import annotations

from pathlib import PurePath

from core.definition.document import Document
from core.definition.xml_text import XmlText
from core.definition.yaml_text import YamlText
from core.errors import Refused


def document(file: str, text: str) -> Document:
    """A file's text to change. Raises Refused if it is neither YAML nor XML, or too broken to change."""
    suffix = PurePath(file).suffix
    if suffix in (".yaml", ".yml"):
        return YamlText(text, file)
    if suffix == ".xml":
        return XmlText(text, file)
    raise Refused("{file} is neither YAML nor XML: change it by hand", file=file)
