"""The catalog: all tables with the relationships between them, and the names that Dataverse derives for those."""

from collections.abc import Iterable

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.model import (
    Cascade,
    CatalogData,
    Column,
    ManyToMany,
    ManyToOne,
    OptionSet,
    Table,
)


class Catalog:
    """All tables and relationships, with the indexes that requests need.

    A catalog is never changed: one with other tables takes its place.
    """

    def __init__(
        self,
        tables: Iterable[Table],
        many_to_many: Iterable[ManyToMany],
        declared: Iterable[ManyToOne] = (),
        option_sets: Iterable[OptionSet] = (),
        languages: Iterable[int] = (1033,),
    ) -> None:
        self.tables = {table.name: table for table in tables}
        self.sets = {table.entity_set: table for table in self.tables.values()}
        self.many_to_many = tuple(many_to_many)
        self.intersects = {relationship.intersect: relationship for relationship in self.many_to_many}
        self.declared = tuple(declared)
        self.option_sets = {one.name: one for one in option_sets}
        self.languages = tuple(languages)
        known = {(one.table, one.column, one.target): one for one in self.declared}
        self.many_to_one = tuple(
            known.get((one.table, one.column, one.target), one)
            for table in self.tables.values()
            for one in _many_to_one(table, self.tables)
        )
        self._lookups: dict[str, dict[str, ManyToOne]] = {name: {} for name in self.tables}
        self._collections: dict[str, dict[str, ManyToOne]] = {name: {} for name in self.tables}
        for one in self.many_to_one:
            self._lookups[one.table].setdefault(one.nav, one)
            if one.target in self._collections:
                self._collections[one.target].setdefault(one.collection, one)
        self.from_table: dict[str, list[ManyToOne]] = {}
        self.to_table: dict[str, list[ManyToOne]] = {}
        self._navs: dict[tuple[str, str], dict[str, str]] = {}
        for one in self.many_to_one:
            self.from_table.setdefault(one.table, []).append(one)
            self.to_table.setdefault(one.target, []).append(one)
            if one.target != "owner":
                self._navs.setdefault((one.table, one.column), {})[one.target] = one.nav
        self.hierarchies: dict[str, tuple[str, ...]] = {
            name: tuple(one.column for one in ones if one.hierarchical and one.target == name)
            for name, ones in self.from_table.items()
        }
        self._associations: dict[str, dict[str, tuple[ManyToMany, bool]]] = {name: {} for name in self.tables}
        for many in self.many_to_many:
            self._associations[many.table1][many.nav1] = (many, True)
            self._associations[many.table2][many.nav2] = (many, False)
        self._wire = {
            table.name: {column.wire_name: column for column in table.columns.values() if column.stored}
            for table in self.tables.values()
        }

    def data(self) -> CatalogData:
        """The part that the store keeps."""
        return CatalogData(
            tuple(self.tables.values()),
            self.many_to_many,
            self.declared,
            tuple(self.option_sets.values()),
            self.languages,
        )

    def replace(
        self,
        *,
        tables: Iterable[Table] | None = None,
        many_to_many: Iterable[ManyToMany] | None = None,
        declared: Iterable[ManyToOne] | None = None,
        option_sets: Iterable[OptionSet] | None = None,
    ) -> "Catalog":
        """A catalog with some of its parts replaced."""
        return Catalog(
            self.tables.values() if tables is None else tables,
            self.many_to_many if many_to_many is None else many_to_many,
            self.declared if declared is None else declared,
            self.option_sets.values() if option_sets is None else option_sets,
            self.languages,
        )

    def relationships(self) -> list[ManyToOne | ManyToMany]:
        """All relationships of both kinds."""
        return [*self.many_to_one, *self.many_to_many]

    def wire_columns(self, table: str) -> dict[str, Column]:
        """The columns of a table by the property that carries them."""
        return self._wire[table]

    def lookup(self, table: str, nav: str) -> ManyToOne | None:
        """The relationship behind a single-valued navigation property."""
        return self._lookups[table].get(nav)

    def collection(self, table: str, nav: str) -> ManyToOne | None:
        """The relationship behind a collection-valued navigation property that is 1:N."""
        return self._collections[table].get(nav)

    def association(self, table: str, nav: str) -> tuple[ManyToMany, bool] | None:
        """The N:N relationship behind a navigation property, and whether the table is its Entity1 side."""
        return self._associations[table].get(nav)

    def lookups_of(self, table: str) -> dict[str, ManyToOne]:
        """The single-valued navigation properties of a table with their relationships."""
        return self._lookups[table]

    def collections_of(self, table: str) -> dict[str, ManyToOne]:
        """The navigation properties of a table that are collections of rows whose lookups point to it."""
        return self._collections[table]

    def associations_of(self, table: str) -> dict[str, tuple[ManyToMany, bool]]:
        """The navigation properties of a table that are N:N, each with whether the table is the Entity1 side."""
        return self._associations[table]

    def navs_of(self, table: str, column: str) -> dict[str, str]:
        """The navigation property of a lookup column for each of its targets."""
        return self._navs.get((table, column), {})


