"""The version of the installed project."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("tenprint")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+checkout"


VERSION = _installed()
