"""What a mapping file may say: how the columns of a file become the fields of a table."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.definition import yaml
from core.ed.table_file import OWN_COLUMNS
from core.errors import Refused
from core.types.base import FieldType

if TYPE_CHECKING:
    from core.definition.model import Model, Table
    from core.ed.former import Translation

_PLACE = re.compile(r"\{([^{}]+)\}")
_DATE = re.compile(r"(YYYY|MM|DD|HH|mm|SS|[^A-Za-z%])+")
_DIRECTIVES = (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("SS", "%S"))


def _text(value: object) -> object:
    """Scalars of YAML as the text they were written as: values go through the types like cells do."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _texts(value: object) -> object:
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _text_values(value: object) -> object:
    return {key: _text(one) for key, one in value.items()} if isinstance(value, dict) else value


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Values = Annotated[dict[str, Text], BeforeValidator(_text_values)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Where one field comes from, and how the text becomes its value."""

    column: str | None = None           # a column of the file
    template: Texts = ()                # "{product} for {company}"; the first whose places are all filled
    value: Texts | None = None          # the same for all rows
    values: Values = Field(default_factory=dict)                       # what a cell says -> what it means
    nulls: Texts = ()                   # texts that mean nothing here
    empty: Annotated[Literal["null", "keep"], BeforeValidator(_text)] = "null"
    format: str | None = None           # of dates: DD-MM-YYYY
    by: str | None = None               # of links: the field of the other table that the text names
    unknown: Literal["error", "create", "skip"] = "error"
    with_: Values = Field(default_factory=dict, alias="with")          # other fields of a record that is created
    add: bool = False                   # of plural links and choices: add to what is there
    split: str | None = None            # of plural links and choices: between two names in a cell


def _source(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class ImportMapping(_Part):
    """A mapping file."""

    table: str | None = Field(None, alias="import")
    match: Texts = ()                   # fields by which a record is found again: it is updated, not doubled
    repeated: Literal["error", "merge"] = "error"      # a second row with the same match
    nulls: Texts = ()                   # texts that mean nothing in any column
    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    sheet: str | None = None            # of a workbook; the first unless told
    language: str = "en"                # whose decimal signs and words for yes and no the file uses
    zone: str = "UTC"                   # of moments without one
    fields: dict[str, Annotated[Source, BeforeValidator(_source)]] = Field(min_length=1)
    ignore: Texts = ()                  # columns that are left out on purpose

    @property
    def hash(self) -> str:
        """What makes two mappings the same; comments and order of keys do not count."""
        written = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()

    def columns(self) -> frozenset[str]:
        """The columns that are used, in sources or templates."""
        return frozenset(self._columns())

    def _columns(self) -> Iterator[str]:
        for source in self.fields.values():
            if source.column is not None:
                yield source.column
            yield from (name for name in places(source.template) if name not in self.fields)


def load(data: bytes, file: str) -> ImportMapping:
    """Read a mapping file; raises Refused with all its problems, as file:line:column."""
    value, marks, problems = yaml.read(data, file)
    if problems:
        raise Refused("\n".join(str(problem) for problem in problems))
    try:
        return ImportMapping.model_validate(value)
    except ValidationError as error:
        lines = []
        for one in error.errors():
            path = tuple(str(step) for step in one["loc"])
            mark = next((marks[path[:n]] for n in range(len(path), -1, -1) if path[:n] in marks), None)
            place = f"{file}:{mark.line}:{mark.column}" if mark else file
            lines.append(f"{place}: {'.'.join(path)}: {one['msg']}")
        raise Refused("\n".join(lines)) from None


def plain(table: Table, header: Iterable[str], match: Iterable[str]) -> ImportMapping:
    """The mapping of a file without one: each column is the field of the same name (or `field.by` for links)."""
    fields: dict[str, Any] = {}
    for column in header:
        if column in OWN_COLUMNS:
            continue
        name, _, by = column.partition(".")
        fields[name] = {"column": column, **({"by": by} if by else {})}
        if name not in table.fields:
            raise Refused(f"there is no field {name!r} in table {table.name!r}; write a mapping file (--map)")
    return ImportMapping.model_validate({"fields": fields, "match": list(match)})


def followed(translation: Translation, table: str, mapping: ImportMapping) -> tuple[str, ImportMapping]:
    """A table and a mapping that may be older than the names of now, in these."""
    if not translation.needed:
        return table, mapping
    now = translation.table(table)
    if now not in translation.model.tables:
        return table, mapping
    names = {name: translation.field(now, name) for name in mapping.fields}
    fields = {names[name]: _followed(translation, now, names, names[name], source)
              for name, source in mapping.fields.items()}
    return now, mapping.model_copy(update={
        "table": None if mapping.table is None else translation.table(mapping.table), "fields": fields,
        "match": tuple(names.get(name, name) for name in mapping.match)})


def _followed(translation: Translation, table: str, names: Mapping[str, str], name: str, source: Source) -> Source:
    field = translation.model.field(table, name)
    target = field.target if field is not None else None
    def now(value: str) -> str:
        return str(translation.value(table, name, value))
    changed: dict[str, Any] = {
        "template": tuple(_PLACE.sub(lambda match: f"{{{names.get(match[1], match[1])}}}", one)
                          for one in source.template),
        "value": None if source.value is None else tuple(map(now, source.value)),
        "values": {cell: now(value) for cell, value in source.values.items()}}
    if target is not None and source.by is not None:
        changed["by"] = translation.field(target, source.by)
        changed["with_"] = {translation.field(target, key): value for key, value in source.with_.items()}
    return source.model_copy(update=changed)


def places(templates: Iterable[str]) -> list[str]:
    """The names in braces of some templates."""
    return [name for template in templates for name in _PLACE.findall(template)]


def fill(template: str, values: Mapping[str, str]) -> str | None:
    """Fill in a template; None if one of its places is empty."""
    if not all(values.get(name) for name in _PLACE.findall(template)):
        return None
    return _PLACE.sub(lambda match: values[match[1]], template)


def directive(format: str) -> str:
    """A date format such as DD-MM-YYYY, as strptime has it."""
    for written, meant in _DIRECTIVES:
        format = format.replace(written, meant)
    return format


def check(mapping: ImportMapping, model: Model, table: Table, header: Iterable[str]) -> list[str]:
    """Everything in a mapping that does not fit the table or the file."""
    problems = [*_check_columns(mapping, tuple(header)), *_check_match(mapping, table)]
    for name, source in mapping.fields.items():
        problems += _check_field(model, table, name, source)
    return problems


def _check_columns(mapping: ImportMapping, header: tuple[str, ...]) -> Iterator[str]:
    used = mapping.columns()
    for column in sorted(used - set(header)):
        yield f"the file has no column {column!r}; it has: {', '.join(header)}"
    for column in mapping.ignore:
        if column not in header:
            yield f"ignore: the file has no column {column!r}"
        elif column in used:
            yield f"ignore: the column {column!r} is used"
    for column in header:
        if column not in used and column not in mapping.ignore and column not in OWN_COLUMNS:
            yield f"the column {column!r} goes nowhere; map it, or name it under `ignore`"


def _check_match(mapping: ImportMapping, table: Table) -> Iterator[str]:
    for name in mapping.match:
        field = table.fields.get(name)
        if name not in mapping.fields:
            yield f"match: {name!r} is not among the fields"
        elif field is not None and (field.virtual or field.computed or field.many or field.type.is_file
                                    or field.type.is_long):
            yield f"match: records cannot be found by {name!r}"
    if mapping.repeated == "merge" and not mapping.match:
        yield "repeated: rows can only be merged by a match"


def _check_field(model: Model, table: Table, name: str, source: Source) -> Iterator[str]:
    field = table.fields.get(name)
    if field is None:
        yield f"there is no field {name!r} in table {table.name!r}"
        return
    if (field.virtual and not field.type.is_through) or field.computed or field.type.is_file:
        yield f"{name}: a field of type {field.type.name} cannot be imported"
    if [source.column is not None, bool(source.template), source.value is not None].count(True) != 1:
        yield f"{name}: say one of column, template, value"
    is_date = field.type.name in ("date", "datetime")
    if source.format is not None and not (is_date and _DATE.fullmatch(source.format)):
        yield f"{name}: a format is for dates, of YYYY MM DD HH mm SS and signs between them"
    if (source.add and not field.many) or (source.split and not field.plural):
        yield f"{name}: `add` and `split` are for fields that hold several values"
    is_link = field.type.name in ("link", "links")
    if source.by is None:
        if source.unknown != "error" and not (field.expression_type.name == "choice" and source.unknown == "skip"):
            yield f"{name}: `unknown: {source.unknown}` needs a link found `by` a field"
    elif not is_link:
        yield f"{name}: `by` is for links"
    elif len(field.targets) > 1:
        yield from _check_several(model, name, field.targets, source)
    else:
        yield from _check_by(model, name, field.target or "", source)


def _check_several(model: Model, name: str, targets: Iterable[str], source: Source) -> Iterator[str]:
    """Records of several tables are found by a field that one of them has at least; none is created."""
    found = [model.field(target, source.by or "") for target in targets]
    if not any(found) or any(one is not None and (one.virtual or not _has_text(one.type)) for one in found):
        yield f"{name}: by: {source.by!r} is not a text field of {' or '.join(targets)}"
    if source.unknown == "create":
        yield f"{name}: `unknown: create` cannot know of which table the record would be"


def _check_by(model: Model, name: str, target: str, source: Source) -> Iterator[str]:
    other = model.tables.get(target)
    by = model.field(target, source.by or "") if other else None
    if other is None or by is None or by.virtual or not _has_text(by.type):
        yield f"{name}: by: {source.by!r} is not a text field of table {target!r}"
        return
    if source.unknown == "create" and other.abstract:
        yield f"{name}: a {target} cannot be created: it is one of several kinds"
    for key in source.with_:
        if key not in other.fields:
            yield f"{name}: with: there is no field {key!r} in table {target!r}"


def _has_text(kind: FieldType[Any]) -> bool:
    return kind.name in ("text", "email", "sequence", "url", "phone")
