"""Field types as values: their columns, validation, normal form and wire form. No database and no HTML."""

from core.types.base import BadValue, FieldType, Index, Locale, Part, Properties, Type

__all__ = ["BadValue", "FieldType", "Index", "Locale", "Part", "Properties", "Type"]
