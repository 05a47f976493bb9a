"""Reading a text word by word: what each part of it means, and what they mean together.

A place is taken only if every part of the text is accounted for: as a name or code of the place or
of what contains it, a postal code or county of it, a cloud provider, or a word that says nothing. A
part that is not understood may stand before what contains it, as in "Hall 7, Oak Ridge, TN": then
the answer is what is certain without it, and the reader is told. Anywhere else it might change the
meaning ("not France", "Norway, Nowhere"), and nothing is taken.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from carbon_node.intensity.agreement import Agreement
from carbon_node.intensity.clouds import CloudRegion
from carbon_node.intensity.gazetteer import FLAG, Gazetteer
from carbon_node.intensity.pieces import CITIES, Kind, Piece, Sense, common_area, country
from carbon_node.intensity.postal import Fit
from carbon_node.intensity.tables import Tables
from carbon_node.intensity.text import normalised

MAX_WORDS = 8
"""More words than any name has."""

MAX_PARTS = 40
"""Words of a text that are read; an address has fewer."""

_SEPARATORS = re.compile(
    r"[,;/|()\[\]{}\n\t>:=\"\u00ab\u00bb\u201c-\u201e\u00b7\u2192\u3001\uff0c]+"
    r"|\s+[-\u2013\u2014]\s+"
    # A state and its postal code end an address, whatever stands before.
    r"|\s+(?=[A-Z]{2}\s+(?:\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b)"
    f"|({FLAG.pattern})"
)

_ADDRESS_OF_NETWORK = re.compile(r"://|\bwww\.|\S@\S+\.\S")
"""A URL or an e-mail address: the names in it are no places."""

_LABEL = re.compile(
    r"\W*(?:cc|country|country[ _-]?code|iso|nation|tz|time[ _-]?zone|locale)\W*[:=]\W*(.+?)\W*",
    re.IGNORECASE,
)
"""What stands before a code in a form or in JSON."""

_COUNTRY_AND_CODE = re.compile(
    r"\b(?:(A|AT|B|BE|BG|CH|CZ|D|DE|DK|E|EE|ES|F|FI|FIN|FR|GR|H|HR|HU|I|IT|L|LT|LU|N|NL|NO|P|PL"
    r"|PT|RO|S|SE|SI|SK)-)(?=\d{2}-\d{3}\b|\d{3,5}\b)"
)
"""The country's letters before a European postal code: D-10117."""

_LETTERS_OF_COUNTRIES = {
    **{"A": "AT", "B": "BE", "D": "DE", "E": "ES", "F": "FR", "FIN": "FI", "H": "HU", "I": "IT"},
    **{"L": "LU", "N": "NO", "P": "PT", "S": "SE"},
}
"""Countries by the letters of their cars, where these are not their code."""

