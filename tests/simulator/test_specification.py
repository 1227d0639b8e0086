"""The check against Microsoft's specifications is itself checked: it passes their examples and sees planted defects."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.running import COMPUTE, Running
from tests.simulator.specification.checks import Compiler, Direction, Kind, judged
from tests.simulator.specification.documents import SPECIFICATIONS, Documents, examples_of
from tests.simulator.specification.exchanges import Exchange, Judge, Known, known

pytestmark = pytest.mark.skipif(not SPECIFICATIONS.is_dir(), reason="../shared/realdata is not here")

VM = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
# Faults of the examples themselves: (kind, member) the documents' own examples get wrong.
FAULTY_EXAMPLES = {
    ("enum", ".properties.hardwareProfile.vmSize"),
    ("enum", ".value[].properties.networkProfile.networkApiVersion"),
    ("required", "PartnerTopic.location"),
    ("unknown", "PartnerTopic.tag1"),
    ("unknown", "PartnerTopic.tag2"),
    ("enum", ".properties.infrastructureEncryptionState"),
}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


def test_the_documents_own_examples_pass() -> None:
    compilers = {direction: Compiler(direction) for direction in Direction}
    found, examples = set(), 0
    for _, _, operation in Documents():
        for example in examples_of(operation):
            examples += 1
            for status, response in example["responses"].items():
                schema = operation.responses.get(status)
                if schema is not None and "body" in response:
                    check = compilers[Direction.ANSWERED].check(schema)
                    found |= {(str(one.kind), one.member) for one in judged(check, response["body"])}
            bodies = [value for value in example["parameters"].values() if isinstance(value, dict)]
            if operation.body is not None and len(bodies) == 1:
                check = compilers[Direction.SENT].check(operation.body)
                found |= {(str(one.kind), one.member) for one in judged(check, bodies[0])}
    assert examples > 400
    assert found <= FAULTY_EXAMPLES


def machine(sim: Running) -> dict[str, Any]:
    found: dict[str, Any] = sim.ask("GET", f"{COMPUTE}/virtualMachines/vm1").body
    return found


def exchange(answered: Any, status: int = 200, method: str = "GET", sent: Any = None, *effects: str) -> Exchange:
    target = f"{COMPUTE}/virtualMachines/vm1?api-version=2026-03-02"
    body = json.dumps(sent) if sent is not None else ""
    return Exchange(method, target, VM, status, effects, body, json.dumps(answered))


def storage(vm: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = vm["properties"]["storageProfile"]
    return found


DEFECTS: dict[str, tuple[Callable[[dict[str, Any]], Any], Kind, str]] = {
    "a required member is missing": (lambda vm: vm.pop("location"), Kind.REQUIRED, "VirtualMachine.location"),
    "a required member is null": (lambda vm: vm.update(location=None), Kind.REQUIRED, "VirtualMachine.location"),
    "a deep required member is missing": (
        lambda vm: storage(vm)["dataDisks"][0].pop("lun"), Kind.REQUIRED, "DataDisk.lun"),
    "a number is text": (
        lambda vm: storage(vm)["osDisk"].update(diskSizeGB="30"), Kind.TYPE,
        ".properties.storageProfile.osDisk.diskSizeGB"),
    "a truth is a number": (
        lambda vm: storage(vm)["osDisk"].update(writeAcceleratorEnabled=1), Kind.TYPE,
        ".properties.storageProfile.osDisk.writeAcceleratorEnabled"),
    "a number is a truth": (
        lambda vm: storage(vm)["osDisk"].update(diskSizeGB=True), Kind.TYPE,
        ".properties.storageProfile.osDisk.diskSizeGB"),
    "a list is an object": (
        lambda vm: storage(vm).update(dataDisks={}), Kind.TYPE, ".properties.storageProfile.dataDisks"),
    "an object is text": (lambda vm: vm.update(properties="x"), Kind.TYPE, "VirtualMachineProperties"),
    "a tag is a number": (lambda vm: vm["tags"].update(a=1), Kind.TYPE, ".tags.{}"),
    "a time is no time": (
        lambda vm: vm["properties"].update(timeCreated="now"), Kind.TYPE, ".properties.timeCreated"),
    "a choice is none of the known": (
        lambda vm: storage(vm)["osDisk"].update(caching="Sometimes"), Kind.ENUM, "Caching"),
    "a choice has other letter case": (
        lambda vm: storage(vm)["osDisk"].update(caching="readonly"), Kind.ENUM, "Caching"),
    "a member is unknown": (lambda vm: vm.update(colour="red"), Kind.UNKNOWN, "VirtualMachine.colour"),
    "a deep member is unknown": (
        lambda vm: storage(vm)["osDisk"].update(colour="red"), Kind.UNKNOWN, "OSDisk.colour"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_in_an_answer_is_found(shared: Running, judge: Judge, name: str) -> None:
    spoil, kind, member = DEFECTS[name]
    vm = machine(shared)
    assert judge.judge([exchange(vm)]).unexplained(known()) == []
    spoil(vm)
    (found,) = judge.judge([exchange(vm)]).unexplained(known())
    assert (found.finding.kind, found.direction) == (kind, Direction.ANSWERED)
    assert member in found.finding.member


def test_a_status_or_body_that_is_not_in_the_document_is_found(shared: Running, judge: Judge) -> None:
    found = judge.judge([exchange(machine(shared), 206), exchange({}, 404), exchange(None, 200)])
    assert sorted(one.finding.kind for one in found.unexplained(known())) == [Kind.STATUS, Kind.TYPE]


def test_only_accepted_requests_are_judged_and_answers_of_fault_rules_are_not(judge: Judge) -> None:
    bad = {"location": 5}
    refusal = {"error": {"code": "InvalidParameter", "message": "no"}}
    assert judge.judge([exchange(refusal, 400, "PUT", bad)]).deviations == {}
    assert judge.judge([exchange("busy", 503, "GET", None, "status")]).deviations == {}
    (found,) = judge.judge([exchange({"location": "x"}, 200, "PUT", bad)]).unexplained([])
    assert (found.direction, found.finding.kind) == (Direction.SENT, Kind.TYPE)


def test_a_known_deviation_covers_its_own_kind_only(judge: Judge) -> None:
    verdict = judge.judge([exchange({"location": "x", "colour": "red", "size": 3})])
    excuse = Known("answered", "unknown", r"VirtualMachine\.colour", "planted")
    assert [one.finding.member for one in verdict.unexplained([excuse])] == ["VirtualMachine.size"]


def test_every_known_deviation_says_why() -> None:
    assert all(one.because for one in known())
