"""The compiled Fast DDS binding, or a clear error if it cannot be loaded.

Import `native` from here and nowhere else, so that everyone gets that error.
"""

from importlib.metadata import PackageNotFoundError, version

from carbon_node.errors import BindingUnavailable

__all__ = ["explanation", "native"]


def explanation(error: ImportError) -> str:
    """Say why the binding cannot be loaded and what to do about it."""
    if isinstance(error, ModuleNotFoundError):
        return (
            "the Fast DDS binding is not built: run scripts/setup, or install the package with pip"
        )
    try:
        wheel = version("ros-fastdds")
    except PackageNotFoundError:
        return (
            f"the Fast DDS library cannot be loaded ({error}) and its wheel is not installed: run "
            "`pip install ros-fastdds`, or build with another Fast DDS as CONTRIBUTING.md says"
        )
    return (
        f"the Fast DDS library cannot be loaded ({error}), although ros-fastdds {wheel} is here: "
        "install carbon-node and ros-fastdds into the same environment, again if it was moved"
    )


try:
    from carbon_node.transport import _fastdds as native
except ImportError as import_error:
    raise BindingUnavailable(explanation(import_error)) from import_error
