"""`tenprint population`: people who do not exist, as many as a test needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli_common import Data, out, progress
from api.demo_register import fill_register
from api.settings import load_settings
from api.store import open_store
from enrollment.encounter import utc_now
from fixtures.population import write_images

app = typer.Typer(no_args_is_help=True, help="Make synthetic people: no real print is in them.")

People = Annotated[int, typer.Option("--people", min=1, help="How many people; ten fingers each.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same people everywhere.")]


@app.command()
def images(
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the pictures.")],
    people: People = 10,
    captures: Annotated[int, typer.Option("--captures", min=1, help="Pictures of each finger.")] = 2,
    seed: Seed = 1,
) -> None:
    """Write pictures of synthetic prints and a manifest that `enroll` and `benchmark` read.

    Try:
        tenprint population images --people 10 --captures 2 --out people/
        tenprint enroll --manifest people/manifest.csv

    Files are PERSON_FINGER_CAPTURE.png at 500 ppi. Interrupted? The same command carries on.
    """
    with progress("pictures") as advance:
        manifest = write_images(people, captures, seed, folder, advance)
    out.print(f"{people * captures * 10} pictures and {manifest}", markup=False)


@app.command()
def register(people: People = 1000, seed: Seed = 1, data: Data = None) -> None:
    """Put synthetic people into the store as templates without pictures: a large gallery in seconds.

    Try:
        tenprint population register --people 10000 --data big/
        tenprint identify probe.png --ppi 500 --data big/
    """
    settings = load_settings(data=data)
    with open_store(settings) as store, progress("people") as advance:
        fill_register(store, people, seed, at=utc_now(), progress=advance)
    out.print(f"{people} synthetic people are in {settings.data}", markup=False)
