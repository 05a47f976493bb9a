"""Reading word by word: what is accounted for decides, and what is not never does silently."""

import pytest

from carbon_node.estimation import CarbonIntensity, Place
from carbon_node.intensity import IntensityLookup


def area_of(answer: CarbonIntensity) -> str:
    """Return the area that was taken, empty for continents and the world."""
    taken = [step.code for step in answer.steps if step.outcome == "taken" and step.code]
    return taken[0] if taken else ""


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("Paris, TX 75460", "US-TX"),
        ("Dublin, OH 43017", "US-OH"),
        ("London, ON N6A 3K7", "CA-ON"),
        ("Melbourne, Fla.", "US-FL"),
        ("Moscow, Latah County", "US-ID"),
        ("Charlotte, Saint Vincent and the Grenadines", "VC-01"),
        ("1 Hacker Way, Menlo Park, CA 94025, USA", "US-CA"),
        ("75005 Paris", "FR-IDF"),
        ("Poland, Ohio", "US-OH"),
        ("Sudan, DC 20347", "US-DC"),
        ("Toronto, CA", "CA-ON"),
        ("San Jose, CA", "US-CA"),
        ("Berlin, DE", "DE-BE"),
        ("Milano, MI", "IT-MI"),
        ("Milan, MI 48160", "US-MI"),
        ("Genève, GE", "CH-GE"),
        ("Perth, WA", "AU-WA"),
        ("Nowheretown, WA 98101", "US-WA"),
        ("Nowheretown, AR 72001", "US-AR"),
        ("Athens, EL", "GR-I"),
        ("Stockholm SE3", "SE-AB"),
        ("Palermo, IT-SIC", "IT-82"),
    ],
)
def test_every_part_of_an_address_is_accounted_for(
    lookup: IntensityLookup, text: str, area: str
) -> None:
    """States, provinces, postal codes and counties decide between cities of one name."""
    assert area_of(lookup.lookup(Place(text))) == area


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("Hall 7, Rack 3, Oak Ridge, TN", "US-TN"),
        ("Fugaku, Kobe", "JP"),
        ("Rechenzentrum Nordost, Germany", "DE"),
    ],
)
def test_what_stands_before_may_be_left_out_with_a_warning(
    lookup: IntensityLookup, text: str, area: str
) -> None:
    """A street or a hall before the place changes nothing, and is named as not understood."""
    answer = lookup.lookup(Place(text))
    assert area_of(answer) == area
    assert answer.not_understood[0] == text.split(",")[0]
    assert "not understood" in answer.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        "not France",
        "France or Germany",
        "from Germany to France",
        "anywhere but China",
        "Norway, Nowhere",
        "Southern France",
        "Xyzzy Berlin",
        "London, Paris, New York",
        "Berlin / Vienna",
        "Texas, Germany",
        "Tokyo, Brazil",
        "Madrid, Mexico",
        "Paris 75460",
        "Ontario, CA",
        "Nowheretown, GA",
    ],
)
def test_what_could_change_the_meaning_decides_nothing(lookup: IntensityLookup, text: str) -> None:
    """Negations, alternatives, contradictions and unknown words leave no country, and say so."""
    answer = lookup.lookup(Place(text))
    assert area_of(answer) == ""
    assert answer.warnings


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("SA", "SA"),
        ("AF", "AF"),
        ("AS", "AS"),
        ("es_AR", "AR"),
        ("fr_FR.UTF-8", "FR"),
        ("pt-BR", "BR"),
        ("zh-Hant-TW", "TW"),
        ("DE-BY", "DE-BY"),
        ("Europe/Berlin", "DE"),
        ("America/Argentina/Buenos_Aires", "AR"),
        ("🇫🇷", "FR"),
        ("U.A.E.", "AE"),
        ("FR-974", "RE"),
        ("La Réunion, France", "RE"),
        ("Puerto Rico, USA", "PR"),
        ("Hong Kong, China", "HK"),
        ("SE4", "SE"),
        ("US-TEX-ERCO", "US-TX"),
        ("French Republic", "FR"),
        ("Korea, Republic of", "KR"),
        ("Cataluña", "ES-CT"),
        ("Freistaat Bayern, Deutschland", "DE"),
        ("Bayern", "DE-BY"),
    ],
)
def test_codes_ids_flags_and_official_names(lookup: IntensityLookup, text: str, area: str) -> None:
    """Codes come first, territories are themselves, and native names are known."""
    assert area_of(lookup.lookup(Place(text))) == area


