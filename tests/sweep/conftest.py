"""A demo behind a real server with two workers, in a home of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.client import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo, served by two workers."""
    site = Site.make(tmp_path_factory.mktemp("sweep"))
    site.run("init", "--demo")
    site.serve(workers=2)
    try:
        yield site
    finally:
        site.stop()