def navigation(table: str, column: Column, target: str) -> str:
    """The single-valued navigation property of a lookup for one target.

    An owner has one property for users and teams, a lookup with one target has its own name, one with several has a
    property for each, and the regarding columns of activities name their own table as well.
    """
    if column.type == "Owner":
        return column.name
    if column.name == "regardingobjectid":
        return f"{column.name}_{target}_{table}"
    if table == "activityparty" and column.name == "partyid":
        return f"partyid_{target}"
    # https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-navigation-properties: custom
    # lookups have the case of their schema name.
    name = column.schema_name if column.custom and column.schema_name else column.name
    return name if len(column.targets) == 1 else f"{name}_{target}"


def _many_to_one(table: Table, tables: dict[str, Table]) -> Iterable[ManyToOne]:
    if table.is_intersect:
        return
    for column in table.columns.values():
        if not column.is_lookup:
            continue
        targets = (*column.targets, "owner") if column.type == "Owner" else column.targets
        if table.name == "activityparty" and column.name == "activityid":
            targets = tuple(name for name in targets if name not in tables or not tables[name].is_activity)
        for target in targets:
            name = f"{target}_{table.name}_{column.name}"
            yield ManyToOne(
                schema_name=name,
                table=table.name,
                column=column.name,
                target=target,
                nav=navigation(table.name, column, target),
                collection=name,
                hierarchical=column.parent,
                custom=column.custom,
            )
    if table.name == "activityparty":
        for activity in tables.values():
            if activity.is_activity:
                yield ManyToOne(
                    schema_name=f"{activity.name}_activity_parties",
                    table=table.name,
                    column="activityid",
                    target=activity.name,
                    nav=f"activityid_{activity.name}",
                    collection=f"{activity.name}_activity_parties",
                    cascade=Cascade(delete="Cascade"),
                )


def many_to_many(
    intersect: str, table1: str, id1: str, table2: str, id2: str, *, names: tuple[str, str, str] | None = None
) -> ManyToMany:
    """An N:N relationship with the names that Dataverse would give it.

    Args:
        intersect: Logical name of the intersect table.
        table1: The Entity1 table.
        id1: Its primary id column.
        table2: The Entity2 table.
        id2: Its primary id column.
        names: Schema name and the two navigation properties, when they are known.
    """
    reflexive = table1 == table2
    known = {"systemuserroles": "systemuserroles_association", "teamroles": "teamroles_association"}
    schema_name = names[0] if names else known.get(intersect, intersect)
    nav1 = f"{schema_name}_Referencing" if reflexive else schema_name
    nav2 = f"{schema_name}_Referenced" if reflexive else schema_name
    if names:
        nav1, nav2 = names[1], names[2]
    return ManyToMany(
        schema_name=schema_name,
        intersect=intersect,
        table1=table1,
        column1=f"{id1}one" if reflexive else id1,
        nav1=nav1,
        table2=table2,
        column2=f"{id2}two" if reflexive else id2,
        nav2=nav2,
    )


def intersect_table(relationship: ManyToMany, *, entity_set: str | None = None, object_type_code: int = 0) -> Table:
    """The readable table of an N:N relationship: four read-only columns."""
    name = relationship.intersect
    key = Column(name=f"{name}id", type="Uniqueidentifier", can_create=False, can_update=False, required=True)
    version = Column(name="versionnumber", type="BigInt", can_create=False, can_update=False)
    sides = [
        Column(name=side, type="Uniqueidentifier", can_create=False, can_update=False)
        for side in (relationship.column1, relationship.column2)
    ]
    return Table(
        name=name,
        entity_set=entity_set or f"{name}set",
        primary_id=key.name,
        columns={column.name: column for column in (key, *sides, version)},
        display_name=name,
        object_type_code=object_type_code or type_code(name),
        ownership="none",
        custom="_" in name,
        is_intersect=True,
        bulk=False,
    )


def type_code(name: str) -> int:
    """An object type code for a table that has none: stable, in the range of custom tables."""
    return 10_000 + int(naming.stable_id("otc", name)[:6], 16) % 80_000
