"""What of the metadata changed when: each table, column, key, relationship and choice with the version that changed it.

Clients that keep metadata ask for the changes since the version that they know:
https://learn.microsoft.com/power-apps/developer/data-platform/cache-schema-data
"""

from collections.abc import Iterator
from enum import IntFlag

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.metadata.choices import set_id
from confmig.emulator.metadata.metadata import entity_id, key_id, relationship_id
from confmig.emulator.metadata.metadatacolumns import attribute_id
from confmig.emulator.storage.store import Store

FIRST_VERSION = 1
"""The version of the metadata with which an environment begins."""


class Kind(IntFlag):
    """The kinds of metadata, as DeletedMetadataFilters names them."""

    Entity = 1
    Attribute = 2
    Relationship = 4
    OptionSet = 16
    Key = 32
    """Deleted keys cannot be asked for; changed ones are of interest."""


def current_version(store: Store) -> int:
    """The version of the present metadata."""
    row = store.query("SELECT max(version) FROM metadata").fetchone()
    return int(row[0] or FIRST_VERSION)


def log_changes(store: Store, before: Catalog, after: Catalog) -> None:
    """Note which parts of a catalog another one lacks, has besides, or has in another form."""
    old, new = dict(_parts(before, after)), dict(_parts(after, before))
    version = current_version(store) + 1
    changed = [(version, kind, own_id, 0) for (kind, own_id), part in new.items() if old.get((kind, own_id)) != part]
    deleted = [(version, kind, own_id, 1) for kind, own_id in old.keys() - new.keys()]
    store.connection.executemany("INSERT INTO metadata VALUES (?, ?, ?, ?)", changed + deleted)


def _parts(catalog: Catalog, other: Catalog) -> Iterator[tuple[tuple[int, str], object]]:
    """The parts of a catalog that may differ from another's, by kind and MetadataId.

    A table that did not change is the same object in both.
    """
    for table in catalog.tables.values():
        if other.tables.get(table.name) is table:
            continue
        for column in table.columns.values():
            yield (Kind.Attribute, attribute_id(table, column)), column
        for key in table.keys:
            yield (Kind.Key, key_id(table, key)), key
        own = (table.display_name, table.display_collection_name, table.description, table.translations)
        flags = (table.change_tracking, table.optimistic, table.has_notes, table.has_activities, table.primary_name)
        yield (Kind.Entity, entity_id(table)), (own, flags)
    for one in set(catalog.relationships()).difference(other.relationships()):
        yield (Kind.Relationship, relationship_id(one)), one
    for option_set in set(catalog.option_sets.values()).difference(other.option_sets.values()):
        yield (Kind.OptionSet, set_id(option_set)), option_set


def changed_since(store: Store, version: int) -> frozenset[str]:
    """The MetadataIds of what was made or changed after a version."""
    rows = store.query("SELECT id FROM metadata WHERE version > ? AND NOT deleted", (version,)).fetchall()
    return frozenset(str(row[0]) for row in rows)


def deleted_since(store: Store, version: int, kind: Kind) -> list[str]:
    """The MetadataIds of what of a kind was deleted after a version."""
    statement = "SELECT DISTINCT id FROM metadata WHERE version > ? AND kind = ? AND deleted ORDER BY id"
    return [str(row[0]) for row in store.query(statement, (version, int(kind))).fetchall()]