@pytest.mark.parametrize(
    "text", ["in", "is", "at", "my", "so", "el", "Ye", "ore", "miss", "de-BE", "es-CO", "EST"]
)
def test_small_words_and_ambiguous_codes_are_no_countries(
    lookup: IntensityLookup, text: str
) -> None:
    """Letters that may be a word, or two codes at once, decide nothing."""
    assert area_of(lookup.lookup(Place(text))) == ""


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("us-east-1", "US-VA"),
        ("us-west-2-lax-1a", "US-OR"),
        ("aws/us-west-2", "US-OR"),
        ("arn:aws:ec2:eu-north-1:123:instance/i-1", "SE"),
        ("US East (N. Virginia)", "US-VA"),
        ("Azure West Europe", "NL"),
        ("West Europe", ""),
        ("Sweden Central", "SE"),
        ("Germany Central (Frankfurt)", "DE"),
        ("Macedonia, North", "MK"),
        ("ap-southeast-2", "AU-NSW"),
        ("AWS ap-southeast-2", "AU-NSW"),
        ("Huawei Cloud ap-southeast-2", "TH"),
        ("Alibaba Cloud ap-southeast-3", "MY"),
        ("Alibaba eu-west-1", "GB"),
        ("CoreWeave ap-southeast-2", ""),
        ("Foobar Cloud, ap-southeast-2", ""),
        ("Hetzner fsn1", "DE"),
        ("OVH GRA11", "FR"),
        ("Scaleway fr-par-2", "FR"),
        ("DigitalOcean nyc3", "US-NY"),
        ("Oracle Cloud us-ashburn-1", "US-VA"),
        ("IBM Cloud us-south", "US-TX"),
        ("ash", ""),
        ("sin", ""),
    ],
)
def test_cloud_regions_are_their_providers(lookup: IntensityLookup, text: str, area: str) -> None:
    """A code means its provider's region, and nothing where the provider is not known."""
    assert area_of(lookup.lookup(Place(text))) == area


@pytest.mark.parametrize(
    ("city", "continent", "country"),
    [
        ("Santa Barbara", "North America", ""),
        ("Springfield", "Europe", ""),
        ("La Plata", "South America", ""),
        ("Toronto", "North America", "CA"),
        ("Nicosia", "Europe", "CY"),
        ("Nicosia", "Asia", "CY"),
        ("Birmingham", "North America", "US"),
        ("Victoria", "Oceania", "AU"),
        ("Kingston", "Oceania", ""),
        ("Saltillo", "North America", "MX"),
        ("Shenzhen", "Asia", "CN"),
        ("Dhaka", "Asia", "BD"),
    ],
)
def test_a_continent_decides_only_where_the_table_knows_enough(
    lookup: IntensityLookup, city: str, continent: str, country: str
) -> None:
    """A namesake there keeps a city from being certain, unless the city is so much larger."""
    assert area_of(lookup.lookup(Place(city, continent)))[:2] == country


def test_a_country_in_the_continents_place_contains_the_region(lookup: IntensityLookup) -> None:
    """Some senders write the country where the continent belongs."""
    assert area_of(lookup.lookup(Place("Valencia", "Spain"))) == "ES-VC"
    assert area_of(lookup.lookup(Place("Germany", "Germany"))) == "DE"


