"""What is in a package: a bill of materials (CycloneDX 1.6) and the licences, read from the wheels' own metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

CLASSIFIER = "License :: OSI Approved :: "
# What older metadata says in words, as SPDX names it.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT License (MIT)": "MIT",
    "MPL-2.0": "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One installed distribution."""

    name: str
    version: str
    licence: str
    summary: str
    info: Path

    @property
    def tops(self) -> list[Path]:
        """Its folders and files at the top of the site, its metadata among them."""
        site = self.info.parent
        module = self.name.replace("-", "_")
        return [path for path in (site / module, site / f"{module}.py", self.info) if path.exists()]


def installed(site: Path) -> list[Part]:
    """The distributions of a site, by name."""
    parts = []
    for info in sorted(site.glob("*.dist-info")):
        metadata = Parser().parsestr((info / "METADATA").read_text(encoding="utf-8"))
        name = str(metadata["Name"]).lower().replace("_", "-").replace(".", "-")
        parts.append(Part(name, str(metadata["Version"]), _licence(metadata), str(metadata["Summary"] or ""), info))
    return parts


def _licence(metadata: Message) -> str:
    """The SPDX expression, or what the older fields come to; what they say where that is unknown."""
    expression = str(metadata["License-Expression"] or "").strip()
    if expression:
        return expression
    classified = [
        str(one).removeprefix(CLASSIFIER) for one in metadata.get_all("Classifier", []) if CLASSIFIER in str(one)
    ]
    said = [*classified, str(metadata["License"] or "").strip()]
    return next((SPDX.get(one, one) for one in said if one), "unknown")


def bill(parts: Sequence[Part]) -> dict[str, Any]:
    """The bill of materials. It names no time and no serial number: the same package has the same bill."""
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{part.name}@{part.version}",
            "name": part.name,
            "version": part.version,
            "description": part.summary,
            "licenses": [{"expression": part.licence}] if " " in part.licence else [{"license": _named(part.licence)}],
            "purl": f"pkg:pypi/{part.name}@{part.version}",
        }
        for part in parts
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "tagback", "name": "tagback"}},
        "components": components,
    }


def _named(licence: str) -> dict[str, str]:
    return {"name": licence} if licence == "unknown" else {"id": licence}


def licences(parts: Sequence[Part]) -> str:
    """One line for each part, then the texts that the wheels carry."""
    lines = [f"{part.name} {part.version}: {part.licence}" for part in parts]
    return "\n".join(lines) + "\n"
