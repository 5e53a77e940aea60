"""A system started as its administrator would, and the people who use it over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def json(self) -> Any:
        return json.loads(self.body)


class KeepRedirects(HTTPRedirectHandler):
    """Leaves a redirect to the caller, who wants to see where it goes."""

    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        return None


class Person:
    """Somebody with a browser (cookies) or a token, talking to one server."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address
        self.token = token
        self.jar = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar), KeepRedirects())

    @property
    def cookies(self) -> str:
        """The cookies it holds, as a header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)

    def ask(self, method: str, path: str, body: bytes | None = None,
            headers: Mapping[str, str] | None = None) -> Answer:
        request = Request(self.address + path, data=body, method=method, headers=dict(headers or {}))
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with self.opener.open(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str, **parameters: str) -> Answer:
        return self.ask("GET", path + ("?" + urlencode(parameters, quote_via=quote) if parameters else ""))

    def send(self, method: str, path: str, value: object, **headers: str) -> Answer:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.ask(method, path, json.dumps(value).encode(), {"Content-Type": "application/json", **named})

    def post_form(self, path: str, values: Mapping[str, str]) -> Answer:
        return self.ask("POST", path, urlencode(values).encode(),
                        {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.address})

    def csrf(self, path: str) -> str:
        """The token that the forms of a page carry; "" if it has none."""
        token = re.search(r'name="_?csrf" value="([^"]+)"', self.get(path).text)
        return token.group(1) if token else ""

    def sign_in(self, login: str, password: str) -> None:
        answer = self.post_form("/login", {"login": login, "password": password, "csrf": self.csrf("/login")})
        assert answer.status in (302, 303), f"signing in as {login} answered {answer.status}: {answer.text[:500]}"


@dataclass
class Site:
    """A Tessera of its own: home, site layer, commands and a running server."""

    home: Path
    metadata: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    password: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    server: tuple[str, ...] = (str(ROOT / "server.py"),)        # what Python is given to serve
    more: dict[str, str] = field(default_factory=dict)          # of the server's environment

    @classmethod
    def make(cls, folder: Path) -> Site:
        metadata = folder / "site"
        shutil.copytree(ROOT / "metadata", metadata)
        return cls(folder / "home", metadata)

    @property
    def environment(self) -> dict[str, str]:
        many = {"TESSERA_RATE": "1000000", "TESSERA_ANONYMOUS_RATE": "1000000"}     # tests ask as fast as they can
        return {**many, **os.environ, "TESSERA_HOME": str(self.home), "TESSERA_METADATA": str(self.metadata)}

    def run(self, *arguments: str, code: int | None = 0, timeout: float = 240) -> str:
        """Run a command of server.py; answers what it printed. Fails unless it exits with `code`."""
        done = subprocess.run([sys.executable, str(ROOT / "server.py"), *arguments], env=self.environment,
                              cwd=ROOT, capture_output=True, text=True, timeout=timeout)
        printed = done.stdout + done.stderr
        assert code is None or done.returncode == code, f"{arguments} exited {done.returncode}:\n{printed}"
        return printed

    def add_user(self, login: str, *options: str) -> str:
        """Add a user; the password that was printed."""
        return self.run("user", "add", login, *options).strip().splitlines()[-1].rpartition(" ")[2]

    def token(self, login: str) -> str:
        if login not in self.tokens:
            self.tokens[login] = self.run("token", login).strip().splitlines()[-1].split()[-1]
        return self.tokens[login]

    def serve(self, workers: int = 2, work: bool = True) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        log = (self.home / "serve.log").open("wb")
        command = ["serve", "--port", str(self.port), "--workers", str(workers), *([] if work else ["--no-work"])]
        self.process = subprocess.Popen(
            [sys.executable, *self.server, *command],
            env={**self.environment, **self.more}, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        person = Person(self.address)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self.process and self.process.poll() is None, (self.home / "serve.log").read_text()[-4000:]
            try:
                if person.get("/-/ready").status == 200:
                    return
            except (URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.1)
        raise AssertionError("the server did not become ready:\n" + (self.home / "serve.log").read_text()[-4000:])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def person(self, login: str) -> Person:
        """A client of the API with that login's token."""
        return Person(self.address, self.token(login))

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise
