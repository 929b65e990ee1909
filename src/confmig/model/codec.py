"""Values as JSON and back, for the files that we keep ourselves: plans, runs, sorted spills."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import cast

import msgspec

from confmig.model.values import Choices, FileContent, FileRef, Lookup, Moment, Parties, Party, Value

Coded = None | str | int | bool | list["Coded"]
"""JSON without objects: a tagged value is a list that begins with its tag."""

_PLAIN = {type(None), str, int, bool}


def encode_values(values: Mapping[str, Value]) -> str:
    """Columns and values as one line of JSON, the columns in order of their names."""
    coded = {name: encode_value(values[name]) for name in sorted(values)}
    return msgspec.json.encode(coded).decode()


def decode_values(text: str) -> dict[str, Value]:
    """The reverse of ``encode_values``."""
    coded: dict[str, Coded] = msgspec.json.decode(text)
    return {name: decode_value(value) for name, value in coded.items()}


def plain_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values without the names that lookups carry for people."""
    return {name: _without_name(value) for name, value in values.items()}


def _without_name(value: Value) -> Value:
    if isinstance(value, Lookup):
        return Lookup(value.table, value.id)
    if isinstance(value, Parties):
        return Parties(tuple(_plain_party(party) for party in value.parties))
    return value


def _plain_party(party: Party) -> Party:
    """Who takes part, and as what: a row, or where there is none an address, which is what is written then."""
    if party.party is None:
        return Party(None, party.role, (("addressused", party.address),))
    return Party(Lookup(party.party.table, party.party.id), party.role)


def encode_value(value: Value) -> Coded:
    """One value as JSON; it keeps all there is, the digits of a number and the names of lookups among it."""
    if type(value) in _PLAIN:  # most values are: no need to ask for the others first
        return cast("Coded", value)
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return ["f", repr(value)]
        case Decimal():
            return ["d", str(value)]
        case Moment():
            return ["t", value.isoformat(), value.tenth]
        case datetime():
            return ["t", value.isoformat()]
        case Lookup(table, row_id, name):
            return ["l", table, row_id, name]
        case Choices(options):
            return ["c", *options]
        case FileRef(file_id, name):
            return ["b", file_id, name]
        case FileContent(file_id, name, size, sha256):
            return ["h", file_id, name, size, sha256]
        case Parties(parties):
            return ["p", *(_encode_party(party) for party in parties)]


def _encode_party(party: Party) -> Coded:
    columns: list[Coded] = [[name, encode_value(value)] for name, value in party.columns]
    extra: list[Coded] = [[name, [[key, text] for key, text in pairs]] for name, pairs in party.extra]
    return [encode_value(party.party), party.role, party.id, columns, *([extra] if extra else [])]


def decode_value(coded: Coded) -> Value:
    """The reverse of ``encode_value``."""
    if not isinstance(coded, list):
        return coded
    tag, *rest = coded
    match tag:
        case "f":
            return float(str(rest[0]))
        case "d":
            return Decimal(str(rest[0]))
        case "t":
            moment = datetime.fromisoformat(str(rest[0]))
            return Moment.of(moment, cast("int", rest[1])) if len(rest) > 1 else moment
        case "l":
            return Lookup(str(rest[0]), str(rest[1]), cast("str | None", rest[2]))
        case "c":
            return Choices(tuple(cast("list[int]", rest)))
        case "b":
            return FileRef(str(rest[0]), cast("str | None", rest[1]))
        case "h":
            file_id, name, size, sha256 = rest
            return FileContent(str(file_id), str(name), cast("int", size), cast("str | None", sha256))
        case "p":
            return Parties(tuple(_decode_party(cast("list[Coded]", party)) for party in rest))
        case _:
            raise ValueError(f"unknown tag {tag!r}")


def _decode_party(coded: list[Coded]) -> Party:
    who, role, party_id, columns, *more = coded
    pairs = cast("list[tuple[str, Coded]]", columns)
    return Party(
        cast("Lookup | None", decode_value(who)),
        cast("int | None", role),
        tuple((name, decode_value(value)) for name, value in pairs),
        cast("str | None", party_id),
        tuple(_decode_attributes(item) for item in cast("list[list[Coded]]", more[0] if more else [])),
    )


def _decode_attributes(coded: list[Coded]) -> tuple[str, tuple[tuple[str, str], ...]]:
    name, pairs = coded
    return str(name), tuple((key, text) for key, text in cast("list[tuple[str, str]]", pairs))
