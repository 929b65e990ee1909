"""The values that a column can hold, and when two of them are equal.

A value is plain Python data. Which Python type stands for which column type:

    string, guid, imagedata      str (a guid in lower case with dashes; an image as base64)
    number, bigint, a choice,
    state, status                int
    decimal, money               Decimal, with the digits as they were read
    float                        float
    bool                         bool
    datetime                     datetime or Moment, aware when it names a moment in UTC, naive without a time zone
    entityreference, owner       Lookup
    optionsetvaluecollection     Choices
    partylist                    Parties
    filedata                     FileRef; in plans FileContent

An absent value is None.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

ZERO_ID = "00000000-0000-0000-0000-000000000000"


class ColumnType(StrEnum):
    """The type of a column, named by the word that data packages use for it."""

    BIGINT = "bigint"
    NUMBER = "number"
    BOOL = "bool"
    DATETIME = "datetime"
    DECIMAL = "decimal"
    FLOAT = "float"
    MONEY = "money"
    CHOICE = "optionsetvalue"
    CHOICES = "optionsetvaluecollection"
    STATE = "state"
    STATUS = "status"
    STRING = "string"
    GUID = "guid"
    OWNER = "owner"
    LOOKUP = "entityreference"
    PARTIES = "partylist"
    IMAGE = "imagedata"
    FILE = "filedata"
    UNKNOWN = "unknown"


class Moment(datetime):
    """A date and time finer than Python's: .NET counts tenths of a microsecond.

    ``tenth`` is the seventh digit of the second's fraction. Only reading and writing know it: the service keeps whole
    seconds [inferred], so nothing is compared or moved by it.
    """

    tenth: int = 0

    @classmethod
    def of(cls, moment: datetime, tenth: int) -> "Moment":
        """The moment with this seventh digit."""
        fine = cls.combine(moment.date(), moment.timetz())
        fine.tenth = tenth
        return fine


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reference to a row.

    ``name`` is the row's primary name as the environment gave it: for people and for matching, never part of the value.
    """

    table: str
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The chosen options of a multi-select choice, in the order in which they were read."""

    options: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Party:
    """One party of an activity: who takes part, as what (``role``, the participation type), and all columns.

    ``columns`` holds what a package or an environment says of the activityparty row, in its order. ``extra`` keeps the
    attributes that a reader did not know, by column, those of the party itself under an empty name.
    """

    party: Lookup | None
    role: int | None
    columns: tuple[tuple[str, "Value"], ...] = ()
    id: str | None = None
    extra: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def address(self) -> str:
        """The e-mail address that was used; of a party that is no row, all that there is."""
        return str(dict(self.columns).get("addressused") or "")


@dataclass(frozen=True, slots=True)
class Parties:
    """The parties in one party list column of an activity."""

    parties: tuple[Party, ...]


PARTY_ROLES = {
    # https://learn.microsoft.com/power-apps/developer/data-platform/activityparty-entity
    "from": 1,
    "to": 2,
    "cc": 3,
    "bcc": 4,
    "requiredattendees": 5,
    "optionalattendees": 6,
    "organizer": 7,
    "resources": 10,
    "customer": 11,
    "customers": 11,
    "partner": 12,
    "partners": 12,
}
"""The participation type of each party list column."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file column: the file's id and name; the bytes travel beside the rows."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file that was looked at, as a plan names it: the bytes stay in the package and in the environment.

    ``id`` finds them there. ``sha256`` is None where the size told already that two files differ.
    """

    id: str
    name: str
    size: int
    sha256: str | None = None


Value = None | str | int | float | Decimal | bool | datetime | Lookup | Choices | Parties | FileRef | FileContent


def ids_in(text: str) -> set[str]:
    """The ids that stand within a text, as in JSON or HTML; in lower case."""
    return set(_GUID.findall(text.lower()))


def is_guid(text: str) -> bool:
    """Whether a text is a guid in lower case with dashes and without braces."""
    return _GUID.fullmatch(text) is not None


def canonical_guid(text: str) -> str | None:
    """The guid in lower case with dashes and without braces, or None when the text is no guid."""
    guid = text.strip().strip("{}").lower()
    if _GUID.fullmatch(guid):
        return guid
    if len(guid) == 32 and re.fullmatch("[0-9a-f]{32}", guid):
        return f"{guid[:8]}-{guid[8:12]}-{guid[12:16]}-{guid[16:20]}-{guid[20:]}"
    return None


def same_value(left: Value, right: Value) -> bool:
    """Whether two values of one column are equal: by value, not by text.

    Numbers are equal regardless of scale, choices as sets, lookups by table and row, parties by who and as what, times
    by the second (the service keeps no fraction [inferred]) with a missing time zone read as UTC, texts exactly. An
    empty text, an empty set and an absent value are the same: the service stores all of them as null.
    """
    if left is right:
        return True
    if left is None or right is None:
        return _is_empty(left) and _is_empty(right)
    if isinstance(left, Lookup):
        return isinstance(right, Lookup) and (left.table, left.id) == (right.table, right.id)
    if isinstance(left, Choices):
        return isinstance(right, Choices) and set(left.options) == set(right.options)
    if isinstance(left, Parties):
        return isinstance(right, Parties) and _party_set(left) == _party_set(right)
    if isinstance(left, FileRef):
        return isinstance(right, FileRef) and left.id == right.id
    if isinstance(left, FileContent):
        return isinstance(right, FileContent) and _same_content(left, right)
    if isinstance(left, datetime):
        return isinstance(right, datetime) and _moment(left) == _moment(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        return _as_float(left) == _as_float(right)
    return left == right


def plain_form(value: Value) -> Value:
    """A form in which equal values look alike, so that they can be keys: see ``same_value``."""
    match value:
        case "" | Choices(options=()) | Parties(parties=()):
            return None
        case Lookup(table, row_id):
            return Lookup(table, row_id)
        case Choices(options):
            return Choices(tuple(sorted(set(options))))
        case Parties():
            return repr(_party_set(value))
        case datetime():
            return _moment(value)
        case Decimal():
            return value.normalize()
        case FileRef(file_id):
            return FileRef(file_id, None)
        case _:
            return value


def _is_empty(value: Value) -> bool:
    match value:
        case None | "":
            return True
        case Choices(options):
            return not options
        case Parties(parties):
            return not parties
        case _:
            return False


def _same_content(left: FileContent, right: FileContent) -> bool:
    if left.sha256 is None or right.sha256 is None:
        return (left.id, left.name, left.size) == (right.id, right.name, right.size)
    return (left.name, left.sha256) == (right.name, right.sha256)


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.replace(microsecond=0)


def _as_float(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) else None


def _party_set(value: Parties) -> list[tuple[str, str, int]]:
    return sorted((*_who(party), party.role or 0) for party in value.parties)


def _who(party: Party) -> tuple[str, str]:
    """Who takes part: a row, or where there is none an address."""
    if party.party is not None:
        return party.party.table, party.party.id
    return "", party.address
