"""Only the pinned weight file of the authors' package is used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from enrollment.errors import UnusableWeights
from enrollment.weights import PACKAGE_VERSION, checked_bytes, read_weights, weights_path


def test_every_layer_is_read() -> None:
    """All 948,114 numbers, each under the name of the published model."""
    weights = read_weights(checked_bytes())
    assert sum(array.size for arrays in weights.values() for array in arrays) == 948_114
    assert weights["stem0_conv"][0].shape == (5, 5, 1, 8)
    assert weights["head_conv_dir"][0].shape == (5, 5, 4, 2)


def test_finding_the_file_imports_nothing() -> None:
    """Importing the package would start Keras, which is not installed."""
    assert weights_path().is_file()
    assert "pyfing" not in sys.modules


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """A file with another hash says which version to install."""
    other = tmp_path / "weights.h5"
    other.write_bytes(checked_bytes() + b"\0")
    with pytest.raises(UnusableWeights, match=f"reinstall pyfing=={PACKAGE_VERSION}"):
        checked_bytes(other)


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    """The message names the package to install."""
    with pytest.raises(UnusableWeights, match=f"reinstall pyfing=={PACKAGE_VERSION}"):
        checked_bytes(tmp_path / "absent.h5")


def test_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when the package is not there at all."""
    monkeypatch.setattr("enrollment.weights.PACKAGE", "tenprint_no_such_package")
    with pytest.raises(UnusableWeights, match="not installed; install"):
        weights_path()
