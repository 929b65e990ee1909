"""Members of metadata bodies: labels, managed properties, names, types."""

from collections.abc import Mapping

from confmig.emulator.catalog.model import Translations
from confmig.emulator.catalog.naming import is_custom_name
from confmig.emulator.errors import ServiceError, bad_request, wrong_prefix
from confmig.emulator.metadata.choices import LANGUAGE, Json

_PREFIX = "Microsoft.Dynamics.CRM."


class Label:
    """A label as a body gives it: its text in the environment's language, and in others."""

    def __init__(self, text: str, translations: Translations = ()) -> None:
        self.text = text
        self.translations = translations


def read_label(body: Mapping[str, object], name: str) -> Label | None:
    """A Label of a body; None when the body does not give it.

    ``UserLocalizedLabel`` is read-only and is left aside:
    https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-update-entity-definitions-using-web-api

    Raises:
        ServiceError: It is no label.
    """
    value = body.get(name)
    if value is None:
        return None
    localized = value.get("LocalizedLabels") if isinstance(value, dict) else None
    if not isinstance(localized, list):
        raise bad_request(f"The property '{name}' is not a Label with LocalizedLabels.")
    texts: dict[int, str] = {}
    for one in localized:
        text = one.get("Label") if isinstance(one, dict) else None
        code = one.get("LanguageCode") if isinstance(one, dict) else None
        if not isinstance(text, str) or type(code) is not int:
            raise bad_request(f"A label of '{name}' has no text or no language code.")
        if not 1024 < code < 65_536:
            raise ServiceError(400, "0x80044195", "The specified language code is not valid for this organization.")
        texts[code] = text
    own = texts.pop(LANGUAGE, "")
    return Label(own, tuple(sorted(texts.items())))


def merged(before: Translations, label: Label, *, merge: bool) -> Translations:
    """The translations after a label took the place of another one, as ``MSCRM.MergeLabels`` says."""
    if not merge:
        return label.translations
    return tuple(sorted((dict(before) | dict(label.translations)).items()))


def read_text(body: Mapping[str, object], name: str) -> str | None:
    """A text of a body; None when it is not given.

    Raises:
        ServiceError: It is no text.
    """
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise bad_request(f"The property '{name}' is not a string.")


def read_flag(body: Mapping[str, object], name: str) -> bool | None:
    """A Boolean, or the value of a managed one; None when it is not given.

    Raises:
        ServiceError: It is neither.
    """
    value = read_value(body, name)
    if value is None or isinstance(value, bool):
        return value
    raise bad_request(f"The property '{name}' is not a Boolean.")


def read_number(body: Mapping[str, object], name: str) -> int | None:
    """A whole number of a body; None when it is not given.

    Raises:
        ServiceError: It is no whole number.
    """
    value = body.get(name)
    if value is None or type(value) is int:
        return value
    raise bad_request(f"Cannot convert the literal '{value}' to the expected type 'Edm.Int32'.")


def read_value(body: Mapping[str, object], name: str) -> object:
    """A value that may stand in an object of its own, such as ``{"Value": "Text"}``."""
    value = body.get(name)
    return value.get("Value") if isinstance(value, dict) else value


def schema_name(body: Mapping[str, object], kind: str, *, member: str = "SchemaName") -> str:
    """The schema name of a new component.

    Args:
        body: The body.
        kind: What it is, for the message.
        member: The property that holds the name.

    Raises:
        ServiceError: It is missing, or has no customization prefix.
    """
    name = body.get(member)
    if not isinstance(name, str) or not is_custom_name(name):
        raise wrong_prefix(name if isinstance(name, str) else "", kind)
    return name


def type_of(body: Mapping[str, object]) -> str:
    """The name in ``@odata.type`` without its namespace, and without the prefix of the types that actions take."""
    name = body.get("@odata.type")
    if not isinstance(name, str):
        return ""
    return name.removeprefix("#").removeprefix(_PREFIX).removeprefix("Complex")


def objects(body: Mapping[str, object], name: str) -> list[Json]:
    """A collection of objects in a body; empty when it is not given.

    Raises:
        ServiceError: It is something else.
    """
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad_request(f"The property '{name}' is not a collection of objects.")
    return value
