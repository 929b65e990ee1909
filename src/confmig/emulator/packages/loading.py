"""Filling a new store from a package: its tables, its rows and the rows that its lookups name."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from confmig.emulator.baserows import add_base_rows
from confmig.emulator.catalog import basetables, naming
from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import Column, ManyToMany, Table
from confmig.emulator.errors import PackageFileError
from confmig.emulator.packages.inference import (
    EntityFacts,
    Survey,
    build_relationships,
    build_table,
    named_tables,
    survey,
)
from confmig.emulator.packages.packagefile import Package
from confmig.emulator.packages.packagevalues import stored
from confmig.emulator.packages.packagexml import Association, Record, RecordField
from confmig.emulator.security.securitytables import complete_security
from confmig.emulator.storage.store import Store, Value, file_column, stored_names, target_column

_PARTS = 2000


def load_package(store: Store, package: Package, *, empty: bool, outside_rows: bool, now: str) -> None:
    """Make the tables of a package in an empty store and fill them.

    Args:
        store: The store.
        package: The package.
        empty: Make the tables without the package's rows.
        outside_rows: Make the rows that lookups name and the package does not hold.
        now: The time of rows that bring none of their own.

    Raises:
        PackageFileError: A file cannot be read.
    """
    found = survey(package)
    tables, declared = _tables(package, found)
    relationships, intersects = build_relationships(package, found, tables)
    for table in intersects:
        tables[table.name] = table
    own = frozenset() if empty else frozenset(declared) | {table.name for table in intersects}
    relationships = complete_security(tables, relationships)
    store.create(Catalog(tables.values(), relationships))
    add_base_rows(store, now, hide_from=own)
    loader = _Loader(store, package, found, declared, now)
    with store.transaction():
        if not empty:
            loader.load_rows()
        loader.load_outside_rows(make=outside_rows, empty=empty)
        if not empty:
            loader.load_associations()
    loader.amend_catalog()


def _tables(package: Package, found: Survey) -> tuple[dict[str, Table], set[str]]:
    schema = package.schema
    names = dict.fromkeys([*(schema or {}), *found.entities])
    if len({name.lower() for name in names}) != len(names):
        raise PackageFileError("the package has two tables whose names differ only in case")
    if "activityparty" in found.entities and (schema is None or "activityparty" not in schema):
        names.pop("activityparty", None)
    tables = {
        name: build_table(name, schema.get(name) if schema else None, found.entities.get(name, EntityFacts()))
        for name in names
        if name
    }
    declared = set(tables)
    for base in basetables.base_tables():
        tables.setdefault(base.name, base)
    if "activityparty" not in declared:
        tables["activityparty"] = _party_table(tables["activityparty"], found)
    for name in sorted(named_tables(package, found, tables.values())):
        if name not in tables:
            tables[name] = basetables.minimal(name)
    for name in list(tables):
        for target in (target for column in tables[name].columns.values() for target in column.targets):
            if target not in tables:
                tables[target] = basetables.minimal(target)
    basetables.complete_parties(tables)
    return tables, declared


def _party_table(base: Table, found: Survey) -> Table:
    """The party table with the columns, targets and names that the package's parties show."""
    facts = found.entities.get("activityparty", EntityFacts())
    seen = build_table("activityparty", None, facts)
    columns = dict(base.columns)
    for column in seen.columns.values():
        known = columns.get(column.name)
        if known is None:
            columns[column.name] = column
        elif known.is_lookup:
            targets = tuple(dict.fromkeys([*known.targets, *column.targets]))
            shown = facts.columns.get(column.name)
            named = column.named if shown is not None else known.named
            columns[column.name] = msgspec.structs.replace(known, targets=targets, named=named)
    return msgspec.structs.replace(base, columns=columns)


