"""Files: sent ahead, written into a field by their id, fetched by record and field, whole or in part."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.web.api.routes import FILE
from tests.core.web.api.conftest import Caller
from tests.unchanged import unchanged

NUMBERS = itertools.count(1)
PNG = b"\x89PNG\r\n\x1a\n" + b"0123456789" * 30


def send(who: Caller, content: bytes, name: str = "a.txt", kind: str = "application/octet-stream",
         **headers: str) -> TestResponse:
    return who.ask("POST", "files", raw=content, query={"name": name}, Content_Type=kind, **headers)


def company(who: Caller, photo: object) -> dict[str, Any]:
    found: dict[str, Any] = who.post("company", {"name": f"F {next(NUMBERS)}", "photo": photo})
    return found


def test_a_file_is_sent_then_written_then_fetched(ada: Caller) -> None:
    sent = send(ada, PNG, "picture.png")
    assert sent.status_code == 201 and "Location" not in sent.headers
    assert sent.json is not None and sent.json["size"] == len(PNG) and sent.json["type"] == "image/png"
    record = company(ada, sent.json["id"])
    assert record["photo"] == sent.json
    path = f"company/{record['id']}/photo"
    whole = ada.ask("GET", path)
    assert (whole.status_code, whole.data) == (200, PNG)
    assert whole.headers["Content-Type"] == "application/octet-stream"
    assert whole.headers["Content-Disposition"].startswith("attachment") and "sandbox" in whole.headers[
        "Content-Security-Policy"] and whole.headers["X-Content-Type-Options"] == "nosniff"
    part = ada.ask("GET", path, Range="bytes=8-17")
    assert (part.status_code, part.data) == (206, b"0123456789")
    assert part.headers["Content-Range"] == f"bytes 8-17/{len(PNG)}"
    assert ada.ask("GET", path, Range="bytes=9999-").status_code == 416
    same = ada.ask("GET", path, If_None_Match=whole.headers["ETag"])
    assert (same.status_code, same.data) == (304, b"")


def test_a_file_comes_in_a_form_too(ada: Caller) -> None:
    headers = {"Authorization": f"Bearer {ada.token}"}
    sent = ada.client.post("/api/v1/files", data={"file": (io.BytesIO(b"hello"), "b.txt")}, headers=headers)
    assert sent.status_code == 201 and sent.json == {**sent.json, "name": "b.txt", "size": 5}  # type: ignore[dict-item]
    with unchanged(ada.small.owner, ada.small.settings.home / "files"):
        for form in ({"other": (io.BytesIO(b"x"), "b.txt")}, {"file": "text"}, {},
                     {"file": (io.BytesIO(b"x"), "b.txt"), "more": "x"}):
            assert ada.client.post("/api/v1/files", data=form, headers=headers,
                                   content_type="multipart/form-data").status_code == 400


def test_row_71_an_empty_file_a_nameless_one_and_other_bodies_are_refused(ada: Caller) -> None:
    with unchanged(ada.small.owner, ada.small.settings.home / "files"):
        assert send(ada, b"").status_code == 422
        assert send(ada, b"x", "").status_code == 400 and send(ada, b"x", "x" * 401).status_code == 400
        assert ada.ask("POST", "files", raw=b"x", Content_Type="text/plain").status_code == 400
        assert send(ada, b"x", kind="application/x-www-form-urlencoded").status_code == 415
        assert send(ada, b"x", kind="").status_code == 415
        assert send(ada, b"x", Content_Encoding="gzip").status_code == 415


def test_row_71_a_file_that_is_not_what_its_digest_says_is_refused(ada: Caller) -> None:
    right, wrong = (base64.b64encode(hashlib.sha256(one).digest()).decode() for one in (b"whole", b"other"))
    for said in (f"sha-256=:{right}:", f"sha-512=:x:, sha-256=:{right}:"):
        assert send(ada, b"whole", Content_Digest=said).status_code == 201
    with unchanged(ada.small.owner, ada.small.settings.home / "files"):
        for said in (f"sha-256=:{wrong}:", f"sha-256={right}", "sha-256=::", "md5=:x:", "", f"sha-256=:{right[:-1]}:"):
            answer = send(ada, b"whole", Content_Digest=said)
            assert (answer.status_code, answer.json["at"]) == (400, "Content-Digest"), said  # type: ignore[index]
        half = ada.client.post("/api/v1/files", data={"file": (io.BytesIO(b"who"), "b.txt")}, headers={
            "Authorization": f"Bearer {ada.token}", "Content-Digest": f"sha-256=:{right}:"})
        assert half.status_code == 400


def test_past_case_41_a_body_that_says_it_is_too_large_is_refused_unread(ada: Caller) -> None:
    class Unread(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError("the body was read")
        readinto = read  # type: ignore[assignment]

    for path, most in (("files", FILE), ("company", 10_000_000)):
        for kind in ("application/octet-stream", "multipart/form-data; boundary=x", "application/json"):
            answer = ada.client.post(f"/api/v1/{path}?name=a", input_stream=Unread(), content_type=kind,
                                     environ_overrides={"CONTENT_LENGTH": str(most + 1)},
                                     headers={"Authorization": f"Bearer {ada.token}"})
            assert answer.status_code == 413
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n\r\n' % n for n in range(40_000))
    answer = ada.ask("POST", "files", raw=parts + b"--x--\r\n", Content_Type="multipart/form-data; boundary=x")
    assert answer.status_code in (400, 413)


def test_a_file_of_another_is_nobody_s_to_write(ada: Caller, bob: Caller) -> None:
    staged = send(ada, b"mine").json["id"]  # type: ignore[index]
    held = company(ada, send(ada, b"held").json["id"])["photo"]["id"]  # type: ignore[index]
    with unchanged(ada.small.owner):
        for stolen in (staged, held, 999_999_999):
            answer = bob.ask("POST", "company", {"name": f"F {next(NUMBERS)}", "photo": stolen})
            assert answer.status_code == 422
            assert [error["field"] for error in answer.json["errors"]] == ["photo"]  # type: ignore[index]
    company(ada, staged)
    with unchanged(ada.small.owner):
        assert ada.ask("POST", "company", {"name": "Again", "photo": staged}).status_code == 422


def test_a_file_sent_again_with_its_key_is_one_file(ada: Caller) -> None:
    key = f"file-{next(NUMBERS)}"
    first, again = (send(ada, b"once", Idempotency_Key=key) for _ in range(2))
    assert first.json == again.json and again.headers["Idempotency-Replayed"] == "true"
    assert send(ada, b"other", Idempotency_Key=key).status_code == 422
    assert send(ada, b"once", "b.txt", Idempotency_Key=key).status_code == 422


@pytest.mark.parametrize("path", ["company/{id}/name", "company/{id}/nothing", "company/999999/photo", "deal/{id}/photo",
                                  "company/1e3/photo", "nothing/{id}/photo"])
def test_what_is_no_file_is_not_found(ada: Caller, path: str) -> None:
    record = company(ada, send(ada, b"x").json["id"])  # type: ignore[index]
    assert ada.ask("GET", path.format(id=record["id"])).status_code == 404


def test_past_case_17_a_file_is_as_readable_as_its_record(ada: Caller, bob: Caller) -> None:
    user = ada.small.users["eve"]
    record = ada.get(f"user/{user}")
    sent = send(ada, b"face").json["id"]  # type: ignore[index]
    assert ada.ask("PATCH", f"user/{user}", {"_version": record["_version"], "photo": sent}).status_code == 200
    assert bob.ask("GET", f"user/{user}/photo").data == b"face"
    nobody = Caller(ada.small, ada.client, None)
    assert nobody.ask("GET", f"user/{user}/photo").status_code == 401
    assert nobody.ask("POST", "files", raw=b"x", query={"name": "a"}).status_code == 401
