"""Real packages as folders and back, by the commands: nothing is lost, and the second folder is the first."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from confmig.model.records import Record
from confmig.package.package import Package
from tests.conftest import PRINTED
from tests.flow.conftest import Confmig


@pytest.mark.timeout(900)
def test_every_real_package_is_the_same_after_unpack_and_pack(
    corpus: Path, confmig: Confmig, record_property: Callable[[str, object], None]
) -> None:
    head = f"{'package':72} {'rows':>6} {'pairs':>6} {'values':>8} {'files':>6} {'beside':>6} {'seconds':>8}"
    lines = [head]
    packages = sorted((corpus / "packages").iterdir())
    for number, package in enumerate(packages):
        started = time.monotonic()
        first, packed, second = Path(f"{number}-first"), Path(f"{number}.zip"), Path(f"{number}-second")
        unpacked = confmig("unpack", package, "--output", first, "--format", "json")
        assert unpacked.code == 0, unpacked
        again = confmig("pack", first, "--output", packed, "--format", "json")
        assert again.code == 0, again
        assert confmig("diff", package, packed).code == 0
        assert confmig("diff", first, package).code == 0
        assert confmig("unpack", packed, "--output", second).code == 0
        assert _files(first) == _files(second)
        assert again.facts["data_digest"] == unpacked.facts["data_digest"] == _digest(package)
        facts = unpacked.facts
        counts = f"{facts['rows']:6} {facts['associations']:6} {_same_values(package, first):8}"
        counts += f" {facts['files_added']:6} {facts['side_files']:6}"
        lines.append(f"{package.name[:72]:72} {counts} {time.monotonic() - started:8.1f}")
    record_property(PRINTED, "\n".join(lines))
    assert len(packages) >= 37


def _files(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def _digest(path: Path) -> str:
    with Package(path) as package:
        return package.digest


def _same_values(package: Path, folder: Path) -> int:
    """How many values a package and its folder have, each equal to the other's with its type and digits."""
    values = _values(package)
    assert _values(folder) == values
    return len(values)


def _values(path: Path) -> list[str]:
    with Package(path) as package:
        rows = [event for event in package.rows() if isinstance(event, Record)]
    return sorted(repr((row.table, row.id, *item)) for row in rows for item in row.values.items())
