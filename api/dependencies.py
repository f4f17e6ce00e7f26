"""What routes are given: the service, the posted form, the address of a page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from api import multipart
from api.errors import NotReady
from api.multipart import Form
from api.service import Service
from api.store import Store


def _service(request: Request) -> Service:
    """The running service, once its gallery holds everything the store holds."""
    service: Service = request.app.state.service
    if not service.ready.is_set():
        raise NotReady("The gallery is still being filled from the store: /readyz shows how far it is.")
    return service


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _form(request: Request) -> Form:
    settings = request.app.state.service.settings
    return multipart.parse(
        request.headers.get("content-type", ""),
        await request.body(),
        max_files=settings.max_images,
        max_file_bytes=settings.max_image_bytes,
    )


#: The service, refused with 503 until it is complete.
Ready = Annotated[Service, Depends(_service)]
#: The store alone: usable while the gallery is still being filled.
Stored = Annotated[Store, Depends(_store)]
#: The parts of a multipart post.
Posted = Annotated[Form, Depends(_form)]
#: How much of a list is wanted; lists are never unbounded.
Limit = Annotated[int, Query(ge=1, le=1000, description="Longest answer wanted; the service may give less.")]
