"""Requests with limits: sizes, parts, and no key that comes twice unless it may."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from typing import IO, TYPE_CHECKING

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request as WerkzeugRequest

from core.errors import BadRequest
from core.types.characters import plain_number
from core.web.i18n import N_

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MOST_VALUES = 30_000                        # a form may hold some thousand lines
IN_MEMORY = 256_000                         # bytes of a body that is being received; a larger one waits on disk


class Request(WerkzeugRequest):
    """A request whose body is bounded before it is read."""

    max_content_length = 1_000_000          # a route may allow more (uploads)
    max_form_memory_size = 1_000_000
    max_form_parts = MOST_VALUES

    def __init__(self, environ: WSGIEnvironment, populate_request: bool = True, shallow: bool = False) -> None:
        # Servers end the stream where the connection breaks off; only the length tells half a form from a whole one.
        environ.pop("wsgi.input_terminated", None)
        super().__init__(environ, populate_request, shallow)

    @property
    def htmx(self) -> bool:
        """Whether our own script asks for a part of a page."""
        return self.headers.get("HX-Request") == "true" and self.headers.get("HX-Boosted") != "true"

    def receive(self) -> None:
        """Take in the whole body, however slowly it comes, before anything is held that others wait for.

        Raises ClientDisconnected (a BadRequest) if it breaks off.
        """
        size = self.content_length or 0
        if size:
            kept: IO[bytes] = (io.BytesIO() if size <= IN_MEMORY else
                               tempfile.TemporaryFile(prefix="tessera-body-"))  # noqa: SIM115  # lives as the request
            shutil.copyfileobj(self.stream, kept)
            kept.seek(0)
            self.environ["wsgi.input"] = kept
            del self.__dict__["stream"]             # it is made anew from what was received

    def rewind(self) -> None:
        """Let everything that was sent be read from the start again."""
        if "files" in self.__dict__:                # else nobody has read them yet
            for _, file in self.files.items(multi=True):
                file.stream.seek(0)


def once(values: MultiDict[str, str], many: Collection[str] = ()) -> Mapping[str, str]:
    """A form or query as plain values; raises BadRequest for too many, or a key outside `many` that comes twice."""
    if len(values) > MOST_VALUES:
        raise BadRequest(N_("The request holds too many values."))
    for key, found in values.lists():
        if len(found) > 1 and key not in many:
            raise BadRequest(N_("The request names a value twice."), at=key)
    return values.to_dict()


def only(values: Iterable[str], known: Collection[str]) -> None:
    """Raise BadRequest for a key that is not asked for."""
    for key in values:
        if key not in known:
            raise BadRequest(N_("The request holds a value that is not asked for."), at=key[:100])


def natural(text: str | None, default: int, most: int) -> int:
    """Read a small number of a query; anything that is not ASCII digits is the default."""
    found = plain_number(text or "")
    return default if found is None else min(found, most)


def local_path(target: str | None) -> str:
    """Keep a `next=` inside this site: a path with one leading slash and no trick, else the desktop."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return "/"
    if "\\" in target or any(ord(c) < 32 or ord(c) == 127 for c in target):
        return "/"
    return target[:2000]
