"""`tenprint retention`: what may no longer be kept, what a legal hold keeps, and erasing."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli_common import AsJson, Data, out, print_json, progress, remarks
from api.cli_user import operating_user
from api.settings import load_settings
from api.store import open_store
from enrollment.audit_log import AuditEntry
from enrollment.encounter import utc_now
from workflow import eurodac_erasure, retention
from workflow.audit import Action
from workflow.retention import Due

app = typer.Typer(no_args_is_help=True, help="Erase what is due, place and lift legal holds.")

Reason = Annotated[str, typer.Option("--reason", help="Why, with the file or the article; it is kept.")]


@app.command("due")
def list_due(data: Data = None, *, as_json: AsJson = False) -> None:
    """List what may no longer be kept today, oldest first; erases nothing.

    Try:
        tenprint retention due --data /var/lib/tenprint
    """
    with open_store(load_settings(data=data)) as store, store.database.reading() as tx:
        found = retention.due(tx, utc_now().date())
    if as_json:
        print_json([_document(each) for each in found])
        return
    for each in found:
        held = "  held" if each.held else ""
        out.print(f"{each.encounter_id}  until {each.last_day}  {each.rule.source}{held}", markup=False)
    remarks.print(f"{sum(not each.held for each in found)} encounters are due.")


@app.command()
def run(data: Data = None, *, as_json: AsJson = False) -> None:
    """Erase everything that is due and not held: rows, keys, prints, index, queue and exported copies.

    For a daily timer. The proof of each erasure is in the audit log. Interrupted? Call it again.
    """
    with open_store(load_settings(data=data)) as store, progress("erasing") as advance:
        erased = retention.erase_due(
            store.database, store.records, actor=operating_user(), at=utc_now(), progress=advance
        )
        copies = eurodac_erasure.forget_erased(store.database)
    if as_json:
        print_json([_document(each) for each in erased])
        return
    out.print(f"{len(erased)} encounters erased, {copies} exported copies removed")


@app.command()
def erase(encounter: str, reason: Reason, data: Data = None) -> None:
    """Erase one encounter early, for instance after naturalisation (Article 30)."""
    actor = operating_user()
    with open_store(load_settings(data=data)) as store:
        with store.database.transaction() as tx:
            proof = AuditEntry(actor.name, actor.role, Action.ERASE, "by_hand", legal_basis=reason)
            store.records.erase(tx, encounter, proof)
        eurodac_erasure.forget_erased(store.database)
    out.print(f"erased {encounter}", markup=False)


@app.command()
def hold(encounter: str, reason: Reason, data: Data = None) -> None:
    """Keep an encounter from being erased, by rule or by hand. Prints the hold's id."""
    with open_store(load_settings(data=data)) as store, store.database.transaction() as tx:
        hold_id = retention.hold(tx, encounter, reason, actor=operating_user(), at=utc_now())
    typer.echo(hold_id)


@app.command()
def lift(hold_id: str, data: Data = None) -> None:
    """Lift a hold; what is due then goes with the next run."""
    with open_store(load_settings(data=data)) as store, store.database.transaction() as tx:
        encounter = retention.lift(tx, hold_id, actor=operating_user(), at=utc_now())
    out.print(f"lifted from {encounter}", markup=False)


@app.command("holds")
def list_holds(data: Data = None) -> None:
    """List every hold on what is still there."""
    with open_store(load_settings(data=data)) as store, store.database.reading() as tx:
        found = retention.holds(tx)
    for each in found:
        state = "stands" if each.lifted_at is None else "lifted"
        out.print(f"{each.hold_id}  {each.encounter_id}  {state}  {each.reason}", markup=False)


def _document(each: Due) -> dict[str, object]:
    return {
        "encounter_id": each.encounter_id,
        "category": each.rule.category,
        "last_day": each.last_day.isoformat(),
        "source": each.rule.source,
        "held": each.held,
    }
