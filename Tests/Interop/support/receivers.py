"""Strict receivers of what sinks send by HTTP, which fail as they are told."""

import http.server
import json
import threading


class Receiver:
    """An HTTP server on loopback. `answer(handler, body)` says status and body of the answer; None closes the connection without one."""

    def __init__(self, answer):
        receiver = self
        self.port = None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with receiver.lock:
                    result = answer(self, body)
                if result is None:
                    self.close_connection = True
                    return
                status, payload = result
                self.send_response(status)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        self.handler, self.lock, self.server = Handler, threading.Lock(), None

    def start(self, port=0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Hook:
    """Keeps the rows of each request that it answered with 200 or not at all."""

    def __init__(self, chance, trouble=0.0):
        self.rows, self.problems, self.chance, self.trouble = [], [], chance, trouble
        self.receiver = Receiver(self.answer)

    def answer(self, handler, body):
        fault = self.chance.random() < self.trouble and self.chance.choice(["before", "503", "after"])
        if fault == "before":
            return None
        if fault == "503":
            return 503, b"busy"
        if handler.headers["content-type"] != "application/json" or handler.headers["x-token"] != "secret":
            self.problems.append(dict(handler.headers))
        self.rows += json.loads(body)
        return None if fault == "after" else (200, b"")


class Bulk:
    """`_bulk` as Elasticsearch's reference describes it: a line of action, a line of source, one answer for each document."""

    def __init__(self, chance, trouble=0.0):
        self.documents, self.problems, self.chance, self.trouble = {}, [], chance, trouble
        self.writes = 0
        self.receiver = Receiver(self.answer)

    def answer(self, handler, body):
        if not handler.path.startswith("/_bulk?filter_path=") or handler.headers["content-type"] != "application/x-ndjson":
            self.problems.append((handler.path, dict(handler.headers)))
            return 400, b'{"error":"no _bulk"}'
        if not body.endswith(b"\n"):
            self.problems.append("the last line has no newline")
            return 400, b'{"error":"The bulk request must be terminated by a newline"}'
        if self.chance.random() < self.trouble:
            return 429, b'{"error":"busy"}'
        lines = body[:-1].split(b"\n")
        items = []
        for action, source in zip(lines[::2], lines[1::2], strict=True):
            ((operation, target),) = json.loads(action).items()
            document = json.loads(source)
            if document["kind"] == "bad":
                items.append({operation: {"status": 400, "error": {"type": "document_parsing_exception", "reason": "failed to parse field [n]"}}})
            elif self.chance.random() < self.trouble:
                items.append({operation: {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}}})
            else:
                key = (target["_index"], target["_id"])
                self.writes += 1
                if self.documents.get(key, document) != document:
                    self.problems.append(f"{key} became another document")
                self.documents[key] = document
                items.append({operation: {"status": 201}})
        errors = any("error" in item[operation] for item in items for operation in item)
        answer = {"errors": errors, "items": items}
        # The answer may be lost though all was done.
        return None if self.chance.random() < self.trouble else (200, json.dumps(answer).encode())
