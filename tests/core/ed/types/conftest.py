"""The table of a type, once for each class of tests."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.core.ed.types.conformance import Made
from tests.core.types.conftest import field, refused  # noqa: F401  fixtures for a type by itself


@pytest.fixture(scope="class")
def made(request: pytest.FixtureRequest, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The table of the class, with a record for each of its values and one without."""
    made: Made = request.cls.build(engine, tmp_path_factory.mktemp("site"))
    return made
