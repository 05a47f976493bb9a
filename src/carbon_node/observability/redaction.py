"""Keeps secrets out of everything that is written.

Two nets, because either alone has holes: a value is hidden for the name of the key it stands
under, also inside text that quotes JSON or a mapping; and every value that was registered as a
secret is hidden wherever it appears, for example in the message of somebody else's exception.
"""

import json
import re
from collections import OrderedDict

HIDDEN = "[redacted]"

SHORTEST_SECRET = 4
"""Characters; hiding shorter values would garble every line, and they protect nothing."""

SECRETS_KEPT = 64
"""How many registered values are remembered; those registered longest ago go first."""

_KEY_NAME = r"(?:token|passw(?:or)?d|secret|api_?key|authorization|credentials?)"
_SECRET_KEY = re.compile(_KEY_NAME + r"\Z", re.IGNORECASE)
# Nothing unbounded before the name: that takes quadratic time on long text from the wire.
_SECRET_PAIR = re.compile(
    rf"""
    ({_KEY_NAME} (?:\\*["'])? \s{{0,4}} [:=] \s{{0,4}} (?:Bearer\s)?)
    (?: (\\+["']) (?:(?!\2).)* (?:\2)?     # JSON in JSON: ends at the same escaped quote
      | (["']) (?:\\.|(?!\3).)* (?:\3)?    # JSON, or a mapping as Python prints it
      | \[ [^\]]* \]?
      | [^\s,;}}\]]+
    )
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def is_secret_key(key: str) -> bool:
    """Whether a value that stands under this key must not be shown."""
    return _SECRET_KEY.search(key) is not None


class Secrets:
    """The values that must never be written; usable from any thread."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, set[str]] = OrderedDict()

    def register(self, secret: str) -> None:
        """Hide this value from now on.

        Args:
            secret: the value; one shorter than four characters is ignored.
        """
        if len(secret) < SHORTEST_SECRET:
            return
        self._forms[secret] = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]}
        self._forms.move_to_end(secret)
        while len(self._forms) > SECRETS_KEPT:
            self._forms.popitem(last=False)

    def redact(self, text: str) -> str:
        """Return the text without registered secrets and without values under secret names."""
        for form in [form for forms in tuple(self._forms.values()) for form in forms]:
            text = text.replace(form, HIDDEN)
        # Most texts of a record are single words, and without one of these there is no pair.
        return _SECRET_PAIR.sub(_hide_value, text) if ":" in text or "=" in text else text


def _hide_value(pair: re.Match[str]) -> str:
    quote = pair[2] or pair[3] or ""
    return f"{pair[1]}{quote}{HIDDEN}{quote}"