class _Loader:
    """The rows of one package on their way into one store."""

    def __init__(self, store: Store, package: Package, found: Survey, declared: set[str], now: str) -> None:
        self._store = store
        self._package = package
        self._found = found
        self._declared = declared
        self._now = now
        self._lost: set[str] = set()
        self._overridden: set[tuple[str, str]] = set()
        self._renamed: set[tuple[str, str]] = set()
        self._unnumbered = 0

    def load_rows(self) -> None:
        waiting: dict[str, list[dict[str, Value]]] = {}
        seen: dict[str, set[str]] = {}
        for item in self._package.rows():
            if not isinstance(item, Record):
                continue
            table = self._store.catalog.tables[item.entity]
            row = self._row(table, item)
            ids = seen.setdefault(table.name, set())
            if row[table.primary_id] in ids:
                self._flush(table, waiting.pop(table.name, []))
                self._store.update(table, str(row[table.primary_id]), row)
                continue
            ids.add(str(row[table.primary_id]))
            row.setdefault("versionnumber", self._store.next_version())
            if "createdon" not in self._shown(table.name):
                row.setdefault("createdon", self._now)
            if "modifiedon" not in self._shown(table.name):
                row.setdefault("modifiedon", self._now)
            rows = waiting.setdefault(table.name, [])
            rows.append(row)
            if len(rows) >= _PARTS:
                self._flush(table, waiting.pop(table.name))
        for name, rows in waiting.items():
            self._flush(self._store.catalog.tables[name], rows)

    def _shown(self, table: str) -> Iterable[str]:
        schema = self._package.schema
        if schema is not None and table in schema:
            return schema[table].fields
        facts = self._found.entities.get(table)
        return facts.columns if facts else ()

    def _flush(self, table: Table, rows: list[dict[str, Value]]) -> None:
        self._store.insert_many(table, rows)

    def _row(self, table: Table, record: Record) -> dict[str, Value]:
        row: dict[str, Value] = {}
        where = f"{table.name} {record.id}"
        for value in record.fields:
            column = table.columns[value.name]
            if column.stored:
                self._put(row, column, value, where)
        row_id = row.get(table.primary_id) or record.id
        if not row_id or row_id == naming.ZERO_GUID:
            self._unnumbered += 1
            row_id = naming.stable_id("row", table.name, str(self._unnumbered))
        if not naming.is_guid(str(row_id)):
            raise PackageFileError(f"{where}: the id is not a guid")
        row[table.primary_id] = row_id
        for value in record.fields:
            column = table.columns[value.name]
            if not column.stored:
                self._parties(table, str(row_id), column, value)
            elif column.is_lookup and value.target and column.named:
                self._note_name(table, str(row_id), column, value, (value.target, str(row[column.name])))
        return row

    def _put(self, row: dict[str, Value], column: Column, value: RecordField, where: str) -> None:
        row[column.name] = stored(column, value.value, where)
        if column.many_targets:
            row[target_column(column.name)] = value.target or None
        if column.type == "File" and row[column.name] is not None:
            row[file_column(column.name)] = value.filename or ""
            content = self._package.payload(str(row[column.name]))
            if content is not None:
                self._store.query("INSERT OR REPLACE INTO files VALUES (?, ?)", (row[column.name], content))

    def _parties(self, activity: Table, activity_id: str, column: Column, value: RecordField) -> None:
        table = self._store.catalog.tables["activityparty"]
        for party in self._own_parties(activity.name, activity_id, value):
            if self._store.exists(table, party.id):
                raise PackageFileError(f"{activity.name} {activity_id}: the party {party.id} belongs to two activities")
            row = self._row(table, party)
            row.setdefault("participationtypemask", basetables.PARTY_MASKS.get(column.name))
            if row.get("activityid") is None:
                row["activityid"], row[target_column("activityid")] = activity_id, "activitypointer"
            row["versionnumber"] = self._store.next_version()
            self._store.insert(table, row)

    @staticmethod
    def _own_parties(activity: str, activity_id: str, value: RecordField) -> Iterator[Record]:
        """The parties of a value, each with an id of its own."""
        for position, party in enumerate(value.parties):
            given = next((one.value.lower() for one in party.fields if one.name == "activitypartyid"), party.id)
            if not naming.is_guid(given) or given == naming.ZERO_GUID:
                given = naming.stable_id("party", activity, activity_id, value.name, str(position))
            yield replace(party, id=given)

    def load_outside_rows(self, *, make: bool, empty: bool) -> None:
        """Make the rows that lookups name, and keep the names of those that stay away."""
        tables = self._store.catalog.tables
        own = {row_id for _, row_id in self._found.ids}
        for (name, row_id), shown in self._found.targets.items():
            table = tables.get(name)
            if table is None or not naming.is_guid(row_id):
                continue
            make_row = make and (empty or name not in self._declared) and (name, row_id) not in self._found.ids
            if name == "activitypointer" and row_id in own:
                # Parties name their activity by the table that all activities share; it needs no row there.
                make_row = False
            if self._store.exists(table, row_id):
                self._complete_name(table, row_id, shown)
            elif make_row:
                self._make_outside_row(table, row_id, shown)
            elif shown is not None and not empty:
                self._store.set_name(name, row_id, "", shown)
                self._lost.add(name)
        if self._renamed:
            self._override_names()

    def _note_name(
        self, table: Table, row_id: str, column: Column, value: RecordField, target: tuple[str, str]
    ) -> None:
        """Keep the name of a lookup value that differs from the name that other values give the same row."""
        if value.target_name != self._found.targets.get(target):
            self._keep_name(table.name, row_id, column.name, value.target_name)

    def _keep_name(self, table: str, row_id: str, column: str, shown: str | None) -> None:
        self._store.set_name(table, row_id, column, shown)
        self._overridden.add((table, column))

    def _override_names(self) -> None:
        """Keep the names of all lookups to rows whose own name is another one."""
        for item in self._package.rows():
            if isinstance(item, Record):
                self._override_in(item)

    def _override_in(self, record: Record) -> None:
        table = self._store.catalog.tables[record.entity]
        for value in record.fields:
            column = table.columns[value.name]
            if column.is_lookup and column.named and (value.target, value.value.lower()) in self._renamed:
                self._keep_name(table.name, record.id, column.name, value.target_name)
            for party in self._own_parties(record.entity, record.id, value):
                self._override_in(party)

    def _complete_name(self, table: Table, row_id: str, shown: str | None) -> None:
        """Give a row of the package the name that lookups show, when the package leaves the name column out."""
        if table.primary_name is None:
            return
        if table.primary_name in self._shown(table.name):
            row = self._store.read(table, row_id, [table.primary_name])
            if row is not None and row[table.primary_name] != shown:
                self._renamed.add((table.name, row_id))
        elif shown is not None:
            self._store.update(table, row_id, {table.primary_name: shown})

    def _make_outside_row(self, table: Table, row_id: str, shown: str | None) -> None:
        row: dict[str, Value] = {table.primary_id: row_id, "versionnumber": self._store.next_version()}
        row |= {"createdon": self._now, "modifiedon": self._now}
        if table.primary_name:
            row[table.primary_name] = shown
        if table.name == "systemuser":
            row |= {"isdisabled": 0, "businessunitid": self._store.business_unit_id}
        elif table.name == "transactioncurrency":
            row |= {"isocurrencycode": _currency_code(shown), "statecode": 0, "statuscode": 1}
        elif table.name == "businessunit":
            row["parentbusinessunitid"] = self._store.business_unit_id
        known = set(stored_names(table))
        self._store.insert(table, {name: value for name, value in row.items() if name in known})

    def load_associations(self) -> None:
        """Write the pairs of the N:N relationships."""
        if not self._found.associations:
            return
        for item in self._package.rows():
            if isinstance(item, Association):
                relationship = self._store.catalog.intersects.get(item.relationship)
                if relationship is not None:
                    self._associate(relationship, item)

    def _associate(self, relationship: ManyToMany, item: Association) -> None:
        table = self._store.catalog.tables[relationship.intersect]
        first = item.entity == relationship.table1
        for target in item.targets:
            one, two = (item.source, target) if first else (target, item.source)
            values: dict[str, Value] = {relationship.column1: one, relationship.column2: two}
            if self._store.find(table, values):
                continue
            row_id = naming.stable_id(relationship.intersect, one, two)
            self._store.insert(table, {table.primary_id: row_id, "versionnumber": self._store.next_version(), **values})

    def amend_catalog(self) -> None:
        """Note in the catalog which names are kept beside the rows."""
        catalog = self._store.catalog
        tables = []
        for table in catalog.tables.values():
            columns = {
                name: msgspec.structs.replace(column, overridden=True)
                if (table.name, name) in self._overridden
                else column
                for name, column in table.columns.items()
            }
            lost = table.name in self._lost
            tables.append(msgspec.structs.replace(table, columns=columns, lost_names=lost))
        self._store.catalog = catalog.replace(tables=tables)


def _currency_code(name: str | None) -> str | None:
    known = {"US Dollar": "USD", "Euro": "EUR", "Pound Sterling": "GBP", "Canadian Dollar": "CAD", "Swiss Franc": "CHF"}
    return known.get(name or "")
