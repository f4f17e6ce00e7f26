"""`tenprint demo`: the main job in front of you, with people who do not exist, over the real service."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from api import keys
from api.app import create_app
from api.cli_common import Data, out, progress
from api.demo_client import DemoClient, DemoFailed, curl_lines
from api.demo_register import fill_register
from api.roles import Role
from api.settings import Settings, load_settings
from api.store import open_store
from enrollment.encounter import utc_now
from fixtures.population import picture_path, write_images
from matcher.codes import FINGERS, FingerPosition

#: The population everybody's demo shows.
_SEED = 2026
_KNOWN_PEOPLE = 12
#: Person numbers: the one who comes again, another known one, and one who was never enrolled.
_RETURNING, _OTHER, _STRANGER = 3, 7, _KNOWN_PEOPLE
_TWO_FINGERS = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX)
_KEY_NAME = "demo"
#: Person files that the show opens anew each time; those of an earlier show are erased first.
_NEW_NAME, _STRANGER_FILE = "demo-newname", "demo-stranger"

app = typer.Typer()


@app.command()
def demo(
    data: Data = None,
    once: Annotated[bool, typer.Option("--once", help="Stop after the show instead of serving on.")] = False,
    people: Annotated[
        int, typer.Option(min=0, help="Synthetic people who are in the register as templates only.")
    ] = 2000,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one. Default: 8000.")] = None,
) -> None:
    """Make people who do not exist, enrol them, find one again over HTTP, then keep serving until Ctrl-C.

    Takes two to three minutes on two cores the first time; pictures and store stay in the data folder, so the
    next run is quicker. Every step is done by the real service; nothing is shown that did not happen.
    """
    begun = time.monotonic()
    settings = load_settings(data=data, port=port)
    out.print(
        "[bold]tenprint demo[/bold]: synthetic people, the real service. Two to three minutes the first time."
    )
    pictures = _make_pictures(settings.data / "demo-pictures")
    demo_keys, waiting = _prepare_store(settings, people)
    with _serving(settings) as address, DemoClient(address, demo_keys) as client:
        _show(client, pictures, waiting)
        out.print(f"\nThe whole demo took {time.monotonic() - begun:.0f} s.")
        if not once:
            _serve_on(address, demo_keys, pictures)


def _make_pictures(folder: Path) -> Path:
    out.print(
        f"\n[bold]1. Pictures[/bold] of {_KNOWN_PEOPLE} people and a stranger: ten fingers, two captures."
    )
    with progress("pictures") as advance:
        write_images(people=_KNOWN_PEOPLE + 1, captures=2, seed=_SEED, out=folder, progress=advance)
    out.print(f"   They are in {folder}.")
    return folder


def _prepare_store(settings: Settings, people: int) -> tuple[Mapping[Role, str], list[int]]:
    """Fill the register; gives a key per role and the known people who are not enrolled yet."""
    out.print(
        f"\n[bold]2. A register[/bold] of {people} synthetic people, ten fingers each, as templates only."
    )
    with open_store(settings) as store:
        with progress("register") as advance:
            fill_register(store, people, _SEED, at=utc_now(), progress=advance)
        with store.database.transaction() as tx:
            for left_over in (_NEW_NAME, _STRANGER_FILE):
                if store.records.person_exists(tx, left_over):
                    store.records.erase_person(tx, left_over)
            waiting = [
                number
                for number in range(_KNOWN_PEOPLE)
                if not store.records.person_exists(tx, _person_id(number))
            ]
            return _renew_keys(tx), waiting


def _person_id(number: int) -> str:
    return f"demo-{number:02d}"


def _renew_keys(tx: Any) -> Mapping[Role, str]:
    """One key a role; those of an earlier demo are closed."""
    now = utc_now()
    for key in keys.listing(tx):
        if key.name == _KEY_NAME:
            keys.revoke(tx, key.prefix, now=now)
    return {role: keys.create(tx, role, _KEY_NAME, now=now) for role in Role}


@contextmanager
def _serving(settings: Settings) -> Iterator[str]:
    """The HTTP service in a thread of this process, ready for searches."""
    application = create_app(settings)
    config = uvicorn.Config(
        application, host=settings.host, port=settings.port, access_log=False, log_config=None
    )
    socket = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, name="service")
    thread.start()
    address = f"http://{settings.host}:{socket.getsockname()[1]}"
    out.print(f"\n[bold]3. The service[/bold] starts at {address} and fills its gallery from the store.")
    try:
        with progress("gallery") as advance:
            _wait_until_ready(application, thread, advance)
        yield address
    finally:
        server.should_exit = True
        thread.join()


def _wait_until_ready(application: Any, thread: threading.Thread, advance: Any) -> None:
    while True:
        service = getattr(application.state, "service", None)
        advance(*getattr(application.state, "progress", (0, 0)))
        if service is not None and service.ready.is_set():
            return
        if not thread.is_alive():
            raise DemoFailed("the service did not start; `tenprint doctor` says what is wrong")
        time.sleep(0.1)


def _show(client: DemoClient, pictures: Path, waiting: Sequence[int]) -> None:
    """The main job, step by step, each answer put into plain words."""
    _enroll_known(client, pictures, waiting)
    _known_person_returns(client, pictures)
    _stranger_comes(client, pictures)
    _police_ask(client, pictures)
    _operator_exports(client)


def _enroll_known(client: DemoClient, pictures: Path, waiting: Sequence[int]) -> None:
    out.print(f"\n[bold]4. The desk enrols {_KNOWN_PEOPLE} people[/bold], ten images each.")
    with progress("enrolling") as advance:
        for done, number in enumerate(waiting, start=1):
            probe, person_id = _capture(pictures, number, 1, FINGERS), _person_id(number)
            client.enroll(probe, {"person_id": person_id, "purpose": "asylum", "category": "1"})
            advance(done, len(waiting))
    known_before = _KNOWN_PEOPLE - len(waiting)
    out.print(f"   {len(waiting)} encounters acknowledged; {known_before} were there from an earlier demo.")


def _known_person_returns(client: DemoClient, pictures: Path) -> None:
    out.print("\n[bold]5. Somebody comes to the desk under a new name[/bold]; two fingers are captured.")
    probe, expected = _capture(pictures, _RETURNING, 2, _TWO_FINGERS), _person_id(_RETURNING)
    answer = client.enroll(probe, {"person_id": _NEW_NAME, "purpose": "asylum"})
    _print_candidates(answer)
    found = [candidate for candidate in answer["candidates"] if candidate["person_id"] == expected]
    if not found:
        raise DemoFailed(f"person {expected} was not found again: {answer}")
    out.print(f"   It is {expected}, says the machine. That is a suggestion; an examiner decides:")
    link_id = found[0]["encounters"][0]["link_id"]
    view = client.decide(link_id, "same", "demo: both prints looked at side by side")
    out.print(f"   link {link_id}: judged [bold]same[/bold], now {view['standing']}.")


def _stranger_comes(client: DemoClient, pictures: Path) -> None:
    out.print("\n[bold]6. A stranger comes[/bold], never enrolled before.")
    probe = _capture(pictures, _STRANGER, 1, _TWO_FINGERS)
    answer = client.enroll(probe, {"person_id": _STRANGER_FILE, "purpose": "asylum"})
    _print_candidates(answer)
    if answer["candidates"]:
        raise DemoFailed(f"a stranger was taken for somebody else: {answer}")


def _police_ask(client: DemoClient, pictures: Path) -> None:
    out.print(
        "\n[bold]7. The police verify a claim[/bold], with authority, purpose, legal basis and file number."
    )
    probe = _capture(pictures, _RETURNING, 2, _TWO_FINGERS)
    for claimed, expected in ((_person_id(_RETURNING), "match"), (_person_id(_OTHER), "no_match")):
        answer = client.verify(probe, claimed)
        verdict = "yes" if answer["decision"] == "match" else "no"
        out.print(
            f"   Is this {claimed}? [bold]{verdict}[/bold] (false match rate {answer['claimed_fmr']:g})"
        )
        if answer["decision"] != expected:
            raise DemoFailed(f"the claim to be {claimed} was answered {answer}")


def _operator_exports(client: DemoClient) -> None:
    out.print("\n[bold]8. The operator writes the batch[/bold]: EURODAC-style, for a simulated endpoint.")
    report = client.export()
    if report["batch"] is None:
        out.print("   Nothing waited: an earlier demo has written the batch.")
        return
    out.print(f"   {len(report['files'])} ANSI/NIST-ITL files and a Parquet manifest in {report['folder']}.")


def _capture(
    pictures: Path, number: int, capture: int, fingers: tuple[FingerPosition, ...]
) -> Mapping[FingerPosition, Path]:
    return {finger: picture_path(pictures, number, finger, capture) for finger in fingers}


def _print_candidates(answer: Mapping[str, Any]) -> None:
    searched = f"{answer['gallery_size']} encounters searched, threshold {answer['threshold']:.0f}"
    if not answer["candidates"]:
        out.print(f"   No candidate ({searched}).")
        return
    out.print(f"   Candidates ({searched}; score = -10·log10 FMR):")
    for candidate in answer["candidates"]:
        out.print(
            f"   {candidate['rank']}. {candidate['person_id']}  score {candidate['score']:.0f}"
            f"  {candidate['standing']}"
        )


def _serve_on(address: str, demo_keys: Mapping[Role, str], pictures: Path) -> None:
    probe = picture_path(pictures, _RETURNING, FingerPosition.RIGHT_INDEX, 2)
    out.print(f"\nThe service keeps running at {address}; its documentation: {address}/docs")
    out.print("Three commands to try in another terminal:")
    for line in curl_lines(address, demo_keys, probe, _person_id(_RETURNING)):
        out.print(f"  {line}", markup=False)
    out.print("Keys of this demo, one a role:")
    for role, key in demo_keys.items():
        out.print(f"  {role:9} {key}", markup=False)
    out.print("Ctrl-C stops it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.print("\nStopping: running requests are finished first.")
