"""The folder form loses nothing: there and back again, whatever the package holds."""

import tempfile
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from uuid import UUID

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from confmig.model.records import Association, PackageEvent, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Column, Schema, Table
from confmig.model.values import ColumnType, FileRef, Lookup
from confmig.package.comparing import compare_packages
from confmig.package.package import Package
from confmig.package.schemafile import write_schema
from confmig.package.writer import write_package

from .folders import files_of, pack, unpack
from .helpers import digest_of, make_folder, member_of
from .strategies import VALUES, contents, guids, texts, xml_texts


def _keeps(package: Path, folder: Path) -> None:
    """The laws: both forms hold the same by digest and by diff, and the second folder is the first, byte for byte."""
    first = unpack(package, folder / "first")
    packed = pack(first, folder / "packed.zip")
    second = unpack(packed, folder / "second")
    assert files_of(first) == files_of(second)
    assert digest_of(package) == digest_of(first) == digest_of(packed)
    with Package(package) as before, Package(packed) as after:
        assert list(compare_packages(before, after)) == []
        assert before.timestamp == after.timestamp
        assert before.schema_bytes == after.schema_bytes


@settings(max_examples=60, deadline=None)
@given(contents(), st.none() | st.just("2024-01-01T00:00:00.0000000Z"))
def test_any_schema_and_rows_survive_both_ways(
    content: tuple[Schema, list[PackageEvent]], timestamp: str | None
) -> None:
    schema, events = content
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.zip"
        write_package(path, write_schema(schema), schema, events, timestamp, files=lambda name: BytesIO(name.encode()))
        _keeps(path, Path(folder))


_LONG = st.sampled_from(
    ["x" * 121, "<p>{}</p>\r\n" * 3, '{"a":1.50,"a":[]}' + " " * 120, '[{"x":"\\u00e9"}]\n', "{% if a %}\n"]
)
_TEXTS = st.one_of(
    texts,
    st.tuples(_LONG, texts).map("".join),
    st.tuples(texts, _LONG).map("\n".join),
    st.binary(min_size=91, max_size=99).map(lambda raw: b64encode(b"\x89PNG\r\n\x1a\n" + raw).decode()),
)
_NAMES = st.one_of(
    st.sampled_from(
        ["id", "$unknown", "$$x", "con", "..", "../x", "a/b", "A", "a", "É", "é", "x" * 1200, "table", "<>x"]
    ),
    xml_texts.filter(lambda name: bool(name.strip())),
).map(str.strip)
_ATTRIBUTES = st.dictionaries(st.sampled_from(["isnull", "newId", "{urn:x}y", "ä"]), xml_texts, max_size=2)
_PIECES = st.lists(st.sampled_from(["<a/>", '<b c="1">x&amp;y</b>', "<c>&#13;\n <d/></c>"]), max_size=2)


@st.composite
def _odd_contents(draw: st.DrawFn) -> tuple[Schema, list[PackageEvent]]:
    """Packages with names that are no file names, with texts of every kind, and with what a reader does not know."""
    declared = draw(st.lists(_NAMES, unique=True, min_size=1, max_size=3))
    columns = [Column(name, draw(st.sampled_from([*_KINDS])), type_text="x") for name in declared]
    columns = [Column(item.name, item.type, type_text=item.type.value) for item in columns]
    names = draw(st.lists(_NAMES, unique=True, min_size=1, max_size=2))
    schema = Schema(tuple(Table(name, "key", tuple(columns), primary_name=declared[0]) for name in names[:1]))
    events: list[PackageEvent] = []
    if root := draw(_ATTRIBUTES):
        events.append(PackageStart(tuple(root.items())))
    for index, name in enumerate(names):
        rows = draw(st.lists(_odd_rows(name, columns if index == 0 else []), max_size=4))
        pieces = [Unknown(name, piece) for piece in draw(_PIECES)]
        pairs = draw(st.lists(_odd_pairs(name), max_size=2))
        events += [
            TableStart(name, draw(st.none() | xml_texts), tuple(draw(_ATTRIBUTES).items())),
            *rows,
            *pairs,
            *pieces,
        ]
    return schema, [*events, *(Unknown("", piece) for piece in draw(_PIECES))]


_KINDS = [kind for kind in ColumnType if kind is not ColumnType.FILE]


@st.composite
def _odd_rows(draw: st.DrawFn, table: str, columns: list[Column]) -> Record:
    values = {
        column.name: draw(_TEXTS if column.type is ColumnType.STRING else VALUES[column.type])
        for column in columns
        if draw(st.booleans())
    }
    for name in draw(st.lists(_NAMES, unique=True, max_size=2)):
        if name not in {column.name for column in columns}:
            values[name] = draw(st.one_of(_TEXTS, st.builds(Lookup, st.just("a b"), guids, st.none() | xml_texts)))
    extra = {name: tuple(found.items()) for name in ["", *values] if name != "<>" and (found := draw(_ATTRIBUTES))}
    row_id = draw(st.none() | st.sampled_from([f"1234567{n}-0000-0000-0000-000000000000" for n in range(2)]) | guids)
    return Record(table, row_id, values, extra)


def _odd_pairs(table: str) -> st.SearchStrategy[Association]:
    return st.builds(
        Association,
        relationship=_NAMES,
        table=st.just(table),
        source=guids,
        target_table=_NAMES,
        targets=st.lists(guids, min_size=1, max_size=3).map(tuple),
        target_id_column=st.none() | _NAMES,
        extra=_ATTRIBUTES.map(lambda found: tuple(found.items())),
    )


@settings(max_examples=150, deadline=None)
@given(_odd_contents())
def test_odd_names_and_what_a_reader_does_not_know_survive_both_ways(
    content: tuple[Schema, list[PackageEvent]],
) -> None:
    schema, events = content
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.zip"
        write_package(path, write_schema(schema), schema, events, "2024-01-01T00:00:00.0000000Z")
        _keeps(path, Path(folder))


@settings(max_examples=20, deadline=None)
@given(contents())
def test_the_order_of_rows_in_a_zip_does_not_change_the_folder(content: tuple[Schema, list[PackageEvent]]) -> None:
    schema, events = content
    rows = [event for event in events if isinstance(event, Record)]
    assume(len({row.id for row in rows}) == len(rows))
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for name, ordered in (("a", events), ("b", _reversed(events))):
            path = Path(folder) / f"{name}.zip"
            write_package(path, write_schema(schema), schema, ordered, None)
            found.append(files_of(unpack(path, Path(folder) / name)))
        assert found[0] == found[1]


def _reversed(events: list[PackageEvent]) -> list[PackageEvent]:
    """The same package with the rows of each table the other way round."""
    found: list[PackageEvent] = []
    for event in events:
        if isinstance(event, TableStart):
            found.append(event)
            place = len(found)
        elif isinstance(event, Record):
            found.insert(place, event)
        else:
            found.append(event)
    return found


def test_an_association_that_leads_to_no_row_and_one_without_its_id_column_change_nothing(tmp_path: Path) -> None:
    schema = Schema((Table("tag", "tagid", ()),))
    row_id = "10000000-0000-4000-8000-000000000000"
    events: list[PackageEvent] = [
        TableStart("tag"),
        Association("tag_tag", "tag", row_id, "tag", ()),
        Association("tag_item", "tag", row_id, "item", (row_id,)),
    ]
    path = tmp_path / "data.zip"
    write_package(path, write_schema(schema), schema, events)
    text = member_of(path, "data.xml").replace(b' targetentitynameidfield="itemid"', b"")
    _keeps(make_folder(tmp_path / "xml", text, write_schema(schema)), tmp_path)


def test_payloads_of_files_survive_and_so_do_those_that_no_row_names(tmp_path: Path) -> None:
    schema = Schema((Table("doc", "docid", (Column("body", ColumnType.FILE, type_text="filedata"),)),))
    shared, *ids, orphan = [f"{number}0000000-0000-4000-8000-000000000000" for number in range(7)]
    rows: list[PackageEvent] = [
        Record("doc", ids[0], {"body": FileRef(ids[0], "report.PDF")}),
        Record("doc", ids[1], {"body": FileRef(ids[1], None)}),
        Record("doc", ids[2], {"body": FileRef(ids[2], "row.yml")}),
        Record("doc", ids[3], {"body": FileRef(ids[3], "missing.txt")}),
        Record("doc", ids[4], {"body": FileRef(shared, "again.pdf")}),
        Record("doc", shared, {"body": FileRef(shared, "report.PDF")}),  # its id is less than that of the row above
    ]
    path = tmp_path / "data.zip"
    write_package(
        path,
        write_schema(schema),
        schema,
        [TableStart("doc"), *rows],
        files=lambda file_id: BytesIO(file_id.encode() * 3),
        file_ids=[*ids[:3], shared, orphan],
    )
    _keeps(path, tmp_path)
    files = files_of(tmp_path / "first")
    assert {name for name in files if not name.endswith(".yml")} == {
        ".gitattributes",
        "data_schema.xml",
        "doc/10000000.body.pdf",
        "doc/20000000.body.bin",
        "doc/30000000.body.bin",
        f"files/{shared}.bin",
        f"files/{orphan}.bin",
    }
    assert files["doc/10000000.body.pdf"] == ids[0].encode() * 3
    assert b"content: !file body.pdf" in files["doc/10000000.yml"]
    assert b"content" not in files["doc/40000000.yml"] + files["doc/50000000.yml"] + files["doc/00000000.yml"]


def test_many_pairs_stand_in_several_files(tmp_path: Path) -> None:
    schema = Schema((Table("item", "itemid", (Column("itemid", ColumnType.GUID, type_text="guid"),)),))
    sources = [str(UUID(int=number)) for number in range(20_001)]
    events: list[PackageEvent] = [TableStart("item")]
    events += [Association("item_tag", "item", source, "tag", (source,), "tagid") for source in sources]
    package = tmp_path / "data.zip"
    write_package(package, write_schema(schema), schema, events)
    _keeps(package, tmp_path)
    names = [path.name for path in (tmp_path / "first" / "item" / "associations").iterdir()]
    assert len(names) == 16
    assert len({name[-6:] for name in names}) == 16
