"""``$metadata``: the tables as the entity types of an OData service, in its XML.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-service-documents
https://docs.oasis-open.org/odata/odata-csdl-xml/v4.01/odata-csdl-xml-v4.01.html
"""

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import quoteattr

from confmig.emulator.catalog.catalog import Catalog
from confmig.emulator.catalog.model import LOOKUPS, Column, Key, ManyToOne, Table
from confmig.emulator.metadata.csdltypes import ENTITY_SETS, schema_types

NAMESPACE = "Microsoft.Dynamics.CRM"
_PRINCIPALS = frozenset({"systemuser", "team"})
"""The tables of owners, whose types are derived from that of any owner."""
_TYPES = {
    "BigInt": "Int64", "Boolean": "Boolean", "Decimal": "Decimal", "Double": "Double", "EntityName": "String",
    "File": "Guid", "Image": "Binary", "Integer": "Int32", "Memo": "String", "Money": "Decimal",
    "MultiSelectPicklist": "String", "Picklist": "Int32", "State": "Int32", "Status": "Int32", "String": "String",
    "Uniqueidentifier": "Guid",
}  # fmt: skip
_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">'
    '<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys" />'
    '<edmx:IncludeAnnotations TermNamespace="OData.Community.Keys.V1" /></edmx:Reference>'
    '<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Display.V1.xml">'
    '<edmx:Include Namespace="OData.Community.Display.V1" Alias="Display" />'
    '<edmx:IncludeAnnotations TermNamespace="OData.Community.Display.V1" /></edmx:Reference>'
    "<edmx:DataServices>"
    f'<Schema Namespace="{NAMESPACE}" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
_TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"
_BASES = (
    '<EntityType Name="crmbaseentity" Abstract="true" />'
    '<EntityType Name="expando" BaseType="mscrm.crmbaseentity" OpenType="true" />'
    '<EntityType Name="principal" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="ownerid" /></Key>'
    '<Property Name="ownerid" Type="Edm.Guid" /></EntityType>'
)


def document(catalog: Catalog, *, annotations: bool) -> bytes:
    """The whole document.

    Args:
        catalog: The tables.
        annotations: Say of tables and columns also what they are for and which of them are read-only, as
            ``$metadata?annotations=true`` asks.
    """
    tables = sorted(catalog.tables.values(), key=lambda table: table.name)
    parts = [_HEAD, _BASES]
    for table in tables:
        parts += _entity_type(catalog, table, annotations=annotations)
    parts += schema_types()
    parts.append('<EntityContainer Name="System">')
    for table in sorted(tables, key=lambda table: table.entity_set):
        parts += _entity_set(catalog, table)
    parts += [*ENTITY_SETS, "</EntityContainer>", _TAIL]
    return "".join(parts).encode()


def edm_type(column: Column) -> str:
    """The type of the property that carries a column."""
    if column.type == "DateTime":
        return "Edm.Date" if column.behavior == "DateOnly" else "Edm.DateTimeOffset"
    return f"Edm.{'Guid' if column.type in LOOKUPS else _TYPES[column.type]}"


def _entity_type(catalog: Catalog, table: Table, *, annotations: bool) -> Iterator[str]:
    principal = table.name in _PRINCIPALS
    yield f'<EntityType Name={quoteattr(table.name)} BaseType="mscrm.{"principal" if principal else "crmbaseentity"}">'
    if not principal:
        yield f"<Key><PropertyRef Name={quoteattr(table.primary_id)} /></Key>"
    for name, column in catalog.wire_columns(table.name).items():
        if not (principal and name == "ownerid"):
            yield _property(name, column, annotations=annotations)
    yield from _navigations(catalog, table)
    if annotations and table.description:
        yield _described(table.description)
    if table.keys:
        yield _alternate_keys(table.keys, table)
    yield "</EntityType>"


