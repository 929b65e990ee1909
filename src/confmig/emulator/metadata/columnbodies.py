"""Columns as bodies describe them: AttributeMetadata read into columns.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-column-definitions-using-web-api
"""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from confmig.emulator.catalog.model import Column, OptionSet
from confmig.emulator.errors import ServiceError, invalid_metadata
from confmig.emulator.metadata.choicebodies import bound_option_set, read_options, read_two_options
from confmig.emulator.metadata.choices import Json
from confmig.emulator.metadata.labels import merged, read_flag, read_label, read_number, read_text, read_value, type_of

_TYPES = frozenset(
    {
        "BigInt", "Boolean", "DateTime", "Decimal", "Double", "File", "Image", "Integer", "Lookup", "Memo", "Money",
        "MultiSelectPicklist", "Picklist", "String",
    }
)  # fmt: skip
"""What clients can make, by the name of the metadata type."""
_LEVELS = frozenset({"None", "Recommended", "ApplicationRequired", "SystemRequired"})
_TEXT_FORMATS = frozenset(
    {
        "Text", "TextArea", "Email", "Url", "Phone", "TickerSymbol", "PhoneticGuide", "VersionNumber", "Json",
        "RichText",
    }
)  # fmt: skip
_DATE_FORMATS = frozenset({"DateOnly", "DateAndTime"})
_WHOLE_FORMATS = frozenset({"None", "Duration", "TimeZone", "Language", "Locale"})
_IME_MODES = frozenset({"Auto", "Inactive", "Active", "Disabled"})
_BEHAVIORS = frozenset({"UserLocal", "DateOnly", "TimeZoneIndependent"})
_LENGTHS = {"String": (100, 4000), "Memo": (2000, 1_048_576)}
_PRECISIONS = {"Decimal": (2, 10), "Double": (2, 5), "Money": (2, 4)}
_FILE_KB = {"File": (32_768, 10_485_760), "Image": (10_240, 30_720)}
"""Default and greatest value of MaxLength, of Precision and of MaxSizeInKB.

https://learn.microsoft.com/power-apps/maker/data-platform/types-of-fields
"""
_GREATEST = 10**19
Change = dict[str, object]


def column_type(body: Json) -> str:
    """The type of the column that a body describes.

    Raises:
        ServiceError: It names none that clients can make.
    """
    named = type_of(body).removesuffix("AttributeMetadata")
    kind = (
        named or str(read_value(body, "AttributeTypeName") or "").removesuffix("Type") or str(body.get("AttributeType"))
    )
    if kind not in _TYPES:
        raise invalid_metadata(f"Attributes of type '{kind}' cannot be created.")
    return kind


def read_column(name: str, body: Json, option_sets: dict[str, OptionSet], *, prefix: int) -> Column:
    """A new column.

    Args:
        name: Its schema name.
        body: Its AttributeMetadata.
        option_sets: The global choices.
        prefix: What option values begin with when none is given.

    Raises:
        ServiceError: A property is wrong.
    """
    kind = column_type(body)
    column = Column(name=name.lower(), schema_name=name, type=kind, custom=True)
    if kind in _LENGTHS:
        column = msgspec.structs.replace(column, max_length=_LENGTHS[kind][0])
    if kind == "DateTime":
        column = msgspec.structs.replace(column, format="DateAndTime")
    if kind in _PRECISIONS:
        column = msgspec.structs.replace(column, precision=_PRECISIONS[kind][0])
    column = changed_column(column, body, merge=False)
    if kind == "Boolean":
        # New rows of which nothing else is said get No.
        default = column.default or 0
        column = msgspec.structs.replace(column, options=read_two_options(body), any_option=False, default=default)
    if kind in ("Picklist", "MultiSelectPicklist"):
        column = _with_options(column, body, option_sets, prefix)
    return column


def _with_options(column: Column, body: Json, option_sets: dict[str, OptionSet], prefix: int) -> Column:
    shared = bound_option_set(body, option_sets)
    if shared is not None:
        return msgspec.structs.replace(column, option_set=shared.name, options=shared.options, any_option=False)
    return msgspec.structs.replace(column, options=read_options(body, prefix=prefix), any_option=False)


