"""Recovery points that a vault mounts, so that single files can be read from them; and what connects to one."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.model.identity import ResourceId


@dataclass(frozen=True, slots=True)
class VaultMount:
    """A point of a vault, of the machine `vm`, that is mounted or is to be."""

    vault: ResourceId
    vm: ResourceId
    point: str


@dataclass(frozen=True, slots=True)
class Script:
    """What connects a machine to a mounted point. Whoever has it and its password reads every file.

    `name` is the name that its file has to have. Linux is given `text`; for Windows a program is fetched from `url`,
    which takes from its own name what it needs.
    """

    system: str
    name: str
    text: str = field(repr=False)
    password: str = field(repr=False)
    url: str = ""
