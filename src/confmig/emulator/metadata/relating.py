"""Relationships made, changed and removed, with the lookups that belong to them.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-relationships-using-web-api
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/multitable-lookup
"""

import uuid

import msgspec

from confmig.emulator.catalog import naming
from confmig.emulator.catalog.catalog import intersect_table, many_to_many
from confmig.emulator.catalog.model import Cascade, Column, ManyToMany, ManyToOne, Table
from confmig.emulator.errors import (
    ServiceError,
    bad_request,
    column_taken,
    invalid_metadata,
    metadata_missing,
    name_taken,
    navigation_taken,
    not_deletable,
)
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.columnbodies import changed_column
from confmig.emulator.metadata.components import ATTRIBUTE, RELATIONSHIP, Components
from confmig.emulator.metadata.labels import objects, read_flag, read_text, schema_name, type_of
from confmig.emulator.metadata.metadata import relationship_id
from confmig.emulator.metadata.metadatacolumns import attribute_id
from confmig.emulator.metadata.removals import remove_many_to_many, remove_target
from confmig.emulator.storage.schema import Schema
from confmig.emulator.storage.store import Store

_CASCADES = {
    "Assign": "assign", "Delete": "delete", "Merge": "merge", "Reparent": "reparent", "Share": "share",
    "Unshare": "unshare", "RollupView": "rollup_view",
}  # fmt: skip
_CASCADE_TYPES = frozenset({"NoCascade", "Cascade", "Active", "UserOwned", "RemoveLink", "Restrict"})
Relationship = ManyToOne | ManyToMany


