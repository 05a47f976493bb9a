"""What an observer learns of tasks and requests."""

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.estimation.measurement import TrackerFailure
from carbon_node.pipeline.canonical_line import ESTIMATED, FAILED
from carbon_node.pipeline.ports import ConfigurationAnswer, ConfigurationService, Observer
from carbon_node.pipeline.progress import Answer, Progress


def tell_answered(observer: Observer, progress: Progress, answer: Answer) -> None:
    """Tell an observer of an answered task."""
    match answer.result:
        case Estimate() as estimate:
            energy_kwh, carbon_g = estimate.energy_kwh.value, estimate.carbon_g.value
            observer.task_finished(ESTIMATED, energy_kwh, carbon_g)
            if isinstance(estimate.tracking.outcome, TrackerFailure):
                observer.tracker_failed(estimate.tracking.outcome.failure)
        case NotComputed():
            observer.task_finished(FAILED)
    for name, seconds in progress.stage_s.items():
        observer.stage(name, seconds)


class CountedService:
    """A configuration service behind a door whose requests are counted.

    Args:
        service: what answers.
        door: the door's name.
        observer: who counts.
    """

    def __init__(self, service: ConfigurationService, door: str, observer: Observer) -> None:
        self._service = service
        self._door = door
        self._observer = observer

    def answer(self, text: str) -> ConfigurationAnswer:
        """Answer one request at once; never raises, whatever the text is."""
        answer = self._service.answer(text)
        self._observer.request(self._door, "granted" if answer.success else "refused")
        return answer
