"""What owners do to their machines, scene by scene: each act is done in Azure, told, and written into the script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from local.demo import in_place, rivals, tampering
from local.demo.cast import Cast
from local.demo.evidence import Record
from local.demo.scenario import MachineStory, Turn, offset
from local.judges.evidence import tag
from local.judges.world import SNAPSHOT

TAKEN_WITHIN = timedelta(minutes=5)  # until the app has taken up what was asked for
RESTORED_WITHIN = timedelta(minutes=40)


class Owner:
    """The owner of one machine: remembers where it is and which tags it has by now."""

    def __init__(self, cast: Cast, machine: MachineStory) -> None:
        self._cast = cast
        self.machine = machine
        self.tags = dict(machine.tags)
        self.there = False
        self._swap = ""

    def create(self) -> None:
        """Make the machine, or make it again under the same name."""
        cast, machine = self._cast, self.machine
        self.tags = dict(machine.tags)
        with cast.noted("create", machine=machine.id, tags=self.tags):
            cast.fleet.create(replace(machine, tags=self.tags))
        self.there = True

    def delete(self) -> None:
        with self._cast.noted("delete", machine=self.machine.id):
            self._cast.fleet.delete(self.machine)
        self.there = False

    def tag(self, tags: Mapping[str, str]) -> None:
        """Merge tags; the name of a tag that is there already keeps its spelling, as in Azure."""
        after = dict(self.tags)
        for name, value in tags.items():
            after[next((known for known in after if known.lower() == name.lower()), name)] = value
        with self._cast.noted("tag", machine=self.machine.id, tags=after):
            self._cast.fleet.tag(self.machine, tags)
        self.tags = after

    def untag(self) -> None:
        self.retag({name: value for name, value in self.tags.items() if name.lower() != "backup"})

    def retag(self, tags: Mapping[str, str]) -> None:
        """Give the machine exactly these tags."""
        with self._cast.noted("tag", machine=self.machine.id, tags=dict(tags)):
            self._cast.fleet.replace_tags(self.machine, tags)
        self.tags = dict(tags)

    def move(self, group: str) -> None:
        """Move the machine with its disks and its card to another group."""
        moved = replace(self.machine, group=group)
        with self._cast.noted("move", machine=self.machine.id, to=moved.id):
            self._cast.fleet.move(self.machine, group)
        self.machine = moved

    def hold(self, until: str) -> None:
        """A person holds every point there is, by the command line."""
        with self._cast.noted("hold", machine=self.machine.id, hold=until):
            self.ask("hold", self.machine.name, "--until", until)
            self._cast.sleep(TAKEN_WITHIN)

    def seal(self, until: str) -> None:
        """Somebody puts the tag that holds on the snapshots of the newest point in Azure, and tells nobody."""
        self._tag_snapshots("seal", {"backup-hold": until})

    def claim(self, owner: str) -> None:
        """Somebody else says by a tag that the snapshots of the newest point are another installation's."""
        self._tag_snapshots("claim", {"tagback-owner": owner})

    def _tag_snapshots(self, do: str, tags: Mapping[str, str]) -> None:
        cast = self._cast
        snapshots = newest_snapshots(cast.observer.simulator("state"), self.machine.id)
        with cast.noted(do, machine=self.machine.id, snapshots=[one.rpartition("/")[2] for one in snapshots]):
            for one in snapshots:
                cast.fleet.tag_resource(one, tags)

    def restore(self, name: str) -> None:
        """A person has the machine restored beside itself, under another name."""
        made = replace(self.machine, name=name)
        disks = 1 + len(self.machine.disks) - len(self.machine.left_out)
        with self._cast.noted("restore", machine=self.machine.id, to=made.id, disks=disks):
            self.ask("restore", self.machine.name, "--mode", "new", "--as", name, "--no-wait")
            self._cast.sleep(RESTORED_WITHIN)

    def clash(self, name: str) -> None:
        """A person wants the machine restored under a name that another has: nothing is to come of it."""
        with self._cast.noted("clash", machine=self.machine.id, to=replace(self.machine, name=name).id):
            self.ask("restore", self.machine.name, "--mode", "new", "--as", name, "--no-wait")
            self._cast.sleep(RESTORED_WITHIN)

    def write(self, content: str) -> None:
        """The guest writes the first block of its OS disk: what an application needs, or what harmed it."""
        disk = self._cast.fleet.os_disk_of(self.machine)
        with self._cast.noted("write", machine=self.machine.id, block=0, content=content):
            self._cast.observer.order("content", {"disk": disk, "blocks": {"0": content}})

    def swap(self, as_of: str) -> None:
        """A person has it put back in place, as it was before a time of the scenario; before now where none is said."""
        cast = self._cast
        self._swap = in_place.swap(cast, self.machine, cast.scenario.start + offset(as_of) if as_of else cast.now())

    def ask(self, *words: str) -> str:
        """What the command line says."""
        answer = self._cast.tagback.done(*words)
        return f"$ tagback {' '.join(words)}  ->  {answer.output.split(':')[0].strip()}"

    def act(self, turn: Turn) -> None:
        """One turn of the story."""
        match turn.do:
            case "tag":
                self.tag(turn.tags)
            case "untag":
                self.untag()
            case "create":
                self.create()
            case "delete":
                self.delete()
            case "move":
                self.move(turn.to)
            case "hold":
                self.hold(turn.to)
            case "seal":
                self.seal(turn.to)
            case "claim":
                self.claim(turn.to)
            case "restore":
                self.restore(turn.to)
            case "clash":
                self.clash(turn.to)
            case "write":
                self.write(turn.to)
            case "swap":
                self.swap(turn.to)
            case "unswap":
                in_place.undo(self._cast, self.machine, self._swap)
            case "race":
                rivals.race(self._cast, self.machine, turn.to)
            case "approve":
                rivals.approve(self._cast, turn.to)
            case "tamper":
                tampering.tamper(self._cast, self.machine)
            case "strip":
                tampering.strip(self._cast, self.machine)
            case "backup":
                self._cast.screen.line(f"    {self.ask('backup', self.machine.name)}")
            case other:
                raise ValueError(f"nobody knows how to '{other}' a machine")
        self._cast.screen.line(f"{self.machine.name} {said(turn)} ({self.machine.story})")


