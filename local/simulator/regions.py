"""Regions that there are, as a subscription's list shows them, and which Azure pairs with each (recorded).

A pair may go one way: what is paired with a region need not be paired with it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from local.simulator.answers import Document


class Region(NamedTuple):
    """One region; `display` is its name for people, `geography` what stands before that in a list of all."""

    name: str
    display: str
    geography: str
    category: str
    group: str
    longitude: str
    latitude: str
    physical: str
    pair: str

    def shown(self, root: str) -> Document:
        """Write it as a subscription's list does."""
        metadata = {
            "regionType": "Physical",
            "regionCategory": self.category,
            "geographyGroup": self.group,
            "longitude": self.longitude,
            "latitude": self.latitude,
            **({"physicalLocation": self.physical} if self.physical else {}),
            "pairedRegion": [{"name": self.pair, "id": f"{root}/locations/{self.pair}"}],
        }
        return {
            "id": f"{root}/locations/{self.name}",
            "name": self.name,
            "type": "Region",
            "displayName": self.display,
            "regionalDisplayName": f"({self.geography}) {self.display}",
            "metadata": metadata,
        }


ALL = (
    Region("eastus", "East US", "US", "Recommended", "US", "-79.8164", "37.3719",
           "Virginia", "westus"),
    Region("eastus2", "East US 2", "US", "Recommended", "US", "-78.3889", "36.6681",
           "Virginia", "centralus"),
    Region("eastus2euap", "East US 2 EUAP", "US", "Other", "US", "-78.3889", "36.6681",
           "", "centraluseuap"),
    Region("centralus", "Central US", "US", "Recommended", "US", "-93.6208", "41.5908",
           "Iowa", "eastus2"),
    Region("centraluseuap", "Central US EUAP", "US", "Other", "US", "-93.6208", "41.5908",
           "", "eastus2euap"),
    Region("westus", "West US", "US", "Recommended", "US", "-122.417", "37.783",
           "California", "eastus"),
    Region("westus2", "West US 2", "US", "Recommended", "US", "-119.852", "47.233",
           "Washington", "westcentralus"),
    Region("westus3", "West US 3", "US", "Recommended", "US", "-112.074036", "33.448376",
           "Phoenix", "eastus"),
    Region("northeurope", "North Europe", "Europe", "Recommended", "Europe", "-6.2597", "53.3478",
           "Ireland", "westeurope"),
    Region("westeurope", "West Europe", "Europe", "Recommended", "Europe", "4.9", "52.3667",
           "Netherlands", "northeurope"),
    Region("uksouth", "UK South", "Europe", "Recommended", "Europe", "-0.799", "50.941",
           "London", "ukwest"),
    Region("francecentral", "France Central", "Europe", "Recommended", "Europe", "2.3730", "46.3772",
           "Paris", "francesouth"),
    Region("germanywestcentral", "Germany West Central", "Europe", "Recommended", "Europe", "8.682127", "50.110924",
           "Frankfurt", "germanynorth"),
    Region("swedencentral", "Sweden Central", "Europe", "Recommended", "Europe", "17.14127", "60.67488",
           "Gävle", "swedensouth"),
    Region("southeastasia", "Southeast Asia", "Asia Pacific", "Recommended", "Asia Pacific", "103.833", "1.283",
           "Singapore", "eastasia"),
    Region("australiaeast", "Australia East", "Asia Pacific", "Recommended", "Asia Pacific", "151.2094", "-33.86",
           "New South Wales", "australiasoutheast"),
)  # fmt: skip
PAIRS: Mapping[str, str] = {each.name: each.pair for each in ALL}
REGIONS = tuple(PAIRS)