_TURNING = frozenset(
    [
        "not",
        "no",
        "non",
        "or",
        "except",
        "but",
        "outside",
        "without",
        "excluding",
        "either",
        "neither",
        "from",
        "to",
        "near",
        "vs",
        "versus",
        "than",
        "oder",
        "nicht",
        "ou",
        "pas",
        "sauf",
        "o",
        "no",
        "excepto",
        "y",
        "und",
        "et",
        "and",
    ]
)
"""Words beside places that change which place is meant."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text means.

    Args:
        kind: as what the place was recognised.
        areas: every area that the text can mean; empty where its parts contradict each other.
        evident: the area that is meant without a continent, None if that needs one.
        is_dominated: whether the evident area is a city with namesakes on whose continent it need
            not be meant.
        is_town: whether a city bears the name of the area that is meant.
        towns: areas in which only a small town can be meant.
        divisions: areas that bear the name themselves.
        prominent: areas that a continent alone can decide for.
        pieces: the parts that are accounted for.
        unread: the parts that are not.
        continents: codes of the continents that the text names, None if it names none.
        region: the cloud region that it names.
        zones: the grid zones that it names.
    """

    kind: Kind | None
    areas: tuple[str, ...] = ()
    evident: str | None = None
    is_dominated: bool = False
    is_town: bool = False
    towns: frozenset[str] = frozenset()
    divisions: frozenset[str] = frozenset()
    prominent: frozenset[str] = frozenset()
    pieces: tuple[Piece, ...] = ()
    unread: tuple[str, ...] = ()
    continents: frozenset[str] | None = None
    region: CloudRegion | None = None
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A part between commas, with what in it is accounted for and what is not."""

    pieces: tuple[Piece, ...]
    unread: tuple[str, ...]


class Reader:
    """Reads texts of places.

    Args:
        tables: the shipped tables.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._names = tables.names
        self._gazetteer = Gazetteer(tables)
        self._agreement = Agreement(tables.names)

    def read(self, text: str) -> Reading:
        """Read a text.

        Args:
            text: place as sent, without control characters.
        """
        named = self._providers(text)
        if _ADDRESS_OF_NETWORK.search(text):
            return Reading(None, unread=(text,))
        whole = self._whole(text, named)
        if whole is not None:
            return self._together([_Part((whole,), ())])
        pieces = _SEPARATORS.split(_country_last(text))
        parts = [part.strip() for part in pieces if part and part.strip()]
        if sum(len(part.split()) for part in parts) > MAX_PARTS:
            return Reading(None, unread=(text,))
        return self._together([self._part(part, named, len(parts) > 1) for part in parts])

    def _whole(self, text: str, named: frozenset[str]) -> Piece | None:
        """Recognise a text as one code or name, with or without a label."""
        if FLAG.search(text):
            return self._gazetteer.piece(text, named) if FLAG.fullmatch(text) else None
        label = _LABEL.fullmatch(text)
        labelled = self._gazetteer.whole(label[1], named) if label else None
        return labelled or self._gazetteer.whole(text, named)

    def _providers(self, text: str) -> frozenset[str]:
        """Return the keys of the cloud providers that a text names."""
        keys = self._names.clouds.keys
        words = normalised(text).split()
        spans = (
            " ".join(words[at : at + count]) for count in (1, 2, 3) for at in range(len(words))
        )
        return frozenset(keys[span] for span in spans if span in keys)

    def _part(self, text: str, named: frozenset[str], has_others: bool) -> _Part:  # noqa: FBT001
        """Account for as many words as possible by as few names as possible."""
        if has_others and (alone := self._whole_part(text, named)) is not None:
            return _Part((alone,), ())
        words = text.split()
        if any(map(_is_turning, words)):
            whole = self._gazetteer.piece(text, named)
            return _Part((whole,), ()) if whole else _Part((), (text,))
        pieces, unread = self._covered(words, named)
        if unread and any(mark in text for mark in "-_"):
            split = re.split(r"[\s_-]+", text)
            finer, rest = self._covered([word for word in split if word], named)
            pieces, unread = (finer, rest) if not rest else (pieces, unread)
        return _Part(tuple(pieces), (text,) if unread else ())

    def _whole_part(self, text: str, named: frozenset[str]) -> Piece | None:
        """Recognise a part that is one name; small letters may be a code there."""
        if (piece := self._gazetteer.piece(text, named)) is not None:
            return piece
        is_word = text in self._names.small_words or text in _TURNING
        if text.islower() and text.isascii() and 2 <= len(text) <= 3 and not is_word:
            return self._gazetteer.piece(text.upper(), named)
        return None

    def _covered(self, words: list[str], named: frozenset[str]) -> tuple[list[Piece], list[str]]:
        """Cover the words with names: the fewest words left, then the fewest names."""
        names = [normalised(word) for word in words]
        best: list[tuple[int, int, list[Piece], list[str]]] = [(0, 0, [], [])]
        for start in reversed(range(len(words))):
            left, count, pieces, unread = best[0]
            choice = (left + 1, count, pieces, [words[start], *unread])
            for stop, piece in self._pieces_at(words, names, start, named):
                left, count, pieces, unread = best[stop - start - 1]
                option = (left, count + 1, [piece, *pieces], unread)
                choice = min(choice, option, key=lambda known: known[:2])
            best.insert(0, choice)
        return best[0][2], best[0][3]

    def _pieces_at(
        self, words: list[str], names: list[str], start: int, named: frozenset[str]
    ) -> Iterable[tuple[int, Piece]]:
        """Return the names that begin at a word, and where each ends; the longest first."""
        found: list[tuple[int, Piece]] = []
        for stop in range(start + 1, min(start + MAX_WORDS, len(words)) + 1):
            name = _joined(names[start:stop])
            piece = self._gazetteer.piece(" ".join(words[start:stop]), named, name)
            is_word = name in self._names.never_towns and len(words) > 1
            if piece is not None and not is_word:
                found.insert(0, (stop, piece))
            # A postal code of two words begins no name.
            is_code = any(map(str.isdigit, words[start])) and stop == start + 1
            if stop < len(words) and not is_code and not self._gazetteer.may_go_on(name):
                break
        return found

    def _together(self, parts: list[_Part]) -> Reading:
        """Say what the parts mean together."""
        unread = tuple(word for part in parts for word in _unread_words(part))
        clean = [part for part in parts if not part.unread]
        pieces = tuple(piece for part in clean for piece in part.pieces)
        deciding = _deciding(parts)
        places = [piece for piece in pieces if piece.senses]
        continents = _continents(pieces)
        if not places or not _is_certain(deciding, pieces, bool(unread)):
            kind = Kind.CONTINENT if continents is not None and not unread else None
            return Reading(
                kind,
                pieces=pieces,
                unread=unread,
                continents=continents if kind else None,
            )
        reading = self._of_places(places, pieces)
        if unread:
            # A state that only its own country abbreviates so needs every word's agreement.
            is_weak = _is_abbreviated(places, reading.areas)
            reading = Reading(reading.kind) if is_weak else _widened(reading, places)
        return Reading(
            reading.kind,
            reading.areas,
            reading.evident,
            reading.is_dominated,
            reading.is_town,
            reading.towns,
            reading.divisions,
            reading.prominent,
            pieces,
            unread,
            continents,
            reading.region,
            reading.zones,
        )

    def _of_places(self, places: list[Piece], pieces: tuple[Piece, ...]) -> Reading:
        agreed = self._agreement.agreed(places)
        fits = self._fits(agreed, pieces)
        areas = frozenset(area for area, fit in fits.items() if fit is not Fit.NONE)
        sure = frozenset(area for area, fit in fits.items() if fit is Fit.PLACE)
        address = self._address(pieces)
        is_city = any(sense.kind in CITIES for sense in places[0].senses & agreed)
        if address and not sure and not is_city:
            areas = sure = frozenset({address})
        elif address in sure:
            areas = frozenset({str(address)})
        region = next((piece.region for piece in places if piece.region), None)
        zones = next((piece.zones for piece in places if piece.zones), ())
        towns = {sense.area for sense in places[0].senses if sense.kind in CITIES}
        evident = self._evident(places, areas, sure)
        is_town = evident is not None and any(
            self._agreement.contains(evident, area) for area in towns
        )
        return Reading(
            _kind(places[0], areas),
            tuple(sorted(areas)),
            evident,
            len(places) == 1 and places[0].is_dominated,
            is_town,
            frozenset(areas - {sense.area for sense in agreed if sense.kind is not Kind.TOWN}),
            frozenset(sense.area for sense in agreed if sense.kind not in CITIES),
            places[0].prominent if len(places) == 1 else areas,
            region=region,
            zones=zones,
        )

    def _fits(self, senses: frozenset[Sense], pieces: tuple[Piece, ...]) -> dict[str, Fit]:
        """Compare what a text can mean with its postal codes."""
        fits = {sense.area: Fit.SHAPE for sense in senses}
        for piece in pieces:
            if piece.kind is Kind.POSTAL:
                leads = _leads(piece, pieces)
                fits = {
                    area: self._names.postal_codes.fit(piece.text, area)
                    for area in fits
                    # In the USA it stands behind the state.
                    if not (leads and country(area) == "US")
                }
        return fits

    def _address(self, pieces: tuple[Piece, ...]) -> str | None:
        """Return the state of "ST 12345", where the code is one of that state's."""
        for before, code in pairwise(pieces):
            if code.kind is not Kind.POSTAL:
                continue
            for sense in before.senses:
                is_state = "-" in sense.area and country(sense.area) in self._names.leading
                fit = self._names.postal_codes.fit(code.text, sense.area)
                if is_state and sense.kind is Kind.SUBDIVISION and fit is Fit.PLACE:
                    return sense.area
        return None

    def _evident(
        self, places: list[Piece], areas: frozenset[str], sure: frozenset[str]
    ) -> str | None:
        """Return the area that is meant: what all parts agree on, or what one name means."""
        if len(areas) == 1 and (len(places) > 1 or sure):
            return next(iter(areas))
        if len(places) > 1 or not areas:
            outer = (
                area
                for area in areas
                if all(self._agreement.contains(area, other) for other in areas)
            )
            return next(outer, None) or common_area(areas)
        alone = places[0].evident
        if alone is None:
            # A postal code of one country alone.
            return common_area(areas) if sure else None
        is_denied = sure and not any(country(area) == country(alone) for area in sure)
        is_fitting = any(self._agreement.contains(alone, area) for area in areas)
        return alone if is_fitting and not is_denied else None


