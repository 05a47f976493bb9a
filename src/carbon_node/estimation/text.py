"""Foreign text made safe to publish, log and print."""


def one_line(text: str, length: int) -> str:
    """Shorten a text, and replace what a terminal or a parser could stumble over.

    Args:
        text: anything; only its beginning is looked at.
        length: characters that are kept at most, > 0.

    Returns:
        A text without control characters that can be written as UTF-8.
    """
    if len(text) <= length and text.isprintable():
        return text
    kept = text if len(text) <= length else f"{text[: length - 1]}…"
    shown = "".join(each if each.isprintable() else "�" for each in kept)
    return shown.encode("utf-8", "replace").decode("utf-8")
