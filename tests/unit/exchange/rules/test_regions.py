import pytest

from exchange.rules.regions import HUB_BY_SYMBOL, hub_of


@pytest.mark.parametrize(
    ("raw_region", "hub"),
    [
        ("us-east1", "USE"),
        ("us-east-1", "USE"),
        ("eastus2", "USE"),
        ("us-central1", "USC"),
        ("southcentralus", "USC"),
        ("us-west-2", "USW"),
        ("westus3", "USW"),
        ("europe-north1", "EUN"),
        ("swedencentral", "EUN"),
        ("northeurope", "EUW"),  # Dublin
        ("europe-west4", "EUW"),
        ("asia-northeast3", "APN"),
        ("ap-southeast-1", "APS"),
        ("northamerica-northeast1", None),  # Montreal: known, and in no hub
        ("australia-southeast1", None),
        ("ap-southeast-2", None),  # Sydney is not south-east Asia
        ("Virginia, US", "USE"),
        ("va, US", "USE"),
        ("Washington, US", "USW"),
        ("District of Columbia, US", "USE"),
        ("Texas, US", "USC"),
        (", US", None),  # a country that lies in several hubs
        ("US", None),
        ("Stockholm, SE", "EUN"),
        ("DE", "EUW"),
        ("unspecified", None),
        ("moon-base-1", None),
        ("", None),
    ],
)
def test_a_raw_region_maps_to_its_hub_or_none(raw_region: str, hub: str | None) -> None:
    assert hub_of(raw_region) == hub
    assert hub is None or hub in HUB_BY_SYMBOL
