"""Free and taken ports of this machine. Everything listens on 127.0.0.1 only."""

import socket

from shared.machine.trouble import Exit, Trouble

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Tell whether we could listen on `port`."""
    with socket.socket() as listener:
        # As the servers do: a port whose last connection just closed is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
        return True


def demand_free(port: int, what: str, variable: str) -> None:
    """Raise a `Trouble` that names `variable` where `port` is taken."""
    if not is_free(port):
        raise Trouble(
            f"Port {port}, meant for {what}, is taken by another program. "
            f"Stop that program, or choose another port: {variable}=… make up",
            Exit.PORT_TAKEN,
        )
