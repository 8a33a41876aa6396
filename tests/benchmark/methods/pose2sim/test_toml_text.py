"""TOML that the standard library reads back."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odah.benchmark.methods.pose2sim.toml_text import toml_text
from odah.errors import InputError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
VALUES = st.booleans() | NUMBERS | TEXTS
TABLES = st.recursive(
    st.dictionaries(TEXTS, VALUES | st.lists(VALUES, max_size=3), max_size=4),
    lambda inner: st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(TABLES)
def test_what_is_written_is_read(tables):
    assert tomllib.loads(toml_text(tables)) == tables


def test_own_values_come_before_inner_tables():
    text = toml_text({"a": {"b": {"c": 1}, "d": True}, "e": 1e-5})
    assert tomllib.loads(text) == {"a": {"b": {"c": 1}, "d": True}, "e": 1e-5}


def test_other_values_are_refused():
    with pytest.raises(InputError, match="c: found None, expected a boolean, number"):
        toml_text({"a": {"c": None}})