class Relater:
    """Changes the relationships of an environment; every change is the caller's transaction.

    Args:
        store: The store.
        components: Where new components are registered.
    """

    def __init__(self, store: Store, components: Components) -> None:
        self._schema = Schema(store)
        self._components = components

    def create(self, body: Json) -> Relationship:
        """Make a relationship of either kind; a 1:N one comes with its lookup.

        Raises:
            ServiceError: The body is wrong or a name is taken.
        """
        kind = type_of(body)
        if kind == "OneToManyRelationshipMetadata":
            lookup = body.get("Lookup")
            if not isinstance(lookup, dict):
                raise bad_request("The relationship has no Lookup.")
            return self._create_one_to_many(body, lookup, "Lookup")
        if kind == "ManyToManyRelationshipMetadata":
            return self._create_many_to_many(body)
        raise bad_request("The type of the relationship is not given: '@odata.type' is missing or unknown.")

    def create_lookup(self, body: Json, kind: str) -> tuple[list[ManyToOne], str]:
        """Make a lookup to several tables, each with a relationship of its own.

        Args:
            body: ``OneToManyRelationships`` and ``Lookup``.
            kind: Customer or Lookup.

        Returns:
            The relationships and the MetadataId of the lookup.

        Raises:
            ServiceError: The body is wrong or a name is taken.
        """
        lookup, listed = body.get("Lookup"), objects(body, "OneToManyRelationships")
        if not isinstance(lookup, dict) or not listed:
            raise bad_request("The action needs OneToManyRelationships and a Lookup.")
        targets = [str(one.get("ReferencedEntity")) for one in listed]
        if kind == "Customer" and sorted(targets) != ["account", "contact"]:
            raise invalid_metadata("A customer lookup has one relationship to account and one to contact.")
        if len({str(one.get("ReferencingEntity")) for one in listed}) != 1:
            raise invalid_metadata("The relationships of a lookup have the same referencing entity.")
        name = schema_name(lookup, "Attribute").lower()
        table = self._table(listed[0], "ReferencingEntity")
        if name in table.columns:
            raise column_taken(name, table.name)
        made = [self._create_one_to_many(one, lookup, kind, several=True) for one in listed]
        return made, attribute_id(table, self._schema.catalog.tables[table.name].columns[name])

    def _create_one_to_many(self, body: Json, lookup: Json, kind: str, *, several: bool = False) -> ManyToOne:
        name = self._new_name(body)
        target, table = self._table(body, "ReferencedEntity"), self._table(body, "ReferencingEntity")
        if target.is_intersect or table.is_intersect:
            raise invalid_metadata("An intersect entity cannot be part of a relationship.")
        attribute = str(body.get("ReferencedAttribute") or target.primary_id)
        if attribute != target.primary_id:
            raise invalid_metadata(f"The referenced attribute {attribute} is not the primary id of {target.name}.")
        schema = schema_name(lookup, "Attribute")
        column = table.columns.get(schema.lower())
        if column is not None and (column.type != kind or not column.custom or target.name in column.targets):
            raise column_taken(column.name, table.name)
        several = several or column is not None
        one = ManyToOne(
            schema_name=name,
            table=table.name,
            column=schema.lower(),
            target=target.name,
            nav=read_text(body, "ReferencingEntityNavigationPropertyName")
            or (f"{schema}_{target.name}" if several else schema),
            collection=read_text(body, "ReferencedEntityNavigationPropertyName") or name,
            cascade=read_cascade(body, Cascade()),
            hierarchical=self._hierarchical(body, target, table),
            custom=True,
            metadata_id=str(uuid.uuid4()),
        )
        self._check_navigation(table.name, one.nav)
        self._check_navigation(target.name, one.collection)
        catalog = self._schema.catalog
        self._schema.change(catalog.replace(declared=(*catalog.declared, one)))
        self._point(table, column, one, lookup, schema, kind)
        self._components.add(RELATIONSHIP, relationship_id(one))
        return one

    def _point(self, table: Table, column: Column | None, one: ManyToOne, lookup: Json, schema: str, kind: str) -> None:
        """Make the lookup of a relationship, or let one that is there point to one table more."""
        if column is None:
            new = Column(
                name=one.column,
                schema_name=schema,
                type=kind,
                targets=(one.target,),
                custom=True,
                parent=one.hierarchical,
                metadata_id=str(uuid.uuid4()),
            )
            new = changed_column(new, lookup, merge=False)
            self._schema.add_columns(table, [new])
            self._components.add(ATTRIBUTE, attribute_id(table, new))
            return
        self._schema.set_targets(table, column, (*column.targets, one.target))

    def _create_many_to_many(self, body: Json) -> ManyToMany:
        name = self._new_name(body)
        one, two = self._table(body, "Entity1LogicalName"), self._table(body, "Entity2LogicalName")
        if one.is_intersect or two.is_intersect:
            raise invalid_metadata("An intersect entity cannot be part of a relationship.")
        given = body if body.get("IntersectEntityName") else {"IntersectEntityName": name}
        intersect = schema_name(given, "Entity", member="IntersectEntityName").lower()
        if intersect in self._schema.catalog.tables:
            text = f"Cannot use existing non intersect entity {intersect} as an intersect entity for defining many to "
            raise ServiceError(400, "0x80072540", text + "many relationships.")
        usual = many_to_many(intersect, one.name, one.primary_id, two.name, two.primary_id)
        reflexive = ("_Referencing", "_Referenced") if one.name == two.name else ("", "")
        navs = [
            read_text(body, f"Entity{side}NavigationPropertyName") or name + suffix
            for side, suffix in ((1, reflexive[0]), (2, reflexive[1]))
        ]
        self._check_navigation(one.name, navs[0])
        self._check_navigation(two.name, navs[1])
        many = msgspec.structs.replace(
            usual, schema_name=name, nav1=navs[0], nav2=navs[1], custom=True, metadata_id=str(uuid.uuid4())
        )
        table = msgspec.structs.replace(intersect_table(many), custom=True, metadata_id=str(uuid.uuid4()))
        catalog = self._schema.catalog
        self._schema.change(catalog.replace(many_to_many=(*catalog.many_to_many, many)))
        self._schema.create_table(table)
        self._components.add(RELATIONSHIP, relationship_id(many))
        return many

    def _new_name(self, body: Json) -> str:
        name = schema_name(body, "Relationship")
        if any(one.schema_name.lower() == name.lower() for one in self._schema.catalog.relationships()):
            raise name_taken(name, "EntityRelationship")
        return name

    def _table(self, body: Json, member: str) -> Table:
        name = body.get(member)
        table = self._schema.catalog.tables.get(name) if isinstance(name, str) else None
        if table is None:
            raise metadata_missing("an entity", str(name))
        return table

    def _check_navigation(self, table: str, nav: str) -> None:
        """Navigation properties and columns of a table share their names."""
        if not naming.is_name(nav):
            raise invalid_metadata(f"The navigation property name '{nav}' is not valid.")
        catalog = self._schema.catalog
        known = (catalog.lookup(table, nav), catalog.collection(table, nav), catalog.association(table, nav))
        if any(known):
            raise navigation_taken(nav)

    @staticmethod
    def _hierarchical(body: Json, target: Table, table: Table) -> bool:
        flag = read_flag(body, "IsHierarchical") or False
        if flag and target.name != table.name:
            text = "This relationship is not self-referential and therefore cannot be made hierarchical."
            raise ServiceError(400, "0x8004701F", text)
        return flag

    def update(self, relationship: Relationship, body: Json) -> None:
        """Change how a relationship cascades and whether it is a hierarchy; nothing else of it changes here.

        Raises:
            ServiceError: The body is wrong.
        """
        if isinstance(relationship, ManyToMany):
            return
        catalog = self._schema.catalog
        table = catalog.tables[relationship.table]
        hierarchical = relationship.hierarchical
        if "IsHierarchical" in body:
            hierarchical = self._hierarchical(body, catalog.tables.get(relationship.target, table), table)
        new = msgspec.structs.replace(
            relationship, cascade=read_cascade(body, relationship.cascade), hierarchical=hierarchical
        )
        declared = [one for one in catalog.declared if one != relationship]
        self._schema.change(catalog.replace(declared=(*declared, new)))
        column = msgspec.structs.replace(table.columns[new.column], parent=hierarchical)
        self._schema.put_table(msgspec.structs.replace(table, columns=table.columns | {column.name: column}))

    def delete(self, relationship: Relationship) -> None:
        """Remove a relationship, with its intersect table or with the lookup that has no other target.

        Raises:
            ServiceError: It belongs to the platform, or a key needs the lookup.
        """
        if not relationship.custom:
            raise not_deletable(relationship.schema_name, relationship_id(relationship))
        if isinstance(relationship, ManyToMany):
            remove_many_to_many(self._schema, self._components, [relationship])
            return
        table = self._schema.catalog.tables[relationship.table]
        remove_target(self._schema, self._components, table, table.columns[relationship.column], relationship.target)


def read_cascade(body: Json, before: Cascade) -> Cascade:
    """The CascadeConfiguration of a body; what it leaves out stays.

    Raises:
        ServiceError: A value is no CascadeType.
    """
    given = body.get("CascadeConfiguration")
    if given is None:
        return before
    if not isinstance(given, dict):
        raise bad_request("The property 'CascadeConfiguration' is not an object.")
    change: dict[str, str] = {}
    for name, field in _CASCADES.items():
        value = given.get(name)
        if value is not None:
            if not isinstance(value, str) or value not in _CASCADE_TYPES:
                raise invalid_metadata(f"The value '{value}' of the property '{name}' is not a CascadeType.")
            change[field] = value
    new: Cascade = msgspec.structs.replace(before, **change)
    return new
