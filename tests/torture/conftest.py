"""The harnesses use what the tests of enrollment have: hostile files."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "enrollment"))
