"""Who is at the door: the key behind a header, and what its role may do. Refusals are audited."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from api import keys
from api.errors import NotAllowed, NotAuthenticated
from api.roles import Action, Principal
from api.store import Store
from enrollment import audit_log
from enrollment.audit_log import AuditEntry
from enrollment.encounter import utc_now

#: Declares the scheme in the OpenAPI document under OSIA's name; `Guard` has checked the key before.
_BEARER = HTTPBearer(
    scheme_name="BearerAuth",
    auto_error=False,
    description="An API key made by `tenprint keys create --role ROLE`.",
)


def authenticate(store: Store, authorization: str | None) -> Principal:
    """The caller behind an `Authorization` header. The use of a closed key is audited, then refused."""
    with store.database.reading() as tx:
        key = keys.find(tx, authorization)
    state = key.state(utc_now())
    if state == "valid":
        return key.principal
    deny(store, key.principal, {"key": state})
    raise NotAuthenticated(f"The API key {key.prefix} is {state}. {keys.HINT}")


def permitted(
    request: Request,
    scopes: SecurityScopes,
    _credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Principal:
    """The caller, if the role's row of the table holds every action the route asks for."""
    principal: Principal = request.state.principal
    missing = [scope for scope in scopes.scopes if not principal.may(Action(scope))]
    if missing:
        deny(request.app.state.store, principal, {"missing": missing})
        raise NotAllowed(
            f"The role {principal.role.value} may not do {', '.join(missing)}. Use a key of a role that may."
        )
    return principal


def may(action: Action) -> Any:
    """Mark a route's parameter as its caller, and name what the caller must be allowed to do."""
    return Security(permitted, scopes=[action.value])


def deny(store: Store, principal: Principal, asked: dict[str, object]) -> None:
    """Write down that somebody was refused."""
    with store.database.transaction() as tx:
        audit_log.append(
            tx, AuditEntry(principal.actor, principal.role.value, "access", "denied", asked=asked)
        )
