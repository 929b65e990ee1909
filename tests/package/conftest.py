"""The real packages and schemas that the tests read, one test each."""

import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

_DEFAULT_CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
_CORPUS = Path(os.environ.get("CONFMIG_CORPUS", _DEFAULT_CORPUS))
_MISSING = "the real packages are not here: set CONFMIG_CORPUS to their folder"

# .NET's round-trip form, which CMT writes since 2020; before, it wrote the time in the machine's culture.
_RECENT = re.compile(rb'timestamp="20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"')


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each real package, each one that CMT wrote since 2020, or each schema file."""
    if "corpus_package" in metafunc.fixturenames:
        _parametrize(metafunc, "corpus_package", _packages())
    if "recent_package" in metafunc.fixturenames:
        _parametrize(metafunc, "recent_package", (path for path in _packages() if _is_recent(path)))
    if "corpus_schema" in metafunc.fixturenames:
        inside = (file for path in _packages() if path.is_dir() for file in path.glob("*schema.xml"))
        _parametrize(metafunc, "corpus_schema", [*sorted((_CORPUS / "schemas").glob("*.xml")), *inside])


def _packages() -> list[Path]:
    folder = _CORPUS / "packages"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _parametrize(metafunc: pytest.Metafunc, name: str, paths: Iterable[Path]) -> None:
    found = [pytest.param(path, id=path.name) for path in paths]
    metafunc.parametrize(name, found or [pytest.param(None, marks=pytest.mark.skip(_MISSING))])


def _is_recent(path: Path) -> bool:
    """Whether CMT wrote the package since 2020 and nobody split it up afterwards."""
    if path.is_dir():
        names = [file.name for file in path.iterdir()]
        whole = "data.xml" in names and not any(name.endswith("_data.xml") for name in names)
        return whole and bool(_RECENT.search((path / "data.xml").read_bytes()[:1000]))
    with zipfile.ZipFile(path) as archive, archive.open("data.xml") as stream:
        return bool(_RECENT.search(stream.read(1000)))
