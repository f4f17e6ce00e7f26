"""`tenprint decide`: an examiner's decision on a link, or taking it back."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli_common import AsJson, Data, out, print_json
from api.cli_links import document
from api.cli_user import operating_user
from api.errors import InvalidRequest
from api.settings import load_settings
from api.store import open_store
from enrollment.encounter import new_id, utc_now
from workflow import audit, identity
from workflow.audit import Actor
from workflow.links import Judgement, Signature

app = typer.Typer()


@app.command()
def decide(
    link_id: Annotated[
        str, typer.Argument(metavar="LINK", help="The link's id, as `tenprint links` shows it.")
    ],
    judgement: Annotated[Judgement | None, typer.Argument(help="What the two encounters are.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="What the decision rests on.")] = "",
    examiner: Annotated[
        str | None, typer.Option("--examiner", help="Who decides. Default: the user.")
    ] = None,
    data: Data = None,
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take the standing decision back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record same, different or inconclusive; or withdraw the decision that stands.

    Try:
        tenprint decide 0199… same --reason "whorl, 14 points agree" --examiner "A. Peeters"
        tenprint decide 0199… --withdraw --reason "wrong finger compared"

    Nothing is overwritten: an earlier decision stays in the ledger and the latest counts.
    """
    if withdraw == (judgement is not None):
        raise InvalidRequest("Give one of: same, different, inconclusive; or --withdraw.")
    now = utc_now()
    user = operating_user()
    actor = Actor(examiner or user.name, "examiner")
    signed = Signature(actor.name, reason, now)
    with open_store(load_settings(data=data)) as store, store.database.transaction() as tx:
        if judgement is None:
            link = identity.withdraw_current(tx, link_id, signed, new_id=new_id)
            action, asked = audit.Action.WITHDRAW, {"link": link_id, "by": user.name}
        else:
            link = identity.decide(tx, link_id, judgement, signed, new_id=new_id)
            action = audit.Action.DECIDE
            asked = {"link": link_id, "judgement": judgement.value, "by": user.name}
        audit.record(tx, actor, action, "done", at=now, asked=asked)
    if as_json:
        print_json(document(link))
    else:
        out.print(
            f"{link.link_id}: {link.left_person} - {link.right_person} stands as {link.standing.value}",
            markup=False,
        )
