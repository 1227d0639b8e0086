"""All routes and all finishers of the simulator, gathered from the provider modules."""

from collections.abc import Callable
from functools import partial

from local.simulator import (
    access_lists,
    backup_checks,
    backup_containers,
    backup_items,
    backup_jobs,
    backup_mounts,
    backup_operations,
    backup_policies,
    backup_protection,
    backup_restores,
    backup_runs,
    brokers,
    compute_vms,
    custom_topics,
    dedicated,
    deployments,
    disk_restore_points,
    disk_services,
    disks,
    event_grid,
    extension_images,
    extensions,
    galleries,
    graph,
    graph_queries,
    images,
    immutability,
    locks,
    machine_actions,
    machine_sizes,
    managed_images,
    moves,
    network,
    operation_lists,
    operations,
    paired_regions,
    partners,
    placement,
    provider_list,
    recovery_points,
    request_rates,
    resource_lists,
    resources,
    restore_point_collections,
    restore_points,
    run_commands,
    snapshots,
    system_topics,
    tag_names,
    tags,
    template_specs,
    topic_types,
    topics,
    tracked,
    vault_config,
    vault_operations,
    vault_summaries,
    vault_usages,
    vaults,
    volumes,
)
from local.simulator.lro import Finisher
from local.simulator.routing import Routes
from local.simulator.schedule import Happening
from local.simulator.world import World

MODULES = (
    resources,
    resource_lists,
    moves,
    provider_list,
    operation_lists,
    compute_vms,
    deployments,
    extensions,
    run_commands,
    machine_actions,
    disks,
    snapshots,
    immutability,
    disk_services,
    restore_point_collections,
    restore_points,
    disk_restore_points,
    placement,
    dedicated,
    managed_images,
    galleries,
    images,
    extension_images,
    machine_sizes,
    request_rates,
    network,
    tags,
    tag_names,
    template_specs,
    locks,
    access_lists,
    graph,
    graph_queries,
    event_grid,
    system_topics,
    topics,
    partners,
    brokers,
    custom_topics,
    topic_types,
    vaults,
    vault_operations,
    vault_config,
    vault_usages,
    vault_summaries,
    backup_policies,
    backup_containers,
    backup_items,
    backup_jobs,
    backup_operations,
    recovery_points,
    backup_restores,
    backup_mounts,
    backup_checks,
    paired_regions,
)
WORKING = (
    resources,
    moves,
    tracked,
    compute_vms,
    deployments,
    extensions,
    run_commands,
    machine_actions,
    dedicated,
    request_rates,
    disks,
    snapshots,
    immutability,
    restore_points,
    disk_restore_points,
    network,
    event_grid,
    vaults,
    backup_containers,
    backup_protection,
    backup_jobs,
    backup_mounts,
)
# What fires in virtual time without being an operation: a copy's end, a SAS that runs out.
HAPPENINGS: dict[str, Callable[[World, Happening], None]] = {
    "copied": snapshots.copied,
    deployments.STEP: deployments.step,
    "instant-ended": snapshots.instant_ended,
    "access": volumes.access_ended,
    "copied-point": disk_restore_points.copied,
    "point-access": disk_restore_points.access_expired,
    **backup_runs.HAPPENINGS,
    **backup_protection.HAPPENINGS,
    **backup_restores.HAPPENINGS,
    **vault_operations.HAPPENINGS,
}


def routes() -> Routes:
    """Return every route there is."""
    found = [route for module in MODULES for route in module.ROUTES] + list(operations.ROUTES)
    provider_list.learn(found)
    found += operation_lists.heads(found)
    return Routes([*found, *operation_lists.routes_for(route.action for route in found)])


def install(world: World) -> None:
    """Teach a world how accepted work ends."""
    for module in WORKING:
        finishers: dict[str, Finisher] = dict(module.FINISHERS)
        world.operations.finishers.update(finishers)
    world.operations.mourners.update(backup_protection.MOURNERS)
    for name, happen in HAPPENINGS.items():
        world.schedule.fire[name] = partial(happen, world)
