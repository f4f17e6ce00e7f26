"""What the network is made of once its weights are regrouped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

#: Graphs as uint8[size], serialised ONNX, and the arrays of the compiled loops; `network_graph.build_parts`.
Parts: TypeAlias = Mapping[str, NDArray[Any]]
