"""Every exception that this package raises on purpose.

CarbonNodeError
├── ConfigError              settings, options or files that cannot be used
│   └── RequestRefused       a configuration request that is not granted
├── WireError                a sample whose content breaks the wire contract
├── TransportError           DDS could not do what was asked
│   ├── NodeAlreadyPresent   another carbon node lives in the domain
│   └── BindingUnavailable   the compiled binding or its library cannot be loaded
├── TrackerError             a guarded measurement gave no trustworthy number
│   ├── TrackerTimeout       its deadline passed
│   ├── TrackerDied          its process ended without a result
│   └── TrackerProtocolError its result could not be read or believed
├── IntensityError           carbon intensity data cannot be used
├── StoreError               results cannot be kept or found
│   ├── StateDirectoryInUse  another node keeps its results there
│   └── StoreDamaged         the content of the results database is not what was written
├── InterfaceError           the local interface of a running node gave no usable answer
├── ServiceError             the systemd service could not be installed or removed
├── DaemonError              the node lacks what it needs to run, or ended by a defect
└── StatusTransitionError    an event that the node's status does not allow
"""


class CarbonNodeError(Exception):
    """Root of all errors of this package; the message says what to do next."""


class ConfigError(CarbonNodeError):
    """Settings, options or a configuration file cannot be used."""


class RequestRefused(ConfigError):
    """A configuration request is not granted.

    Args:
        code: why, for programs; one of a closed list.
        message: what is wrong, for people.
        hint: what to do next.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message}: {hint}")
        self.code = code
        self.message = message
        self.hint = hint


class WireError(CarbonNodeError):
    """A sample's content breaks the wire contract."""


class TransportError(CarbonNodeError):
    """DDS could not do what was asked."""


class NodeAlreadyPresent(TransportError):
    """Another carbon node lives in the domain."""


class BindingUnavailable(TransportError, ImportError):
    """The compiled Fast DDS binding, or a library that it needs, cannot be loaded."""


class TrackerError(CarbonNodeError):
    """A guarded measurement gave no trustworthy number.

    Args:
        failure: name of the failure, one of a closed list, as published in provenance.
        detail: what happened, with values; never contains secrets of the task.
    """

    def __init__(self, failure: str, detail: str) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.detail = detail


class TrackerTimeout(TrackerError):
    """The deadline of a measurement passed."""


class TrackerDied(TrackerError):
    """The process of a measurement ended without a result."""


class TrackerProtocolError(TrackerError):
    """The result of a measurement could not be read or believed."""


class IntensityError(CarbonNodeError):
    """Carbon intensity data cannot be used."""


class StoreError(CarbonNodeError):
    """Results cannot be kept or found."""


class StateDirectoryInUse(StoreError):
    """Another node keeps its results in the state directory."""


class StoreDamaged(StoreError):
    """The content of the results database is not what was written."""


class InterfaceError(CarbonNodeError):
    """The local interface of a running node gave no usable answer."""


class ServiceError(CarbonNodeError):
    """The systemd service could not be installed or removed."""


class DaemonError(CarbonNodeError):
    """The node lacks what it needs to run, or ended by a defect."""


class StatusTransitionError(CarbonNodeError):
    """An event that the node's status does not allow."""
