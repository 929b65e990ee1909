"""Formatted values, as a user with the language and the settings of the United States sees them, in UTC.

They are functions of SQL, so that rows stay SQLite's work. What the service writes is shown in
https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/select-columns#formatted-values
"""

import sqlite3
from decimal import Decimal, InvalidOperation

import msgspec

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_ORGANIZATION_PLACES = 2


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions ``shown_number``, ``shown_money``, ``shown_date`` and ``shown_choices``."""
    connection.create_function("shown_number", 2, shown_number, deterministic=True)
    connection.create_function("shown_money", 4, shown_money, deterministic=True)
    connection.create_function("shown_date", 2, shown_date, deterministic=True)
    connection.create_function("shown_choices", 2, shown_choices, deterministic=True)


def shown_number(value: str | int | None, places: int | None) -> str | None:
    """``1,234.50``: with so many decimal places, or with those that it has when None."""
    if value is None:
        return None
    try:
        number = Decimal(str(value))
        return f"{number:,f}" if places is None or places < 0 else f"{number:,.{places}f}"
    except InvalidOperation:
        return str(value)


def shown_money(value: str | None, symbol: str | None, code: str | None, places: int | None) -> str | None:
    """``$1,234.50``, and in parentheses when it is less than nothing, as .NET writes en-US [inferred]."""
    if value is None:
        return None
    text = shown_number(value, _ORGANIZATION_PLACES if places is None else places) or ""
    sign = symbol or _SYMBOLS.get(code or "USD", code or "")
    return f"({sign}{text[1:]})" if text.startswith("-") else f"{sign}{text}"


def shown_date(value: str | None, day_only: int) -> str | None:
    """``4/7/2023 9:59 PM``, or the day alone."""
    if value is None:
        return None
    day = f"{int(value[5:7])}/{int(value[8:10])}/{value[:4]}"
    if day_only or len(value) < len("2023-04-07T21:59"):
        return day
    hour = int(value[11:13])
    return f"{day} {hour % 12 or 12}:{value[14:16]} {'PM' if hour >= 12 else 'AM'}"


def shown_choices(value: str | None, labels: str) -> str | None:
    """The labels of a list of choices; ``labels`` is an object in JSON. A choice without a label is its number."""
    if value is None:
        return None
    known = msgspec.json.decode(labels, type=dict[str, str])
    return "; ".join(known.get(part, part) for part in value.split(","))