def _kind(piece: Piece, areas: frozenset[str]) -> Kind:
    """Return as what a part means one of the areas."""
    kinds = {sense.kind for sense in piece.senses if sense.area in areas}
    is_city = bool(kinds) and kinds <= CITIES and piece.kind is not Kind.CODE
    return Kind.CITY if is_city else piece.kind


def _country_last(text: str) -> str:
    """Move the country's letters before a postal code to the end, where an address has it."""
    letters = [match[1] for match in _COUNTRY_AND_CODE.finditer(text)]
    countries = [_LETTERS_OF_COUNTRIES.get(code, code) for code in letters]
    return ", ".join([_COUNTRY_AND_CODE.sub("", text), *countries])


def _is_turning(word: str) -> bool:
    """Whether a word turns the meaning: "or", but not OR, which is Oregon."""
    return word in _TURNING or (word.istitle() and len(word) > 1 and word.casefold() in _TURNING)


def _joined(names: list[str]) -> str:
    """Join normalised words as `normalised` does: without the article of a longer name."""
    words = " ".join(filter(None, names))
    return words.removeprefix("the ") if len(names) > 1 else words


def _leads(code: Piece, pieces: tuple[Piece, ...]) -> bool:
    """Whether a postal code stands before every place."""
    return next((piece for piece in pieces if piece.senses or piece is code), None) is code


