"""Reading the small language of the options that say how the service behaves: ``name=value,name=value``."""

import re
from collections.abc import Iterable

from confmig.emulator.errors import EmulatorStartError

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MOST = 10**9


def settings_of(option: str, text: str, names: Iterable[str]) -> dict[str, str]:
    """The settings that a text lists.

    Args:
        option: The option, for messages.
        text: Such as ``window=30s,requests=600``.
        names: The settings that there are.

    Raises:
        EmulatorStartError: One is unknown, named twice or without a value.
    """
    known = tuple(names)
    settings: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            raise EmulatorStartError(f"{option} {text}: {name!r} is none of {', '.join(known)}")
        if not equals or not value:
            raise EmulatorStartError(f"{option} {text}: {name} needs a value, as in {name}=…")
        if name in settings:
            raise EmulatorStartError(f"{option} {text}: {name} is named twice")
        settings[name] = value
    return settings


def duration(option: str, text: str) -> float:
    """The seconds of ``60ms``, ``30s``, ``5m`` or ``1h``.

    Raises:
        EmulatorStartError: It is no duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None or len(match.group(1)) > len(str(_MOST)):
        raise EmulatorStartError(f"{option}: {text!r} is no duration such as 60ms, 30s or 5m")
    return float(match.group(1)) * _UNITS[match.group(2)]


def count(option: str, text: str) -> int:
    """A whole number above zero.

    Raises:
        EmulatorStartError: It is none.
    """
    number = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(_MOST)) else 0
    if number < 1:
        raise EmulatorStartError(f"{option}: {text!r} is no whole number above zero")
    return number


def share(option: str, text: str) -> float:
    """A number above 0 and up to 1.

    Raises:
        EmulatorStartError: It is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number <= 1.0:
        raise EmulatorStartError(f"{option}: {text!r} is no share between 0 and 1, such as 0.05")
    return number
