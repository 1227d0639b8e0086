"""One build: the product's files, its wheels for the platform's Python, bytecode, an archive without a clock in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from local.package.bill import bill, installed, licences

PYTHON = "3.12"
SITE = Path(".python_packages/lib/site-packages")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
# What may be deployed beside the product, and the lock that names all of it.
LOCKS = {"": "requirements.txt", "telemetry": "local/locks/telemetry.txt"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day that a zip can name
# What pip writes about this installation, and scripts that start with a path of this machine.
LEFTOVERS = ("INSTALLER", "REQUESTED", "direct_url.json", "RECORD")
# Locked, for whoever installs the product as a library; not a part of what is deployed.
LEFT_OUT = {
    "pycparser": "cffi parses C only when bindings are built",
    "msal-extensions": "keeps a person's tokens on their disk; an app has a managed identity",
}


class NoPython(Exception):
    """There is no interpreter whose bytecode the platform reads."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a build."""

    archive: Path
    digest: str
    packages: int
    unpacked: int


def build(root: Path, out: Path, lock: str = LOCKS[""]) -> Made:
    """Write the archive with its bill of materials, its licences and its digest beside it."""
    python = interpreter()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "app"
        for file in product_files(root):
            target = whole / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        shutil.copyfile(root / lock, whole / LOCKS[""])
        install(root / lock, whole / SITE)
        _compile(python, whole)
        archive = out / "tagback.zip"
        _archive(whole, archive)
        parts = installed(whole / SITE)
        unpacked = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    (out / "tagback.zip.sha256").write_text(f"{digest}  tagback.zip\n", encoding="utf-8")
    (out / "tagback.cdx.json").write_text(json.dumps(bill(parts), indent=2) + "\n", encoding="utf-8")
    (out / "licences.txt").write_text(licences(parts), encoding="utf-8")
    return Made(archive, digest, len(parts), unpacked)


def product_files(root: Path) -> Iterator[Path]:
    """What is deployed of the repository: all that .funcignore does not name."""
    lines = (root / ".funcignore").read_text(encoding="utf-8").splitlines()
    return _below(root, root, [line.strip() for line in lines if line.strip()])


def _below(root: Path, folder: Path, ignored: Sequence[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if path.name == "__pycache__" or any(fnmatch(name, pattern) for pattern in ignored):
            continue
        if path.is_dir():
            yield from _below(root, path, ignored)
        else:
            yield path


def interpreter() -> Path:
    """A Python of the platform's version."""
    ours = [Path(sys.executable)] if sys.version_info[:2] == (3, 12) else []
    on_path = [Path(folder) / f"python{PYTHON}" for folder in os.environ.get("PATH", "").split(os.pathsep)]
    others = sorted(Path.home().glob(f".pyenv/versions/{PYTHON}.*/bin/python"))
    for candidate in (*ours, *on_path, *others):
        if candidate.is_file() and _version(candidate) == PYTHON:
            return candidate
    raise NoPython(f"the package holds bytecode of Python {PYTHON}, and there is none on the PATH")


def _version(python: Path) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def install(requirements: Path, site: Path) -> None:
    """The locked wheels of the platform, by their hashes."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(site)]
    command += [
        "--implementation",
        "cp",
        "--python-version",
        PYTHON,
        "--abi",
        "cp312",
        "--abi",
        "abi3",
        "--abi",
        "none",
    ]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    ran = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"the wheels could not be installed: {ran.stderr[-2000:]}")
    shutil.rmtree(site / "bin", ignore_errors=True)
    for path in sorted(site.rglob("*")):
        if path.is_file() and (path.name in LEFTOVERS and path.parent.suffix == ".dist-info"):
            path.unlink()
    for part in installed(site):
        if part.name in LEFT_OUT:
            for path in part.tops:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    for tests in sorted(site.rglob("tests")):
        shutil.rmtree(tests)


def _compile(python: Path, whole: Path) -> None:
    """Bytecode that is taken as it is: no dates in it, and nothing to compile at a cold start."""
    command = [str(python), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(whole), "-p", "/home/site/wwwroot", str(whole)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")})


def _archive(whole: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for path in sorted(whole.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(whole).as_posix(), EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                made.writestr(entry, path.read_bytes())
