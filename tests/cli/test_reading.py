"""What is read from files: whatever it holds, it is a conversation or an error that says why not."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_templates import InputError
from llm_templates.cli.reading import Request, read_request

TALK = [{"role": "user", "content": 'Grüße 😀 "\\'}, {"role": "assistant", "content": None, "n": [1.5, True]}]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A file to write into."""
    return tmp_path_factory.mktemp("reading") / "talk.json"


def outcome(path, data):
    """The messages, or None for an error of ours; any other exception is a fault."""
    path.write_bytes(data)
    try:
        request = read_request(str(path))
    except InputError as refused:
        error = refused
    else:
        assert isinstance(request, Request)
        return request.messages
    assert error.message.startswith(f"{path}: ")
    assert len(str(error)) < 4096
    return None


#: Texts that look a little like JSON.
NEARLY = st.text(alphabet="[]{}\",:\\ \n\r\t12.eE-nulltruefasNI/#'", max_size=60)


@given(st.binary(max_size=60) | NEARLY.map(str.encode))
def test_whatever_is_in_a_file(path, data):
    """Bytes and texts that look a little like JSON never end in another exception."""
    outcome(path, data)


@given(st.lists(st.dictionaries(st.sampled_from(["role", "content", "x"]), st.text(string.printable)), max_size=4))
def test_a_list_and_lines_of_messages_are_the_same(path, messages):
    """JSON lines are the same conversation as the list, whatever line breaks and blank lines there are."""
    messages = [{"role": "user", **message} for message in messages]
    whole = json.dumps(messages).encode()
    assert outcome(path, whole) == messages
    if messages:
        for end in ("\n", "\r\n", "\n\n \n"):
            lines = "".join(json.dumps(message) + end for message in messages)
            assert outcome(path, lines.encode()) == messages
            assert outcome(path, b"\xef\xbb\xbf\n" + lines.rstrip().encode()) == messages


@pytest.mark.parametrize("lines", [False, True])
def test_a_file_cut_short_is_never_taken_for_whole(path, lines):
    """At every byte: an error, or, at the end of a line, the messages up to there."""
    text = "".join(f"{json.dumps(m, ensure_ascii=False)}\n" for m in TALK) if lines else json.dumps(TALK)
    data = text.encode()
    for end in range(len(data)):
        found = outcome(path, data[:end])
        assert found is None or (lines and found == TALK[: len(found)])


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, '[{"role": "user"}]\n' + "[" * 100_000])
def test_too_much_is_said(path, value):
    """Nesting and numbers that Python does not read are no fault of ours."""
    assert outcome(path, value.encode()) is None
