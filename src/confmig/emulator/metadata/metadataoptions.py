"""Query options on metadata: ``$select``, ``$filter`` and ``$expand``, and no other ones.

https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query-metadata-web-api
"""

from collections.abc import Callable, Iterable

from confmig.emulator.errors import bad_query, property_missing
from confmig.emulator.metadata.choices import Json
from confmig.emulator.reading import odata
from confmig.emulator.wire.urls import split_outside

DERIVED = frozenset(
    {
        "Targets", "Format", "FormatName", "MaxLength", "DatabaseLength", "Precision", "PrecisionSource", "MinValue",
        "MaxValue", "CalculationOf", "IsBaseCurrency", "DateTimeBehavior", "CanChangeDateTimeBehavior",
        "MinSupportedValue", "MaxSupportedValue", "OptionSet", "GlobalOptionSet", "DefaultFormValue", "DefaultValue",
        "IsPrimaryImage", "MaxHeight", "MaxWidth", "MaxSizeInKB", "CanStoreFullImage", "IsLocalizable", "ImeMode",
        "YomiOf", "FormulaDefinition", "SourceTypeMask", "IsEntityReferenceStored",
    }
)  # fmt: skip
"""What columns have by their type; it is asked for with a cast."""
EXPANDED_ONLY = frozenset({"OptionSet", "GlobalOptionSet"})
_UNSUPPORTED = ("$top", "$skip", "$count", "$orderby", "$search", "$apply")
_ALWAYS = ("@odata.type", "MetadataId")


def check_options(options: dict[str, str]) -> None:
    """Refuse what sets of metadata do not know; all that matches comes in one answer.

    Raises:
        ServiceError: An option is not supported.
    """
    for name in _UNSUPPORTED:
        if name in options:
            raise bad_query(f"The query parameter {name} is not supported")


def expansion(text: str) -> tuple[str, dict[str, str]]:
    """A navigation property of ``$expand`` with the options in its parentheses."""
    navigation, parenthesis, rest = text.partition("(")
    inner: dict[str, str] = {}
    if parenthesis:
        for option in split_outside(rest.rpartition(")")[0], ";"):
            name, _, value = option.partition("=")
            inner[name.strip()] = value.strip()
    return navigation.strip(), inner


def expansions(options: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """What ``$expand`` lists.

    Raises:
        ServiceError: An option in it is not supported.
    """
    parts = (part.strip() for part in split_outside(options.get("$expand", ""), ","))
    found = [expansion(part) for part in parts if part]
    for _, inner in found:
        check_options(inner)
    return found


def project(row: Json, options: dict[str, str], kind: str, *, derived: bool) -> Json:
    """A row with the selected properties; option sets come only when they are expanded.

    Args:
        row: The row.
        options: ``$select`` and ``$expand``.
        kind: The type of the row, for messages.
        derived: Whether the properties of the row's own type are asked for, beside those of its base.

    Raises:
        ServiceError: A property is unknown.
    """
    kept = select(row, options.get("$select"), kind, derived=derived)
    for name in EXPANDED_ONLY:
        kept.pop(name, None)
    for name, inner in expansions(options):
        if name not in row or (not derived and name in DERIVED):
            raise property_missing(name, kind)
        value = row[name]
        kept[name] = select(value, inner.get("$select"), name, derived=True) if isinstance(value, dict) else value
    return kept


def select(row: Json, listed: str | None, kind: str, *, derived: bool) -> Json:
    """A row with the properties that ``$select`` lists; see ``project``."""
    if not listed or listed.strip() == "*":
        return {name: value for name, value in row.items() if derived or name not in DERIVED}
    kept: Json = {name: row[name] for name in _ALWAYS if name in row}
    for path in listed.split(","):
        name, _, rest = path.strip().partition("/")
        if name not in row or (not derived and name in DERIVED):
            raise property_missing(name, kind)
        value = row[name]
        kept[name] = select(value, rest, name, derived=True) if rest and isinstance(value, dict) else value
    # The order of the answer is that of the type, not that of the request.
    return {name: kept[name] for name in row if name in kept}


def matching(rows: Iterable[Json], options: dict[str, str], kind: str) -> list[Json]:
    """The rows for which ``$filter`` holds.

    Raises:
        ServiceError: The filter cannot be understood, or names what cannot be compared.
    """
    text = options.get("$filter")
    if not text:
        return list(rows)
    node = odata.parse_filter(text, options)
    return [row for row in rows if _holds(row, node, kind)]


def _holds(row: Json, node: odata.Node, kind: str) -> bool:
    if isinstance(node, odata.Group):
        parts = (_holds(row, part, kind) for part in node.nodes)
        return all(parts) if node.operator == "and" else any(parts)
    if isinstance(node, odata.Not):
        return not _holds(row, node.node, kind)
    if not isinstance(node, odata.Comparison | odata.Membership):
        raise bad_query("Lambda expressions are not supported on metadata.")
    value = _value(row, node.path, kind)
    if isinstance(node, odata.Membership):
        return _plain(value) in {_plain(one) for one in node.values}
    return _compare(_plain(value), node.operator, _plain(node.value))


def _value(row: Json, path: str, kind: str) -> object:
    """The primitive value at a path; labels and collections have none to compare."""
    value: object = row
    for name in path.split("/"):
        if not isinstance(value, dict) or name not in value or "LocalizedLabels" in value:
            raise property_missing(name, kind)
        value = value[name]
    if isinstance(value, dict | list):
        raise bad_query(f"The property '{path}' of type 'Microsoft.Dynamics.CRM.{kind}' cannot be used in $filter.")
    return value


def _plain(value: object) -> object:
    return value.text if isinstance(value, odata.Guid) else value


def _compare(value: object, operator: str, wanted: object) -> bool:
    if operator in ("eq", "ne"):
        return (value == wanted) == (operator == "eq")
    texts: dict[str, Callable[[str, str], bool]] = {
        "contains": lambda one, two: two in one,
        "startswith": str.startswith,
        "endswith": str.endswith,
    }
    if isinstance(value, str) and isinstance(wanted, str) and operator in texts:
        return texts[operator](value, wanted)
    if isinstance(value, int) and isinstance(wanted, int):
        results = {"gt": value > wanted, "ge": value >= wanted, "lt": value < wanted, "le": value <= wanted}
        return results.get(operator, False)
    return False
