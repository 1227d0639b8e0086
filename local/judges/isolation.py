"""Whether the machine of a drill was cut off: its interfaces as Azure's state has them, and the rules they are under.

Used by restores.py. Rules are read as Azure reads them: of a direction, the one of the lowest priority number counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from local.judges.evidence import Record
from local.judges.lives import Machine
from local.judges.world import World

DIRECTIONS = ("inbound", "outbound")
WHOLE = ("protocol", "sourcePortRange", "destinationPortRange", "sourceAddressPrefix", "destinationAddressPrefix")
ANYTHING = "*"


def open_doors(world: World, machine: Machine) -> Iterator[str]:
    """Each way in which others could reach a machine, or it them, in words."""
    state = {str(one["id"]).lower(): one for one in world.evidence.resources}
    cards = (state[machine.id]["properties"].get("networkProfile") or {}).get("networkInterfaces", ())
    for named in cards:
        card = state.get(str(named["id"]).lower())
        if card is None:
            yield "an interface that Azure does not know"
            continue
        groups = [*_groups(state, card)]
        yield from (
            f"nothing stops what is {way}" for way in DIRECTIONS if not any(_denied(one, way) for one in groups)
        )
        if any(one["properties"].get("publicIPAddress") for one in _addresses(card)):
            yield "it has a public address"


def _addresses(card: Record) -> list[Record]:
    return list(card["properties"].get("ipConfigurations", ()))


def _groups(state: Mapping[str, Record], card: Record) -> Iterator[Record]:
    """The security groups that stand before an interface: its own, and that of its subnet."""
    named = [card["properties"].get("networkSecurityGroup")]
    for address in _addresses(card):
        place = str((address["properties"].get("subnet") or {}).get("id", "")).lower()
        network = state.get(place.partition("/subnets/")[0])
        subnets = network["properties"].get("subnets", ()) if network else ()
        ours = (one for one in subnets if str(one["name"]).lower() == place.rpartition("/")[2])
        named += [one["properties"].get("networkSecurityGroup") for one in ours]
    found = (state.get(str(one["id"]).lower()) for one in named if one)
    return (one for one in found if one is not None)


def _denied(group: Record, way: str) -> bool:
    """Whether the first rule of a direction denies everything."""
    rules = [rule["properties"] for rule in group["properties"].get("securityRules", ())]
    those = [rule for rule in rules if str(rule["direction"]).lower() == way]
    first = min(those, key=lambda rule: int(rule["priority"]), default=None)
    return first is not None and first["access"] == "Deny" and all(first.get(name) == ANYTHING for name in WHOLE)
