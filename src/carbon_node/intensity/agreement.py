"""What the parts of a text can mean together: places of which each contains another."""

from carbon_node.intensity.names import Names
from carbon_node.intensity.pieces import CITIES, Kind, Piece, Sense, common_area, country


class Agreement:
    """Finds what parts of a text agree on.

    Args:
        names: the tables of names.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def agreed(self, places: list[Piece]) -> frozenset[Sense]:
        """Keep what all parts can mean at once; nothing is left where they contradict."""
        agreed, evident = places[0].senses, places[0].evident
        for piece in places[1:]:
            agreed = self._both(agreed, piece.senses, (evident, piece.evident))
            evident = common_area(sense.area for sense in agreed) if agreed else None
        return agreed or self._small_town(places)

    def _both(
        self,
        ones: frozenset[Sense],
        others: frozenset[Sense],
        evident: tuple[str | None, str | None],
    ) -> frozenset[Sense]:
        """Keep the senses of which one contains the other, by preference one that is no city."""
        pairs = [
            (one, other, inner)
            for one in ones
            for other in others
            if (inner := self._inner(one, other)) is not None
            and not _is_namesake(one, other, evident[0])
        ]
        for are_wanted in _BY_PREFERENCE:
            wanted = frozenset(inner for one, other, inner in pairs if are_wanted(one, other))
            if wanted:
                is_plain = len({other.area for other in others}) == 1
                return self._meant(wanted, evident[0]) if is_plain else wanted
        # Two cities: a quarter and its city, or a list of places, which share small namesakes.
        meant = {country(area) for area in evident if area is not None}
        cities = frozenset(inner for _, _, inner in pairs if meant == {country(inner.area)})
        return cities or self._town_in_state(ones, others)

    def _meant(self, senses: frozenset[Sense], evident: str | None) -> frozenset[Sense]:
        """Prefer what a name means by itself or as a state: California, USA, is no town."""
        by_itself = frozenset(sense for sense in senses if sense.area == evident)
        named = {sense.area for sense in senses if sense.kind is Kind.SUBDIVISION}
        if by_itself or len(named) != 1:
            return by_itself or senses
        (state,) = named
        is_within = any(self.contains(sense.area, state) for sense in senses if sense.area != state)
        return senses if is_within else frozenset(s for s in senses if s.area == state)

    def _town_in_state(self, ones: frozenset[Sense], others: frozenset[Sense]) -> frozenset[Sense]:
        """Take the state: a town of that name in it may be too small for the table."""
        if len({country(other.area) for other in others}) > 1:
            return frozenset()
        named = {country(one.area) for one in ones if one.kind in CITIES}
        return frozenset(
            other
            for other in others
            if other.kind in {Kind.SUBDIVISION, Kind.CODE}
            and country(other.area) in named
            and "-" in other.area
        )

    def _inner(self, one: Sense, other: Sense) -> Sense | None:
        """Return the narrower of two senses of which one contains the other."""
        if self._holds(one, other):
            return other
        return one if self._holds(other, one) else None

    def _holds(self, outer: Sense, inner: Sense) -> bool:
        """Whether a place contains another one; a city has no territories overseas."""
        is_abroad = country(outer.area) != country(inner.area)
        return self.contains(outer.area, inner.area) and not (is_abroad and outer.kind in CITIES)

    def contains(self, outer: str, inner: str) -> bool:
        """Whether an area lies in another one, or is it."""
        if outer == inner or outer == country(inner):
            return True
        if outer == self._names.sovereigns.get(country(inner)):
            return True
        parent = self._names.parents.get(inner)
        return parent is not None and self.contains(outer, parent)

    def _small_town(self, places: list[Piece]) -> frozenset[Sense]:
        """Take a town and a state of a country that is written so: Poland, Ohio."""
        if len(places) != 2:
            return frozenset()
        first, last = places
        states = {sense.area for sense in last.senses if sense.kind is Kind.SUBDIVISION}
        leading = {area for area in states if country(area) in self._names.leading}
        is_city = any(sense.kind in CITIES and sense.area in leading for sense in last.senses)
        is_town = first.kind in {Kind.COUNTRY, Kind.CITY, Kind.SUBDIVISION}
        is_state = len(leading) == 1 and all(
            sense.area in leading or sense.kind in CITIES or self._is_foreign_code(sense)
            for sense in last.senses
        )
        if not is_state or is_city or not is_town:
            return frozenset()
        return frozenset(Sense(area, Kind.SUBDIVISION) for area in leading)

    def _is_foreign_code(self, sense: Sense) -> bool:
        return sense.kind is Kind.ABBREVIATION or (
            sense.kind is Kind.SUBDIVISION and country(sense.area) not in self._names.leading
        )


def _is_behind_wider(one: Sense, other: Sense) -> bool:
    """Whether what stands behind contains what stands before it, as in an address."""
    return other.kind not in CITIES and Kind.ABBREVIATION not in {one.kind, other.kind}


def _is_one_wider(one: Sense, other: Sense) -> bool:
    return not {one.kind, other.kind} <= CITIES and Kind.ABBREVIATION not in {
        one.kind,
        other.kind,
    }


def _is_abbreviated(one: Sense, other: Sense) -> bool:
    """Whether a state is named as only its own country abbreviates it: Milano, MI."""
    return Kind.ABBREVIATION in {one.kind, other.kind}


_BY_PREFERENCE = (_is_behind_wider, _is_one_wider, _is_abbreviated)


def _is_namesake(one: Sense, other: Sense, evident: str | None) -> bool:
    """Whether a town is only called like a city that a country contradicts: Madrid, Mexico."""
    is_elsewhere = evident is not None and country(evident) != country(one.area)
    return one.kind is Kind.TOWN and is_elsewhere and "-" not in other.area
