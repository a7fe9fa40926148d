"""Serves moto on a free loopback port, prints its URL as the only line on stdout, and ends when stdin is closed: so it never
outlives whoever started it, however that ended."""

import logging
import os
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # what goes wrong, not each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # requests in flight are not worth waiting for


if __name__ == "__main__":
    main()
