"""From one row to others by a navigation property, as SQL: over a lookup, to the rows of a lookup, over an N:N pair."""

from dataclasses import dataclass

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import ManyToOne, Table
from confmig.emulator.storage.store import quoted, table_sql, target_column, text_sql


@dataclass(frozen=True)
class Step:
    """The rows that a navigation property leads to.

    Attributes:
        table: Their table.
        source: SQL source that gives them an alias.
        link: SQL condition that ties them to the row they are reached from.
        lookup: The relationship behind a single-valued property.
        back: For the rows of a lookup, the relationship of that lookup.
    """

    table: Table
    source: str
    link: str
    lookup: ManyToOne | None = None
    back: ManyToOne | None = None

    @property
    def many(self) -> bool:
        """Whether it is a collection."""
        return self.lookup is None

    @property
    def pairs(self) -> bool:
        """Whether the relationship is N:N."""
        return self.lookup is None and self.back is None


def step_from(catalog: Catalog, table: Table, nav: str, own: str, alias: str) -> Step | None:
    """Where a navigation property leads to; None when the table has none of the name.

    Args:
        catalog: The tables.
        table: The table that it is a property of.
        nav: The navigation property.
        own: SQL alias of the row.
        alias: SQL alias for the rows that it leads to.
    """
    one = catalog.lookup(table.name, nav)
    if one is not None:
        return _lookup_step(catalog, table, one, own, alias)
    return collection_step(catalog, table, nav, f"{own}.{quoted(table.primary_id)}", alias)


def _lookup_step(catalog: Catalog, table: Table, one: ManyToOne, own: str, alias: str) -> Step | None:
    target = catalog.tables.get("systemuser" if one.target == "owner" else one.target)
    if target is None:
        return None
    link = f"{alias}.{quoted(target.primary_id)} = {own}.{quoted(one.column)}"
    column = table.columns[one.column]
    if column.many_targets and column.type != "Owner":
        link += f" AND {own}.{quoted(target_column(one.column))} = {text_sql(one.target)}"
    return Step(target, f"{table_sql(target.name)} {alias}", link, lookup=one)


def collection_step(catalog: Catalog, table: Table, nav: str, own: str, alias: str) -> Step | None:
    """Where a collection-valued navigation property leads to; ``own`` is the SQL of the row's id."""
    back = catalog.collection(table.name, nav)
    if back is not None:
        child = catalog.tables[back.table]
        link = f"{alias}.{quoted(back.column)} = {own}"
        if child.columns[back.column].many_targets and child.name != "activityparty":
            link += f" AND {alias}.{quoted(target_column(back.column))} = {text_sql(table.name)}"
        return Step(child, f"{table_sql(child.name)} {alias}", link, back=back)
    association = catalog.association(table.name, nav)
    if association is None:
        return None
    relationship, first = association
    other = catalog.tables[relationship.table2 if first else relationship.table1]
    near, far = relationship.column1, relationship.column2
    near, far = (near, far) if first else (far, near)
    source = (
        f"{table_sql(relationship.intersect)} i{alias} JOIN {table_sql(other.name)} {alias} "
        f"ON {alias}.{quoted(other.primary_id)} = i{alias}.{quoted(far)}"
    )
    return Step(other, source, f"i{alias}.{quoted(near)} = {own}")
