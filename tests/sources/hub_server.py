"""A stand-in for the hub: the few endpoints that huggingface_hub asks, on a local port, with faults on request."""

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Repository:
    """A model's repository: commits of files, branches that name them, and who may read it."""

    commits: dict = field(default_factory=dict)
    branches: dict = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    card: dict = field(default_factory=dict)
    #: Tokens that may read a private or gated repository, and write to any.
    tokens: tuple = ("hf_good",)

    def commit(self, files, branch="main"):
        """A new commit with these files, at the end of a branch."""
        content = {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}
        commit = hashlib.sha1(f"{branch} {len(self.commits)} {sorted(content.items())}".encode()).hexdigest()
        self.commits[commit] = content
        self.branches[branch] = commit
        return commit


@dataclass
class Hub:
    """The stand-in's state: what is in it, how it fails, and what it was asked."""

    endpoint: str = ""
    repositories: dict = field(default_factory=dict)
    #: How requests for this path fail: "cut" (half the body), "cut once", "hang", a status,
    #: other content, or the address to go on to.
    faults: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    authorizations: list = field(default_factory=list)

    def add(self, name, files, branch="main", **access):
        """A repository with one commit of these files; its commit."""
        self.repositories[name] = Repository(**access)
        return self.repositories[name].commit(files, branch)


class Handler(BaseHTTPRequestHandler):
    """Answers as the hub does, with its headers and error codes."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *arguments):
        """Keep quiet."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body=b""):
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append(f"{self.command} {path}")
        self.hub.authorizations.append(self.headers.get("Authorization"))
        fault = self.hub.faults.get(path) or self.hub.faults.get("*")
        if fault == "cut once":
            del self.hub.faults[path]
            fault = "cut"
        if fault == "hang":
            time.sleep(30)
        elif isinstance(fault, str) and fault.startswith("http"):
            self.reply(302, b"", {"Location": fault})
        elif isinstance(fault, int):
            self.reply(fault, b'{"error": "on request"}')
        elif isinstance(fault, bytes):
            self.reply(200, fault, {"Content-Type": "text/html"})
        elif path == "/api/repos/create":
            self.create(json.loads(body))
        else:
            parts = path.removeprefix("/api/models").strip("/").split("/")
            repository = self.hub.repositories.get("/".join(parts[:2]))
            verb, rest = (parts[2] if len(parts) > 2 else "revision"), parts[3:] or ["main"]
            if repository is None or (repository.private and not self.token_of(repository)):
                self.refuse(404 if self.headers.get("Authorization") else 401, "RepoNotFound", "No such repository")
            elif verb in ("preupload", "commit"):
                self.write(repository, "/".join(parts[:2]), verb, "/".join(rest), body)
            else:
                self.read(repository, "/".join(parts[:2]), verb, rest, cut=fault == "cut")

    def token_of(self, repository):
        return self.headers.get("Authorization", "").removeprefix("Bearer ") in repository.tokens

    def read(self, repository, name, verb, rest, cut):
        if verb == "resolve":
            revision, file = rest[0], "/".join(rest[1:])
        else:
            revision, file = "/".join(rest), None
        commit = repository.branches.get(revision, revision)
        files = repository.commits.get(commit)
        if files is None:
            self.refuse(404, "RevisionNotFound", "Invalid rev id")
        elif file is None:
            siblings = [{"rfilename": path} for path in files]
            gated = "manual" if repository.gated else False
            card = repository.card
            facts = {"id": name, "modelId": name, "sha": commit, "gated": gated, "cardData": card, "siblings": siblings}
            self.send_json(facts)
        elif repository.gated and not self.token_of(repository):
            self.refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo", "Access is restricted")
        elif file not in files:
            self.refuse(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
        else:
            etag = hashlib.sha1(files[file]).hexdigest()
            self.reply(200, files[file], {"X-Repo-Commit": commit, "ETag": f'"{etag}"'}, cut=cut)

    def write(self, repository, name, verb, revision, body):
        if not self.token_of(repository):
            self.refuse(403, None, "You have no write access")
            return
        files = dict(repository.commits.get(repository.branches.get(revision), {}))
        if verb == "preupload":
            modes = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(body)["files"]
            ]
            self.send_json({"files": modes})
            return
        for line in body.decode().splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "header" and value.get("parentCommit") not in (None, repository.branches[revision]):
                self.refuse(412, None, "A commit has happened since")
                return
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        commit = repository.commit(files, revision)
        url = f"{self.hub.endpoint}/{name}/commit/{commit}"
        self.send_json({"success": True, "commitOid": commit, "commitUrl": url})

    def create(self, wanted):
        name = f"{wanted['organization'] or 'me'}/{wanted['name']}"
        if not self.headers.get("Authorization"):
            self.refuse(401, None, "Invalid username or password.")
        elif name in self.hub.repositories:
            self.refuse(409, None, "You already created this model repo")
        else:
            self.hub.add(
                name, {".gitattributes": ""}, private=wanted.get("private") or wanted.get("visibility") == "private"
            )
            self.send_json({"url": f"{self.hub.endpoint}/{name}", "name": name})

    def refuse(self, status, code, message, headers=()):
        headers = {**dict(headers), "X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        self.reply(status, json.dumps({"error": message}).encode(), headers)

    def send_json(self, value):
        self.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def reply(self, status, content, headers=(), cut=False):
        self.send_response(status)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True


@contextmanager
def running_hub():
    """A stand-in hub that listens while the block runs."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
