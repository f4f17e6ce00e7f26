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
from fixtures.kinds import Kind
from fixtures.population import write_images
from fixtures.template_folder import write_templates
from fixtures.transactions import write_cards

app = typer.Typer(no_args_is_help=True, help="Make synthetic people: no real print is in them.")

People = Annotated[int, typer.Option("--people", min=1, help="How many people; ten fingers each.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same people everywhere.")]


@app.command()
def images(
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the pictures.")],
    people: People = 10,
    captures: Annotated[int, typer.Option("--captures", min=1, help="Pictures of each finger.")] = 2,
    seed: Seed = 1,
    kind: Annotated[Kind, typer.Option("--kind", help="How the prints are taken.")] = Kind.PLAIN,
    ppi: Annotated[int, typer.Option("--ppi", help="Resolution: 500 or 1000.")] = 500,
) -> None:
    """Write pictures of synthetic prints and a manifest that `enroll` and `benchmark` read.

    Try:
        tenprint population images --people 10 --captures 2 --out people/
        tenprint enroll --manifest people/manifest.csv

    Files are PERSON_FINGER_CAPTURE.png. Slaps are pictures of four fingers (13, 14) or two thumbs (15), each
    with its true boxes in a JSON file beside it. Interrupted? The same command carries on.
    """
    if ppi not in {500, 1000}:
        raise typer.BadParameter("a synthetic print has 500 or 1000", param_hint="--ppi")
    with progress("pictures") as advance:
        manifest = write_images(people, captures, seed, folder, advance, kind=kind, ppi=ppi)
    out.print(f"{people * captures * len(kind.positions)} pictures and {manifest}", markup=False)


@app.command()
def nist(
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the files.")],
    people: People = 10,
    captures: Annotated[int, typer.Option("--captures", min=1, help="Visits of each person.")] = 1,
    seed: Seed = 1,
    *,
    inked: Annotated[bool, typer.Option("--inked", help="In ink on paper, not by a live scanner.")] = False,
) -> None:
    """Write ten-print cards as ANSI/NIST-ITL files: ten rolled fingers, both hands' slaps, two thumbs.

    Try:
        tenprint population nist --people 10 --out cards/
        tenprint enroll cards/

    Files are PERSON_VISIT.an2: Type-14 records at 500 ppi in WSQ, the slaps with the true boxes of their
    fingers in 14.021. Interrupted? The same command carries on.
    """
    with progress("cards") as advance:
        write_cards(people, captures, seed, folder, advance, on_paper=inked)
    out.print(f"{people * captures} files in {folder}", markup=False)


@app.command()
def templates(
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the templates.")],
    people: People = 1000,
    captures: Annotated[int, typer.Option("--captures", min=1, help="Templates of each finger.")] = 2,
    seed: Seed = 1,
) -> None:
    """Write templates of synthetic people without pictures: a million fingers in minutes.

    Try:
        tenprint population templates --people 10000 --captures 2 --out crowd/
        tenprint benchmark identification --templates crowd/ --out out/crowd
        tenprint enroll --templates crowd/ --data big/

    Shards of 500 people in Parquet, and shards.csv that lists them. Interrupted? The same command carries on;
    with more people it adds to the folder.
    """
    with progress("templates") as advance:
        index = write_templates(people, captures, seed, folder, advance)
    out.print(f"{people * captures * 10} templates and {index}", markup=False)


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
