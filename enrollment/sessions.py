"""onnxruntime sessions that share their memory."""

from __future__ import annotations

from functools import cache
from typing import Any

import onnxruntime
from numpy.typing import NDArray


def session(model: NDArray[Any], threads: int) -> onnxruntime.InferenceSession:
    """A graph, uint8[size], ready to run.

    All graphs take their memory from one arena: they run in turn, and an arena of each would keep what it
    needed most. No memory pattern, which would ask for the whole of it at once.
    """
    _share_arena()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.tobytes(), options, providers=["CPUExecutionProvider"])


@cache
def _share_arena() -> None:
    """Register the arena of this process, once."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    usual = {"arena_extend_strategy": 0, "initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    settings = onnxruntime.OrtArenaCfg({"max_mem": 0, **usual})
    onnxruntime.create_and_register_allocator(memory, settings)
