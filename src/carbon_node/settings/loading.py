"""Merge all sources into one configuration in which each value knows its origin.

Order, weakest first: defaults, what the framework and CUDA say, configuration files, persisted
changes, SUSTAINML_DOMAIN_ID, CARBON_NODE_* in the environment, options. Persisted changes are
weaker than environment and options so that whoever starts the node has the last word, even over a
change that a peer made.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from carbon_node.errors import ConfigError
from carbon_node.settings import sources
from carbon_node.settings.catalogue import catalogue, flat
from carbon_node.settings.model import Settings
from carbon_node.settings.persisted import persisted, persisted_path
from carbon_node.settings.sources import Layer, Origin, Source
from carbon_node.settings.validation import BeyondRequests, InvalidValue, Problem, settings_of


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in force, where each came from, and what they were without any request.

    Args:
        settings: the settings in force.
        origins: the source of each setting's value, by dotted name.
        startup: the settings as whoever started the node configured them.
        startup_origins: the same for `startup`.
        revision: 0 at the first start; grows by one with each change.
    """

    settings: Settings
    origins: Mapping[str, Origin]
    startup: Settings
    startup_origins: Mapping[str, Origin]
    revision: int = 0

    @property
    def changes(self) -> dict[str, object]:
        """Values that differ from those at start-up, by dotted name."""
        startup = flat(self.startup)
        return {key: value for key, value in flat(self.settings).items() if value != startup[key]}


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of loading.

    Args:
        configuration: the configuration to start with.
        warnings: lines to log; loading itself logs nothing.
        files: the files that were read.
    """

    configuration: Configuration
    warnings: tuple[str, ...]
    files: tuple[Path, ...]

    @property
    def settings(self) -> Settings:
        """The settings in force at start."""
        return self.configuration.settings


def load(
    options: Mapping[str, object],
    environ: Mapping[str, str] | None = None,
    *,
    config: Path | None = None,
    system_file: Path = sources.SYSTEM_FILE,
) -> Loaded:
    """Load the configuration of a node that is started now.

    Args:
        options: values by dotted name from the command line; None is an option that was not given.
        environ: the environment; None for that of the process.
        config: the file to use instead of the standard ones.
        system_file: the standard file of the machine.

    Raises:
        ConfigError: if a file cannot be read, a name is unknown or a value not allowed; one line.
    """
    environ = os.environ if environ is None else environ
    files = (config,) if config is not None else sources.standard_files(environ, system_file)
    environment, pipeline = sources.from_environment(environ), sources.from_pipeline(environ)
    option = sources.from_options(options)
    outside = (
        sources.grid_intensity(environ),
        sources.visible_devices(environ),
        sources.library_path(environ),
    )
    weaker = (sources.state_directory(environ), *outside, *map(sources.from_file, files))
    base = _overlaid([*weaker, pipeline, environment, option])
    startup = _valid(base.values, base.origins)
    origins = dict.fromkeys(catalogue(), Origin(Source.DEFAULT)) | dict(base.origins)
    configuration = Configuration(startup, origins, startup, origins)
    warnings = _domain_warnings(pipeline, startup, origins)
    warnings += tuple(warning for layer in outside for warning in layer.warnings)
    if not startup.persist_configuration:
        return Loaded(configuration, warnings, files)
    kept, kept_warnings = _with_persisted(configuration)
    return Loaded(kept, warnings + kept_warnings, files)


def problems_of_file(path: Path) -> tuple[str, ...]:
    """Return what is wrong with a configuration file, one line per problem."""
    try:
        layer = sources.from_file(path)
    except ConfigError as error:
        return (str(error),)
    match settings_of(layer.values):
        case Settings():
            return ()
        case problems:
            return tuple(_line(problem, Origin(Source.FILE, str(path))) for problem in problems)


def _overlaid(layers: Iterable[Layer]) -> Layer:
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    for layer in layers:
        values |= layer.values
        origins |= layer.origins
    return Layer(values, origins)


def _valid(values: Mapping[str, object], origins: Mapping[str, Origin]) -> Settings:
    match settings_of(values):
        case Settings() as settings:
            return settings
        case problems:
            raise ConfigError(
                "; ".join(_line(problem, origins[problem.key]) for problem in problems)
            )


def _line(problem: Problem, origin: Origin) -> str:
    return f"{problem.message} ({origin}{_where(problem, origin)}): {problem.hint}"


def _where(problem: Problem, origin: Origin) -> str:
    """Return the line of the table that is wrong by itself; other keys can be searched for."""
    if origin.source is not Source.FILE or not isinstance(problem, InvalidValue):
        return ""
    tables = problem.value if isinstance(problem.value, dict) else {}
    for name, table in tables.items():
        if not isinstance(settings_of({problem.key: {name: table}}), Settings):
            number = sources.line_of_table(Path(origin.name), problem.key, name)
            return "" if number is None else f", line {number}"
    return ""


def _domain_warnings(
    pipeline: Layer, settings: Settings, origins: Mapping[str, Origin]
) -> tuple[str, ...]:
    if origins["domain"].has_last_word:
        return ()
    return tuple(
        f"{warning}: using DDS domain {settings.domain} ({origins['domain']})"
        for warning in pipeline.warnings
    )


def _with_persisted(
    configuration: Configuration,
) -> tuple[Configuration, tuple[str, ...]]:
    """Apply persisted changes to a configuration; none of them may prevent a start."""
    path = persisted_path(configuration.settings)
    try:
        kept = persisted(path)
    except ConfigError as error:
        return configuration, (f"{error}; starting without them",)
    warnings = []
    values, origins = flat(configuration.settings), dict(configuration.origins)
    for key, value in kept.values.items():
        if (reason := _why_unused(key, value, origins)) is not None:
            warnings.append(f"persisted change of {key} in {path} is not used: {reason}")
        else:
            values[key], origins[key] = value, Origin(Source.PERSISTED, str(path))
    changed = replace(
        configuration, settings=_valid(values, origins), origins=origins, revision=kept.revision
    )
    return changed, tuple(warnings)


def _why_unused(key: str, value: object, origins: Mapping[str, Origin]) -> str | None:
    match settings_of({key: value}):
        case Settings():
            pass
        case problems:
            return problems[0].message
    entry = catalogue()[key]
    if entry.fixed:
        return entry.fixed
    if entry.refuses_by_request(value):
        return BeyondRequests(entry, value).message
    return f"{origins[key]} has the last word" if origins[key].has_last_word else None
