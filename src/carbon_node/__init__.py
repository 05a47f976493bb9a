"""Carbon footprint node of a SustainML pipeline.

Map, from the vocabulary up to the command line; a room imports only rooms above it in this list,
and docs/architecture.md follows one task through them:
    errors.py: every error of the package, as one tree.
    json_value.py: what JSON can say.
    secret_keys.py: which keys name secrets; the one rule for all that is kept, shown or published.
    secret_texts.py: which parts of a text are secrets, by their name, place or shape.
    wire/: what travels: samples, their DDS types and quality of service, topics, extra_data.
    estimation/: the pure domain: what to measure, what it means, units, intervals, provenance.
    tasks/: what a task is: key, summary, decision, answer; tasks met before; digest of inputs.
    hardware/: what is known of named hardware.
    intensity/: from the text of a place to its carbon intensity.
    tracking/: CarbonTracker in guarded processes.
    transport/: ways for samples to enter and leave the node: embedded Fast DDS, `sustainml_py`.
    store/: SQLite: what was accepted, answered, published and acknowledged, across restarts.
    observability/: log, metrics, supervisor.
    pipeline/: the life of a task, from three samples to one published output.
    settings/: what can be configured, where values came from, requests that change them.
    http/: the local interface.
    daemon/: the running node: built from its parts, started, watched, stopped.
    cli/: the commands, and what only they use.

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
