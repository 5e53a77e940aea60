"""Files: a name to download; a new one to choose in place of it."""

from __future__ import annotations

from typing import Any, ClassVar

from markupsafe import Markup

from core.ed.files import Upload
from core.types.base import BadValue
from core.types.characters import plain_number
from core.types.file import FileValue
from core.types.raster import RASTERS
from core.web.context import Viewer
from core.web.html import Piece
from core.web.i18n import N_
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Posted, Reader, Record, Widget

PICTURE = Piece('<a class="t-picture" href="{}"><img src="{}?shown=1" alt="{}" loading="lazy"></a>')
THUMBNAIL = Piece('<a class="t-picture is-small" href="{}"><img src="{}?shown=1" alt="{}" loading="lazy"></a>')


def readable_size(size: int) -> str:
    """Bytes as people say them."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


class FileWidget(Widget):
    """A file kept with the record, served under the record's own rights."""

    name: ClassVar[str] = "file"
    files: ClassVar[bool] = True

    def read(self, bound: Bound) -> Reader:
        path, table, field = bound.path, bound.field.table, bound.field.name
        nested = "." in path

        def draw(record: Record, viewer: Viewer) -> str:
            value: FileValue | None = record.get(path)
            if value is None:
                return NOTHING
            label = value.name or f"#{value.id}"
            if nested or "id" not in record:
                return Markup('<span class="t-file">{}</span>').format(label)
            return Markup('<a class="t-file" href="/-/file/{}/{}/{}" download>{}</a> <small class="t-muted">{}</small>'
                          ).format(record.get("_type") or table, record["id"], field, label, readable_size(value.size))
        return draw

    def edit(self, bound: Bound) -> Editor:
        accept = ",".join(getattr(bound.field.properties, "accept", ()))
        remove = bound.text("Remove the file")

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            kept = Markup('<label class="t-file-kept"><span class="t-file">{}</span> <input type="hidden" name="{}~" '
                          'value="{}"><input type="checkbox" name="{}-" value="1"> {}</label>').format(
                entry.titles[0] if entry.titles else "", control.name, entry.text, control.name,
                remove) if entry.texts else Markup('<input type="hidden" name="{}~" value="">').format(control.name)
            return Markup('<div class="t-file-edit">{}<input type="file" {} accept="{}" data-most="{}"></div>').format(
                kept, control.attributes(), accept, getattr(bound.field.properties, "max_size", 0))
        return draw

    def entry(self, bound: Bound, record: Record, viewer: Viewer) -> Entry:
        value: FileValue | None = record.get(bound.path)
        return Entry() if value is None else Entry((str(value.id),), (value.name or f"#{value.id}",))

    def posted(self, bound: Bound, posted: Posted, key: str) -> Entry | None:
        upload = posted.files.get(key)
        if upload is not None and upload.filename:
            return Entry(("new",), (upload.filename,), upload)
        if key + "~" not in posted.form:
            return None
        kept = posted.form[key + "~"]
        return Entry() if posted.form.get(key + "-") or not kept else Entry((kept,))

    def value(self, bound: Bound, entry: Entry, viewer: Viewer) -> Any:
        if entry.upload is not None:
            most = getattr(bound.field.properties, "max_size", 20_000_000)
            content = entry.upload.stream.read(most + 1)
            if not content:
                raise BadValue("empty", N_("This file is empty."))
            if len(content) > most:
                raise BadValue("too_large", N_("This file is larger than {most}."), most=readable_size(most))
            return Upload(entry.upload.filename or "file", content)
        if not entry.texts:
            return None
        id = plain_number(entry.text)
        if id is None:
            raise BadValue("file", "Send the file itself, or the id of an upload of yours.")
        return FileValue(id)


class DocumentWidget(FileWidget):
    """A document, to download."""

    name: ClassVar[str] = "document"


class ImageWidget(FileWidget):
    """A picture, shown where its record is read and small in lists; the page serves it only if it is one."""

    name: ClassVar[str] = "image"

    def read(self, bound: Bound) -> Reader:
        return self._shown(bound, PICTURE)

    def cell(self, bound: Bound) -> Reader:
        return self._shown(bound, THUMBNAIL)

    def _shown(self, bound: Bound, piece: Piece) -> Reader:
        path, table, field, plain = bound.path, bound.field.table, bound.field.name, super().read(bound)

        def draw(record: Record, viewer: Viewer) -> str:
            value: FileValue | None = record.get(path)
            if value is None or value.type not in RASTERS or "." in path or "id" not in record:
                return plain(record, viewer)
            address = f"/-/file/{record.get('_type') or table}/{record['id']}/{field}"
            return piece(address, address, value.name or bound.title)
        return draw
