"""Everything that a restore makes, as bodies under derived names: worked out afresh from the request whenever needed.

Called by flows/restoring.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.decide import isolation, subtraction
from shared.decide import restored_network as network
from shared.decide.drawing import EXPIRES, Captured, Drawing, Piece, disk_place, group_of, made_name, place_in
from shared.decide.restored_disks import attachment, captured_at, disk_body
from shared.decide.restoring import tag_of
from shared.decide.subtraction import Body, at
from shared.model.identity import ResourceId, subscription_of
from shared.model.restore import ArmPath, RestoreMode, Source

WHOLE = (RestoreMode.NEW, RestoreMode.REBUILD, RestoreMode.DRILL)
"""The modes that make a machine."""


def disks(drawing: Drawing) -> tuple[Piece, ...]:
    """The disks, in the order of the sources."""
    return tuple(_disk(drawing, source) for source in drawing.restore.sources)


def _disk(drawing: Drawing, source: Source) -> Piece:
    captured = drawing.captured.disk(source.disk)
    body = disk_body(source, captured, drawing.region)
    place = disk_place(drawing.id, drawing.restore.machine, source)
    return Piece(place, {**body, "tags": drawing.tags(captured)})


def interfaces(drawing: Drawing) -> tuple[Piece, ...]:
    """The interfaces that are to be made; captured ones that are there and free are used as they are."""
    return tuple(
        Piece(place, _interface(drawing, drawing.captured.interface(old)))
        for old, place in _cards(drawing)
        if place.lower() != old.lower() or place.lower() in drawing.gone
    )


def interface_places(drawing: Drawing) -> tuple[ArmPath, ...]:
    """Every interface of the restored machine, in the captured order."""
    return tuple(place for _, place in _cards(drawing))


def _cards(drawing: Drawing) -> Iterator[tuple[str, ArmPath]]:
    """Each captured interface and the one that stands for it; one new one where none was captured."""
    if drawing.order.mode is RestoreMode.DRILL:
        yield "", isolation.interface_place(drawing)
        return
    in_its_place = drawing.order.mode is RestoreMode.REBUILD and not drawing.order.subnet
    taken = {place.lower() for place in drawing.restore.taken}
    absent = {place.lower() for place in drawing.restore.absent}
    group, found = group_of(drawing.restore.machine), False
    for each in drawing.captured.attached_interfaces:
        old = str(each.get("id"))
        is_known = drawing.captured.interface(old) is not None
        usable = in_its_place and old.lower() not in taken and (is_known or old.lower() not in absent)
        if usable:
            found = True
            yield old, ArmPath(old)
        elif is_known:
            found = True
            name = made_name(drawing.id, f"interface|{old.lower()}")
            yield old, place_in(group, "Microsoft.Network/networkInterfaces", name)
    if not found and drawing.order.subnet:
        name = made_name(drawing.id, "interface|")
        yield "", place_in(group, "Microsoft.Network/networkInterfaces", name)


def _interface(drawing: Drawing, captured: Body | None) -> dict[str, Any]:
    if drawing.order.mode is RestoreMode.DRILL:
        return isolation.interface(drawing)
    properties = network.interface_body(captured, drawing.network) if captured else None
    return {
        "location": drawing.region,
        "tags": drawing.tags(captured),
        "properties": properties or network.plain_interface(drawing.network),
    }


def machine(drawing: Drawing) -> Piece:
    """The machine, with every disk and interface of it."""
    captured = drawing.captured.machine
    body = subtracted_machine(drawing)
    storage = dict(at(body, "properties.storageProfile") or {})
    data = []
    for source in drawing.restore.sources:
        place = disk_place(drawing.id, drawing.restore.machine, source)
        entry = attachment(captured_at(captured, source.lun), place, source.lun)
        if source.lun is None:
            storage["osDisk"] = entry
        else:
            data.append(entry)
    storage["dataDisks"] = sorted(data, key=lambda entry: int(entry["lun"]))
    properties = {**body["properties"], "storageProfile": storage, "networkProfile": _profile(drawing)}
    tags = {**drawing.tags(captured), drawing.rules.prefix: "off"}
    return Piece(
        drawing.restore.machine, {**_where_its_disks_are(drawing, body), "tags": tags, "properties": properties}
    )


def _where_its_disks_are(drawing: Drawing, body: Body) -> dict[str, Any]:
    """The body in the zone of the OS disk that a vault made: by default the one that it was in (documented). It is of
    another region where that is in the paired one."""
    if drawing.restore.recovery is None:
        return dict(body)
    zones = _zones(drawing)
    moved = {"location": drawing.region} if drawing.restore.recovery.region else {}
    return {**subtraction.without(body, "zones"), **moved, **({"zones": list(zones)} if zones else {})}


def _zones(drawing: Drawing) -> tuple[str, ...]:
    return next((source.zones for source in drawing.restore.sources if source.lun is None), ())


def subtracted_machine(drawing: Drawing) -> dict[str, Any]:
    """The captured body as far as it goes back as it was."""
    body = subtraction.subtracted(drawing.captured.machine, drawing.gone)
    return isolation.isolated(body) if drawing.order.mode is RestoreMode.DRILL else body


def _profile(drawing: Drawing) -> dict[str, Any]:
    """The interfaces as the machine refers to them; the first is the primary one where none was."""
    captured = {str(each.get("id")): each.get("properties") or {} for each in drawing.captured.attached_interfaces}
    cards: list[dict[str, Any]] = [
        {"id": place, "properties": dict(captured.get(old, {}))} for old, place in _cards(drawing)
    ]
    if cards and not any(card["properties"].get("primary") for card in cards):
        cards[0]["properties"]["primary"] = True
    profile = dict(at(drawing.captured.machine, "properties.networkProfile") or {})
    return {**profile, "networkInterfaces": cards}


def needed(drawing: Drawing) -> tuple[str, ...]:
    """Ids of everything outside that the restored machine would refer to: looked for before anything is made."""
    captured = drawing.captured
    if drawing.order.mode not in (RestoreMode.NEW, RestoreMode.REBUILD):
        return ()
    found = [place for _, place in subtraction.references(captured.machine)]
    found += subtraction.identities(captured.machine)
    for interface in captured.interfaces:
        found += [network.owner(place) for _, place in network.needs(interface) if "/subnets/" not in place.lower()]
    if drawing.order.mode is RestoreMode.REBUILD and not drawing.order.subnet:
        found += [str(each.get("id")) for each in captured.attached_interfaces]
    return tuple(dict.fromkeys(found))


def left_behind(drawing: Drawing) -> tuple[str, ...]:
    """What a machine that is made in another subscription or region cannot refer to: all of its own but identities.

    Documented for networks, interfaces and security groups, assumed for the rest.
    """
    target, crosses = subscription_of(drawing.restore.machine), drawing.region != drawing.request.shard.region
    known = subscription_of(str(drawing.captured.machine.get("id") or drawing.restore.machine))
    if known == target and not crosses:
        return ()
    kept = frozenset(subtraction.identities(drawing.captured.machine))
    stays = (place for place in needed(drawing) if crosses or subscription_of(place) != target)
    return tuple(place for place in stays if place not in kept)


def makes(drawing: Drawing) -> tuple[ArmPath, ...]:
    """Everything that the restore may make, machine first: the order in which it would be removed."""
    pieces = [piece.id for piece in disks(drawing)]
    if drawing.order.mode in WHOLE:
        pieces = [drawing.restore.machine, *(piece.id for piece in interfaces(drawing)), *pieces]
    if drawing.order.mode is RestoreMode.DRILL:
        pieces += [isolation.network(drawing).id, isolation.rules(drawing).id]
    return tuple(pieces)


def _not_in_point(drawing: Drawing) -> Iterator[str]:
    """The names of captured disks that do not come back. Those of a vault are known by their LUNs, once they are.

    What had an expiry was only lent to the machine, and nobody misses it.
    """
    restore, captured = drawing.restore, drawing.captured
    if restore.recovery is None:
        places = {source.disk for source in restore.sources}
        absent = (one for one in captured.disks if ResourceId.parse(str(one["id"])) not in places)
        yield from (str(one.get("name")) for one in absent if not tag_of(one, EXPIRES))
    elif restore.sources:
        luns, lent = {source.lun for source in restore.sources}, _lent_to(captured)
        attached = at(captured.machine, "properties.storageProfile.dataDisks") or ()
        missed = (one for one in attached if one["lun"] not in luns and _id_of(one) not in lent)
        yield from (str(one.get("name") or one["lun"]) for one in missed)


def _lent_to(captured: Captured) -> frozenset[str]:
    return frozenset(str(one.get("id")).lower() for one in captured.disks if tag_of(one, EXPIRES))


def _id_of(attached: Body) -> str:
    return str(at(attached, "managedDisk.id") or "").lower()


def _moved(drawing: Drawing) -> Iterator[str]:
    """That the machine is in another region or zone than it was, once the disks of a vault say so."""
    if drawing.region != drawing.request.shard.region:
        yield f"region {drawing.request.shard.region}: it is made in {drawing.region}, of its vault's copy there"
    was, now = tuple(drawing.captured.machine.get("zones") or ()), _zones(drawing)
    if drawing.restore.recovery and drawing.restore.sources and was != now:
        yield f"zone {', '.join(was) or 'none'}: the vault made the disks in {', '.join(now) or 'none'}"


def lacking(drawing: Drawing) -> tuple[str, ...]:
    """What cannot come back, in words for people; of a drill nothing is to stay."""
    if drawing.order.mode is RestoreMode.DRILL:
        return ()
    captured = drawing.captured
    found = [f"disk {name}: it is not in the point" for name in _not_in_point(drawing)]
    if drawing.order.mode in WHOLE:
        found += subtraction.lacking(captured.machine, drawing.gone)
        found += _moved(drawing)
        found += [f"tag {name}: there is no room for it beside ours" for name in drawing.left_out(captured.machine)]
        made = {piece.id.lower() for piece in interfaces(drawing)}
        for old, place in _cards(drawing):
            interface = captured.interface(old)
            if interface is not None and place.lower() in made:
                found += network.lacking(interface, drawing.network)
        found += [
            f"extension {each.get('name')}: install it anew; Azure keeps its secrets" for each in captured.extensions
        ]
    return tuple(dict.fromkeys(found))
