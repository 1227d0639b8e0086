"""All routes and all finishers of the simulator, gathered from the provider modules."""

from local.simulator import (
    compute_vms,
    disks,
    event_grid,
    extensions,
    graph,
    images,
    locks,
    network,
    operations,
    provider_list,
    resource_lists,
    resources,
    snapshots,
    system_topics,
    tags,
    volumes,
)
from local.simulator.lro import Finisher
from local.simulator.routing import Routes
from local.simulator.world import World

MODULES = (
    resources,
    resource_lists,
    provider_list,
    compute_vms,
    extensions,
    disks,
    snapshots,
    network,
    tags,
    locks,
    graph,
    event_grid,
    system_topics,
    images,
)


def routes() -> Routes:
    """Return every route there is."""
    found = [route for module in MODULES for route in module.ROUTES]
    return Routes([*found, *operations.ROUTES])


def install(world: World) -> None:
    """Teach a world how accepted work ends."""
    for module in (resources, compute_vms, extensions, disks, snapshots, network, event_grid):
        finishers: dict[str, Finisher] = dict(module.FINISHERS)
        world.operations.finishers.update(finishers)
    world.schedule.fire["copied"] = lambda happening: snapshots.copied(world, happening)
    world.schedule.fire["access"] = lambda happening: volumes.access_ended(world, happening)