def said(turn: Turn) -> str:
    """A turn as it is told."""
    tags = " ".join(f"{name}={value}" for name, value in turn.tags.items())
    words = {
        "tag": f"is tagged {tags}",
        "untag": "loses its tag",
        "create": "is made again",
        "delete": "is deleted",
        "move": f"is moved to group {turn.to}",
        "hold": f"is held until {turn.to}",
        "seal": f"has its newest snapshots held by a tag in Azure: {turn.to}",
        "backup": "is backed up on demand",
        "restore": f"is restored beside itself as {turn.to}",
        "claim": f"has its newest snapshots claimed by a tag for another installation, {turn.to}",
        "clash": f"is to be restored as {turn.to}, which there is already: refused",
        "write": f"has '{turn.to}' written to its disk",
        "swap": f"is put back in place, as it was {f'before {turn.to}' if turn.to else 'last captured'}",
        "race": f"is restored as {turn.to}, and somebody is faster to make a machine of that name",
        "approve": f"is among those whose points {turn.to} wants deleted",
        "tamper": "has rows and snapshots of its points rewritten by somebody who means harm",
        "strip": "has a tag of ours taken off its snapshots: until when they were to be kept at birth",
        "unswap": "gets back the disks that it had before that",
    }
    return words[turn.do]


def newest_snapshots(resources: Iterable[Record], machine: str) -> list[str]:
    """The ids of the snapshots of a machine's newest point, as Azure shows them."""
    there = [one for one in resources if not one["gone"]]
    uids = {str(one["properties"]["vmId"]) for one in there if str(one["id"]).lower() == machine.lower()}
    ours = [one for one in there if str(one.get("type", "")).lower() == SNAPSHOT and tag(one, "tagback-vm") in uids]
    newest = max((tag(one, "tagback-slot") for one in ours), default="")
    return sorted(str(one["id"]) for one in ours if tag(one, "tagback-slot") == newest)


def enter_owners(cast: Cast) -> Mapping[str, Owner]:
    """Enter every owner's scenes; the owners by their machines' names."""
    owners = {machine.name: Owner(cast, machine) for machine in cast.scenario.machines}
    waves: dict[timedelta, list[Owner]] = {}
    for owner in owners.values():
        waves.setdefault(owner.machine.created, []).append(owner)
        for turn in owner.machine.turns:
            cast.at(cast.scenario.start + turn.at, f"{turn.do} {owner.machine.name}", partial(owner.act, turn))
    for created, wave in waves.items():
        cast.at(cast.scenario.start + created, "told", partial(tell_wave, cast, wave))
        for owner in wave:
            cast.at(cast.scenario.start + created, f"create {owner.machine.name}", owner.create)
    return owners


def tell_wave(cast: Cast, wave: list[Owner]) -> None:
    """A line for the machines that come together, and one for each of them with a story."""
    regions = sorted({owner.machine.region for owner in wave})
    cast.screen.line(f"{len(wave)} machines are created in {', '.join(regions)}")
    for owner in wave:
        tags = " ".join(f"{name}={value}" for name, value in owner.machine.tags.items()) or "no tags"
        if owner.machine.story != "one of many":
            cast.screen.line(f"    {owner.machine.name}: {tags} ({owner.machine.story})")
