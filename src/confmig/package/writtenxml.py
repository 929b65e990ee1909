"""A package read as its texts, with lines: for lint, which must see what a reader of values drops or refuses."""

from collections.abc import Iterator
from contextlib import closing
from typing import NoReturn

from confmig.model.written import (
    WrittenEvent,
    WrittenPairs,
    WrittenRow,
    WrittenStart,
    WrittenTable,
    WrittenValue,
)
from confmig.package.container import Container
from confmig.package.xmlstream import Attributes, XmlStream

_FRAME = {"entities", "records", "m2mrelationships", "targetids"}


def read_written(container: Container) -> Iterator[WrittenEvent]:
    """All tables, rows and associations of a package as they are written, in the order of its files.

    Memory does not grow with the package.

    Raises:
        PackageError: Broken XML, a damaged file, or elements that stand where no package has them.
    """
    for member in container.members.rows:
        target = _Target(container, member)
        with closing(container.chunks(member)) as chunks:
            for chunk in chunks:
                target.stream.feed(chunk)
                yield from target.take()
        target.stream.close()
        yield from target.take()


class _Target:
    """Turns the parser's calls into events; they are taken from it after each piece of the file."""

    def __init__(self, container: Container, member: str) -> None:
        self.stream = XmlStream(container.label(member), container.limits, self._start, self._end, self._data)
        self._member = member
        self._events: list[WrittenEvent] = []
        self._foreign = 0
        self._table = ""
        self._begun = False
        self._row: tuple[Attributes, int] | None = None
        self._values: list[WrittenValue] = []
        self._party: list[WrittenValue] | None = None
        self._parties: list[tuple[WrittenValue, ...]] = []
        self._pairs: tuple[Attributes, int] | None = None
        self._targets: list[str] = []
        self._text: list[str] | None = None

    def take(self) -> list[WrittenEvent]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def _line(self) -> int:
        return self.stream.line

    def _refuse(self, what: str) -> NoReturn:
        self.stream.refuse(what)

    def _start(self, tag: str, attributes: Attributes) -> None:
        self.stream.check_attributes(attributes)
        if not self._begun:
            self._start_root(tag, attributes)
        if self._foreign:
            self._foreign += 1
        elif tag == "field":
            self._start_value(attributes)
        elif tag == "record":
            self._require_table("a row")
            self._row, self._values = (attributes, self._line()), []
        elif tag == "entity":
            self._table = attributes.get("name", "") or self._refuse("an <entity> has no name")
            self._events.append(WrittenTable(self._table, self._member, self._line()))
        elif tag == "activitypointerrecords":
            if not self._values:
                self._refuse(f"parties of {self._table} stand outside a <field>")
            self._party = []
        elif tag == "m2mrelationship":
            self._require_table("an association")
            self._pairs, self._targets = (attributes, self._line()), []
        elif tag == "targetid":
            self._text = []
        elif tag == "fields" and self._row is None:
            self._refuse("this is a schema, not the rows of a package")
        elif tag not in _FRAME:
            self._foreign = 1

    def _start_root(self, tag: str, attributes: Attributes) -> None:
        self._begun = True
        if tag not in {"entities", "entity"}:
            self._refuse(f"the root is <{tag}>, where a data file has <entities>")
        self._events.append(WrittenStart(attributes.get("timestamp"), self._member, self._line()))

    def _require_table(self, what: str) -> None:
        if not self._table:
            self._refuse(f"{what} stands outside of any table")

    def _start_value(self, attributes: Attributes) -> None:
        get = attributes.get
        if not get("name"):
            self._refuse(f"a <field> of {self._table} has no name")
        if self._row is None:
            self._refuse(f"a <field> of {self._table} stands outside a <record>")
        value = WrittenValue(
            attributes["name"], get("value", ""), self._line(), get("lookupentity"), get("lookupentityname")
        )
        (self._values if self._party is None else self._party).append(value)

    def _data(self, text: str) -> None:
        if self._text is not None and not self._foreign:
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if self._foreign:
            self._foreign -= 1
        elif tag == "field":
            if self._parties and self._party is None:
                self._values[-1] = self._values[-1]._replace(parties=tuple(self._parties))
                self._parties = []
        elif tag == "record":
            self._end_row()
        elif tag == "activitypointerrecords":
            self._parties.append(tuple(self._party or ()))
            self._party = None
        elif tag == "targetid":
            self._targets.append("".join(self._text or ()))
            self._text = None
        elif tag == "m2mrelationship":
            self._end_pairs()
        elif tag == "entity":
            self._table = ""

    def _end_row(self) -> None:
        assert self._row is not None  # noqa: S101  # the parser keeps elements balanced
        attributes, line = self._row
        self._events.append(
            WrittenRow(
                self._table,
                attributes.get("id", ""),
                tuple(self._values),
                self._member,
                line,
                attributes.get("newId", ""),
            )
        )
        self._row = None

    def _end_pairs(self) -> None:
        assert self._pairs is not None  # noqa: S101  # the parser keeps elements balanced
        attributes, line = self._pairs
        self._events.append(
            WrittenPairs(
                self._table,
                attributes.get("m2mrelationshipname", ""),
                attributes.get("sourceid", ""),
                attributes.get("targetentityname", ""),
                attributes.get("targetentitynameidfield", ""),
                tuple(self._targets),
                self._member,
                line,
            )
        )
        self._pairs = None
