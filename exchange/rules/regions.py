"""Hubs, and the table that sends a provider's raw region to its hub.

A region that no hub covers (Sydney, Montreal, Mumbai, ...), a place the table
does not know and an offer without a place map to None: such an offer still
counts for the worldwide benchmark `GLB`, and for no other hub.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

GLB: Final = "GLB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """One delivery area."""

    symbol: str
    name: str
    covers: str


HUBS: Final = (
    Hub(symbol=GLB, name="Global", covers="the worldwide benchmark: every region"),
    Hub(symbol="USE", name="US East", covers="US states on the Atlantic, Ohio, Michigan, Indiana"),
    Hub(symbol="USC", name="US Central", covers="US states from Illinois and Texas to the plains"),
    Hub(symbol="USW", name="US West", covers="US mountain and Pacific states"),
    Hub(symbol="EUN", name="Europe North", covers="Nordic and Baltic countries, Iceland"),
    Hub(symbol="EUW", name="Europe West", covers="EU, UK and Switzerland without the north"),
    Hub(symbol="APN", name="Asia North-East", covers="Japan, Korea, Taiwan, Hong Kong"),
    Hub(symbol="APS", name="Asia South-East", covers="Singapore, Malaysia, Indonesia, Thailand, "
        "Vietnam, Philippines"),
)  # fmt: skip

HUB_BY_SYMBOL: Final[Mapping[str, Hub]] = MappingProxyType({hub.symbol: hub for hub in HUBS})

# Regions of the clouds by hub. `None` rows are known regions outside every hub.
_CLOUD_REGIONS: Final = (
    # Google Cloud
    ("USE", "us-east1 us-east4 us-east5"),
    ("USC", "us-central1 us-south1"),
    ("USW", "us-west1 us-west2 us-west3 us-west4"),
    ("EUN", "europe-north1 europe-north2"),
    ("EUW", "europe-west1 europe-west2 europe-west3 europe-west4 europe-west6 europe-west8"),
    ("EUW", "europe-west9 europe-west10 europe-west12 europe-southwest1 europe-central2"),
    ("APN", "asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3"),
    ("APS", "asia-southeast1 asia-southeast2 asia-southeast3"),
    (None, "northamerica-northeast1 northamerica-northeast2 northamerica-south1"),
    (None, "southamerica-east1 southamerica-west1 australia-southeast1 australia-southeast2"),
    (None, "asia-south1 asia-south2 me-west1 me-central1 me-central2 africa-south1"),
    # Amazon Web Services
    ("USE", "us-east-1 us-east-2 us-gov-east-1"),
    ("USW", "us-west-1 us-west-2 us-gov-west-1"),
    ("EUN", "eu-north-1"),
    ("EUW", "eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-central-2 eu-south-1 eu-south-2"),
    ("EUW", "eusc-de-east-1"),
    ("APN", "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-east-1 ap-east-2"),
    ("APS", "ap-southeast-1 ap-southeast-3 ap-southeast-5 ap-southeast-7"),
    (None, "ca-central-1 ca-west-1 mx-central-1 sa-east-1 af-south-1 il-central-1 me-south-1"),
    (None, "me-central-1 ap-south-1 ap-south-2 ap-southeast-2 ap-southeast-4 ap-southeast-6"),
    # Microsoft Azure: `northeurope` is Dublin, so it is no northern region.
    ("USE", "eastus eastus2 eastus3"),
    ("USC", "centralus northcentralus southcentralus"),
    ("USW", "westus westus2 westus3 westcentralus"),
    ("EUN", "swedencentral swedensouth norwayeast norwaywest denmarkeast finlandcentral"),
    ("EUW", "northeurope westeurope francecentral francesouth germanywestcentral germanynorth"),
    ("EUW", "switzerlandnorth switzerlandwest uksouth ukwest italynorth spaincentral"),
    ("EUW", "polandcentral austriaeast belgiumcentral greececentral"),
    ("APN", "japaneast japanwest koreacentral koreasouth eastasia taiwannorth taiwannorthwest"),
    ("APS", "southeastasia malaysiawest malaysiasouth indonesiacentral"),
    (None, "canadacentral canadaeast mexicocentral brazilsouth brazilsoutheast chilecentral"),
    (None, "australiaeast australiasoutheast australiacentral australiacentral2"),
    (None, "newzealandnorth southafricanorth southafricawest uaenorth uaecentral qatarcentral"),
    (None, "israelcentral centralindia southindia westindia jioindiawest jioindiacentral"),
)  # fmt: skip

# US states and the district, as "Name, US" or "XX, US".
_US_STATES: Final = (
    ("USE", "Maine=ME New_Hampshire=NH Vermont=VT Massachusetts=MA Rhode_Island=RI"),
    ("USE", "Connecticut=CT New_York=NY New_Jersey=NJ Pennsylvania=PA Delaware=DE Maryland=MD"),
    ("USE", "District_of_Columbia=DC Virginia=VA West_Virginia=WV North_Carolina=NC"),
    ("USE", "South_Carolina=SC Georgia=GA Florida=FL Ohio=OH Michigan=MI Indiana=IN Kentucky=KY"),
    ("USC", "Illinois=IL Wisconsin=WI Minnesota=MN Iowa=IA Missouri=MO Arkansas=AR Louisiana=LA"),
    ("USC", "Mississippi=MS Alabama=AL Tennessee=TN Texas=TX Oklahoma=OK Kansas=KS Nebraska=NE"),
    ("USC", "South_Dakota=SD North_Dakota=ND"),
    ("USW", "Montana=MT Wyoming=WY Colorado=CO New_Mexico=NM Idaho=ID Utah=UT Arizona=AZ"),
    ("USW", "Nevada=NV California=CA Oregon=OR Washington=WA Alaska=AK Hawaii=HI"),
)

# Countries that lie in one hub whole, as "Place, CC" or "CC".
_COUNTRIES: Final = (
    ("EUN", "SE NO FI DK IS EE LV LT"),
    ("EUW", "DE FR NL BE LU GB UK IE CH AT IT ES PT PL CZ SK SI HR HU RO BG GR CY MT"),
    ("APN", "JP KR TW HK"),
    ("APS", "SG MY ID TH VN PH"),
)  # fmt: skip


def _states() -> dict[str, str]:
    hubs: dict[str, str] = {}
    for hub, states in _US_STATES:
        for state in states.split():
            name, _, code = state.partition("=")
            hubs[name.replace("_", " ").lower()] = hub
            hubs[code.lower()] = hub
    return hubs


HUB_BY_CLOUD_REGION: Final[Mapping[str, str | None]] = MappingProxyType(
    {region: hub for hub, regions in _CLOUD_REGIONS for region in regions.split()}
)
HUB_BY_US_STATE: Final[Mapping[str, str]] = MappingProxyType(_states())
HUB_BY_COUNTRY: Final[Mapping[str, str]] = MappingProxyType(
    {country: hub for hub, countries in _COUNTRIES for country in countries.split()}
)
assert len(HUB_BY_US_STATE) == 2 * 51


def hub_of(raw_region: str) -> str | None:
    """Return the symbol of the hub a raw region lies in, or None if it lies in none.

    Args:
        raw_region: a cloud's region ("us-east1", "ap-northeast-1", "swedencentral"), or
            a place ("Virginia, US", "VA, US", "Stockholm, SE", "DE").
    """
    region = raw_region.strip().lower()
    if region in HUB_BY_CLOUD_REGION:
        return HUB_BY_CLOUD_REGION[region]
    place, _, country = region.rpartition(",")
    if country.strip() == "us":
        return HUB_BY_US_STATE.get(place.strip())
    return HUB_BY_COUNTRY.get(country.strip().upper())
