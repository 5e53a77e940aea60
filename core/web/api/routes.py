"""The API's ways in."""

from __future__ import annotations

from core.web.api import bulk, files, locks, reading, writing
from core.web.routing import Route

BODY = 10_000_000
FILE = 60_000_000         # as of the forms of pages

ROUTES = (
    Route("/api/v1/openapi.json", ("GET",), reading.describe, "token", "self"),
    Route("/api/v1/query/<name>", ("GET",), reading.query_rows, "token", "records"),
    Route("/api/v1/files", ("POST",), files.upload, "token", "records", FILE),
    Route("/api/v1/<table:table>", ("GET",), reading.list_records, "token", "records"),
    Route("/api/v1/<table:table>", ("POST",), writing.create_records, "token", "records", BODY),
    Route("/api/v1/<table:table>", ("PATCH",), bulk.change_records, "token", "records", BODY),
    Route("/api/v1/<table:table>", ("DELETE",), bulk.delete_records, "token", "records"),
    Route("/api/v1/<table:table>/<id>", ("GET",), reading.read_record, "token", "records"),
    Route("/api/v1/<table:table>/<id>", ("PATCH",), writing.change_record, "token", "records", BODY),
    Route("/api/v1/<table:table>/<id>", ("DELETE",), writing.delete_record, "token", "records"),
    Route("/api/v1/<table:table>/<id>/unlock", ("POST",), locks.unlock, "token", "records", 20_000),
    Route("/api/v1/<table:table>/<id>/lock", ("POST",), locks.lock, "token", "records", 20_000),
    Route("/api/v1/<table:table>/<id>/<field>", ("GET",), files.fetch, "token", "records"),
    Route("/api/v1/<table:table>/<id>/<action>", ("POST",), writing.act, "token", "records"),
)
