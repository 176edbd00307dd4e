"""Where an upload is saved."""

import tempfile
from pathlib import Path
from uuid import uuid4


def save(data: bytes) -> str:
    """Write the bytes under a name that no other has, and tell it."""
    path = Path(tempfile.gettempdir()) / uuid4().hex
    path.write_bytes(data)
    return str(path)
