"""Uploaded files on the pages: whatever they are and are called, they are data, and only for who may see them."""

from __future__ import annotations

import errno
import io
import os
import struct
import zipfile
import zlib

import pytest

from core.ed.files import FileStore, Upload
from tests.core.web.site import Site


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(
        b"IDAT", zlib.compress(b"\0" * 4)) + chunk(b"IEND", b"")


def bomb() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.txt", b"\0" * 5_000_000)
    return held.getvalue()


ACTIVE = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script></svg>",
    "html": b"<!doctype html><script>alert(document.cookie)</script>",
    "xml": b"<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "pdf with a script": b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    "pdf and html": b"%PDF-1.7 <html><script>alert(1)</script></html>",
    "gif and script": b"GIF89a/*\x00\x00\x00\x00*/=1;alert(1)",
    "jpeg and php": b"\xff\xd8\xff\xe1<?php system($_GET['c']); ?>",
    "zip bomb": bomb(),
    "nothing but zeros": b"\0" * 4096,
}


def keep(site: Site, name: str, content: bytes) -> int:
    with site.records() as records:
        records.session.files = FileStore(site.settings.home / "files")
        [id_] = records.create("specimen", [{"a_text": "with a file", "a_file": Upload(name, content)}])
    return id_


@pytest.mark.parametrize("name", ["picture.png", "page.html", "x.svg", "script.js"])
@pytest.mark.parametrize("what", ACTIVE)
def test_past_case_35_and_rows_65_67_68_what_is_uploaded_never_becomes_active(site: Site, what: str, name: str) -> None:
    id_ = keep(site, name, ACTIVE[what])
    browser = site.browser("ada")
    for address in (f"/-/file/specimen/{id_}/a_file", f"/-/file/specimen/{id_}/a_file?shown=1"):
        answer = browser.client.get(address)
        headers = answer.headers
        assert headers["Content-Disposition"].startswith("attachment;")
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.data == ACTIVE[what]


def test_a_picture_is_shown_only_as_what_its_bytes_are(site: Site) -> None:
    small = keep(site, "logo.svg", png(10, 10))
    browser = site.browser("ada")
    answer = browser.client.get(f"/-/file/specimen/{small}/a_file?shown=1")
    headers = answer.headers
    assert (headers["Content-Type"], headers["Content-Disposition"]) == ("image/png", "inline")
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'" and answer.data == png(10, 10)
    assert headers["X-Content-Type-Options"] == "nosniff"
    answer = browser.client.get(f"/-/file/specimen/{small}/a_file")
    assert answer.headers["Content-Disposition"].startswith("attachment;")


def test_row_66_a_picture_too_large_to_unpack_is_only_downloaded(site: Site) -> None:
    huge = keep(site, "huge.png", png(60_000, 60_000))
    browser = site.browser("ada")
    answer = browser.client.get(f"/-/file/specimen/{huge}/a_file?shown=1")
    assert answer.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(("name", "plain", "label"), [
    ("con", "con", "con"), (".htaccess", "htaccess", "htaccess"), ("\u200b.htaccess", "htaccess", "htaccess"),
    ("x" * 400 + ".txt", "x" * 196 + ".txt", "x" * 196 + ".txt"), ("\u202egnp.exe", "gnp.exe", "gnp.exe"),
    ("a\r\nSet-Cookie: b=c", "aSet-Cookie: b=c", "aSet-Cookie%3A%20b%3Dc"),
    ('quo"te;.txt', "quote;.txt", "quote%3B.txt"), ("../../etc/passwd", "passwd", "passwd"),
    ("файл.pdf", "____.pdf", "%D1%84%D0%B0%D0%B9%D0%BB.pdf"),
])
def test_past_case_34_and_rows_69_70_a_name_is_a_label(site: Site, name: str, plain: str, label: str) -> None:
    id_ = keep(site, name, b"text")
    browser = site.browser("ada")
    browser.get(f"/-/file/specimen/{id_}/a_file")
    assert browser.page.headers["Content-Disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{label}"
    stored = {path.name for path in (site.settings.home / "files").rglob("*") if path.is_file() and path.name != "lock"}
    assert all(len(one) == 64 and set(one) <= set("0123456789abcdef") for one in stored)


@pytest.mark.parametrize("path", ["/-/file/specimen/1/../../etc/passwd", "/-/file/specimen/{id}/a_text",
                                  "/-/file/deal/{id}/contract", "/-/file/specimen/{id}/%2e%2e", "/-/file/nothing/{id}/a_file"])
def test_past_case_8_what_is_no_file_is_not_found(site: Site, path: str) -> None:
    id_ = keep(site, "a.txt", b"text")
    site.browser("ada").get(path.format(id=id_), 404)


def test_row_71_an_empty_upload_is_refused_beside_its_field(site: Site) -> None:
    browser = site.browser("ada")
    browser.get("/specimens/new")
    form = browser.form("/specimens/new")
    browser.post("/specimens/new", {**form, "a_text": "x", "a_file": (io.BytesIO(b""), "empty.txt")}, 422)
    assert browser.problem("a_file")


def test_fault_15_a_full_disk_is_told_and_nothing_is_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = site.browser("ada")
    browser.get("/specimens/new")
    form = browser.form("/specimens/new")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        browser.post("/specimens/new", {**form, "a_text": "x", "a_file": (io.BytesIO(b"never kept"), "a.txt")}, 507)
    assert "There is no room" in browser.words


def test_fault_29_half_an_upload_is_no_upload(site: Site) -> None:
    browser = site.browser("ada")
    browser.get("/specimens/new")
    token = browser.form("/specimens/new")["_csrf"]
    body = (f'--b\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n{token}\r\n--b\r\nContent-Disposition: form-data; '
            'name="a_text"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name="a_file"; filename="a"\r\n\r\nhalf of').encode()
    before = set((site.settings.home / "files").rglob("*"))
    answer = browser.client.open("/specimens/new", method="POST", input_stream=io.BytesIO(body),
                                 content_type="multipart/form-data; boundary=b", headers={
                                     "Origin": "http://localhost", "Content-Length": str(len(body) + 1000)})
    assert answer.status_code in (400, 403, 413) and set((site.settings.home / "files").rglob("*")) == before


def test_a_form_that_is_refused_still_says_which_file_the_record_has(site: Site) -> None:
    id_ = keep(site, "contract <1>.txt", b"text")
    browser = site.browser("ada")
    browser.get(f"/specimens/{id_}?edit=1")
    assert "contract &lt;1&gt;.txt" in browser.text
    browser.post(f"/specimens/{id_}", {**browser.form(f"/specimens/{id_}"), "a_integer": "many"}, 422)
    assert "contract &lt;1&gt;.txt" in browser.text
