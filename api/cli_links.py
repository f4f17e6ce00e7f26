"""`tenprint links`: what the machine suggested, and what examiners made of it."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import TypeAdapter

from api.cli_common import AsJson, Data, out, print_json, remarks
from api.cli_user import operating_user
from api.settings import load_settings
from api.store import open_store
from enrollment.encounter import utc_now
from workflow import audit, identity
from workflow.links import Link, Standing

app = typer.Typer()

_LINK = TypeAdapter(Link)


@app.command()
def links(
    standing: Annotated[
        Standing | None,
        typer.Option("--standing", help="Only these; `undecided` is an examiner's work list."),
    ] = None,
    person: Annotated[str | None, typer.Option("--person", help="Only links of this person.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Longest list.")] = 100,
    data: Data = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List links between encounters: pairs that a search or a claim brought together.

    Try:
        tenprint links --standing undecided
        tenprint decide LINK same --reason "whorl, 14 points" --examiner "A. Peeters"

    A link is a suggestion until an examiner decides it.
    """
    with open_store(load_settings(data=data)) as store, store.database.transaction() as tx:
        found = identity.search_links(tx, standing=standing, person_id=person, limit=limit)
        ids = [link.link_id for link in found]
        asked = {"links": standing, "person_id": person}
        audit.record(tx, operating_user(), audit.Action.READ, "done", at=utc_now(), asked=asked, returned=ids)
    if as_json:
        print_json([document(link) for link in found])
        return
    for link in found:
        score = f"score {link.score:6.1f}" if link.score is not None else "no score   "
        out.print(
            f"{link.link_id}  {link.standing.value:12}  {link.left_person} - {link.right_person}  {score}  "
            f"{link.origin.value}",
            markup=False,
        )
    if not found:
        remarks.print("No such links.")


def document(link: Link) -> dict[str, object]:
    """A link as JSON, with where it stands."""
    fields: dict[str, object] = _LINK.dump_python(link, mode="json")
    return {**fields, "standing": link.standing.value}
