"""Rows in the order of their ids, in memory and through a file: no difference but in memory."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confmig.model.records import Record
from confmig.package.sorting import sorted_by_id

from .strategies import guids, names, values

_EXTRAS = st.dictionaries(
    st.sampled_from(["", "a", "<>"]), st.lists(st.tuples(names, st.text(max_size=5)), min_size=1, max_size=2).map(tuple)
)
_RECORDS = st.builds(
    Record,
    table=st.just("item"),
    id=st.none() | guids,
    values=st.lists(st.tuples(names, values), max_size=5).map(dict),
    extra=_EXTRAS,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_RECORDS, max_size=12))
def test_rows_come_in_the_order_of_their_ids_with_all_that_they_hold(rows: list[Record]) -> None:
    through_file = list(sorted_by_id(iter(rows), in_memory=3))
    assert through_file == list(sorted_by_id(iter(rows)))
    assert [record.id or "" for record in through_file] == sorted(record.id or "" for record in rows)
    assert [list(record.values) for record in through_file] == [
        list(record.values) for record in sorted(rows, key=lambda record: record.id or "")
    ]


def test_rows_with_one_id_keep_their_order() -> None:
    rows = [Record("item", "b" if number % 2 else "a", {"n": number}) for number in range(5000)]
    found = [record.values["n"] for record in sorted_by_id(iter(rows), in_memory=10)]
    assert found == [*range(0, 5000, 2), *range(1, 5000, 2)]


@pytest.mark.parametrize("stop_after", [1, 50, 100])
def test_the_file_has_no_name_that_could_be_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = sorted_by_id((Record("item", str(number), {}) for number in range(100)), in_memory=10)
    for _ in range(stop_after):
        next(rows)
    assert list(tmp_path.iterdir()) == []
    rows.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []
