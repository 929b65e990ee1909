"""Values, schemas and rows of every kind, for the properties that must hold for all of them."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from confmig.model.records import Association, PackageEvent, PackageStart, Record, TableStart, Unknown
from confmig.model.schema import Column, DateMode, Relationship, Schema, Table
from confmig.model.values import Choices, ColumnType, FileRef, Lookup, Moment, Parties, Party, Value

names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
guids = st.uuids().map(str)

_SNIPPETS = st.sampled_from(
    [
        *("\r", "\n", "\r\n", "\t", " ", "\x00", "\x0b", "\x1f", "\x7f", "\x85", "\u00a0", "\u2028", "\ud7ff"),
        *("\ufffe", "\uffff", "😀", "\U0001fffe", "\U0010ffff"),
        *("&", "&amp;", "&lt;b&gt;", "&#39;", "&#x41;", "&nbsp", "<b>'é'</b>", '"', "]]>"),
    ]
)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.lists(_SNIPPETS, max_size=6).map("".join),
)
"""Texts of every Unicode plane, without surrogates, which are no characters."""

xml_texts = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        st.sampled_from("\r\n\t"),
    ),
    max_size=12,
)
"""Texts that stand in XML as they are: names are not HTML-encoded."""

moments = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.builds(Moment.of, st.datetimes(timezones=st.none() | st.just(UTC)), st.integers(1, 9)),
    st.just(datetime(1, 1, 1)),  # a time without a zone is meant
)
lookups = st.builds(Lookup, names, guids, st.none() | xml_texts)
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19, places=4)
choices = st.lists(st.integers(0, 2**31 - 1), max_size=4).map(lambda options: Choices(tuple(options)))
files = st.builds(FileRef, guids, st.none() | xml_texts)


unknown_attributes = st.lists(
    st.tuples(names.map("x_{}".format), xml_texts), min_size=1, max_size=2, unique_by=lambda pair: pair[0]
).map(tuple)
"""Attributes that nobody knows, as a reader keeps them."""

unknown_elements = st.builds('<x_{0} of="{1}">{1}</x_{0}>'.format, names, names)


@st.composite
def _parties(draw: st.DrawFn) -> Party:
    who = draw(st.none() | lookups)
    role = draw(st.integers(1, 13))
    columns: list[tuple[str, Value]] = [("partyid", who)] if who else []
    columns.append(("participationtypemask", str(role)))
    if draw(st.booleans()):
        columns.append(("addressused", draw(texts)))
    return Party(who, role, tuple(columns), draw(guids))


parties = st.lists(_parties(), max_size=3).map(lambda found: Parties(tuple(found)))

VALUES: dict[ColumnType, st.SearchStrategy[Value]] = {
    ColumnType.BIGINT: st.integers(-(2**63), 2**63 - 1),
    ColumnType.NUMBER: st.integers(-(2**31), 2**31 - 1),
    ColumnType.BOOL: st.booleans(),
    ColumnType.DATETIME: moments,
    ColumnType.DECIMAL: decimals,
    ColumnType.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    ColumnType.MONEY: decimals,
    ColumnType.CHOICE: st.integers(0, 2**31 - 1),
    ColumnType.CHOICES: choices,
    ColumnType.STATE: st.integers(0, 5),
    ColumnType.STATUS: st.integers(0, 2**31 - 1),
    ColumnType.STRING: texts,
    ColumnType.GUID: guids,
    ColumnType.OWNER: lookups,
    ColumnType.LOOKUP: lookups,
    ColumnType.PARTIES: parties,
    ColumnType.IMAGE: st.binary(max_size=20).map(lambda raw: b64encode(raw).decode()),
    ColumnType.FILE: files,
    ColumnType.UNKNOWN: texts,
}
"""Values of each column type."""

values: st.SearchStrategy[Value] = st.one_of(st.none(), *VALUES.values())


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    """A column of any type."""
    kind = draw(st.sampled_from(list(ColumnType)))
    return Column(
        name=name,
        type=kind,
        display_name=draw(st.none() | xml_texts),
        type_text=kind.value,
        targets=tuple(draw(st.lists(names, max_size=3))) if kind is ColumnType.LOOKUP else (),
        compare=draw(st.booleans()),
        custom=draw(st.booleans()),
        date_mode=draw(st.none() | st.sampled_from(list(DateMode))) if kind is ColumnType.DATETIME else None,
    )


@st.composite
def tables(draw: st.DrawFn, name: str) -> Table:
    """A table with some columns, the id first."""
    key = Column(f"{name}id", ColumnType.GUID, "Id", "guid", primary_key=True)
    more = draw(st.lists(names.filter(lambda other: other != key.name), unique=True, max_size=5))
    relations = draw(st.lists(names, unique=True, max_size=2))
    return Table(
        name=name,
        primary_id=key.name,
        columns=(key, *(draw(columns(other)) for other in more)),
        display_name=draw(st.none() | xml_texts),
        object_type_code=draw(st.none() | st.integers(1, 20000).map(str)),
        primary_name=draw(st.none() | names),
        disable_plugins=draw(st.booleans()),
        skip_update=draw(st.booleans()),
        force_create=draw(st.booleans()),
        relationships=tuple(
            Relationship(relation, True, draw(st.booleans()), draw(names), draw(names)) for relation in relations
        ),
        filter=draw(st.none() | st.just('<fetch><entity name="x"><filter type="and">&amp;</filter></entity></fetch>')),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """A schema of a few tables."""
    found = draw(st.lists(names, unique=True, min_size=1, max_size=3))
    return Schema(
        tables=tuple(draw(tables(name)) for name in found),
        import_order=tuple(draw(st.lists(names, max_size=2))),
        date_mode=draw(st.none() | st.sampled_from(list(DateMode))),
    )


@st.composite
def contents(draw: st.DrawFn) -> tuple[Schema, list[PackageEvent]]:
    """A schema and rows of its tables, none of them without content."""
    schema = draw(schemas())
    events: list[PackageEvent] = []
    for table in schema.tables:
        found: list[PackageEvent] = list(draw(st.lists(_records(table), max_size=4)))
        found += draw(st.lists(_associations(table), max_size=2))
        if found:
            events += [TableStart(table.name, table.display_name), *found]
    return schema, events


@st.composite
def marked_contents(draw: st.DrawFn) -> tuple[Schema, list[PackageEvent]]:
    """The same with attributes and elements that nobody knows, wherever a file may have them."""
    schema, plain = draw(contents())
    events: list[PackageEvent] = [PackageStart(draw(unknown_attributes))] if draw(st.booleans()) else []
    for event in plain:
        if isinstance(event, TableStart):
            events.append(replace(event, extra=draw(st.just(()) | unknown_attributes)))
        elif isinstance(event, Record):
            events.append(replace(event, extra=draw(_extras(event))))
        elif isinstance(event, Association):
            events.append(replace(event, extra=draw(st.just(()) | unknown_attributes)))
    events += draw(st.lists(st.builds(Unknown, st.just(""), unknown_elements), max_size=2))
    return schema, events


@st.composite
def _extras(draw: st.DrawFn, record: Record) -> dict[str, tuple[tuple[str, str], ...]]:
    marked = [name for name in ("", *record.values) if draw(st.integers(0, 4)) == 0]
    extra = {name: draw(unknown_attributes) for name in marked}
    if draw(st.integers(0, 4)) == 0:
        extra["<>"] = (("", draw(unknown_elements)),)
    return extra


@st.composite
def _records(draw: st.DrawFn, table: Table) -> Record:
    row_id = draw(st.none() | guids)
    # A row that its file gives no id takes it from the column of the primary id, so such a row has no value there.
    columns = [column for column in table.columns if row_id is not None or column.name != table.primary_id]
    held = [column for column in columns if draw(st.booleans())]
    return Record(table.name, row_id, {column.name: draw(VALUES[column.type]) for column in held})


def _associations(table: Table) -> st.SearchStrategy[Association]:
    return st.builds(
        Association,
        relationship=names,
        table=st.just(table.name),
        source=guids,
        target_table=names,
        targets=st.lists(guids, min_size=1, max_size=3).map(tuple),
        target_id_column=names,
    )