def test_what_was_accounted_for_is_told(lookup: IntensityLookup) -> None:
    """Each part with what it was taken for."""
    answer = lookup.lookup(Place("AWS, Ashburn, VA 20147"))
    assert [(part.text, part.kind) for part in answer.understood] == [
        ("AWS", "cloud provider"),
        ("Ashburn", "city"),
        ("VA", "code"),
        ("20147", "postal code"),
    ]
    assert answer.not_understood == ()


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("🇩🇪 Germany", "DE"),
        ("Munich 🇩🇪", "DE-BY"),
        ("🇫🇷 Germany", ""),
        ("country: DE", "DE"),
        ('{"country": "DE"}', "DE"),
        ("TZ=Europe/Berlin", "DE"),
        ("country: in", ""),
        ("https://example.de/paris", ""),
        ("someone@example.fr, Paris", ""),
        ("g e r m a n y", ""),
        ("PC", ""),
        ("NSW", "AU-NSW"),
    ],
)
def test_what_forms_and_programs_send(lookup: IntensityLookup, text: str, area: str) -> None:
    """Flags and labels are read beside other parts; addresses of networks name no place."""
    assert area_of(lookup.lookup(Place(text))) == area


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("Cambridge CB2 1TN", "GB-ENG"),
        ("Boston PE21 6NH", "GB-ENG"),
        ("Sydney B1P 6T2", "CA-NS"),
        ("D-80331 München", "DE"),
        ("CH-1015 Lausanne, Switzerland", "CH-VD"),
        ("DK-2800 Nowherelyng", "DK"),
        ("A-1010, Berlin", ""),
        ("Sydney, NSW 2000", "AU-NSW"),
        ("Melbourne VIC 3000", "AU-VIC"),
        ("123 Main St Springfield MA 01103", "US-MA"),
        ("OVH SYD1", "AU-NSW"),
    ],
)
def test_a_postal_code_that_one_country_writes_decides(
    lookup: IntensityLookup, text: str, area: str
) -> None:
    """Letters in a code, or before it, name the country; a region of a cloud is no code."""
    assert area_of(lookup.lookup(Place(text))) == area


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Daresbury, Cheshire", "GB"),
        ("Nowhereton, Orkney", "GB"),
        ("Nowhereton, Ashland City", ""),
        ("University of Cambridge", ""),
        ("Lincoln University", ""),
        ("Harvard University, Cambridge, MA", "US"),
        ("Orkney", "GB"),
        ("Franconia", ""),
        ("Azerbaijan, East", ""),
        ("Niger State", "NG"),
        ("Antarctica/Davis", ""),
    ],
)
def test_a_small_namesake_never_decides(lookup: IntensityLookup, text: str, country: str) -> None:
    """A town called like a county, a university or a historic region is not meant."""
    assert area_of(lookup.lookup(Place(text)))[:2] == country


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("California, USA", "US-CA"),
        ("California, US", "US-CA"),
        ("Georgia, USA", "US-GA"),
        ("Perth, Australia", "AU-WA"),
        ("Springfield, USA", "US"),
    ],
)
def test_within_its_country_a_name_means_what_it_means_alone(
    lookup: IntensityLookup, text: str, area: str
) -> None:
    """A state is not widened by towns of the country that are called so."""
    assert area_of(lookup.lookup(Place(text))) == area


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Suid-Afrika", "ZA"),
        ("Føroyar", "FO"),
        ("Azərbaycan", "AZ"),
        ("ಭಾರತ", "IN"),
        ("السعودية", "SA"),
        ("四川省", "CN"),
        ("北海道", "JP"),
        ("Carolina del Norte", "US"),
        ("Nuevo México", "US"),
        ("Nouveau-Brunswick", "CA"),
        ("Selangor", "MY"),
        ("Ulaanbaatar", "MN"),
        ("Asia/Chita", "RU"),
        ("Europe/Mariehamn", "AX"),
        ("Vultr ewr", "US"),
        ("OVHcloud, Limburg", "DE"),
    ],
)
def test_names_in_the_languages_of_their_country(
    lookup: IntensityLookup, text: str, country: str
) -> None:
    """What a country, a province or a time zone is called where it lies is known."""
    assert area_of(lookup.lookup(Place(text)))[:2] == country


def test_a_city_on_its_continent_is_not_said_to_contradict_it(lookup: IntensityLookup) -> None:
    """Too many namesakes there make it ambiguous, which is another thing to tell."""
    answer = lookup.lookup(Place("Alexandria", "Africa"))
    assert not any("contradict" in warning for warning in answer.warnings)
    assert area_of(lookup.lookup(Place("Lima", "South America")))[:2] == "PE"


@pytest.mark.parametrize(
    ("region", "group", "area"),
    [
        ("France", "DACH", ""),
        ("Spain", "Benelux", ""),
        ("Austria", "DACH", "AT"),
        ("Greenland", "Nordics", "GL"),
        ("Norway", "EU", "NO"),
    ],
)
def test_a_group_of_countries_contradicts_others(
    lookup: IntensityLookup, region: str, group: str, area: str
) -> None:
    """No country outside of it is taken, but for the EU, by which many mean Europe."""
    answer = lookup.lookup(Place(region, group))
    assert area_of(answer) == area
    assert bool(area) != any("contradicts" in warning for warning in answer.warnings)
