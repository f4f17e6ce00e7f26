"""`tenprint keys`: make, list and revoke API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from api import keys
from api.cli_common import AsJson, Data, out, print_json, remarks
from api.cli_user import operating_user
from api.roles import PERMISSIONS, Role
from api.settings import load_settings
from api.store import open_store
from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from enrollment.encounter import utc_now

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")


@app.command()
def create(
    role: Annotated[Role, typer.Option("--role", help="What the key is for; a key has one role.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Person or machine that holds it. Default: the role.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Days until it expires. Default: never.")
    ] = None,
    data: Data = None,
) -> None:
    """Make a key and print it as the last line: the only time it is seen.

    Try:
        tenprint keys create --role examiner --name "A. Peeters" --days 365

    An examiner's key names the person whose decisions it signs: one key a person.
    """
    now = utc_now()
    expires_at = now + timedelta(days=days) if days else None
    with open_store(load_settings(data=data)) as store, store.database.transaction() as tx:
        key = keys.create(tx, role, name, now=now, expires_at=expires_at)
        asked = {"prefix": keys.prefix_of(key), "role": role.value, "days": days}
        actor = operating_user()
        audit_log.append(tx, AuditEntry(actor.name, actor.role, "create_key", "done", asked=asked))
    remarks.print(f"A key for the role {role.value}: {', '.join(sorted(PERMISSIONS[role]))}.")
    remarks.print("Keep it: only its hash is stored. Send it as `Authorization: Bearer KEY`.")
    typer.echo(key)


@app.command("list")
def list_keys(data: Data = None, as_json: AsJson = False) -> None:
    """List every key ever made, by prefix; the keys themselves are not kept."""
    with open_store(load_settings(data=data)) as store, store.database.reading() as tx:
        found = keys.listing(tx)
    now = utc_now()
    if as_json:
        print_json([{**_row(key), "state": key.state(now)} for key in found])
        return
    for key in found:
        out.print(
            f"{key.prefix}  {key.state(now):8} {key.role.value:9} {key.name}  made {key.created_at:%Y-%m-%d}"
        )
    if not found:
        remarks.print("There is no key yet: `tenprint keys create --role desk` makes one.")


@app.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The eight letters after tp_, as `keys list` shows them.")],
    data: Data = None,
) -> None:
    """Close a key for good; the running service refuses it from the next request on."""
    with open_store(load_settings(data=data)) as store, store.database.transaction() as tx:
        key = keys.revoke(tx, prefix, now=utc_now())
        actor = operating_user()
        asked = {"prefix": prefix}
        audit_log.append(tx, AuditEntry(actor.name, actor.role, "revoke_key", "done", asked=asked))
    out.print(f"revoked {key.prefix} ({key.role.value}, {key.name})")


def _row(key: keys.KeyRecord) -> dict[str, str | None]:
    return {
        "prefix": key.prefix,
        "role": key.role.value,
        "name": key.name,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
    }
