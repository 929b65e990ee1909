"""One engine and one image for all tests of the pipelines."""

from collections.abc import Iterator

import pytest

from tests.webapi.conftest import certificates as certificates

from .engine import IMAGE, Engine, EngineError, prepare, running_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine, with the image under test built; without one the tests fail, they are never skipped."""
    try:
        with running_engine() as engine:
            prepare(engine)
            yield engine
    except EngineError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The name of the image under test."""
    return IMAGE
