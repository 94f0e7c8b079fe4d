"""python-socketio, driven line by line: see ../README.md."""

import base64
import json
import sys
import threading
from urllib.parse import urlencode

import socketio

TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}
printing = threading.Lock()


def say(line):
    with printing:
        print(json.dumps(line), flush=True)


def received(value):
    """A value of a line as it goes into an emit: bytes are bytes."""
    if isinstance(value, list):
        return [received(inner) for inner in value]
    if isinstance(value, dict):
        if isinstance(value.get("$bytes"), str):
            return base64.b64decode(value["$bytes"])
        return {key: received(inner) for key, inner in value.items()}
    return value


def shown(value):
    """A value that came, as it stands in a line."""
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [shown(inner) for inner in value]
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items()}
    return value


class Namespace(socketio.ClientNamespace):
    def on_connect(self):
        say({"connected": True})

    def on_disconnect(self, *_reason):
        say({"disconnected": True})

    def on_connect_error(self, error=None):
        if isinstance(error, dict):
            say({"refused": {"message": error.get("message"), "data": error.get("data")}})

    def trigger_event(self, event, *args):
        if event in ("connect", "disconnect", "connect_error"):
            return super().trigger_event(event, *args)
        if event.startswith("__"):
            return None  # The client's own.
        say({"event": [event, *shown(args)]})
        return tuple(args)


def main():
    url, transport = sys.argv[1:]
    client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
    namespace = "/"
    for text in sys.stdin:
        line = json.loads(text)
        if "connect" in line:
            wish = line["connect"]
            namespace = wish["namespace"]
            client.register_namespace(Namespace(namespace))
            query = urlencode(wish.get("query") or {})
            address = f"{url}?{query}" if query else url
            try:
                client.connect(
                    address, auth=wish.get("auth"), transports=TRANSPORTS[transport], namespaces=[namespace], wait_timeout=20
                )
            except socketio.exceptions.ConnectionError as why:
                say({"failed": str(why)})
        elif "emit" in line:
            event, *args = received(line["emit"])
            client.emit(event, tuple(args), namespace=namespace)
        elif "request" in line:
            event, *args = received(line["request"])
            client.emit(event, tuple(args), namespace=namespace, callback=lambda *answer: say({"ack": shown(answer)}))
        elif "leave" in line:
            # A disconnect during a POST says nothing to the server: the loop that writes ends behind that POST.
            client.eio.queue.join()
            client.disconnect()
    client.disconnect()


main()
