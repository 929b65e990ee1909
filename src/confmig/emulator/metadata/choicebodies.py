"""Options as bodies describe them."""

from collections.abc import Iterable

from confmig.emulator.catalog.model import Option, OptionSet
from confmig.emulator.errors import ServiceError, bad_request, metadata_missing, option_set_wrong
from confmig.emulator.metadata.choices import Json, set_id
from confmig.emulator.metadata.labels import objects, read_label, read_number, read_text
from confmig.emulator.wire.urls import Segment, split_path, unquote_literal

DEFAULT_TWO = (Option(0, "No"), Option(1, "Yes"))


def read_options(body: Json, *, prefix: int) -> tuple[Option, ...]:
    """The options of a local choice.

    Args:
        body: The AttributeMetadata of the column.
        prefix: The publisher's prefix for option values, with which a value begins that the body leaves out.

    Raises:
        ServiceError: There are none, or two have the same value.
    """
    choices = body.get("OptionSet")
    if not isinstance(choices, dict):
        raise option_set_wrong("OptionSet is not specified for the attribute.")
    if choices.get("IsGlobal") is True:
        # https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-optionsets
        raise option_set_wrong(
            "Only Local option set can be created through the attribute create. IsGlobal flag must be set to 'false'."
        )
    return listed_options(choices, prefix=prefix)


def listed_options(choices: Json, *, prefix: int) -> tuple[Option, ...]:
    """The options of an OptionSetMetadata; see ``read_options``."""
    options: list[Option] = []
    for one in objects(choices, "Options"):
        option = read_option(one, next_value(options, prefix))
        if any(option.value == other.value for other in options):
            raise option_set_wrong(f"The option value {option.value} is specified more than once.")
        options.append(option)
    return tuple(options)


def next_value(options: Iterable[Option], prefix: int) -> int:
    """The value of a new option that brings none: one above the last that has the publisher's prefix."""
    first = prefix * 10_000
    return max((option.value + 1 for option in options if first <= option.value < first + 10_000), default=first)


def read_option(body: Json, value: int) -> Option:
    """One option.

    Args:
        body: Its OptionMetadata.
        value: Its value when the body gives none.

    Raises:
        ServiceError: A property is wrong.
    """
    given = read_number(body, "Value")
    label, description = read_label(body, "Label"), read_label(body, "Description")
    return Option(
        value=value if given is None else given,
        label=label.text if label else "",
        translations=label.translations if label else (),
        description=description.text if description else "",
        color=read_text(body, "Color"),
        external_value=read_text(body, "ExternalValue") or "",
    )


def read_two_options(body: Json) -> tuple[Option, ...]:
    """The two options of a Boolean, of which either may be left out.

    Raises:
        ServiceError: An option has another value than 0 or 1.
    """
    choices = body.get("OptionSet")
    return two_options(choices if isinstance(choices, dict) else {})


def two_options(choices: Json) -> tuple[Option, ...]:
    """The options of a BooleanOptionSetMetadata; see ``read_two_options``."""
    options = []
    for name, usual in zip(("FalseOption", "TrueOption"), DEFAULT_TWO, strict=True):
        given = choices.get(name)
        option = read_option(given, usual.value) if isinstance(given, dict) else usual
        if option.value != usual.value:
            text = "Boolean attribute options must have a value of either 0 or 1."
            raise ServiceError(400, "0x8004431C", text)
        options.append(option)
    return tuple(options)


def bound_option_set(body: Json, option_sets: dict[str, OptionSet]) -> OptionSet | None:
    """The global choice that ``GlobalOptionSet@odata.bind`` names, by id or name; None when nothing is bound.

    Raises:
        ServiceError: There is no such choice.
    """
    reference = body.get("GlobalOptionSet@odata.bind")
    if reference is None:
        return None
    segments = split_path(reference.rpartition("/")[2]) if isinstance(reference, str) else []
    if len(segments) != 1 or segments[0].name != "GlobalOptionSetDefinitions" or segments[0].key is None:
        raise bad_request(
            "The value of 'GlobalOptionSet@odata.bind' is not a reference to a GlobalOptionSetDefinition."
        )
    return named_option_set(segments[0], option_sets)


def named_option_set(segment: Segment, option_sets: dict[str, OptionSet]) -> OptionSet:
    """The global choice that a URL names, by its MetadataId or its Name.

    Raises:
        ServiceError: There is no such choice.
    """
    if segment.guid is not None:
        found = next((one for one in option_sets.values() if set_id(one) == segment.guid), None)
    else:
        found = option_sets.get(unquote_literal(segment.parts.get("Name", "''")))
    if found is None:
        raise metadata_missing("an option set", segment.key or "")
    return found
