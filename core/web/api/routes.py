"""The API's ways in."""

from __future__ import annotations

from core.web.api import endpoints
from core.web.routing import Route

BODY = 10_000_000

ROUTES = (
    Route("/api/v1/openapi.json", ("GET",), endpoints.describe, "token", "self"),
    Route("/api/v1/query/<name>", ("GET",), endpoints.query_rows, "token", "records"),
    Route("/api/v1/<table>", ("GET",), endpoints.list_records, "token", "records"),
    Route("/api/v1/<table>", ("POST",), endpoints.create_records, "token", "records", BODY),
    Route("/api/v1/<table>/<id>", ("GET",), endpoints.read_record, "token", "records"),
    Route("/api/v1/<table>/<id>", ("PATCH",), endpoints.change_record, "token", "records", BODY),
    Route("/api/v1/<table>/<id>", ("DELETE",), endpoints.delete_record, "token", "records"),
)