def changed_column(column: Column, body: Json, *, merge: bool) -> Column:
    """A column with what a body says of it; what the body leaves out stays.

    The type and the names of a column never change, and options have actions of their own.

    Raises:
        ServiceError: A property is wrong.
    """
    change: Change = {}
    label = read_label(body, "DisplayName")
    if label is not None:
        change |= {"display_name": label.text, "translations": merged(column.translations, label, merge=merge)}
    description = read_label(body, "Description")
    if description is not None:
        change["description"] = description.text
    level = read_value(body, "RequiredLevel")
    if level is not None:
        _check_member("RequiredLevel", level, _LEVELS)
        if not column.required:
            change["level"] = "ApplicationRequired" if level == "SystemRequired" else level
    ime_mode = read_text(body, "ImeMode")
    if ime_mode is not None:
        _check_member("ImeMode", ime_mode, _IME_MODES)
        change["ime_mode"] = ime_mode
    secured = read_flag(body, "IsSecured")
    if secured is not None:
        change["secured"] = secured
    reader = _READERS.get(column.type)
    if reader is not None:
        change |= reader(column.type, body)
    new: Column = msgspec.structs.replace(column, **change)
    if new.min_value is not None and new.max_value is not None and Decimal(new.min_value) > Decimal(new.max_value):
        raise invalid_metadata("The minimum value must be less than the maximum value.")
    return new


def _wrong(name: str, value: object) -> ServiceError:
    return invalid_metadata(f"The value '{value}' of the property '{name}' is not valid.")


def _check_member(name: str, value: object, members: frozenset[str]) -> None:
    """Refuse a value that is no member of an enumeration."""
    if not isinstance(value, str) or value not in members:
        raise _wrong(name, value)


def _within(body: Json, name: str, greatest: int, least: int = 1) -> int | None:
    number = read_number(body, name)
    if number is not None and not least <= number <= greatest:
        raise _wrong(name, number)
    return number


def _text(kind: str, body: Json) -> Change:
    change: Change = {}
    length = _within(body, "MaxLength", _LENGTHS[kind][1])
    if length is not None:
        change["max_length"] = length
    shape = read_value(body, "FormatName") or body.get("Format")
    if shape is not None:
        _check_member("FormatName", shape, _TEXT_FORMATS)
        change["format"] = shape
    number = read_text(body, "AutoNumberFormat")
    if number is not None:
        change["auto_number"] = number
    return change


def _date(_: str, body: Json) -> Change:
    change: Change = {}
    for name, field, known in (
        ("Format", "format", _DATE_FORMATS),
        ("DateTimeBehavior", "behavior", _BEHAVIORS),
    ):
        value = read_value(body, name)
        if value is not None:
            _check_member(name, value, known)
            change[field] = value
    if change.get("behavior") == "DateOnly":
        change["format"] = "DateOnly"
    return change


def _limits(body: Json) -> Change:
    change: Change = {}
    for name, field in (("MinValue", "min_value"), ("MaxValue", "max_value")):
        value = body.get(name)
        if value is not None:
            change[field] = _digits(name, value)
    return change


def _digits(name: str, value: object) -> str:
    """A number as its digits, without an exponent."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(name, value)
    number = Decimal(value)
    if abs(number) > _GREATEST:
        raise _wrong(name, value)
    return f"{number:f}"


def _whole(kind: str, body: Json) -> Change:
    change = _limits(body)
    shape = read_text(body, "Format")
    if kind == "Integer" and shape is not None:
        _check_member("Format", shape, _WHOLE_FORMATS)
        change["format"] = shape
    return change


def _number(kind: str, body: Json) -> Change:
    change = _limits(body)
    precision = _within(body, "Precision", _PRECISIONS[kind][1], 0)
    if precision is not None:
        change["precision"] = precision
    source = _within(body, "PrecisionSource", 2, 0) if kind == "Money" else None
    if source is not None:
        change["precision_source"] = source
    return change


def _boolean(_: str, body: Json) -> Change:
    default = read_flag(body, "DefaultValue")
    return {} if default is None else {"default": int(default)}


def _choice(_: str, body: Json) -> Change:
    default = read_number(body, "DefaultFormValue")
    return {} if default is None else {"default": None if default == -1 else default}


def _file(kind: str, body: Json) -> Change:
    change: Change = {}
    size = read_number(body, "MaxSizeInKB")
    if size is not None:
        greatest = _FILE_KB[kind][1]
        if not 0 < size <= greatest:
            text = f"Invalid size for file type attribute. Valid size should be between [0-{greatest}] KB"
            raise ServiceError(400, "0x80090009", text)
        change["max_size_kb"] = size
    for name, field in (("IsPrimaryImage", "primary_image"), ("CanStoreFullImage", "full_image")):
        flag = read_flag(body, name) if kind == "Image" else None
        if flag is not None:
            change[field] = flag
    return change


_READERS: dict[str, Callable[[str, Json], Change]] = {
    "String": _text,
    "Memo": _text,
    "DateTime": _date,
    "Integer": _whole,
    "BigInt": _whole,
    "Decimal": _number,
    "Double": _number,
    "Money": _number,
    "Boolean": _boolean,
    "Picklist": _choice,
    "MultiSelectPicklist": _choice,
    "File": _file,
    "Image": _file,
}
