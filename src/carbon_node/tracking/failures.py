"""The closed list of ways in which a measurement can give no trustworthy number."""

from enum import StrEnum


class FailureName(StrEnum):
    """Name of a failure, as published in a result's provenance and explained in docs/modes.md."""

    # Nothing was measured, because the node could not or would not start.
    NO_WORKER = "no_worker"
    GUARD_FAILED = "guard_failed"
    # The measuring process did not end well.
    TIMEOUT = "timeout"
    SIGTERM_IGNORED = "sigterm_ignored"
    EXIT_70 = "exit_70"
    EXIT_STATUS = "exit_status"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_FLOOD = "output_flood"
    # Its result could not be read.
    NO_RESULT = "no_result"
    GARBAGE_RESULT = "garbage_result"
    TRUNCATED_RESULT = "truncated_result"
    OVERSIZED_RESULT = "oversized_result"
    DOUBLE_RESULT = "double_result"
    # Its result could not be believed.
    NO_MEASUREMENT = "no_measurement"
    NOT_FINITE = "not_finite"
    ZERO = "zero"
    CRITICAL_LOG_LINE = "critical_log_line"
    TOO_SHORT = "too_short"
    SEVERAL_DEVICES = "several_devices"
    CLOCK_JUMPED = "clock_jumped"
    # The model could not be measured on this host.
    NO_MODEL = "no_model"
    MODEL_OUTSIDE_ROOTS = "model_outside_roots"
    MODEL_TOO_LARGE = "model_too_large"
    MODEL_UNSUPPORTED = "model_unsupported"
    MODEL_FAILED = "model_failed"
    EXTRA_MISSING = "extra_missing"
    # A device of this host cannot be charged.
    UNMETERED_DEVICE = "unmetered_device"
    UNKNOWN_DEVICE = "unknown_device"
