"""data.xml, read as a stream of rows and associations.

The parser calls methods of ours as it goes and builds nothing, so memory does not grow with the file.
"""

from collections.abc import Iterator
from contextlib import closing

from confmig.model.records import Association, PackageEvent, PackageStart, TableStart, Unknown
from confmig.model.schema import Schema
from confmig.model.values import canonical_guid
from confmig.package.container import Container
from confmig.package.limits import LIMITS, Limits
from confmig.package.rowreader import RowReader
from confmig.package.xmlstream import Attributes, XmlStream, kept

_ASSOCIATION = {"sourceid", "targetentityname", "targetentitynameidfield", "m2mrelationshipname"}
_ROOTS = {"entities", "entity"}
_FRAME = {"records", "m2mrelationships", "targetids"}
_MISPLACED = {"field": "a <field>", "activitypointerrecords": "a party"}
_DEEPEST = 50

_MOST_TARGETS = 5_000
"""Associations of one row with more targets are given in several parts."""


def read_rows(container: Container, schema: Schema) -> Iterator[PackageEvent]:
    """Read all rows of a package, in the order of its files.

    Raises:
        PackageError: Broken XML, a damaged file, or a value that is not of its column's type.
    """
    tables = 0
    for member in container.members.rows:
        target = RowTarget(schema, container.label(member), container.limits, tables)
        with closing(container.chunks(member)) as chunks:
            yield from target.read(chunks)
        tables = target.tables


def read_timestamp(container: Container) -> str | None:
    """The time at which the package was exported, as its text; None when it does not say."""
    member = container.members.rows[0]
    target = RowTarget(Schema(()), container.label(member), container.limits)
    with closing(container.chunks(member)) as chunks:
        next(target.read(chunks), None)
    return target.timestamp


class RowTarget:
    """Turns the parser's calls into events.

    Args:
        schema: Tells the types of the columns.
        file: What messages call the file.
        limits: What the file may ask for.
        tables: How many tables the files before it named.
    """

    def __init__(self, schema: Schema, file: str, limits: Limits = LIMITS, tables: int = 0) -> None:
        self.timestamp: str | None = None
        self.tables = tables
        self._schema = schema
        self._stream = XmlStream(file, limits, self._start_root, self._end)
        self._events: list[PackageEvent] = []
        self._rows = RowReader(self._stream, self._events.append)
        self._table = ""
        self._depth = 0
        self._association: Attributes | None = None
        self._targets: list[str] = []
        self._text: list[str] = []

    def read(self, chunks: Iterator[bytes]) -> Iterator[PackageEvent]:
        """The events of a file, given piece by piece."""
        for chunk in chunks:
            self._stream.feed(chunk)
            yield from self._events
            self._events.clear()
        self._stream.close()
        yield from self._events

    def _start_root(self, tag: str, attributes: Attributes) -> None:
        """Only a data file may be read as one: anything else would look like a package without rows."""
        self._stream.check_attributes(attributes)
        if tag not in _ROOTS:
            self._stream.refuse(
                f"the root is <{tag}>, where a data file has <entities> in no namespace",
                "Give a data package of the Configuration Migration Tool.",
            )
        self._stream.call(self._start, self._end)
        if tag == "entity":
            self._start(tag, attributes)
            return
        self._depth = 1
        self.timestamp = attributes.get("timestamp")
        if extra := kept(attributes, ("timestamp",)):
            self._events.append(PackageStart(extra))

    def _start(self, tag: str, attributes: Attributes) -> None:
        if tag == "record":
            self._require_table("a row")
            self._rows.start_row(attributes)
            return
        if tag in _ROOTS or tag in _FRAME or tag in {"m2mrelationship", "targetid"}:
            self._start_known(tag, attributes)
        elif tag in _MISPLACED:
            self._stream.refuse(f"{_MISPLACED[tag]} stands outside of any row")
        elif tag == "fields" and self._table:
            self._stream.refuse("this is a schema, not the rows of a package", "Give the data package.")
        else:
            self._stream.capture(tag, attributes, self._take_unknown)

    def _start_known(self, tag: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._stream.refuse("elements stand too deep in each other")
        self._stream.check_attributes(attributes)
        if tag == "entity":
            self._start_table(attributes)
        elif tag == "m2mrelationship":
            self._require_table("an association")
            self._association, self._targets = attributes, []
        elif tag == "targetid":
            if self._association is None:
                self._stream.refuse("a <targetid> stands outside of any association")
            self._text = []
            self._stream.call(self._start, self._end, self._text.append)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "targetid":
            self._stream.call(self._start, self._end)
            self._end_target()
        elif tag == "m2mrelationship":
            self._give_association()
            self._association = None
        elif tag == "entity":
            self._table = ""

    def _require_table(self, what: str) -> None:
        if not self._table:
            self._stream.refuse(f"{what} stands outside of any table")

    def _start_table(self, attributes: Attributes) -> None:
        if self._table:
            self._stream.refuse(f"a table stands within table {self._table}")
        self._table = attributes.get("name", "")
        if not self._table:
            self._stream.refuse("an <entity> has no name")
        self.tables += 1
        if self.tables > self._stream.limits.tables:
            raise self._stream.limits.exceeded("tables", self._stream.place, "there are more than {} tables")
        self._rows.start_table(self._table, self._schema.table(self._table))
        extra = kept(attributes, ("name", "displayname"))
        self._events.append(TableStart(self._table, attributes.get("displayname"), extra))

    def _take_unknown(self, xml: str) -> None:
        self._events.append(Unknown(self._table, xml))

    def _end_target(self) -> None:
        self._targets.append(self._guid("".join(self._text), "a target"))
        if len(self._targets) >= _MOST_TARGETS:
            self._give_association()
            self._targets = []

    def _give_association(self) -> None:
        """Give what is known of the association that ends here, or goes on."""
        attributes = self._association
        if attributes is None:  # an association within another has ended it
            self._stream.refuse("an association stands within another")
        relationship = attributes.get("m2mrelationshipname", "")
        if not relationship:
            self._stream.refuse(
                f"an association of {self._table} does not name its relationship",
                "Add m2mrelationshipname, or export the package again.",
            )
        source = self._guid(attributes.get("sourceid", ""), "the source")
        extra = kept(attributes, _ASSOCIATION)
        self._events.append(
            Association(
                relationship,
                self._table,
                source,
                attributes.get("targetentityname", ""),
                tuple(self._targets),
                attributes.get("targetentitynameidfield"),
                extra,
            )
        )

    def _guid(self, text: str, what: str) -> str:
        guid = canonical_guid(text)
        if guid is None:
            relationship = (self._association or {}).get("m2mrelationshipname", "")
            self._stream.refuse(
                f"table {self._table}: {what} of {relationship[:60]} is no guid: {text[:60]!r}",
                "Mend the id, or export the package again.",
            )
        return guid
