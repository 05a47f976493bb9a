"""The bytes of models that travel in the samples, while their tasks wait.

A model may have hundreds of megabytes, and thousands of tasks may wait. What counts for the digest
is taken at once; the bytes themselves are dropped where no mode would run them, and else wait in a
file.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field, fields, replace

import structlog

from carbon_node.estimation import Mode
from carbon_node.estimation.measurement import ModelRun
from carbon_node.pipeline.ports import ConditionsSource, Spool, Spooled
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
        conditions: tell whether a task that arrives now may be measured by running its model.
    """

    def __init__(self, spool: Spool, conditions: ConditionsSource) -> None:
        self._spool = spool
        self._conditions = conditions

    async def lightened(self, model: MLModel) -> MLModel:
        """Take the bytes out of a model; the next sample waits meanwhile."""
        if not model.raw_model:
            return model
        if len(model.raw_model) <= SMALL_BYTES:
            return model if self._may_be_run(model) else _light(model)
        return await asyncio.to_thread(self._set_aside, model)

    def _set_aside(self, model: MLModel) -> MLModel:
        if not self._may_be_run(model):
            return _light(model)
        try:
            return _light(model, self._spool.put(model.raw_model))
        except OSError as error:
            log.warning("model kept in memory", task_id=model.task_id, error=str(error))
            return model

    def _may_be_run(self, model: MLModel) -> bool:
        conditions = self._conditions.conditions()
        match conditions.assumptions.mode:
            case Mode.MEASURED:
                return True
            case Mode.AUTO:
                return conditions.tracker.can_run(ModelRun(model.model, raw_model=model.raw_model))
            case Mode.DECLARED | Mode.FORMULA:
                return False


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
