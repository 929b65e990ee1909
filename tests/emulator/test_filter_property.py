"""Any filter finds the rows that a few lines of Python find, whatever operators it is made of."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confmig.emulator.http.server import Emulator
from confmig.emulator.options import EmulatorOptions

from .client import Client
from .conftest import READING

Row = dict[str, Any]
Test = Callable[[Row], bool]
_TEXTS = [None, "alpha", "Alpha", "beta ", "o'hara", "100"]
_NUMBERS = [None, -3, 0, 7, 7000]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "gt": lambda one, other: one > other,
    "ge": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
}


@pytest.fixture(scope="module")
def rows() -> Iterator[tuple[Client, list[Row]]]:
    """Accounts with all combinations of a text and a number, some of them below another one."""
    with Emulator(EmulatorOptions(environment=str(READING))) as emulator:
        client = Client(emulator.url)
        made: list[Row] = []
        for position, text in enumerate(_TEXTS):
            for number in _NUMBERS:
                parent = made[-1] if made and position % 2 else None
                body: Row = {"name": "made", "tickersymbol": text, "numberofemployees": number}
                if parent is not None:
                    body["parentaccountid@odata.bind"] = f"accounts({parent['id']})"
                row = {"id": client.create("accounts", body), "text": text, "number": number, "parent": parent}
                made.append(row)
        yield client, made
        client.close()


def folded(text: str | None) -> str | None:
    return None if text is None else text.rstrip(" ").casefold()


def comparison(path: str, value: Callable[[Row], Any], operator: str, wanted: Any, literal: str) -> tuple[str, Test]:
    def holds(row: Row) -> bool:
        found = value(row)
        if operator == "ne":
            return bool(found != wanted)
        return found is not None and _COMPARE[operator](found, wanted)

    return f"{path} {operator} {literal}", holds


def of_parent(value: Callable[[Row], Any]) -> Callable[[Row], Any]:
    return lambda row: None if row["parent"] is None else value(row["parent"])


_OPERATORS = st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le"])


@st.composite
def leaves(draw: st.DrawFn) -> tuple[str, Test]:
    """A comparison or a question for null, of the row itself or of the one above it."""
    is_text = draw(st.booleans())
    column, value = (
        ("tickersymbol", lambda row: folded(row["text"]))
        if is_text
        else ("numberofemployees", lambda row: row["number"])
    )
    if draw(st.booleans()):
        column, value = f"parentaccountid/{column}", of_parent(value)
    if draw(st.integers(0, 4)) == 0:
        operator = draw(st.sampled_from(["eq", "ne"]))
        return f"{column} {operator} null", lambda row: (value(row) is None) == (operator == "eq")
    operator = draw(_OPERATORS)
    if not is_text:
        number = draw(st.sampled_from([number for number in _NUMBERS if number is not None]))
        return comparison(column, value, operator, number, str(number))
    text = draw(st.sampled_from([text for text in _TEXTS if text]))
    if draw(st.booleans()):
        escaped = text.strip().replace("'", "''")
        return f"contains({column},'{escaped}')", lambda row: folded(text) in (value(row) or "")
    return comparison(column, value, operator, folded(text), "'" + text.replace("'", "''") + "'")


def joined(parts: list[tuple[str, Test]], operator: str) -> tuple[str, Test]:
    meets = all if operator == "and" else any
    return "(" + f" {operator} ".join(text for text, _ in parts) + ")", lambda row: meets(
        test(row) for _, test in parts
    )


_FILTERS = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.tuples(st.lists(inner, min_size=2, max_size=3), st.sampled_from(["and", "or"])).map(
            lambda one: joined(*one)
        ),
        inner.map(lambda one: (f"not ({one[0]})", lambda row: not one[1](row))),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=_FILTERS)
def test_a_filter_finds_what_python_finds(rows: tuple[Client, list[Row]], made: tuple[str, Test]) -> None:
    client, known = rows
    text, holds = made
    found = {row["accountid"] for row in client.rows(f"accounts?$select=accountid&$filter=name eq 'made' and ({text})")}
    assert found == {row["id"] for row in known if holds(row)}
