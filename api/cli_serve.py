"""`tenprint serve`: the HTTP service."""

from __future__ import annotations

import logging
import resource
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.cli_common import Data, remarks
from api.settings import load_settings, unknown_variables
from enrollment.data_folder import owned

app = typer.Typer()

#: How long running requests may finish after Ctrl-C or SIGTERM.
_DRAIN_S = 30


@app.command()
def serve(
    data: Data = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on. Default: 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="TCP port; 0 takes a free one. Default: 8000.")
    ] = None,
) -> None:
    """Start the HTTP service and serve until Ctrl-C or SIGTERM.

    Try:
        tenprint keys create --role desk
        tenprint serve --port 8000

    /docs describes every address, /readyz says when searches are served. Settings: `docs/settings.md`.
    """
    settings = load_settings(data=data, host=host, port=port)
    for name in unknown_variables():
        remarks.print(f"warning: {name} is no setting of tenprint; it has no effect")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # No access log: addresses hold ids of persons. Counters are at /metrics, acts in the audit log.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no prints in a core dump
    with owned(settings.data):
        pass  # told here in a sentence; the application takes the folder for as long as it runs
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    socket = config.bind_socket()
    address = f"http://{settings.host}:{socket.getsockname()[1]}"
    remarks.print(f"tenprint serves {settings.data} at {address} (documentation: {address}/docs)")
    uvicorn.Server(config).run(sockets=[socket])
