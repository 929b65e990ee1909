"""A value of an image column that is not base64."""

import binascii
from collections.abc import Iterable

from confmig.checking.findings import Finding, Severity
from confmig.checking.rules.rule import RowRule, Rule, named, quoted
from confmig.model.schema import Column
from confmig.model.values import ColumnType
from confmig.model.written import WrittenRow, WrittenValue


class ImageWrong(RowRule):
    """Looks at images."""

    rule = Rule(
        "image-wrong",
        Severity.ERROR,
        "The service refuses the row that has it [inferred].",
        "TALXIS tools-cli, commit 5c45c8d: images are written as they stand",
    )

    def wants(self, column: Column) -> bool:
        """Image columns."""
        return column.type is ColumnType.IMAGE

    def value(self, row: WrittenRow, value: WrittenValue, column: Column) -> Iterable[Finding]:
        """Whether the text can be decoded."""
        try:
            binascii.a2b_base64("".join(value.text.split()), strict_mode=True)
        except ValueError:
            message = f"{named(row)}: {column.name} holds no base64: {quoted(value.text)}."
            yield self.of_row(row, message, "Export the image again.", value)
