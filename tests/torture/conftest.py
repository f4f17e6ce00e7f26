"""The harnesses use what the tests of enrollment and of the interface have: hostile files, a service."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("enrollment", "api"):
    sys.path.append(str(Path(__file__).parents[1] / folder))
