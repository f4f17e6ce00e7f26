"""Who works at the command line."""

from __future__ import annotations

import getpass

from workflow.audit import Actor


def operating_user() -> Actor:
    """Who the audit log says worked at the command line: whoever can use it owns the files anyway."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container user without a name
        name = "unknown"
    return Actor(f"cli:{name}", "command-line")
