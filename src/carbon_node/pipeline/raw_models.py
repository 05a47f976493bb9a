"""The bytes of models that travel in the samples, while their tasks wait.

A model may have hundreds of megabytes, and thousands of tasks may wait. What counts for the digest
is taken at once; the bytes themselves are dropped where no mode would run them, and else wait in a
file, which a measurement opens. They are read where the transport received them and never copied in
memory: whoever holds a sample with them holds the whole message.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field, fields

import structlog

from carbon_node.estimation import Mode
from carbon_node.estimation.measurement import ModelRun, RawModel, SpooledBytes
from carbon_node.pipeline.ports import ConditionsSource, Spool
from carbon_node.wire.samples import MLModel, Octets

SMALL_BYTES = 65_536
"""Bytes up to which a model that may be run waits in memory, and is hashed in the loop's thread."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DetachedModel(MLModel):
    """An ML model whose bytes were taken out of the sample.

    Args:
        raw_model_sha256: of the bytes, hexadecimal.
        spooled: where they are; None if they were dropped.
    """

    raw_model_sha256: str = ""
    spooled: SpooledBytes | None = field(default=None, compare=False)

    @property
    def spooled_bytes(self) -> int:
        """How many bytes are kept elsewhere."""
        return 0 if self.spooled is None else self.spooled.size_bytes


class RawModels:
    """Takes the bytes out of models.

    Args:
        spool: where bytes wait that may be needed.
        conditions: tell whether a task that arrives now may be measured by running its model.
    """

    def __init__(self, spool: Spool, conditions: ConditionsSource) -> None:
        self._spool = spool
        self._conditions = conditions

    async def detached(self, model: MLModel) -> MLModel:
        """Take the bytes out of a model; the next sample waits meanwhile."""
        if not model.raw_model:
            return model
        if len(model.raw_model) <= SMALL_BYTES:
            return model if self._may_be_run(model) else _light(model, _sha256(model.raw_model))
        if not await asyncio.to_thread(self._may_be_run, model):
            return _light(model, await asyncio.to_thread(_sha256, model.raw_model))
        # Both release the interpreter for long, so that two threads need half the time.
        sha256, spooled = await asyncio.gather(
            asyncio.to_thread(_sha256, model.raw_model), asyncio.to_thread(self._set_aside, model)
        )
        return model if spooled is None else _light(model, sha256, spooled)

    def _set_aside(self, model: MLModel) -> SpooledBytes | None:
        try:
            return self._spool.put(model.raw_model)
        except OSError as error:
            log.warning("model kept in memory", task_id=model.task_id, error=str(error))
            return None

    def _may_be_run(self, model: MLModel) -> bool:
        conditions = self._conditions.conditions()
        match conditions.assumptions.mode:
            case Mode.MEASURED:
                return True
            case Mode.AUTO:
                return conditions.tracker.can_run(ModelRun(model.model, raw_model=model.raw_model))
            case Mode.DECLARED | Mode.FORMULA:
                return False


def raw_model_of(model: MLModel) -> RawModel:
    """Return the bytes of a model, or where they wait; empty if none came or none were kept."""
    if isinstance(model, DetachedModel) and model.spooled is not None:
        return model.spooled
    return model.raw_model


def claim(model: MLModel) -> None:
    """Keep the bytes of a model until its task is done: the task is complete."""
    if isinstance(model, DetachedModel) and model.spooled is not None:
        model.spooled.claim()


def _sha256(octets: Octets) -> str:
    return hashlib.sha256(octets).hexdigest()


def _light(model: MLModel, sha256: str, spooled: SpooledBytes | None = None) -> DetachedModel:
    values = {each.name: getattr(model, each.name) for each in fields(MLModel)}
    return DetachedModel(**values | {"raw_model": b""}, raw_model_sha256=sha256, spooled=spooled)
