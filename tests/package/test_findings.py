"""What fuzzing has found, and its seeds: each is read, or refused, as the reader promises."""

from pathlib import Path

import pytest

from tests.fuzz.targets import SEEDS, TARGETS

_FINDINGS = Path(__file__).parents[1] / "fuzz" / "findings"
_FILES = sorted(file for target in TARGETS for file in (_FINDINGS / target).glob("*"))


@pytest.mark.parametrize("file", [pytest.param(file, id=f"{file.parent.name}/{file.name}") for file in _FILES])
def test_what_fuzzing_found_stays_mended(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())


@pytest.mark.parametrize(("target", "seed"), [(name, seed) for name, seeds in SEEDS.items() for seed in seeds])
def test_each_seed_is_read_or_refused(target: str, seed: bytes) -> None:
    TARGETS[target](seed)


def test_findings_are_kept() -> None:
    assert {file.parent.name for file in _FILES} == {"data", "schema"}
