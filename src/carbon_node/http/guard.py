"""What a request must look like before the application sees it.

A web page in a browser on this host can send requests here, under a name that its owner lets point
to the loopback address (DNS rebinding). Such a request carries that name as Host, and mostly an
Origin; only addresses, `localhost` and the configured host name are let in.
"""

import ipaddress
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carbon_node.http.token import is_authorized
from carbon_node.observability.metrics import Metrics

HEADER_LIMIT = 100
"""Headers per request; h11 bounds their bytes only while they are incomplete."""

READING_METHODS = ("GET", "HEAD")

_NOT_FOR_BROWSERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Refuses foreign, writing and oversized requests, counts all, and hardens every answer.

    Args:
        app: what answers the requests that are let in.
        metrics: where requests are counted by status.
        host: configured host name, let in as Host.
        token: what requests have to carry; empty for nothing.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, host: str, token: str) -> None:
        self._app = app
        self._metrics = metrics
        self._host = host.lower()
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.request("http", str(message["status"]))
                message["headers"] = [*message["headers"], *_NOT_FOR_BROWSERS]
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_hardened)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = {key.decode("latin1"): value.decode("latin1") for key, value in scope["headers"]}
        if len(scope["headers"]) > HEADER_LIMIT:
            return error_response(431, f"more than {HEADER_LIMIT} headers")
        if scope["method"] not in READING_METHODS:
            allow = {"allow": ", ".join(READING_METHODS)}
            return error_response(405, "this interface is read-only", allow)
        if not self._is_own(f"//{headers.get('host', '')}"):
            return error_response(403, "the Host header names neither an address nor localhost")
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{headers['host']}":
            return error_response(403, "the Origin header names another site")
        if not is_authorized(self._token, headers.get("authorization", "")):
            detail = "this node wants the token of its http_token_file as 'Authorization: Bearer'"
            return error_response(401, detail, {"www-authenticate": "Bearer"})
        return None

    def _is_own(self, url: str) -> bool:
        try:
            host = urlsplit(url).hostname or ""
            return host in ("localhost", self._host) or bool(ipaddress.ip_address(host))
        except ValueError:
            return False


def error_response(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error in the one form that all have: its phrase, and what to know."""
    content: dict[str, Any] = {"error": HTTPStatus(status).phrase, "detail": message}
    return JSONResponse(content, status_code=status, headers=headers)
