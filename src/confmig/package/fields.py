"""The fields of data.xml: how the values of a column are written, made ready once for all rows of a table."""

from collections.abc import Callable, Iterator
from functools import partial

from confmig.model.values import PARTY_ROLES, ZERO_ID, ColumnType, FileRef, Lookup, Parties, Party, Value
from confmig.package.formatting import (
    FORMATTERS,
    attributes_text,
    encode_attribute,
    escape_name,
    escape_xml,
    format_value,
    require_guid,
)
from confmig.package.text import shown

FieldWriter = Callable[[Value, str], str]
"""Gives the field of a value; the second argument is text within the tag, of attributes that a reader did not know.

It raises ValueError where what was written would be read as something else; the message is a sentence without its
subject.
"""

_NOT_ONE_TEXT = {Lookup, Parties, FileRef, type(None)}


def field_writer(column: str, kind: ColumnType) -> FieldWriter:
    """What writes the fields of a column."""
    head = f'\r\n        <field name="{escape_name(column)}" value="'
    text_of = _attribute_writer(kind)

    def write(value: Value, unknown: str) -> str:
        if value.__class__ in _NOT_ONE_TEXT:
            return _compound_field(head, column, kind, value, unknown)
        return f'{head}{text_of(value)}"{unknown} />'

    return write


def _attribute_writer(kind: ColumnType) -> Callable[[Value], str]:
    """What gives the text of a value as it stands in an attribute; only texts have anything to escape."""
    if kind in {ColumnType.STRING, ColumnType.UNKNOWN}:
        return lambda value: encode_attribute(value) if isinstance(value, str) else format_value(kind, value)
    if kind is ColumnType.IMAGE:
        return lambda value: escape_xml(format_value(kind, value))
    return FORMATTERS.get(kind) or partial(_refuse, kind)


def _refuse(kind: ColumnType, value: Value) -> str:
    raise ValueError(f"is no {kind}: {shown(str(value))}")


def _compound_field(head: str, column: str, kind: ColumnType, value: Value, unknown: str) -> str:
    """The field of a value that is not one text. A reader knows lookups and parties in columns of any type."""
    if value is None:
        return f'{head}"{unknown} />'
    if isinstance(value, Lookup):
        return f"{head}{_lookup_text(value)}{unknown} />"
    if isinstance(value, Parties):
        if not value.parties:
            return f'{head}"{unknown} />'
        parties = "".join(_party_text(party, PARTY_ROLES.get(column)) for party in value.parties)
        return f'{head}" lookupentity="" lookupentityname=""{unknown}>{parties}\r\n        </field>'
    if isinstance(value, FileRef) and kind is ColumnType.FILE:
        named = f' filename="{escape_name(value.name)}"' if value.name is not None else ""
        return f'{head}{require_guid(value.id)}"{named}{unknown} />'
    return _refuse(kind, value)


def _lookup_text(lookup: Lookup) -> str:
    """The attributes of a lookup, from within the first of them on."""
    if not lookup.table:
        raise ValueError(f"does not say to which table the id {lookup.id} belongs")
    name = "" if lookup.name is None else f' lookupentityname="{escape_xml(lookup.name)}"'
    return f'{require_guid(lookup.id)}" lookupentity="{escape_name(lookup.table)}"{name}'


def _party_text(party: Party, usual_role: int | None) -> str:
    extra = dict(party.extra)
    fields = "".join(
        f'\r\n            <field name="{escape_xml(name)}" value="{_party_value(value)}'
        f"{attributes_text(extra.get(name, ()))} />"
        for name, value in _party_columns(party, usual_role)
    )
    opening = f'<activitypointerrecords id="{require_guid(party.id or ZERO_ID)}"{attributes_text(extra.get("", ()))}>'
    return f"\r\n          {opening}{fields}\r\n          </activitypointerrecords>"


def _party_columns(party: Party, usual_role: int | None) -> Iterator[tuple[str, Value]]:
    """The columns of a party; who takes part and as what stands among them, also where the party alone says it."""
    named = dict(party.columns)
    if party.party is not None and "partyid" not in named:
        yield "partyid", party.party
    yield from party.columns
    if party.role not in {None, usual_role} and "participationtypemask" not in named:
        yield "participationtypemask", str(party.role)


def _party_value(value: Value) -> str:
    """A value to the end of its attributes: a package has no types for the columns of parties."""
    if isinstance(value, Lookup):
        return _lookup_text(value)
    return f'{encode_attribute("" if value is None else str(value))}"'
