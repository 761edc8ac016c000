"""Messages as they go to an engine's own chat, and as they come back."""

import json
import urllib.request
from contextlib import closing


def as_sent(messages):
    """Messages with calls that have ids and arguments as text, as OpenAI's API wants them."""
    sent = []
    for message in messages:
        calls = [
            {**call, "id": f"call{number}", "function": {**call["function"], "arguments": _text(call)}}
            for number, call in enumerate(message.get("tool_calls", ()))
        ]
        sent.append({**message, "tool_calls": calls} if calls else message)
    return sent


def _text(call):
    return json.dumps(call["function"]["arguments"], ensure_ascii=False)


def plain(message):
    """What a message says, however it is written: calls without ids, their arguments as values.

    llama.cpp leaves the line break that the template writes before a mark to the text before it.
    """
    said = {"role": message["role"], "content": message.get("content") or ""}
    calls = message.get("tool_calls")
    if calls:
        said["content"] = said["content"].rstrip("\n")
        said["tool_calls"] = [(call["function"]["name"], _value(call["function"]["arguments"])) for call in calls]
    if message.get("reasoning_content"):
        said["reasoning_content"] = message["reasoning_content"].rstrip("\n")
    return said


def joined(events):
    """The message that events, or an engine's own, add up to."""
    message = {"role": "assistant", "content": ""}
    calls = {}
    for event in events:
        for key in ("content", "reasoning_content"):
            if event.get(key):
                message[key] = message.get(key, "") + event[key]
        for call in event.get("tool_calls", ()):
            function = calls.setdefault(call["index"], {"name": "", "arguments": ""})
            for key in function:
                function[key] += call["function"].get(key) or ""
    if calls:
        message["tool_calls"] = [{"function": calls[index]} for index in sorted(calls)]
    return message


def _value(arguments):
    return json.loads(arguments) if isinstance(arguments, str) else arguments


class Server:
    """A running server of llama.cpp."""

    def __init__(self, url):
        self.url = url

    def ask(self, path, **body):
        """What it answers."""
        with self._opened(path, body) as response:
            return json.load(response)

    def stream(self, path, **body):
        """What it answers, piece by piece."""
        with closing(self._opened(path, {**body, "stream": True})) as response:
            for line in response:
                data = line.decode().removeprefix("data: ").strip()
                if data and data != "[DONE]":
                    yield json.loads(data)

    def _opened(self, path, body):
        request = urllib.request.Request(
            self.url + path, data=json.dumps(body).encode(), headers={"content-type": "application/json"}
        )
        return urllib.request.urlopen(request, timeout=30)
