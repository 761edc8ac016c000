"""An engine that is not there: a server on this machine that answers as it is told, and keeps what it was asked."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class StandIn:
    """Answers each request with the next of the plays; the last one stays."""

    def __init__(self):
        self.plays = []
        self.asked = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                stand_in.asked.append(
                    {
                        "path": self.path,
                        "headers": {name.lower(): value for name, value in self.headers.items()},
                        "body": body,
                    }
                )
                play = stand_in.plays.pop(0) if len(stand_in.plays) > 1 else stand_in.plays[0]
                try:
                    play(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def head(handler, status=200, kind="text/event-stream", **headers):
    handler.send_response(status)
    handler.send_header("content-type", kind)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def line(text, reason=None):
    return f"data: {json.dumps({'choices': [{'text': text, 'finish_reason': reason}]})}\n\n".encode()


def says(*texts, reason="stop", after=b"data: [DONE]\n\n"):
    """A whole answer, as server-sent events."""

    def play(handler):
        head(handler)
        handler.wfile.write(b": hello\n\n")
        for text in texts:
            handler.wfile.write(line(text))
            handler.wfile.flush()
        handler.wfile.write((line("", reason) if reason else b"") + after)

    return play


def breaks_off(*texts):
    """Some of an answer, and then nothing more."""
    return says(*texts, reason=None, after=b"")


def falls_silent(*texts, seconds=1.0):
    """Some of an answer, and then a long silence."""

    def play(handler):
        if texts:
            head(handler)
            for text in texts:
                handler.wfile.write(line(text))
                handler.wfile.flush()
        time.sleep(seconds)

    return play


def hangs_up(handler):
    """No answer at all."""
    handler.connection.close()


def refuses(status, body=b'{"error": {"message": "the prompt is too long"}}', **headers):
    """An error."""

    def play(handler):
        head(handler, status, "application/json", **headers)
        handler.wfile.write(body)

    return play


def writes(data):
    """Just this."""

    def play(handler):
        head(handler)
        handler.wfile.write(data)

    return play
