"""Carbon footprint node of a SustainML pipeline.

Glossary:
    task: one combination of user input, ML model and hardware resource that shares a task id.
    task id: `problem_id` and `iteration_id`; the key of every sample. (0, 0) is invalid.
    sample, instance, reader, writer, participant, domain: as in the OMG DDS specification.
    GUID: the RTPS identifier of a participant, reader or writer.
    device energy: electrical energy that the computing hardware draws.
    facility energy: device energy times PUE; what the node publishes as energy.
    PUE: power usage effectiveness, facility energy divided by device energy; at least 1.
    carbon intensity: grams of CO2 equivalent (gCO2e) per kilowatt-hour of electricity.
    tracker: CarbonTracker, run in a guarded child process.
    window: how long the tracker observes, in seconds.
"""

__version__ = "0.1.0"
"""Version of the package, which results name; the build reads it from here."""
