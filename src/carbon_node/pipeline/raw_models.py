"""The bytes of models that travel in the samples, while their tasks wait.

A model may have hundreds of megabytes, and thousands of tasks may wait. What counts for the digest
is taken at once; the bytes themselves are dropped where no mode would run them, and else wait in a
file.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import structlog

from carbon_node.pipeline.ports import Spool, Spooled
from carbon_node.transport.wire import MLModel

SMALL_BYTES = 65_536
"""Bytes up to which a model that may be run waits in memory, and is hashed in the loop's thread."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LightModel(MLModel):
    """An ML model whose bytes were taken out of the sample.

    Args:
        raw_model_sha256: of the bytes, hexadecimal.
        spooled: where they are; None if they were dropped.
    """

    raw_model_sha256: str = ""
    spooled: Spooled | None = field(default=None, compare=False)

    @property
    def spooled_bytes(self) -> int:
        """How many bytes are kept elsewhere."""
        return 0 if self.spooled is None else self.spooled.size_bytes


class RawModels:
    """Takes the bytes out of models, and puts them in again.

    Args:
        spool: where bytes wait that may be needed.
        are_needed: tells whether a task that arrives now may be measured by running its model.
    """

    def __init__(self, spool: Spool, are_needed: Callable[[], bool]) -> None:
        self._spool = spool
        self._are_needed = are_needed

    async def lightened(self, model: MLModel) -> MLModel:
        """Take the bytes out of a model; the next sample waits meanwhile."""
        if not model.raw_model:
            return model
        are_needed = self._are_needed()
        is_small = len(model.raw_model) <= SMALL_BYTES
        if is_small and are_needed:
            return model
        if is_small:
            return _light(model)
        return await asyncio.to_thread(self._set_aside if are_needed else _light, model)

    def _set_aside(self, model: MLModel) -> MLModel:
        try:
            return _light(model, self._spool.put(model.raw_model))
        except OSError as error:
            log.warning("model kept in memory", task_id=model.task_id, error=str(error))
            return model


async def whole(model: MLModel) -> MLModel:
    """Put the bytes of a model in again, as far as they are kept.

    Raises:
        OSError: the file with them cannot be read.
    """
    if not isinstance(model, LightModel) or model.spooled is None:
        return model
    return replace(model, raw_model=await asyncio.to_thread(model.spooled.read))


def _light(model: MLModel, spooled: Spooled | None = None) -> LightModel:
    values = {each.name: getattr(model, each.name) for each in fields(MLModel)}
    sha256 = hashlib.sha256(model.raw_model).hexdigest()
    return LightModel(**values | {"raw_model": b""}, raw_model_sha256=sha256, spooled=spooled)
