"""`tenprint audit`: was the log tampered with, and proofs of single entries."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.chores import audit_signer, checkpoint, stamp, time_stamps
from api.cli_common import AsJson, Data, out, print_json, progress, remarks
from api.errors import InvalidSettings
from api.exit_codes import CANNOT_WORK
from api.settings import load_settings
from api.store import open_store
from enrollment.audit_checkpoints import notes_by_size, notes_of
from enrollment.audit_verification import check_proof, prove, verify
from enrollment.database import audit_seal_of
from matcher.errors import FingerprintError

app = typer.Typer(no_args_is_help=True, help="Verify the audit log, and prove single entries of it.")

#: Findings told on a terminal; --json has all.
_MOST_TOLD = 20


@app.command("verify")
def verify_log(
    sink: Annotated[
        Path | None,
        typer.Option("--sink", help="Checkpoints kept elsewhere. Default: audit_sink."),
    ] = None,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Check every row, the chain through them, every signed checkpoint, and their time-stamps.

    Try:
        tenprint audit verify --data /var/lib/tenprint

    Exit code 0: nothing was changed. 3: something was, and where.
    """
    settings = load_settings(data=data)
    kept_at = sink or settings.audit_sink
    kept = notes_of(kept_at) if kept_at is not None and kept_at.exists() else []
    with open_store(settings) as store, store.database.reading() as tx, progress("rows") as advance:
        verifier, rows = audit_signer(store).verifier, 0

        def count(done: int) -> None:
            nonlocal rows
            rows = done
            if done % 1000 == 0:
                advance(done, done)

        found = list(verify(tx, audit_seal_of(tx), verifier, kept, count))
        stamps = time_stamps(settings)
        found += [] if stamps is None else stamps.check(notes_by_size(tx))
    if as_json:
        findings = [asdict(each) for each in found]
        print_json({"rows": rows, "kept_checkpoints": len(kept), "findings": findings})
    else:
        for each in found[:_MOST_TOLD]:
            out.print(f"{each.where}: {each.detail}", markup=False)
        out.print(f"{rows} rows, {len(kept)} checkpoints kept elsewhere: {len(found)} findings")
    if found:
        sys.exit(CANNOT_WORK)


@app.command("checkpoint")
def make_checkpoint(data: Data = None) -> None:
    """Sign what the log holds now, and print the note. A running service does this every minute."""
    settings = load_settings(data=data)
    with open_store(settings) as store:
        made = checkpoint(store, settings.audit_sink)
    if made is None:
        remarks.print("Nothing was logged since the last checkpoint.")
        return
    typer.echo(made.note)


@app.command("stamp")
def stamp_checkpoint(data: Data = None) -> None:
    """Have the newest checkpoint stamped by `audit_timestamp_url`. A running service does this every hour."""
    settings = load_settings(data=data)
    if settings.audit_timestamp_url is None or settings.audit_timestamp_roots is None:
        raise InvalidSettings("Set TENPRINT_AUDIT_TIMESTAMP_URL and TENPRINT_AUDIT_TIMESTAMP_ROOTS.")
    with open_store(settings) as store:
        at = stamp(store, settings)
    if at is None:
        remarks.print("The newest checkpoint is stamped already, or there is none.")
        return
    out.print(f"stamped at {at.isoformat()}")


@app.command()
def key(data: Data = None) -> None:
    """Print the public key that checks checkpoints and proofs. Auditors keep it."""
    with open_store(load_settings(data=data)) as store:
        typer.echo(audit_signer(store).verifier)


@app.command("prove")
def prove_entry(
    sequence: Annotated[int, typer.Argument(help="Number of the entry.")],
    data: Data = None,
) -> None:
    """Print a proof, as JSON, that an entry is in the log under a signed checkpoint."""
    with open_store(load_settings(data=data)) as store, store.database.reading() as tx:
        print_json(prove(tx, sequence))


@app.command("check")
def check_entry(
    proof: Annotated[Path, typer.Argument(help="File written by `tenprint audit prove`.")],
    verifier: Annotated[str, typer.Option("--key", help="Public key, as `tenprint audit key` prints it.")],
) -> None:
    """Check a proof with the public key alone; needs no store. Prints the entry."""
    try:
        document = json.loads(proof.read_bytes())
    except ValueError as fault:
        raise FingerprintError(f"{proof} is no JSON file") from fault
    found = check_proof(document, verifier)
    out.print(f"is row {document['index'] + 1} of the first {found.size}, signed:", markup=False)
    typer.echo(document["entry"])
