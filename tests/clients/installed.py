"""Where `make test-clients` installed other people's programs. A missing one fails a test; none is ever skipped."""

from pathlib import Path

CLIENTS = Path(__file__).resolve().parents[2] / ".venv-clients"
AZ = CLIENTS / "az" / "bin" / "az"
CUSTODIAN = CLIENTS / "custodian" / "bin" / "custodian"


def missing() -> list[str]:
    """The programs that are not there."""
    return [path.relative_to(CLIENTS.parent).as_posix() for path in (AZ, CUSTODIAN) if not path.exists()]
