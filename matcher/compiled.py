"""The one door to the compiler: every kernel is `nogil`, cached, and keeps its Python signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a loop over arrays and scalars with numba, without the GIL.

    Call it with one set of dtypes only: each new set compiles again.
    """
    return cast("Function", numba.njit(cache=True, nogil=True, fastmath=False)(function))
