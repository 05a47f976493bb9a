"""Work for a caller ends when the caller goes: nobody reads the answer any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

Result = TypeVar("Result")


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result | None:
    """Await work for a request; cancel it as soon as its connection is closed.

    Args:
        request: whose body was not read.
        work: what the answer needs.

    Returns:
        What the work returns; None if nobody waits for it any more.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _departure(request: Request) -> None:
    # What comes before is the body, which no request here has.
    while (await request.receive())["type"] != "http.disconnect":
        pass
