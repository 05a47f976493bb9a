"""What a process holds in memory, as Linux tells."""

from pathlib import Path


def memory_bytes(pid: int | str, field: str) -> int:
    """Return a field of a process's status: `VmRSS` is held now, `VmHWM` was held at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def forget_peak(pid: int | str) -> None:
    """Let a process's `VmHWM` start again from what it holds now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
