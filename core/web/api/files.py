"""Files through the API: sent ahead of the record that will hold them, and fetched by record and field."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response

from core.ed.files import Upload, open_file
from core.ed.staging import stage
from core.errors import N_, BadRequest
from core.web.api.exchange import begin, in_scope
from core.web.api.idempotency import Answered, once
from core.web.api.query import parameters, record_id
from core.web.api.strict_json import is_text
from core.web.api.wire import dumps
from core.web.response import download

if TYPE_CHECKING:
    from core.web.context import Context

CHUNK = 1 << 16
PART = "file"                   # of a form
LONGEST_NAME = 400              # that is looked at; what is stored is shorter
FORM = "multipart/form-data"
DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)", re.ASCII)      # of the file, also in a form


def upload(context: Context) -> Response:
    """POST /api/v1/files: keep a file until its id is written into a field; a day at most."""
    in_scope(context, "write")
    context.session.how = "api"
    found = _sent(context)
    _whole(context.request.headers.get("Content-Digest"), found.content)
    said = found.name.encode("utf-8", "replace") + b"\0" + hashlib.sha256(found.content).digest()

    def keep() -> Answered:
        file = stage(context.session, found)
        return Answered(201, dumps({"id": file.id, "name": file.name, "type": file.type, "size": file.size}))
    return once(context, "", said, keep)


def fetch(context: Context, table: str, id: str, field: str) -> Response:
    """GET /api/v1/<table>/<id>/<field>: a file, whole or a part of it (Range), unless the caller has it already."""
    begin(context, table, "read")
    parameters(context.request.args, ())
    file = open_file(context.session, table, record_id(id), field)
    response = download(iter(partial(file.content.read, CHUNK), b""), file.name, file.size)
    response.call_on_close(file.content.close)
    response.set_etag(file.hash)
    response.make_conditional(context.request, accept_ranges=True, complete_length=file.size)
    return response


def _sent(context: Context) -> Upload:
    """The file of a request: the part \"file\" of a form, or the body itself with its name in the address."""
    request = context.request
    if request.mimetype == FORM:
        parameters(request.args, ())
        files = list(request.files.items(multi=True))
        if len(files) != 1 or files[0][0] != PART or request.form:
            raise BadRequest('A form that sends a file has one part, named "file".', "body")
        return Upload(_name(files[0][1].filename), files[0][1].stream.read())
    if request.mimetype in ("", "application/x-www-form-urlencoded"):
        raise UnsupportedMediaType(
            N_('Send the bytes as application/octet-stream, or a form with a part named "file".'))
    return Upload(_name(parameters(request.args, ("name",)).get("name")), request.get_data())


def _whole(said: str | None, content: bytes) -> None:
    """Compare a file with the SHA-256 that was sent for it (RFC 9530), if any; raises BadRequest."""
    if said is None:
        return
    match = DIGEST.search(said)
    if match is None:
        raise BadRequest("Content-Digest takes sha-256=:...:, the digest in base64.", "Content-Digest")
    if match[1] != base64.b64encode(hashlib.sha256(content).digest()).decode("ascii"):
        raise BadRequest("The file is not what its Content-Digest says.", "Content-Digest")


def _name(name: str | None) -> str:
    """The name of a file, a label and nothing more; raises BadRequest for what is none."""
    if not name or len(name) > LONGEST_NAME or not is_text(name):
        raise BadRequest("A file needs a name of 1 to {most} characters.", "name", most=LONGEST_NAME)
    return name
