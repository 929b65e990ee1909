"""Emulators for the tests, all over real HTTP."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client

SHOP = Path(__file__).with_name("shop.yml")
READING = Path(__file__).with_name("reading.yml")
RULES = Path(__file__).with_name("rules.yml")
QUERIES = Path(__file__).with_name("queries.yml")
_DEFAULT_CORPUS = Path(__file__).parents[3] / "shared" / "corpus"


@contextmanager
def serving(environment: Path) -> Iterator[Client]:
    """A client of an emulator that serves a definition."""
    with Emulator(EmulatorOptions(environment=str(environment))) as emulator:
        client = Client(emulator.url)
        yield client
        client.close()


@pytest.fixture(scope="module")
def shop() -> Iterator[Client]:
    """The small environment, shared by a module whose tests make their own rows."""
    with serving(SHOP) as client:
        yield client


@pytest.fixture(scope="module")
def queries() -> Iterator[Client]:
    """The environment for queries, shared by a module that leaves it as it is."""
    with serving(QUERIES) as client:
        yield client


@pytest.fixture
def fresh() -> Iterator[Client]:
    """The small environment, for one test alone."""
    with serving(SHOP) as client:
        yield client


@pytest.fixture(scope="module")
def rules() -> Iterator[Client]:
    """The environment on which the rules of writing can be seen, shared by a module."""
    with serving(RULES) as client:
        yield client


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real packages."""
    folder = Path(os.environ.get("CONFMIG_CORPUS", _DEFAULT_CORPUS))
    if not folder.is_dir():
        pytest.skip("the real packages are not here: set CONFMIG_CORPUS to their folder")
    return folder


@pytest.fixture(scope="module")
def reading() -> Iterator[Client]:
    """Accounts with contacts, tasks and labels, shared by a module that only reads."""
    with serving(READING) as client:
        yield client


@pytest.fixture
def fresh_reading() -> Iterator[Client]:
    """The same environment, for one test alone."""
    with serving(READING) as client:
        yield client
