"""Laws of comparing: a package does not differ from itself, and nothing that is changed in it goes unseen."""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from confmig.model.codec import encode_value
from confmig.model.records import Association, PackageEvent, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import ColumnType, Value, same_value
from confmig.package.comparing import Difference, Kind, compare_packages, compare_schemas
from confmig.package.package import Package
from confmig.package.schemafile import write_schema
from confmig.package.writer import write_package

from .strategies import VALUES, contents, schemas

_RULES = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
_TIME = "2024-01-01T00:00:00.0000000Z"


def _write(path: Path, schema: Schema, events: Sequence[PackageEvent]) -> Path:
    write_package(path, write_schema(schema), schema, events, _TIME)
    return path


def _compare(
    one: tuple[Schema, Sequence[PackageEvent]], other: tuple[Schema, Sequence[PackageEvent]], *, exact: bool
) -> list[Difference]:
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(Path(folder) / "a.zip", *one), _write(Path(folder) / "b.zip", *other)
        with Package(paths[0]) as first, Package(paths[1]) as second:
            return list(compare_packages(first, second, exact=exact))


@_RULES
@given(contents())
def test_a_package_does_not_differ_from_itself(content: tuple[Schema, list[PackageEvent]]) -> None:
    assert _compare(content, content, exact=True) == []


@_RULES
@given(contents(), st.integers())
def test_the_order_of_rows_and_the_pieces_that_a_table_comes_in_do_not_matter(
    content: tuple[Schema, list[PackageEvent]], seed: int
) -> None:
    schema, events = content
    starts = {event.table: event for event in events if isinstance(event, TableStart)}
    mixed: list[PackageEvent] = []
    for event in random.Random(seed).sample(events, len(events)):  # noqa: S311
        match event:
            case Record() | Association():
                mixed += [starts[event.table], event]
            case Unknown(table) if table:
                mixed += [starts[table], event]
            case _:
                pass
    mixed = [
        *(event for event in events if isinstance(event, PackageStart)),
        *mixed,
        *(event for event in events if isinstance(event, Unknown) and not event.table),
    ]
    found = _compare(content, (schema, mixed), exact=True)
    # A row that stands twice has the values of the later copy, so only such rows may see the order.
    assert {difference.aspect for difference in found if difference.kind is not Kind.CHANGED} <= {"digest"}
    assert not found or len({(e.table, e.id) for e in events if isinstance(e, Record)}) < sum(
        isinstance(e, Record) for e in events
    )


@st.composite
def _mutations(draw: st.DrawFn) -> tuple[Schema, list[PackageEvent], Record, str, Value]:
    schema, events = draw(contents())
    rows = [event for event in events if isinstance(event, Record) and event.id is not None]
    assume(rows)
    row = draw(st.sampled_from(rows))
    table = schema.table(row.table)
    assert table is not None
    column = draw(st.sampled_from(table.columns))
    value = draw(st.none() | VALUES[column.type])
    assume(encode_value(value) != encode_value(row.values.get(column.name)))
    assume(column.type is not ColumnType.PARTIES or value is not None)  # written as an empty list
    return schema, events, row, column.name, value


@_RULES
@given(_mutations())
def test_one_value_that_changes_is_one_difference(
    mutation: tuple[Schema, list[PackageEvent], Record, str, Value],
) -> None:
    schema, events, row, column, value = mutation
    others = [event for event in events if not (isinstance(event, Record) and event.id == row.id and event != row)]
    changed = replace(row, values={**row.values, column: value})
    after = [changed if event is row else event for event in others]
    found = _compare((schema, others), (schema, after), exact=True)
    same = same_value(row.values.get(column), value)
    assert {(item.table, item.row, item.column) for item in found} == {(row.table, row.id, column)}
    by_value = _compare((schema, others), (schema, after), exact=False)
    if not same:
        assert by_value
        assert all(item.kind is Kind.CHANGED for item in by_value)


@_RULES
@given(contents(), contents())
def test_no_exact_difference_means_the_same_digest_and_the_reverse(
    one: tuple[Schema, list[PackageEvent]], other: tuple[Schema, list[PackageEvent]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = _write(Path(folder) / "a.zip", *one), _write(Path(folder) / "b.zip", *other)
        with Package(paths[0]) as first, Package(paths[1]) as second:
            found = list(compare_packages(first, second, exact=True))
            # What a package and its tables say of themselves is told, and is no part of the digest.
            beside = {"attributes", "attributes of the data"}
            same = all(item.aspect in beside and not item.row and not item.column for item in found)
            assert same == (first.digest == second.digest)


@_RULES
@given(schemas(), schemas())
def test_two_schemas_without_an_exact_difference_are_written_alike(one: Schema, other: Schema) -> None:
    assert list(compare_schemas(one, one, exact=True)) == []
    same = not list(compare_schemas(one, other, exact=True))
    assert same == (write_schema(one) == write_schema(other))
