"""What the process holds beyond what it uses, and how it is given back.

A long-lived process is as large as its largest moment: the C library keeps freed memory in case it
is needed again. Each function here belongs after such a moment, of which there are few.
"""

import gc

LARGE_BYTES = 1 << 20
"""Size from which a piece of memory goes back to the system as soon as it is free. Models come in
samples of many megabytes, everything else is far smaller."""

# Of mallopt(3).
_M_MMAP_THRESHOLD = -3


def keep_large_apart() -> None:
    """Let large pieces of memory be returned as soon as they are free, from now on.

    The GNU C library would learn from the first that is freed to keep up to 32 MB of the next ones.
    Does nothing with a C library that cannot.
    """
    import ctypes

    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Return freed memory of the C library to the system; takes a few milliseconds.

    Does nothing with a C library that cannot. May be called from any thread; other threads'
    allocations wait meanwhile.
    """
    # Here, because it costs 0.3 MB where nothing is given back.
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def settle() -> None:
    """Freeze start-up objects, which the garbage collector then passes over.

    A start leaves some 100,000 objects that last as long as the process. Full collections would
    walk them each time, and are put off until a quarter as many new ones exist: by then a running
    node holds a megabyte of garbage.
    """
    gc.collect()
    gc.freeze()
