"""Secrets inside texts: under a secret key's name, in a URL, or in the shape of a known token.

Text from peers is an error message, a URL, JSON that broke, a header: whoever wrote it may have
quoted a credential that nobody registered. Three things give one away: the name before it
(`hf_token=...`, `"password": "..."`, `Authorization: Bearer ...`), its place in a URL
(`https://user:password@host/?key=...`), and its shape (`hf_...`, `AKIA...`). What is found may be
percent-encoded, or spelled with JSON's escapes. All searches take time linear in the text's length.
"""

import json
import re
import string
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from urllib.parse import quote_plus, unquote

from carbon_node.secret_keys import SIGNS, is_secret, names_secret

HIDDEN = "[redacted]"
"""What stands in the place of a secret."""

SHORTEST_SECRET_CHARS = 8
"""Shorter values are no credentials, and hiding them would garble what they happen to occur in."""

SEARCH_LIMIT_CHARS = 1 << 28
"""Characters that may be compared to hide known values in texts, each value's pass counted: about
half a second. A text that takes more than its share is hidden whole."""

TEXT_COST_CHARS = 64
"""Characters that could be searched in the time that a text costs however short it is."""

NAMES_LIMIT = 10_000
"""Names in one text that are looked at, in a tenth of a second; what follows is hidden whole."""

SHAPES = (
    # beginning and length as the issuers' documentation and the rules of gitleaks have them
    ("hf_", r"[A-Za-z0-9]{16,}"),  # Hugging Face: user access token
    ("api_org_", r"[A-Za-z0-9]{16,}"),  # Hugging Face: organisation token
    *((f"gh{kind}_", r"[A-Za-z0-9]{16,}") for kind in "oprsu"),  # GitHub
    ("github_pat_", r"\w{16,}"),
    *(
        (f"gl{kind}-", r"[\w-]{16,}") for kind in ("pat", "ptt", "dt", "rt", "cbt", "soat")
    ),  # GitLab
    ("sk-", r"(?=[\w-]{0,40}?[0-9])[\w-]{20,}"),  # OpenAI, Anthropic, OpenRouter
    *((f"{kind}k_live_", r"[A-Za-z0-9]{10,}") for kind in "prs"),  # Stripe
    *((f"{kind}k_test_", r"[A-Za-z0-9]{10,}") for kind in "prs"),
    ("xox", r"[abceoprs]-[A-Za-z0-9-]{10,}"),  # Slack
    ("xapp-", r"[A-Za-z0-9-]{10,}"),
    *((f"A{kind}", r"[A-Z0-9]{16}") for kind in ("KIA", "SIA", "BIA", "CCA")),  # AWS: access key id
    ("AIza", r"[\w-]{30,}"),  # Google: API key
    ("ya29.", r"[\w-]{16,}"),  # Google: OAuth access token
    ("SG.", r"[\w-]{16,}\.[\w-]{16,}"),  # SendGrid
    ("npm_", r"[A-Za-z0-9]{20,}"),
    ("pypi-", r"[\w-]{20,}"),
    ("dop_v1_", r"[a-f0-9]{20,}"),  # DigitalOcean
    ("gsk_", r"[A-Za-z0-9]{20,}"),  # Groq
    ("r8_", r"[A-Za-z0-9]{20,}"),  # Replicate
    ("nvapi-", r"[\w-]{20,}"),  # NVIDIA
    ("dckr_pat_", r"[\w-]{20,}"),  # Docker
)
"""Credentials that are known by their beginning, and how they go on."""

_SHAPES = (
    *((prefix, re.compile(re.escape(prefix) + rest)) for prefix, rest in SHAPES),
    # JSON Web Token, RFC 7519; whole words only, so that no octet is looked at twice
    ("eyJ", re.compile(r"(?<![\w.-])eyJ[\w-]{8,}+\.[\w-]{4,}+(?:\.[\w-]*+){0,3}")),
    # RFC 7468
    (
        "PRIVATE KEY",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY.*?(?:-----END[ A-Z0-9]{0,40}-----|\Z)", re.S
        ),
    ),
    # RFC 6750 and RFC 7617; words of prose have no digits
    ("Bearer ", re.compile(r"(?<=Bearer )(?=[\w~+/.-]{0,40}?[0-9])[\w~+/.-]{12,}={0,2}")),
    ("Basic ", re.compile(r"(?<=Basic )(?=[\w+/]{0,40}?[0-9=])[\w+/]{12,}={0,2}")),
    # RFC 3986: user information
    ("://", re.compile(r"""(?<=://)[^\s/?#"'<>\\]{1,512}(?=@)""")),
    ("key=", re.compile(r"""(?<=[?&]key=)[^\s&#"'<>\\]+""")),
)

