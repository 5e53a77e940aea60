"""Field types as values: their columns, validation, normal form and wire form. No database and no HTML."""

from core.types.base import BadValue, FieldType, Index, Locale, Part, Properties, Type
from core.types.registry import registry

__all__ = ["BadValue", "FieldType", "Index", "Locale", "Part", "Properties", "Type", "registry"]