def _unread_words(part: _Part) -> tuple[str, ...]:
    return () if not part.unread else (" ".join(part.unread),)


def _deciding(parts: list[_Part]) -> list[_Part]:
    """Return the parts behind the last one that is not understood."""
    behind: list[_Part] = []
    for part in reversed(parts):
        if part.unread:
            break
        behind.insert(0, part)
    return behind


def _is_certain(deciding: list[_Part], pieces: tuple[Piece, ...], has_unread: bool) -> bool:  # noqa: FBT001
    """Whether what is understood may decide; a code of an unknown provider may not."""
    if not has_unread:
        return True
    has_place = any(piece.senses for part in deciding for piece in part.pieces)
    is_code = any(piece.kind is Kind.CLOUD for piece in pieces)
    has_provider = any(piece.kind is Kind.PROVIDER for piece in pieces)
    return has_place and (not is_code or has_provider)


def _continents(pieces: tuple[Piece, ...]) -> frozenset[str] | None:
    named = [piece.continents for piece in pieces if piece.continents is not None]
    return frozenset.intersection(*named) if named else None


def _is_abbreviated(places: list[Piece], areas: tuple[str, ...]) -> bool:
    """Whether an area follows from nothing but a foreign abbreviation, which is a country's too."""
    senses = places[-1].senses
    has_code = any(sense.kind is Kind.CODE for sense in senses)
    abbreviated = {sense.area for sense in senses if sense.kind is Kind.ABBREVIATION}
    return has_code and bool(areas) and abbreviated.issuperset(areas)


def _widened(reading: Reading, places: list[Piece]) -> Reading:
    """Take the country of a city that stands beside something that was not understood."""
    outer = [s.area for piece in places for s in piece.senses if s.kind not in CITIES]
    if reading.evident is None or any(area in reading.areas for area in outer):
        return reading
    known = map(country, (*outer, *places[-1].large))
    if country(reading.evident) not in known:
        # What contains it may be called like a small town: Daresbury, Cheshire.
        return Reading(None)
    return Reading(reading.kind, reading.areas, country(reading.evident), zones=())
