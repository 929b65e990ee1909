"""Values in the files that we keep ourselves."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confmig.model.codec import decode_values, encode_values
from confmig.model.values import Value

from .strategies import texts, values


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(texts, values, max_size=4))
def test_every_value_survives_encoding_with_its_python_type(row: dict[str, Value]) -> None:
    decoded = decode_values(encode_values(row))
    assert decoded == row
    assert {name: type(value) for name, value in decoded.items()} == {name: type(value) for name, value in row.items()}


@settings(deadline=None)
@given(st.dictionaries(texts, values, max_size=4))
def test_the_encoded_text_is_one_line_of_json_whatever_the_order_of_the_columns(row: dict[str, Value]) -> None:
    text = encode_values(row)
    assert "\n" not in text
    assert isinstance(json.loads(text), dict)
    assert encode_values(dict(reversed(row.items()))) == text


@pytest.mark.parametrize(
    "number", ["1234567890123456789.1200", "0.0000", "1E+5", "-0.00", "79228162514264337593543950335"]
)
def test_a_decimal_keeps_its_digits_and_its_scale(number: str) -> None:
    decoded = decode_values(encode_values({"price": Decimal(number)}))["price"]
    assert isinstance(decoded, Decimal)
    assert decoded.as_tuple() == Decimal(number).as_tuple()


def test_a_moment_in_utc_stays_aware_and_a_time_without_zone_stays_naive() -> None:
    aware = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    decoded = decode_values(encode_values({"a": aware, "n": aware.replace(tzinfo=None)}))
    assert decoded == {"a": aware, "n": aware.replace(tzinfo=None)}


def test_a_float_stays_a_float_even_when_it_is_whole() -> None:
    decoded = decode_values(encode_values({"a": 3.0, "b": 3, "c": True}))
    assert [type(decoded[name]) for name in "abc"] == [float, int, bool]


def test_a_tag_that_is_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown tag 'z'"):
        decode_values('{"a":["z",1]}')
