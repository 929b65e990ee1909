"""Tables, columns and alternate keys made, changed and removed, with the rules for doing so."""

import uuid
from collections.abc import Iterable

import msgspec

from confmig.emulator.catalog import basetables
from confmig.emulator.catalog.companions import companions, money_companions
from confmig.emulator.catalog.model import Column, Key, Table
from confmig.emulator.errors import (
    ServiceError,
    bad_request,
    column_taken,
    component_in_use,
    invalid_metadata,
    name_taken,
    not_deletable,
)
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.columnbodies import changed_column, column_type, read_column
from confmig.emulator.metadata.components import ATTRIBUTE, KEY, Components
from confmig.emulator.metadata.labels import read_flag, read_label, schema_name
from confmig.emulator.metadata.metadata import entity_id, key_id
from confmig.emulator.metadata.metadatacolumns import attribute_id
from confmig.emulator.metadata.removals import remove_lookups, remove_many_to_many
from confmig.emulator.metadata.tablebodies import changed_table, read_table, second_primary
from confmig.emulator.storage.schema import Schema
from confmig.emulator.storage.store import Store, quoted, table_sql

_KEY_TYPES = frozenset({"Decimal", "Integer", "String", "DateTime", "Lookup", "Customer", "Owner", "Picklist"})
_MOST_KEYS, _MOST_KEY_COLUMNS = 10, 16


