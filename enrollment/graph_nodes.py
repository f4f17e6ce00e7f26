"""Building an ONNX graph node by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

#: The first operator set with Gelu.
OPSET = 20
#: Keras's default for LayerNormalization.
EPSILON = 1e-3


@dataclass
class Graph:
    """Nodes and weights under construction; every method adds a node and returns its output's name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, value: NDArray[Any]) -> str:
        """A weight."""
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Any operator; `output` names its result."""
        name = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def conv(
        self,
        x: str,
        kernel: NDArray[np.floating[Any]],
        bias: NDArray[np.floating[Any]] | None = None,
        *,
        dilation: int = 1,
        groups: int = 1,
        padded: bool = True,
        output: str | None = None,
    ) -> str:
        """kernel: [out, in / groups, k, k], zero padding that keeps the size."""
        margin = dilation * (kernel.shape[2] // 2) if padded else 0
        inputs = [x, self.constant(kernel.astype(np.float32))]
        if bias is not None:
            inputs.append(self.constant(bias.astype(np.float32)))
        return self.add(
            "Conv",
            *inputs,
            kernel_shape=kernel.shape[2:],
            pads=[margin] * 4,
            dilations=[dilation] * 2,
            group=groups,
            output=output,
        )

    def pool(self, operator: str, x: str) -> str:
        """2 × 2 pooling: the sides are even, so nothing is padded."""
        return self.add(operator, x, kernel_shape=[2, 2], strides=[2, 2])

    def gelu(self, x: str) -> str:
        """With the error function, as Keras computes it; not the tanh form."""
        return self.add("Gelu", x, approximate="none")

    def up(self, x: str) -> str:
        """Nearest up-sampling by two."""
        scales = self.constant(np.array([1, 1, 2, 2], dtype=np.float32))
        return self.add(
            "Resize",
            x,
            "",
            scales,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def split(self, x: str, channels: int) -> tuple[str, str]:
        """The first half of the channels, and the others."""
        sizes = self.constant(np.array([channels // 2, channels - channels // 2], dtype=np.int64))
        first, second = f"{x}_a", f"{x}_b"
        self.nodes.append(helper.make_node("Split", [x, sizes], [first, second], axis=1))
        return first, second

    def reciprocal_deviation(self, mean_square: str, mean: str | None) -> str:
        """1 / sqrt(variance + epsilon) from the moments over the channels."""
        variance = mean_square
        if mean is not None:
            variance = self.add("Sub", mean_square, self.add("Mul", mean, mean))
        shifted = self.add("Add", variance, self.constant(np.array(EPSILON, dtype=np.float32)))
        return self.add("Reciprocal", self.add("Sqrt", shifted))

    def model(self, inputs: dict[str, int], outputs: dict[str, int]) -> onnx.ModelProto:
        """The finished model, checked; float32 inputs and outputs with their numbers of dimensions."""

        def describe(values: dict[str, int]) -> list[onnx.ValueInfoProto]:
            return [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * dimensions)
                for name, dimensions in values.items()
            ]

        graph = helper.make_graph(self.nodes, "leader", describe(inputs), describe(outputs), self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model, full_check=True)
        return model


def as_1x1(matrix: NDArray[Any]) -> NDArray[np.float32]:
    """A matrix [out, in] as the kernel of a 1×1 convolution."""
    return matrix.astype(np.float32)[:, :, None, None]
