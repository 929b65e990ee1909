"""data_schema.xml, read and written.

Written is what CMT writes: no declaration, no byte order mark, CRLF, two blanks of indentation, and a root of
``<entities >`` whose odd blank stays from the attributes that CMT cuts out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from confmig.checking.findings import Finding, Place
from confmig.checking.rules.schema import schema_refused
from confmig.errors import PackageError
from confmig.model.schema import Column, DateMode, Extra, Relationship, Schema, Table
from confmig.package.formatting import attributes_text, escape_xml
from confmig.package.limits import LIMITS, Limits
from confmig.package.text import column_type
from confmig.package.xml import attributes_of, inner_xml, parse_document
from confmig.package.xmlstream import element_lines

LARGEST_SCHEMA = 32 * 1024**2
"""A schema is read whole. Those of real packages have some 100 KB."""

_ELEMENTS = {
    name.lower(): name
    for name in (
        *("entities", "entity", "fields", "field", "relationships", "relationship", "filter"),
        *("entityImportOrder", "entityName"),
    )
}
_TABLE_ATTRIBUTES = {
    "name",
    "displayname",
    "etc",
    "primaryidfield",
    "primarynamefield",
    "disableplugins",
    "skipupdate",
    "forcecreate",
}
_COLUMN_ATTRIBUTES = {
    "updateCompare",
    "displayname",
    "name",
    "type",
    "lookupType",
    "primaryKey",
    "customfield",
    "dateMode",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A schema file in messages, with the lines of its elements.

    What does not fit the form is refused, or, where there is a list of ``problems``, noted there and left out.
    """

    name: str
    lines: Mapping[etree._Element, int]
    problems: list[Finding] | None = None

    def at(self, element: etree._Element) -> str:
        """The place of an element."""
        return f"{self.name}, line {self.line(element)}"

    def line(self, element: etree._Element) -> int:
        """The line of an element."""
        return self.lines[element]

    def refuse(self, element: etree._Element, what: str, hint: str) -> None:
        """Say that an element does not fit.

        Raises:
            PackageError: Unless problems are only noted.
        """
        if self.problems is None:
            raise PackageError(f"{self.at(element)}: {what}", hint)
        self.note(element, what, hint)

    def note(self, element: etree._Element, what: str, hint: str) -> None:
        """Note what CMT refuses and we forgive, where problems are noted."""
        if self.problems is None:
            return
        table = next((item.get("name", "") for item in (element, *element.iterancestors()) if item.tag == "entity"), "")
        column = element.get("name", "") if element.tag in {"field", "relationship"} else ""
        place = Place("", self.line(element))
        self.problems.append(schema_refused.RULE.finding(table, column, what, hint, place))


def parse_schema(data: bytes, name: str, problems: list[Finding] | None = None, limits: Limits = LIMITS) -> Schema:
    """Parse the bytes of a schema file; ``name`` stands in messages.

    Given a list of ``problems``, what cannot be a part of a schema is noted there, and left out.

    Raises:
        PackageError: It is no XML, or no schema, or a table or column lacks what everything else needs, or it is beyond
            the limits.
    """
    if len(data) > LARGEST_SCHEMA:
        raise PackageError(f"{name}: the schema has more than {LARGEST_SCHEMA:,} bytes.", "Generate it again.")
    lines = element_lines(data, name, limits)
    root = parse_document(data, name)
    file = _File(name, dict(zip(root.iter(etree.Element), lines, strict=True)), problems)
    if root.tag != "entities":
        raise PackageError(
            f"{file.at(root)}: the root is <{root.tag!s}>, where a schema has <entities>.",
            "Give a schema file of the Configuration Migration Tool.",
        )
    if len(root) > limits.tables and len(root.findall("entity")) > limits.tables:
        raise limits.exceeded("tables", file.at(root.findall("entity")[limits.tables]), "there are more than {} tables")
    _require_known_spelling(root, file)
    unknown = "".join(
        etree.tostring(child, encoding="unicode", with_tail=False)
        for child in root.iterchildren(tag=etree.Element)
        if child.tag not in {"entity", "entityImportOrder"}
    )
    return Schema(
        tables=tuple(_table(element, file) for element in root.iterchildren("entity") if _named(element, file)),
        import_order=tuple((item.text or "").strip() for item in root.iterfind("entityImportOrder/entityName")),
        date_mode=_date_mode(root, file),
        extra=_extra(attributes_of(root), {"dateMode"}),
        unknown_xml=unknown,
    )