class Customizer:
    """Changes the tables of an environment; every change is the caller's transaction.

    Args:
        store: The store.
        components: Where new components are registered.
    """

    def __init__(self, store: Store, components: Components) -> None:
        self._store = store
        self._schema = Schema(store)
        self._components = components

    def create_table(self, body: Json) -> Table:
        """Make a table.

        Raises:
            ServiceError: The body is wrong or a name is taken.
        """
        catalog = self._store.catalog
        table = read_table(body, catalog.option_sets, prefix=self._components.option_prefix())
        if table.name in catalog.tables:
            raise name_taken(table.schema_name, "Entity")
        if table.entity_set in catalog.sets:
            raise ServiceError(
                400,
                "0x8006089B",
                f"An entity with the specified entity set name {table.entity_set} already exists. "
                "Specify a unique name.",
            )
        table = msgspec.structs.replace(
            table,
            metadata_id=str(uuid.uuid4()),
            object_type_code=self._type_code(table.object_type_code),
            columns={name: _with_id(column) for name, column in table.columns.items()},
        )
        if table.is_activity:
            column = table.columns["regardingobjectid"]
            targets = tuple(name for name in column.targets if name in catalog.tables) or (table.name,)
            columns = table.columns | {column.name: msgspec.structs.replace(column, targets=targets)}
            table = msgspec.structs.replace(table, columns=columns)
        self._schema.create_table(table)
        if table.is_activity:
            self._let_parties_belong()
        self._connect(table, notes=table.has_notes, activities=table.has_activities)
        self._components.add_table(table, entity_id(table))
        return table

    def _type_code(self, wanted: int) -> int:
        """The first free code from the wanted one on."""
        taken = {table.object_type_code for table in self._store.catalog.tables.values()}
        while wanted in taken:
            wanted += 1
        return wanted

    def _let_parties_belong(self) -> None:
        tables = dict(self._store.catalog.tables)
        basetables.complete_parties(tables)
        before, after = self._store.catalog.tables["activityparty"], tables["activityparty"]
        column = before.columns["activityid"]
        self._schema.set_targets(before, column, after.columns["activityid"].targets)

    def _connect(self, table: Table, *, notes: bool, activities: bool) -> None:
        """Let notes and activities be about rows of a table."""
        for other in list(self._store.catalog.tables.values()):
            name = "objectid" if notes and other.name == "annotation" else "regardingobjectid" if activities else ""
            column = other.columns.get(name)
            if column is None or not column.is_lookup or table.name in column.targets:
                continue
            if name == "objectid" or other.is_activity:
                self._schema.set_targets(other, column, (*column.targets, table.name))

    def update_table(self, table: Table, body: Json, *, merge: bool) -> None:
        """Change a table.

        Raises:
            ServiceError: The body is wrong.
        """
        new = changed_table(table, body, merge=merge)
        self._schema.put_table(new)
        self._connect(
            new,
            notes=new.has_notes and not table.has_notes,
            activities=new.has_activities and not table.has_activities,
        )

    def delete_table(self, table: Table) -> None:
        """Remove a table with its rows, its relationships, and the lookups to it.

        What cannot be without a component goes with it, as solution-internal dependencies say:
        https://learn.microsoft.com/power-platform/alm/dependency-tracking-solution-components

        Raises:
            ServiceError: It belongs to the platform.
        """
        if not table.custom or table.is_intersect or table.managed:
            raise not_deletable(table.name, entity_id(table))
        gone = [many for many in self._store.catalog.many_to_many if table.name in (many.table1, many.table2)]
        remove_many_to_many(self._schema, self._components, gone)
        remove_lookups(self._schema, self._components, table)
        for column in self._store.catalog.tables[table.name].columns.values():
            self._components.remove(attribute_id(table, column))
        self._schema.drop_tables([table.name])
        self._components.remove_table(table, entity_id(table))

    def create_column(self, table: Table, body: Json) -> Column:
        """Give a table a column, with those that come with it.

        Raises:
            ServiceError: The body is wrong or a name is taken.
        """
        name = schema_name(body, "Attribute")
        if table.is_intersect:
            raise invalid_metadata(f"Attributes cannot be added to the entity {table.name}.")
        if column_type(body) == "Lookup":
            raise invalid_metadata("A lookup attribute is created together with its relationship.")
        if name.lower() in table.columns:
            raise column_taken(name.lower(), table.name)
        column = read_column(name, body, self._store.catalog.option_sets, prefix=self._components.option_prefix())
        if read_flag(body, "IsPrimaryName"):
            raise second_primary(column.name, table.name, str(table.primary_name))
        if column.type == "Image" and not any(one.type == "Image" for one in table.columns.values()):
            # The first image of a table is its primary one [inferred].
            column = msgspec.structs.replace(column, primary_image=True)
        new = [column, *companions(column), *(money_companions() if column.type == "Money" else [])]
        self._add_columns(table, new)
        made = self._store.catalog.tables[table.name].columns[column.name]
        self._components.add(ATTRIBUTE, attribute_id(table, made))
        return made

    def _add_columns(self, table: Table, columns: Iterable[Column]) -> None:
        new = [_with_id(column) for column in columns if column.name not in table.columns]
        if any(column.primary_image for column in new):
            others = {
                name: msgspec.structs.replace(column, primary_image=False) for name, column in table.columns.items()
            }
            table = msgspec.structs.replace(table, columns=others)
        self._schema.add_columns(table, new)

    def update_column(self, table: Table, column: Column, body: Json, *, merge: bool) -> None:
        """Change a column.

        Raises:
            ServiceError: The body is wrong, or would change what never changes.
        """
        if column.type not in ("Customer", "Owner", "PartyList", "State", "Status", "EntityName", "Uniqueidentifier"):
            kind = column_type(body)
            if kind != column.type:
                raise invalid_metadata(f"The type of the attribute {column.name} cannot be changed to '{kind}'.")
        new = changed_column(column, body, merge=merge)
        if new.behavior != column.behavior:
            self._change_behavior(table, column, new)
        if new.secured and not column.secured and any(column.name in key.columns for key in table.keys):
            names = ", ".join(key.name for key in table.keys if column.name in key.columns)
            text = f"The field {column.name} is not securable as it is part of entity keys ( {names} ). Please remove "
            raise ServiceError(400, "0x80060896", text + "the field from all entity keys to make it securable.")
        self._schema.put_table(msgspec.structs.replace(table, columns=table.columns | {column.name: new}))

    def _change_behavior(self, table: Table, before: Column, after: Column) -> None:
        """Change what a date means; only local times of users can become something else.

        https://learn.microsoft.com/power-apps/maker/data-platform/behavior-format-date-time-field
        """
        if before.behavior != "UserLocal":
            raise invalid_metadata(f"The behavior of the attribute {before.name} cannot be changed.")
        if after.behavior == "DateOnly":
            sql, name = table_sql(table.name), quoted(before.name)
            self._store.query(f"UPDATE {sql} SET {name} = substr({name}, 1, 10)")  # noqa: S608 (quoted)

    def delete_column(self, table: Table, column: Column) -> None:
        """Remove a column with its values, its relationships and the columns that came with it.

        Raises:
            ServiceError: It belongs to the platform, names the rows, or a key needs it.
        """
        if column.name == table.primary_name:
            raise ServiceError(400, "0x80047002", "The Primary UI Attribute is not valid for deletion")
        made_with = column.attribute_of or column.calculation_of
        if not column.custom or column.name == table.primary_id or made_with or table.managed:
            raise not_deletable(column.name, attribute_id(table, column))
        keys = [key for key in table.keys if column.name in key.columns]
        if keys:
            raise component_in_use("Attribute", attribute_id(table, column), len(keys))
        gone = {one.name for one in companions(column)} | {column.name}
        columns = [one for name, one in table.columns.items() if name in gone]
        for one in columns:
            self._components.remove(attribute_id(table, one))
        catalog = self._store.catalog
        declared = [one for one in catalog.declared if (one.table, one.column) != (table.name, column.name)]
        self._schema.change(catalog.replace(declared=declared))
        self._schema.drop_columns(table, columns)

    def create_key(self, table: Table, body: Json, status: str) -> Key:
        """Give a table an alternate key.

        Raises:
            ServiceError: The body is wrong or the name is taken.
        """
        name = schema_name(body, "EntityKey")
        if any(key.name == name.lower() for key in table.keys):
            raise name_taken(name, "EntityKey")
        listed = body.get("KeyAttributes")
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
            raise bad_request("The property 'KeyAttributes' is not a collection of names.")
        columns = tuple(dict.fromkeys(one.lower() for one in listed))
        self._check_key(table, columns)
        label = read_label(body, "DisplayName")
        key = Key(
            name=name.lower(),
            columns=columns,
            schema_name=name,
            display_name=label.text if label else "",
            status=status if self._unique(table, columns) else "Failed",
            metadata_id=str(uuid.uuid4()),
        )
        self._schema.add_key(table, key)
        self._components.add(KEY, key_id(table, key))
        return key

    @staticmethod
    def _check_key(table: Table, columns: tuple[str, ...]) -> None:
        """What a key can have: https://learn.microsoft.com/power-apps/developer/data-platform/define-alternate-keys-entity."""
        for name in columns:
            column = table.columns.get(name)
            if column is None:
                raise invalid_metadata(f"The attribute {name} does not exist on the entity {table.name}.")
            if column.type not in _KEY_TYPES or column.secured or name == table.primary_id:
                raise invalid_metadata(f"The attribute {name} of type {column.type} cannot be part of a key.")
        if len(columns) > _MOST_KEY_COLUMNS:
            raise invalid_metadata(f"A key can have at most {_MOST_KEY_COLUMNS} attributes.")
        if len(table.keys) >= _MOST_KEYS:
            raise invalid_metadata(f"The entity {table.name} has the greatest number of keys, {_MOST_KEYS}, already.")
        if any(set(key.columns) == set(columns) for key in table.keys):
            raise invalid_metadata(f"The entity {table.name} already has a key with the same attributes.")

    def _unique(self, table: Table, columns: tuple[str, ...]) -> bool:
        """Whether no two rows have the same values, none of them null; otherwise the key's index fails."""
        names = ", ".join(quoted(name) for name in columns)
        given = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
        sql = f"SELECT 1 FROM {table_sql(table.name)} WHERE {given} GROUP BY {names} HAVING count(*) > 1 LIMIT 1"  # noqa: S608 (quoted)
        return self._store.query(sql).fetchone() is None

    def delete_key(self, table: Table, key: Key) -> None:
        """Take an alternate key from a table."""
        self._components.remove(key_id(table, key))
        self._schema.drop_key(table, key)

    def activate_key(self, table: str, name: str) -> None:
        """Let a key be used whose index was being made; one that is gone, or failed, stays so."""
        found = self._store.catalog.tables.get(table)
        if found is not None:
            keys = tuple(
                msgspec.structs.replace(key, status="Active") if (key.name, key.status) == (name, "Pending") else key
                for key in found.keys
            )
            self._schema.put_table(msgspec.structs.replace(found, keys=keys))


def _with_id(column: Column) -> Column:
    return msgspec.structs.replace(column, metadata_id=str(uuid.uuid4()))