def _property(name: str, column: Column, *, annotations: bool) -> str:
    kind = edm_type(column)
    facets = ' Unicode="false"' if kind == "Edm.String" else ' Scale="Variable"' if kind == "Edm.Decimal" else ""
    notes = ""
    if annotations:
        notes = _described(column.description) if column.description else ""
        if not (column.can_create or column.can_update):
            notes += (
                '<Annotation Term="Org.OData.Core.V1.Permissions"><EnumMember>Org.OData.Core.V1.PermissionType/Read'
                "</EnumMember></Annotation>"
            )
    start = f'<Property Name={quoteattr(name)} Type="{kind}"{facets}'
    return f"{start}>{notes}</Property>" if notes else f"{start} />"


def _described(text: str) -> str:
    return f'<Annotation Term="Org.OData.Core.V1.Description" String={quoteattr(text)} />'


def _navigations(catalog: Catalog, table: Table) -> Iterator[str]:
    """The navigation properties of a table, each with the property that leads back."""
    for nav, one in catalog.lookups_of(table.name).items():
        yield _lookup(catalog, table.columns[one.column], nav, one)
    for nav, one in catalog.collections_of(table.name).items():
        yield _collection(nav, one.table, one.nav)
    for nav, (many, first) in catalog.associations_of(table.name).items():
        yield _collection(nav, *((many.table2, many.nav2) if first else (many.table1, many.nav1)))


def _lookup(catalog: Catalog, column: Column, nav: str, one: ManyToOne) -> str:
    """A single-valued navigation property: to the type of any owner, to a table, or to one that is not described."""
    start = f"<NavigationProperty Name={quoteattr(nav)}"
    target = catalog.tables.get(one.target)
    if column.type == "Owner":
        start, referenced = f'{start} Type="mscrm.principal" Nullable="false"', "ownerid"
    elif target is None:
        return f'{start} Type="mscrm.crmbaseentity" Nullable="false" />'
    else:
        start += f' Type="mscrm.{target.name}" Nullable="false" Partner={quoteattr(one.collection)}'
        referenced = target.primary_id
    return (
        f"{start}><ReferentialConstraint Property={quoteattr(column.wire_name)} "
        f"ReferencedProperty={quoteattr(referenced)} /></NavigationProperty>"
    )


def _collection(nav: str, table: str, back: str) -> str:
    return f'<NavigationProperty Name={quoteattr(nav)} Type="Collection(mscrm.{table})" Partner={quoteattr(back)} />'


def _alternate_keys(keys: Iterable[Key], table: Table) -> str:
    records = []
    for key in keys:
        parts = "".join(
            '<Record Type="Keys.PropertyRef">'
            f'<PropertyValue Property="Alias" String={quoteattr(table.columns[name].wire_name)} />'
            f'<PropertyValue Property="Name" PropertyPath={quoteattr(table.columns[name].wire_name)} /></Record>'
            for name in key.columns
        )
        records.append(
            '<Record Type="Keys.AlternateKey"><PropertyValue Property="Key"><Collection>'
            f"{parts}</Collection></PropertyValue></Record>"
        )
    return f'<Annotation Term="Keys.AlternateKeys"><Collection>{"".join(records)}</Collection></Annotation>'


def _entity_set(catalog: Catalog, table: Table) -> Iterator[str]:
    yield f'<EntitySet Name={quoteattr(table.entity_set)} EntityType="{NAMESPACE}.{table.name}">'
    ends = {nav: one.target for nav, one in catalog.lookups_of(table.name).items() if nav != "ownerid"}
    ends |= {nav: one.table for nav, one in catalog.collections_of(table.name).items()}
    ends |= {
        nav: many.table2 if first else many.table1 for nav, (many, first) in catalog.associations_of(table.name).items()
    }
    for nav, other in ends.items():
        target = catalog.tables.get(other)
        if target is not None:
            yield f"<NavigationPropertyBinding Path={quoteattr(nav)} Target={quoteattr(target.entity_set)} />"
    yield "</EntitySet>"
