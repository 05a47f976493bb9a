"""Carbon footprint node of a SustainML pipeline.

Map. A room is a subpackage, or a module beside them. The list runs from the command line down to
the vocabulary, and a room imports only rooms below it; docs/architecture.md has the other rules,
follows one task through the rooms, and says where to put what:
    cli/: the commands, and what only they use.
    daemon/: the running node: its parts are configured, put together, started, watched, stopped.
    http/: the local interface, an HTTP API for the operator of this host.
    pipeline/: the life of a task, from three samples to one published output.
    settings/: what can be configured, where each value came from, requests that change it.
    transport/: DDS: the embedded Fast DDS, or the `sustainml_py` library of a workspace.
    store/: SQLite: which tasks were accepted, answered, published and acknowledged.
    tracking/: CarbonTracker, run in guarded processes.
    intensity/: finds the place that a text names, and its carbon intensity.
    observability/: log, metrics, and the supervisor's protocol.
    hardware/: finds hardware by its name: catalogue, the operator's map, this host's devices.
    tasks/: what a task is: its key, decision and answer; the memory of tasks seen before.
    estimation/: the calculation, without any I/O: energy, carbon, intervals, provenance.
    wire/: what travels: samples, their DDS types and quality of service, topics, extra_data.
    json_value.py: the type of a JSON value.
    secret_texts.py: finds secrets inside a text by their name, position or shape.
    secret_keys.py: which keys name secrets; the one rule for all that is kept, shown or published.
    errors.py: every error of the package, as one tree.

Glossary:
    task: one combination of user input, ML model and hardware resource that shares a task id.
    task id: `problem_id` and `iteration_id`; the key of every sample. (0, 0) is invalid.
    sample, instance, reader, writer, participant, domain: as in the OMG DDS specification.
    GUID: the RTPS identifier of a participant, reader or writer.
    decision: whether a task has to be computed or was answered before (`tasks/decision.py`).
    estimate: what the calculation returns; `NotComputed` says why there is none.
    answer: the flat record of an estimate or failure, which log, metrics, history and API read.
    output: the sample that is published for a task; its extra_data holds the provenance.
    result: an answer as people and programs see it: in the history, over HTTP, over DDS.
    acknowledged: a reader has confirmed that it received an output.
    device energy: electrical energy that the computing hardware draws.
    facility energy: device energy times PUE; what the node publishes as energy.
    PUE: power usage effectiveness, facility energy divided by device energy; at least 1.
    carbon intensity: grams of CO2 equivalent (gCO2e) per kilowatt-hour of electricity.
    tracker: CarbonTracker, run in a guarded child process.
    window: how long the tracker observes, in seconds.
"""

__version__ = "0.1.0"
"""Version of the package, which results name; the build reads it from here."""
