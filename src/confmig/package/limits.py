"""What a package may ask of its reader: beyond these limits it is refused as hostile."""

import re
from dataclasses import dataclass, fields, replace

from confmig.errors import PackageError, UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one reading; each can be set by its name.

    ``ratio``: how many times its packed size a member of a zip may have. Deflate cannot do more than 1,032 times; real
    packages have up to 40 [corpus], rows that are all but equal some 100. ``size``: bytes of all members together.
    ``value``: characters of one value, or of a piece of XML that we do not know. ``tables``: how many of them a schema
    or the data may name.
    """

    ratio: int = 250
    size: int = 20 * 1024**3
    value: int = 8 * 1024**2
    tables: int = 10_000

    def exceeded(self, limit: str, where: str, what: str) -> PackageError:
        """The refusal of what is beyond a limit: it names the limit and how to raise it.

        Args:
            limit: The name of the limit.
            where: The file, with the line where there is one.
            what: What is too large, with ``{}`` for the number of the limit.
        """
        number: int = getattr(self, limit)
        return PackageError(
            f"{where}: {what.format(f'{number:,}')} (limit: {limit}).",
            f"If you trust where it comes from, allow more: --package-limits {limit}=NUMBER.",
        )


LIMITS = Limits()
"""The limits where nobody has set others."""

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_NUMBER = re.compile(r"([0-9]{1,15})\s*(?:([KMGT]?)(?:i?B)?)?", re.IGNORECASE)
_NAMES = tuple(field.name for field in fields(Limits))


def parse_limits(text: str | None) -> Limits:
    """The limits that an option gives, as ``ratio=500,size=40GB,value=16MB,tables=20000``; others keep their default.

    Raises:
        UsageError: It names another limit, or one twice, or gives no positive whole number.
    """
    found: dict[str, int] = {}
    for part in (text or "").split(",") if text else ():
        name, _, number = (word.strip() for word in part.partition("="))
        match = _NUMBER.fullmatch(number)
        value = int(match[1]) * _UNITS[(match[2] or "").upper()] if match else 0
        if name not in _NAMES or name in found or value == 0:
            raise UsageError(
                f"--package-limits: {part.strip()[:60]!r} is no limit, or stands there twice.",
                "Give some of ratio=NUMBER, size=BYTES, value=CHARACTERS and tables=NUMBER, with commas between;"
                " KB, MB and GB may follow a number.",
            )
        found[name] = value
    return replace(LIMITS, **found)