def _require_known_spelling(root: etree._Element, file: _File) -> None:
    """Check that no element is one of a schema's but for its case: CMT, like any XML program, would not see it.

    Raises:
        PackageError: One is.
    """
    for element in root.iterdescendants(tag=etree.Element):
        known = _ELEMENTS.get(str(element.tag).lower())
        if known not in {None, element.tag}:
            file.refuse(element, f"<{element.tag!s}> is to be <{known}>.", "Mend the spelling.")


def _table(element: etree._Element, file: _File) -> Table:
    if element.find("records") is not None:
        raise PackageError(f"{file.at(element)}: these are the rows of a package, not a schema.", "Give its schema.")
    attributes = attributes_of(element)
    table = element.get("name", "").strip()
    if not attributes.get("primaryidfield"):
        hint = "Say which column holds the id: primaryidfield."
        file.note(element, f"{table} has no primaryidfield.", hint)
    primary_id = attributes.get("primaryidfield") or _declared_key(element) or f"{table}id"
    return Table(
        name=table,
        primary_id=primary_id,
        columns=tuple(_column(field, file) for field in element.iterfind("fields/field") if _named(field, file)),
        display_name=attributes.get("displayname"),
        object_type_code=attributes.get("etc"),
        primary_name=attributes.get("primarynamefield") or None,
        disable_plugins=_flag(element, "disableplugins", file),
        skip_update=_flag(element, "skipupdate", file),
        force_create=_flag(element, "forcecreate", file),
        relationships=tuple(
            _relationship(item, file)
            for item in element.iterfind("relationships/relationship")
            if item.get("relatedEntityName") or _named(item, file)
        ),
        filter=_filter(element.find("filter"), file),
        extra=_extra(attributes, _TABLE_ATTRIBUTES),
        unknown_xml="".join(
            etree.tostring(child, encoding="unicode", with_tail=False)
            for child in element.iterchildren(tag=etree.Element)
            if child.tag not in {"fields", "relationships", "filter"}
        ),
    )


def _declared_key(element: etree._Element) -> str | None:
    field = element.find("fields/field[@primaryKey='true']")
    return None if field is None else field.get("name")


def _column(element: etree._Element, file: _File) -> Column:
    attributes = attributes_of(element)
    word = attributes.get("type", "string")
    if "type" not in attributes:
        file.note(element, f"{element.get('name', '').strip()} has no type.", 'Write type="string", or what it is.')
    targets = attributes.get("lookupType", "")
    return Column(
        name=element.get("name", "").strip(),
        type=column_type(word),
        display_name=attributes.get("displayname"),
        type_text=word,
        targets=tuple(target for target in targets.split("|") if target),
        compare=_flag(element, "updateCompare", file),
        primary_key=_flag(element, "primaryKey", file),
        custom=_flag(element, "customfield", file),
        date_mode=_date_mode(element, file),
        extra=_extra(attributes, _COLUMN_ATTRIBUTES),
    )


def _relationship(element: etree._Element, file: _File) -> Relationship:
    attributes = attributes_of(element)
    return Relationship(
        name=attributes.get("relatedEntityName") or element.get("name", "").strip(),
        many_to_many=_flag(element, "manyToMany", file),
        reflexive=_flag(element, "isreflexive", file),
        target=attributes.get("m2mTargetEntity"),
        target_primary_id=attributes.get("m2mTargetEntityPrimaryKey"),
        attributes=_extra(attributes, set()),
        unknown_xml=inner_xml(element) if len(element) else "",
    )


def _filter(element: etree._Element | None, file: _File) -> str | None:
    """The FetchXML of a filter: CMT writes it as escaped text, people also as nested elements; both are meant alike."""
    if element is None:
        return None
    if len(element):
        hint = "Escape it, as in &lt;fetch&gt;, or let confmig write the schema."
        file.note(element, "The filter is elements, where CMT's form has a text.", hint)
    text = inner_xml(element) if len(element) else (element.text or "")
    return text.strip() or None


