"""The domain, pure: what to measure, what it means, units, intervals, provenance.

The way of a task: `plan` decides how its device energy is found, `conclude` turns intensity and
tracker outcome into an estimate, `provenance` says where every number of it comes from. Nothing in
here reads a clock, a setting or a file, or writes a log.
"""

from carbon_node.estimation.comparison import indistinct
from carbon_node.estimation.estimate import AGREEMENT_BOUND, conclude
from carbon_node.estimation.interval import Factor, Interval, exact, within_factor, within_share
from carbon_node.estimation.latency import Evidence, LatencyReading, latency_reading
from carbon_node.estimation.measurement import (
    GuessedPower,
    Measurement,
    ModelRun,
    NotTracked,
    Run,
    SimulatedRun,
    TrackerFailure,
    TrackerOutcome,
)
from carbon_node.estimation.planning import Plan, plan
from carbon_node.estimation.provenance_json import SCHEMA, provenance
from carbon_node.estimation.request import (
    DEFAULT_PUE,
    MAX_G_PER_KWH,
    MAX_JOB_HOURS,
    MAX_LATENCY_H,
    MAX_POWER_W,
    MAX_PUE,
    Assumptions,
    EstimationRequest,
    ExplicitHardware,
    Mode,
    NamedHardware,
    Place,
)
from carbon_node.estimation.result import (
    Basis,
    Budget,
    CarbonIntensity,
    Estimate,
    IntensityOrigin,
    NamedFactor,
    NotComputed,
    Reason,
    Step,
    Tracking,
    Understood,
)
from carbon_node.estimation.units import Footprint, LatencyUnit, OutputUnits, footprint

__all__ = [
    "AGREEMENT_BOUND",
    "DEFAULT_PUE",
    "MAX_G_PER_KWH",
    "MAX_JOB_HOURS",
    "MAX_LATENCY_H",
    "MAX_POWER_W",
    "MAX_PUE",
    "SCHEMA",
    "Assumptions",
    "Basis",
    "Budget",
    "CarbonIntensity",
    "Estimate",
    "EstimationRequest",
    "Evidence",
    "ExplicitHardware",
    "Factor",
    "Footprint",
    "GuessedPower",
    "IntensityOrigin",
    "Interval",
    "LatencyReading",
    "LatencyUnit",
    "Measurement",
    "Mode",
    "ModelRun",
    "NamedFactor",
    "NamedHardware",
    "NotComputed",
    "NotTracked",
    "OutputUnits",
    "Place",
    "Plan",
    "Reason",
    "Run",
    "SimulatedRun",
    "Step",
    "TrackerFailure",
    "TrackerOutcome",
    "Tracking",
    "Understood",
    "conclude",
    "exact",
    "footprint",
    "indistinct",
    "latency_reading",
    "plan",
    "provenance",
    "within_factor",
    "within_share",
]
