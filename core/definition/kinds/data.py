"""The kind `data`: records shipped with a layer."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field as Property

from core.definition.building import Building
from core.definition.kinds.base import Kind
from core.definition.kinds.fields import check_value, literal
from core.definition.kinds.schema import Line, Name, Plain, Schema, Text
from core.definition.model import Data, Field
from core.definition.names import suggestion
from core.definition.references import KEY
from core.definition.values import BodyPath, Merged


class DataSchema(Schema):
    """Records shipped with a layer, each known by its key."""

    of: Name = Property(description="The table.")
    key: Name = Property(description="The field whose value is the key: a text, email, url, choice or sequence.")
    records: dict[Text, dict[Name, Plain]] = Property(description="The records' values by key; a link's value is the "
                                                      "key of a shipped record of the linked table.")
    renamed: dict[Line, Line] = Property({}, description="Keys that records had before, each with the key of now: the "
                                         "record stays the same.")


class DataKind(Kind):
    """Records shipped with a layer, by key."""

    name = "data"
    folder = "data"
    lazy = True
    schema: ClassVar[type[Schema]] = DataSchema

    def build(self, merged: Merged, schema: Any, building: Building) -> Data:
        """The records; values in the normal form of their fields, links as keys, the key itself among the values."""
        records: dict[str, dict[str, object]] = {}
        for key, values in schema.records.items():
            records[key] = {}
            for name, value in {schema.key: key, **values}.items():
                path: BodyPath = ("records", key) if name == schema.key else ("records", key, name)
                records[key][name] = self._value(merged, path, schema.of, name, value, building)
        return Data(merged.name, schema.of, schema.key, records, schema.renamed)

    def _value(self, merged: Merged, path: BodyPath, table: str, name: str, value: object,
               building: Building) -> object:
        field = building.names.field(table, name)
        if table in building.names.tables and path[-1] == name:
            building.field(merged, path, table, name, KEY)
        if field is None:
            return None
        if field.virtual or field.computed:
            building.tell(merged, path, f'field "{name}" is not stored, so no record can be shipped with it')
            return None
        return value if field.target is not None else literal(merged, path, value, field, building)

    def check(self, merged: Merged, value: Any, building: Building) -> None:
        """Check the key, the choices, and that links name shipped records."""
        if building.find(merged, ("of",), "table", value.of) is None:
            return
        key = building.names.field(value.of, value.key)
        if building.field(merged, ("key",), value.of, value.key) is None or key is None:
            pass
        elif key.expression_type.name not in ("text", "choice") or key.many:
            building.tell(merged, ("key",), f'field "{value.key}" is no text, so it cannot be the key')
        for old, new in value.renamed.items():
            if new not in value.records:
                building.tell(merged, ("renamed", old), f'no record "{new}" is shipped here' + suggestion(
                    new, value.records))
            elif old in value.records:
                building.tell(merged, ("renamed", old), f'a record "{old}" is shipped still, so it is not renamed')
        self._check_twice(merged, value, building)
        for record, values in value.records.items():
            for name, one in values.items():
                field = building.names.field(value.of, name)
                if field is not None and one is not None:
                    self._check_value(merged, ("records", record, name), one, field, building)

    def _check_twice(self, merged: Merged, value: Data, building: Building) -> None:
        """Two definitions that ship the same record would undo each other's values; the later one is told."""
        for other in building.values["data"].values():
            for key in value.records if other.of == value.of and other.name < value.name else ():
                if key in other.records:
                    building.tell(merged, ("records", key), f'record "{key}" of table "{value.of}" is shipped by data '
                                  f'"{other.name}" already: change that one')

    def _check_value(self, merged: Merged, path: BodyPath, value: object, field: Field, building: Building) -> None:
        if field.target is None or not isinstance(value, (str, list)):
            check_value(merged, path, value, field, building)
            return
        shipped = {key: data.name for data in building.values["data"].values() for key in data.records
                   if building.names.is_kind_of(data.of, field.target)}
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            if one in shipped:
                building.refer(merged, (*path, index) if isinstance(value, list) else path, "data",
                               f"{shipped[one]}.records.{one}")
            else:
                building.tell(merged, path, f'no record "{one}" of table "{field.target}" is shipped'
                              + suggestion(str(one), shipped))
