"""The measured distributions as curves: synthetic against each real set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.realism_measures import MEASURES, Measured

#: Points of a curve: enough for the eye, few enough for a small file.
_POINTS: Final = 40
_SCORES: Final = {"mated": "raw mated score", "non_mated": "raw non-mated score"}


def write_plots(own: Measured, others: Mapping[str, Measured], path: Path) -> None:
    """Draw the share of captures (or pairs) at or below each value: one line a set, synthetic black."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9.6, 8.4), layout="constrained")
    FigureCanvasSVG(figure)
    panels = {**MEASURES, **_SCORES}
    every = figure.subplots(3, 3).ravel()
    for axes, (name, label) in zip(every, panels.items(), strict=False):
        for index, (set_name, measured) in enumerate(others.items()):
            _curve(axes, _values(measured, name), color=f"C{index}", linewidth=0.9, label=set_name)
        _curve(axes, _values(own, name), color="black", linewidth=2.0, label="synthetic")
        axes.set(xlabel=label, ylim=(0, 1))
        axes.grid(visible=True, linewidth=0.3)
    handles, labels = every[0].get_legend_handles_labels()
    every[-1].axis("off")
    every[-1].legend(handles, labels, loc="center", fontsize=9, frameon=False)
    # The same bytes for the same numbers: no date, no random names.
    with mpl.rc_context({"svg.hashsalt": "tenprint", "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None})


def _values(measured: Measured, name: str) -> NDArray[np.float64]:
    values = getattr(measured, name) if name in _SCORES else measured.values[name]
    return np.asarray(values[np.isfinite(values)])


def _curve(axes: Any, values: NDArray[np.float64], **style: Any) -> None:
    shares = np.linspace(0.0, 1.0, _POINTS)
    if len(values):
        axes.plot(np.quantile(values, shares), shares, **style)
