"""Whether the exhaustive driver reaches every port method that a flow calls: what no scene calls, nothing harms."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

from shared.ports import World
from tests.world.every_scene import SCENES
from tests.world.exhaustive import play
from tests.world.files import LENDINGS
from tests.world.mounts import MOUNTINGS
from tests.world.restores import RESTORES
from tests.world.vault_restores import RESTORES as VAULT_RESTORES
from tests.world.vault_scenes import VAULT_SCENES
from tests.world.whole_scenes import WHOLE_SCENES

ROOT = Path(__file__).resolve().parents[2]
UNHARMED = tomllib.loads(Path(__file__).with_name("unharmed.toml").read_text(encoding="utf-8"))


def methods() -> set[str]:
    """Every method of every port, as `ledger.commit`."""
    ports = get_type_hints(World).items()
    return {f"{name}.{verb}" for name, port in ports for verb in vars(port) if not verb.startswith("_")}


def called() -> Iterator[str]:
    """The port methods that the code of flows names: `world.ledger.commit`, or `ledger.commit` of a port at hand."""
    for path in (ROOT / "shared" / "flows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute | ast.Name):
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
                yield f"{owner}.{node.attr}"


def named(verb: str) -> str:
    """The ports of vaults are one in the world: their steps are called `vaults.` whatever the port."""
    port, _, method = verb.partition(".")
    return f"vaults.{method}" if port.startswith("vault") else verb


def test_every_port_method_that_a_flow_calls_is_harmed_in_a_scene_or_says_why_not() -> None:
    of_files = (scene for _, scene in (*LENDINGS, *MOUNTINGS))
    restores = (scene for _, scene in (*RESTORES, *VAULT_RESTORES))
    scenes = (*SCENES, *VAULT_SCENES, *WHOLE_SCENES, *restores, *of_files)
    harmed = {call.verb for scene in scenes for call in play(scene, None).calls}
    wanted = {named(one) for one in methods() & set(called())}
    assert sorted(wanted - harmed - set(UNHARMED)) == [], "no scene reaches these: add one"
    assert sorted(set(UNHARMED) & harmed) == [], "a scene reaches these: strike them from tests/world/unharmed.toml"
    assert sorted(set(UNHARMED) - {named(one) for one in methods()}) == [], "no port has these"
    assert all(UNHARMED.values())


def test_the_flows_do_call_ports() -> None:
    assert {"ledger.commit", "snapshots.create", "deletions.delete", "queue.send"} <= methods() & set(called())
