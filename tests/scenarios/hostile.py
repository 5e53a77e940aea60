"""The demo served over HTTP to people who send what they should not; what is refused must leave no trace."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import Engine, text

from core.cli import DEMO_PASSWORD
from core.database import engine as engines
from core.settings import Settings
from tests.scenarios.client import Answer, Person, Site
from tests.unchanged import unchanged

Pairs = Sequence[tuple[str, str]]
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "----a-boundary-of-ours"
SELLER, READER, NOBODY = "jonas", "noor", "nil"         # a salesperson, one who only reads, one without any role


class Browser(Person):
    """Somebody who signed in and sends forms that no page of ours would send."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.token_of_forms = ""

    def sign_in(self, login: str, password: str) -> None:
        super().sign_in(login, password)
        self.token_of_forms = self.csrf("/my-account")

    def post(self, path: str, *pairs: tuple[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form as it is, with the session's token."""
        body = urlencode([("_csrf", self.token_of_forms), *pairs], errors="surrogatepass")
        return self.ask("POST", path, body.encode(), {"Content-Type": FORM, "Origin": self.address, **(headers or {})})

    def save(self, path: str, version: int, *pairs: tuple[str, str]) -> Answer:
        """Send the form of a record, as of a version; what is not named was not on it."""
        return self.post(path, ("_version", str(version)), ("_base", "{}"), *pairs)

    def upload(self, path: str, pairs: Pairs, name: str, file_name: str, content: bytes) -> Answer:
        """Send a form with a file."""
        parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
                 for key, value in [("_csrf", self.token_of_forms), *pairs]]
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
                     "Content-Type: text/html\r\n\r\n".encode() + content + b"\r\n")
        return self.ask("POST", path, b"".join(parts) + f"--{BOUNDARY}--\r\n".encode(),
                        {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Origin": self.address})


@dataclass
class Crm:
    """The demo, its server and its people."""

    site: Site
    owner: Engine
    browsers: dict[str, Browser] = field(default_factory=dict)

    @contextmanager
    def refused(self) -> Iterator[None]:
        """What is sent inside changes no record, definition, history or file."""
        with unchanged(self.owner, self.site.home / "files"):
            yield

    def browser(self, login: str) -> Browser:
        """Somebody signed in, once for all tests."""
        if login not in self.browsers:
            self.browsers[login] = Browser(self.site.address)
            self.browsers[login].sign_in(login, DEMO_PASSWORD)
        return self.browsers[login]

    def api(self, login: str) -> Person:
        """Somebody with a token for reading and writing."""
        return self.site.person(login)

    def one(self, statement: str, **parameters: object) -> object:
        """The only value that a statement gives."""
        with self.owner.begin() as connection:
            return connection.execute(text(statement), parameters).scalar()

    def create(self, table: str, **values: object) -> int:
        """A new record of the administrator's."""
        answer = self.api("admin").send("POST", f"/api/v1/{table}", values)
        assert answer.status == 201, answer.text
        return int(answer.json()["id"])

    def user(self, login: str) -> int:
        """The record of a person who may sign in."""
        return int(str(self.one("select user_id from sys.account where login = :login", login=login)))

    def physical(self, name: str) -> str:
        """The number at the end of the physical name of a table or column."""
        return str(self.one("select id from sys.physical where part = '' and coalesce(column_name, table_name) "
                            "~ ('^' || :name || '_[0-9]+$')", name=name))

    def line(self, deal: int) -> str:
        """The id of an opportunity's only line."""
        return str(self.api("admin").get(f"/api/v1/opportunity/{deal}").json()["lines"][0]["id"])

    def raw(self, data: bytes, *, close: bool = False) -> bytes:
        """Send bytes as they are; what came back until the server hung up or fell silent."""
        found = b""
        with socket.create_connection(("127.0.0.1", self.site.port), timeout=10) as connection:
            with suppress(ConnectionError, TimeoutError):       # it may hang up before it has read everything
                connection.sendall(data)
                if close:
                    connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionError, TimeoutError):
                while chunk := connection.recv(65_536):
                    found += chunk
        return found

    def faults(self) -> list[str]:
        """What the server's log calls an error, and what PostgreSQL could not parse."""
        lines = (self.site.home / "serve.log").read_text(errors="replace").splitlines()
        found = [line for line in lines if '"level": "error"' in line or "Traceback" in line]
        database = (self.site.home / "postgres" / "log").read_text(errors="replace").splitlines()
        return found + [line for line in database if "syntax error" in line]


def serve_demo(folder: Path) -> Iterator[Crm]:
    """The demo behind one worker, and somebody without a role."""
    site = Site.make(folder)
    site.run("init", "--demo")
    nobody = site.add_user(NOBODY)
    site.serve(workers=1, work=False)
    owner = engines.open(Settings.load(site.environment), "owner")
    crm = Crm(site, owner)
    try:
        crm.browsers[NOBODY] = Browser(site.address)
        crm.browsers[NOBODY].sign_in(NOBODY, nobody)
        yield crm
    finally:
        owner.dispose()
        site.stop()


def problems(answer: Answer) -> dict[str, str]:
    """The codes of what is wrong with a body, by field."""
    return {error["field"]: error["code"] for error in answer.json().get("errors", ())}


def on_top(answer: Answer) -> str:
    """What a page says above its form."""
    found = re.search(r'<div class="t-alert is-bad"[^>]*>(.*?)</div>\s*<div', answer.text, re.DOTALL)
    return re.sub("<[^>]+>", "", found[1]) if found else ""


def beside(answer: Answer, key: str) -> str:
    """What a page says beside a field; "" for nothing."""
    found = re.search(rf'id="f-{re.escape(key)}-problem">(.*?)</div>', answer.text, re.DOTALL)
    return found[1] if found else ""
