"""The house that the tests of all ways share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.matrix.house import House, house


@pytest.fixture(scope="module")
def vault(database: Settings) -> Iterator[House]:
    """The shipped addons and the hostile one, with somebody for each role."""
    with house(database) as found:
        yield found