def _named(element: etree._Element, file: _File) -> bool:
    """Whether an element has the name that all else needs.

    Raises:
        PackageError: It has none, unless problems are only noted.
    """
    if element.get("name", "").strip():
        return True
    file.refuse(element, f"<{element.tag!s}> has no name.", "Generate the schema again, or add the attribute.")
    return False


def _flag(element: etree._Element, attribute: str, file: _File) -> bool:
    """An XmlSerializer boolean: ``true``, ``false``, ``1`` or ``0``; CMT cannot load anything else."""
    value = element.get(attribute, "false").strip()
    if value in {"true", "1"}:
        return True
    if value in {"false", "0"}:
        return False
    file.refuse(element, f"{attribute}={value!r} is neither true nor false.", "Write true or false, in lower case.")
    return False


def _date_mode(element: etree._Element, file: _File) -> DateMode | None:
    value = element.get("dateMode")
    if not value:
        return None
    try:
        return DateMode(value)
    except ValueError:
        hint = "Write absolute, relative or relativeDaily, spelled just so."
        file.refuse(element, f"dateMode={value!r} is unknown.", hint)
        return None


def _extra(attributes: Mapping[str, str], known: set[str]) -> Extra:
    return tuple((name, value) for name, value in attributes.items() if name not in known)


def write_schema(schema: Schema) -> bytes:
    """The bytes of a schema file, as CMT writes them."""
    return "\r\n".join(_schema_lines(schema)).encode()


def _schema_lines(schema: Schema) -> Iterator[str]:
    mode = f' dateMode="{schema.date_mode}"' if schema.date_mode else ""
    yield f"<entities {mode}{attributes_text(schema.extra)}>"
    for table in schema.tables:
        yield from _table_lines(table)
    if schema.import_order:
        yield "  <entityImportOrder>"
        for name in schema.import_order:
            yield f"    <entityName>{escape_xml(name)}</entityName>"
        yield "  </entityImportOrder>"
    if schema.unknown_xml:
        yield f"  {schema.unknown_xml}"
    yield "</entities>"


def _table_lines(table: Table) -> Iterator[str]:
    pairs = [
        ("name", table.name),
        ("displayname", table.display_name),
        ("etc", table.object_type_code),
        ("primaryidfield", table.primary_id),
        ("primarynamefield", table.primary_name),
        ("disableplugins", str(table.disable_plugins).lower()),
        ("skipupdate", "true" if table.skip_update else None),
        ("forcecreate", "true" if table.force_create else None),
        *table.extra,
    ]
    yield f"  <entity{attributes_text(pairs)}>"
    yield "    <fields>"
    for column in table.columns:
        yield f"      <field{attributes_text(_column_pairs(column))} />"
    yield "    </fields>"
    if table.relationships:
        yield "    <relationships>"
        for item in table.relationships:
            inner = f">{item.unknown_xml}</relationship>" if item.unknown_xml else " />"
            yield f"      <relationship{attributes_text(item.attributes or _relationship_pairs(item))}{inner}"
        yield "    </relationships>"
    else:
        yield "    <relationships />"
    if table.filter:
        yield f"    <filter>{_escape_text(table.filter)}</filter>"
    if table.unknown_xml:
        yield f"    {table.unknown_xml}"
    yield "  </entity>"


def _column_pairs(column: Column) -> list[tuple[str, str | None]]:
    return [
        ("updateCompare", "true" if column.compare else None),
        ("displayname", column.display_name),
        ("name", column.name),
        ("type", column.type_text or column.type.value),
        ("lookupType", "|".join(column.targets) or None),
        ("primaryKey", "true" if column.primary_key else None),
        ("customfield", "true" if column.custom else None),
        ("dateMode", column.date_mode),
        *column.extra,
    ]


def _relationship_pairs(relationship: Relationship) -> list[tuple[str, str | None]]:
    return [
        ("name", relationship.name),
        ("manyToMany", str(relationship.many_to_many).lower()),
        ("isreflexive", str(relationship.reflexive).lower()),
        ("relatedEntityName", relationship.name),
        ("m2mTargetEntity", relationship.target),
        ("m2mTargetEntityPrimaryKey", relationship.target_primary_id),
    ]


def _escape_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
