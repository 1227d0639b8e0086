"""What is promised of drills (S8, S10, S13): nothing but their own pieces is touched, none is left, a proof is true.

Part of promises.py, in worlds whose plans have drills. What a drill is of is known from the tags of its pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.model.identity import ResourceId, VmUid
from shared.model.machine import Machine, Status
from shared.model.request import Asked, Progress
from tests.world.catalogue import ENFORCED
from tests.world.twins.azure import Azure, VmTruth
from tests.world.twins.builder import BuilderTwin
from tests.world.twins.stores import RequestsTwin

DRILL = "tagback-drill"
FINE = "all is fine"
TO_END = timedelta(hours=24)


@dataclass
class Drilled:
    """Watches what drills make and say."""

    azure: Azure
    requests: RequestsTwin
    require: Callable[[bool, str, str], None]
    builder: BuilderTwin | None = None
    proven: int = 0
    refuted: int = 0
    _said: list[tuple[datetime, str]] = field(default_factory=list)

    def watch(self, builder: BuilderTwin) -> None:
        """From now on whatever this builder touches is a drill's."""
        self.builder = builder
        builder.touched = self.touched
        self._says(FINE)

    def mend(self, vm: VmTruth) -> None:
        """What is run in a restored machine finds all well from now on, whatever machine that is."""
        self._says(FINE)

    def break_down(self, vm: VmTruth) -> None:
        self._says("out of order")

    def _says(self, output: str) -> None:
        assert self.builder is not None
        self.builder.command |= {"output": output}
        self._said.append((self.azure.now(), output))

    def touched(self, verb: str, place: str, mine: bool) -> None:
        """Something is made, changed, started or removed; `mine` when the builder made it before, or makes it now."""
        inside = ResourceId.parse(place).subscription in ENFORCED
        self.require(mine and inside, "S10", f"a drill would {verb} {place}")

    def machine_written(self, row: Machine, was: Machine | None) -> None:
        """A machine that a drill made asks for nothing; a verdict is about what was restored of this machine (S13)."""
        if self.builder is None:
            return
        made = next((vm for vm in self._made() if vm.uid == row.uid), None)
        if made is not None:
            silent = row.enrolled_at is None and row.status in (Status.EXCLUDED, Status.GONE)
            self.require(silent, "S13", f"{row.uid}, which a drill made, is {row.status}: {row.because}")
        verdict = row.drill
        if verdict is None or (was is not None and was.drill == verdict):
            return
        self.proven += verdict.proven
        self.refuted += not verdict.proven
        if verdict.proven:
            tried = [vm for vm in self._made() if vm.tags.get(DRILL) == verdict.request]
            whole = any(self._is_restored(vm, row.uid) for vm in tried)
            self.require(whole, "S13", f"a restore of {row.uid} is called proven by {verdict.request}: {tried}")
            fine = FINE in self._said_since(verdict.started_at)
            self.require(fine, "S13", f"a restore of {row.uid} is called proven, and it never said so")

    def _made(self) -> Iterator[VmTruth]:
        """The machines that drills made, as they were made."""
        for life in self.azure.lives.values():
            yield from (vm for _, vm in life[:1] if vm is not None and DRILL in vm.tags)

    def _is_restored(self, made: VmTruth, uid: VmUid) -> bool:
        """Whether every disk of it was made from what was captured of a machine."""
        sources = [self.azure.made_from.get(disk.id) for disk in made.disks]
        return bool(sources) and all(source is not None and self._is_of(source, uid) for source in sources)

    def _is_of(self, source: ResourceId, uid: VmUid) -> bool:
        place = source if source.top == source else next(self._restore_points(source), source)
        truth = self.azure.snapshots.get(place) or self.azure.deleted.get(place)
        return truth is not None and truth.tags.get("tagback-vm") == uid

    def _restore_points(self, source: ResourceId) -> Iterator[ResourceId]:
        known = (*self.azure.snapshots, *self.azure.deleted)
        return (place for place in known if source.top == place.top and source.name.startswith(place.name))

    def _said_since(self, moment: datetime) -> list[str]:
        before = [said for since, said in self._said if since <= moment][-1:]
        return before + [said for since, said in self._said if since > moment]

    def check(self) -> None:
        """At rest: every drill has come to its end, and nothing that one made is there."""
        if self.builder is None:
            return
        for request in self.requests.asked.values():
            if request.asked is Asked.DRILL and request.progress is Progress.ASKED:
                fresh = request.at + TO_END > self.azure.now()
                self.require(fresh, "S8", f"{request.id} of {request.uid} is still under way: {request.restore}")
        left = [place for place, thing in self.builder.made.items() if self._is_drills(thing.body)]
        left += [str(vm.id) for vm in self.azure.vms() if DRILL in vm.tags]
        left += [str(place) for place in self.azure.made_from if self.azure.disk(place) is not None]
        self.require(not left, "S8", f"drills left {left}")

    def _is_drills(self, body: Mapping[str, object]) -> bool:
        tags = body.get("tags")
        return isinstance(tags, Mapping) and DRILL in tags
