"""The ports our own servers took: free ones at the first start, the same ones after."""

import json
from pathlib import Path

from shared.machine.home import write_private
from shared.machine.ports import Wanted, demand_free, free_port, is_free


def own_port(home: Path, server: str, wished: int | None, variable: str) -> int:
    """Return the port `server` shall listen on, and remember it in `home`.

    Trouble: a port was wished for and is taken. A remembered one that is taken is
    replaced, for nobody asked for it.
    """
    if wished is not None:
        demand_free(Wanted(wished, server, variable))
        return wished
    file = home / "ports.json"
    known = _read(file)
    if is_free(known.get(server, 0)) and server in known:
        return known[server]
    port = free_port()
    write_private(file, json.dumps({**known, server: port}))
    return port


def _read(file: Path) -> dict[str, int]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): int(port) for name, port in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