_NAME = re.compile(
    # From a sign of a secret on; what stands before it in the name is read backwards.
    rf"""
    (?:{"|".join(SIGNS)}) [\w.-]{{0,64}}+
    (?P<gap> (?: \\{{0,8}} ["'] )? \s{{0,4}} [:=] >? \s{{0,4}})
    """,
    re.VERBOSE,
)
_NAME_CHARS = string.ascii_letters + string.digits + "_.-"
_LONGEST_NAME_CHARS = 64
_IN_DOUBLE = r'[^"\\]*+(?:\\.[^"\\]*+)*+'
_IN_SINGLE = r"[^'\\]*+(?:\\.[^'\\]*+)*+"
# Nothing that a possessive group repeats may leave a choice: before Python 3.11.5 it took too much
# then, such as the closing quote.
_VALUE = re.compile(
    rf"""
      (\\{{1,8}}["']) (?P<escaped> .*? ) (?:\1|\Z)           # JSON in JSON: to the same quote
    | " (?P<double> {_IN_DOUBLE} ) "?                       # JSON
    | ' (?P<single> {_IN_SINGLE} ) '?                       # a repr of a mapping
    | (?P<open> [\[{{] )
    | (?: (?:Basic|Bearer|Digest|Token) \s )? (?P<plain> [^\s,;}}\]]+ )
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_COOKIES = re.compile(r"""[^\r\n"'}\]]+""")
_QUERY_VALUE = re.compile(r"""[^\s&#"'<>]+""")
_PARTS = re.compile(r"[\s;,=&:]+")
_BRACKETS = re.compile(rf"""[\[{{]|(?P<close>[\]}}])|\\{{0,8}}"{_IN_DOUBLE}"?""", re.DOTALL)
_STRINGS = re.compile(rf"""["'](?:(?<="){_IN_DOUBLE}|(?<='){_IN_SINGLE})""", re.DOTALL)
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_ESCAPE = re.compile(r"\\+u(?![Dd][89A-Fa-f])([0-9A-Fa-f]{4})")
_COOKIE = ("cookie", "cookies")
_DECODINGS = 3
"""Layers of encoding that are taken off."""

_LITERALS = frozenset(("False", "None", "True", "false", "null", "true"))
"""Values that are no secret whatever their name is."""

_PROSE = frozenset(("auth", "cookie", "cookies", "pass", "signature", "tokens"))
"""Names that are words of prose, too: what follows them is a secret if it is as long as one."""

_SEPARATOR = "\udfff"
"""Between texts that are searched at once: no text that can be written has it."""


def redacted(text: str) -> str:
    """Return a text without the secrets that can be recognised in it."""
    return redacted_all((text,))[0]


def redacted_all(texts: Sequence[str], known: Collection[str] = ()) -> list[str]:
    """Return texts without the secrets that can be recognised in them, and without known ones.

    Args:
        texts: any texts.
        known: values, in all their spellings, that are hidden wherever they occur.
    """
    if known and texts:
        longest = SEARCH_LIMIT_CHARS // (len(known) * len(texts)) - TEXT_COST_CHARS
        texts = [text if len(text) <= longest else HIDDEN for text in texts]
    joined = _SEPARATOR.join(texts)
    is_encoded = _may_be_encoded(joined)
    # Longest first: a secret may begin with another one.
    found = sorted((each for each in known if is_encoded or each in joined), key=len, reverse=True)
    if found or is_encoded:
        return [_without(text, found) for text in texts]
    clean = list(texts)
    for index in _suspects(texts, joined):
        clean[index] = _without(texts[index], ())
    return clean


def is_suspicious(texts: Sequence[str]) -> bool:
    """Whether a secret may be recognised in texts; if not, they need no further look."""
    joined = _SEPARATOR.join(texts)
    return _may_be_encoded(joined) or bool(_spans(joined))


def secrets_in(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the secrets that can be recognised in texts and are worth remembering, each once."""
    joined = _SEPARATOR.join(texts)
    suspects = range(len(texts)) if _may_be_encoded(joined) else _suspects(texts, joined)
    return tuple(
        dict.fromkeys(secret for index in suspects for secret in _secrets_in(texts[index]))
    )


def credentials_in(value: str) -> tuple[str, ...]:
    """Return what is worth remembering of a secret value.

    That is the value itself and, of a header such as `Bearer ...`, a cookie or the user information
    of a URL, the credential in it; words without a digit are names and schemes.
    """
    parts = [part for part in _PARTS.split(value) if any(map(str.isdecimal, part))]
    return tuple(each for each in (value, *parts) if len(each) >= SHORTEST_SECRET_CHARS)


def spellings(secret: str) -> frozenset[str]:
    """Return how a secret may be written: as it is, in JSON, in a repr and in a URL."""
    in_json = (json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    in_url = quote_plus(secret, errors="replace")
    writable = secret.encode(errors="replace").decode()
    return frozenset((secret, writable, repr(secret)[1:-1], in_url, *in_json))


def _may_be_encoded(text: str) -> bool:
    return ("%" in text or "\\u" in text) and _ENCODED.search(text) is not None


def _suspects(texts: Sequence[str], joined: str) -> Collection[int]:
    """Tell which of some texts a secret begins in; most have none, and are looked at once."""
    spans = _spans(joined)
    if not spans or len(texts) == 1:
        return range(len(texts) if spans else 0)
    ends = list(accumulate(len(text) + 1 for text in texts))
    reach = ((bisect_right(ends, begin), bisect_left(ends, end)) for begin, end in spans)
    return sorted({index for first, last in reach for index in range(first, last + 1)})


def _without(text: str, known: Sequence[str]) -> str:
    """Return a text without secrets; one that hides them behind an encoding comes back decoded."""
    clean = layer = _hidden(text, known)
    for _ in range(_DECODINGS):
        decoded = _decoded(layer)
        if decoded == layer:
            break
        layer = _hidden(decoded, known)
        if layer != decoded:
            clean = layer
    return clean


def _hidden(text: str, known: Sequence[str]) -> str:
    for value in known:
        text = text.replace(value, HIDDEN)
    parts: list[str] = []
    end = 0
    for begin, next_end in _spans(text):
        parts += (text[end:begin], HIDDEN)
        end = next_end
    return "".join((*parts, text[end:]))


def _secrets_in(text: str) -> Iterator[str]:
    for _ in range(_DECODINGS + 1):
        for begin, end in _spans(text):
            yield from _worth_remembering(text, begin, end)
        decoded = _decoded(text)
        if decoded == text:
            return
        text = decoded


def _worth_remembering(text: str, begin: int, end: int) -> Iterator[str]:
    """Yield the values in a span: the strings of a list, else the value as it stands."""
    span = text[begin:end]
    is_quoted = text[begin - 1 : begin] in ("'", '"')
    values = [each[0][1:] for each in _STRINGS.finditer(span)] if span[0] in "[{" else [span]
    for value in values:
        bare = value if is_quoted else value.strip("\"'`.()<>")
        # A bare word after a name may be prose, as in "Authorization: required".
        is_word = bare.isalpha() and not is_quoted and len(values) == 1
        if not (is_word or bare.endswith(":") or bare in HIDDEN):
            yield from credentials_in(bare)


def _decoded(text: str) -> str:
    text = unquote(text) if "%" in text else text
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text) if "\\u" in text else text


def _spans(text: str) -> list[tuple[int, int]]:
    """List where secrets begin and end, in order and apart from each other."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted([*_named(text), *_shaped(text)]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged


def _shaped(text: str) -> Iterator[tuple[int, int]]:
    for prefix, shape in _SHAPES:
        if prefix in text:
            for match in shape.finditer(text):
                begin = match.start()
                # A beginning in the middle of a word is none: `task-...` is no `sk-...`.
                if not (text[begin - 1 : begin].isalnum() and text[begin].isalnum()):
                    yield match.span()


def _named(text: str) -> Iterator[tuple[int, int]]:
    # Only İ has another length in small letters.
    small = text.replace("\u0130", "I").lower()
    if not any(sign in small for sign in SIGNS):
        return
    reached = 0
    for count, match in enumerate(_NAME.finditer(small)):
        if count == NAMES_LIMIT:
            yield match.start(), len(text)
            return
        # A name inside a value counts if its own value lies beyond: "token: api_key: ...".
        if match.end() <= reached:
            continue
        before = text[max(0, match.start() - _LONGEST_NAME_CHARS) : match.start()]
        begin = match.start() - len(before) + len(before.rstrip(_NAME_CHARS))
        key = text[begin : match.start("gap")]
        if not names_secret(key):
            continue
        span = _value(text, key, begin, match.end())
        if span is not None:
            yield span
            reached = span[1]


def _value(text: str, key: str, begin: int, end: int) -> tuple[int, int] | None:
    """Tell where the value of a secret key stands; None if there is none, or it is no secret.

    Args:
        text: where both stand.
        key: the secret key.
        begin: where the key begins.
        end: where the value begins, if there is one.
    """
    value = _VALUE.match(text, end)
    if value is None:
        return None
    kind = value.lastgroup or ""
    if kind == "open":
        return end, _end_of_container(text, end)
    if kind == "plain":
        is_query = text[begin - 1 : begin] in ("?", "&")
        return _query_value(text, end) if is_query else _plain_value(text, key, value)
    return value.span(kind) if value[kind] else None


def _query_value(text: str, begin: int) -> tuple[int, int] | None:
    value = _QUERY_VALUE.match(text, begin)
    return None if value is None else value.span()


def _plain_value(text: str, key: str, value: re.Match[str]) -> tuple[int, int] | None:
    """Tell where a value without quotes stands, unless it is a word or a count."""
    begin, end = value.span("plain")
    if text.startswith(HIDDEN, begin):
        return begin, begin + len(HIDDEN)
    if key.lower().endswith(_COOKIE):
        line = _COOKIES.match(text, begin)
        end = end if line is None else line.end()
    shown = text[begin:end]
    is_short = len(shown) < SHORTEST_SECRET_CHARS
    if shown in _LITERALS or (is_short and key.lower() in _PROSE):
        return None
    if is_short and shown.isdecimal() and not is_secret(key, int(shown)):
        return None
    return begin, end


def _end_of_container(text: str, begin: int) -> int:
    """Tell where a list or mapping ends; at the end of the text if it is never closed."""
    depth = 0
    for token in _BRACKETS.finditer(text, begin):
        if token["close"]:
            depth -= 1
        elif token[0] in "[{":
            depth += 1
        if depth == 0:
            return token.end()
    return len(text)
