"""What the doctor says of a machine without a compiler."""

import shutil

import pytest

from odah.doctor import _compiler


def test_a_missing_compiler_is_said_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    finding = _compiler()
    assert not finding.is_ok
    assert not finding.is_required
    assert "no C compiler on the PATH" in finding.state
    assert "gcc" in finding.remedy


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on the PATH")
def test_a_compiler_that_works_is_named() -> None:
    finding = _compiler()
    assert finding.is_ok
    assert finding.state.startswith("/")
