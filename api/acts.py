"""Writing down what was read or searched, before the answer leaves: no audit row, no answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from api.roles import Principal
from api.store import Store
from enrollment.encounter import utc_now
from workflow import audit


def log_act(
    store: Store,
    caller: Principal,
    action: audit.Action,
    asked: Mapping[str, object],
    *,
    outcome: str = "done",
    returned: Collection[str] = (),
) -> None:
    """One row in a transaction of its own; what also changes something logs in the change's transaction."""
    with store.database.transaction() as tx:
        audit.record(tx, caller.as_actor, action, outcome, at=utc_now(), asked=asked, returned=returned)
