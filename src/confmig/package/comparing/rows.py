"""One row of a package and the row of the same id in the other one, column by column."""

from collections.abc import Iterator
from dataclasses import replace

from confmig.model.codec import encode_value
from confmig.model.records import Record
from confmig.model.values import FileRef, Value, same_value
from confmig.package.comparing.contents import Copies
from confmig.package.comparing.differences import Difference, Kind
from confmig.package.comparing.payloads import Payloads
from confmig.package.formatting import attributes_text
from confmig.package.sorting import decode_record


class RowComparison:
    """Compares what two packages say of one row."""

    def __init__(self, left_files: Payloads, right_files: Payloads, *, exact: bool) -> None:
        self._files = left_files, right_files
        self._exact = exact

    def compare(self, table: str, row: str, name: str, left: Copies, right: Copies) -> Iterator[Difference]:
        """The differences of one row that both packages have.

        A row that stands twice counts as one with the columns of both; that it does is a difference of its own, since
        CMT imports each copy and leaves out lookups to the row.
        """
        before, after = decode_record(left.body), decode_record(right.body)
        found = False
        for difference in self._compare_all(table, row, before, after, left, right):
            found = True
            yield replace(difference, name=name)
        if self._exact and not found and not left.same_as(right) and left.count > 1:
            yield Difference(Kind.FORM, table, row, aspect="how its copies share the columns", name=name)

    def _compare_all(
        self, table: str, row: str, before: Record, after: Record, left: Copies, right: Copies
    ) -> Iterator[Difference]:
        if left.count != right.count:
            yield Difference(Kind.CHANGED, table, row, "", left.count, right.count, "copies of the row")
        for column in sorted(before.values.keys() | after.values.keys()):
            yield from self._compare_values(table, row, column, before.values.get(column), after.values.get(column))
        if self._exact and before.extra != after.extra:
            for place in sorted(before.extra.keys() | after.extra.keys()):
                yield from _compare_extra(table, row, place, before, after)

    def _compare_values(self, table: str, row: str, column: str, before: Value, after: Value) -> Iterator[Difference]:
        if isinstance(before, FileRef) and isinstance(after, FileRef):
            yield from self._compare_files(table, row, column, before, after)
        elif not same_value(before, after):
            yield Difference(Kind.CHANGED, table, row, column, before, after)
        elif self._exact and encode_value(before) != encode_value(after):
            yield Difference(Kind.FORM, table, row, column, before, after)

    def _compare_files(
        self, table: str, row: str, column: str, before: FileRef, after: FileRef
    ) -> Iterator[Difference]:
        """Two files are the same when name and bytes are: the id is only where the bytes lie."""
        texts = self._files[0].describe(before.id), self._files[1].describe(after.id)
        if before.name != after.name or (not any(texts) and before.id != after.id):
            yield Difference(Kind.CHANGED, table, row, column, before, after)
        elif self._exact and before.id != after.id:
            yield Difference(Kind.FORM, table, row, column, before.id, after.id, "id of the file")
        if texts[0] != texts[1]:
            yield Difference(Kind.CHANGED, table, row, column, texts[0] or None, texts[1] or None, "bytes of the file")


def _compare_extra(table: str, row: str, place: str, before: Record, after: Record) -> Iterator[Difference]:
    texts = [
        "".join(xml for _, xml in record.extra.get(place, ()))
        if place == "<>"
        else attributes_text(sorted(record.extra.get(place, ()))).strip()
        for record in (before, after)
    ]
    if texts[0] != texts[1] or before.extra.get(place) != after.extra.get(place):
        column, aspect = ("", "elements") if place == "<>" else (place, "attributes")
        yield Difference(Kind.FORM, table, row, column, texts[0] or None, texts[1] or None, aspect)
