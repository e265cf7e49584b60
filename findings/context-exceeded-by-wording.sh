#!/usr/bin/env bash
# openai 3.57.0 with langchain-openai 1.7.4 and LiteLLM 1.110.2: a context that is exceeded is told by the wording of
# the error, and OpenAI's own code for it is overlooked.
#
# Valid input: a server's 400 with {"error": {"code": "context_length_exceeded", ...}}, as OpenAI's API answers.
# Expected: langchain_core's ContextOverflowError and LiteLLM's ContextWindowExceededError, whatever the message says:
#           programs catch these to shorten the conversation, or to ask a model with more room.
# Happens:  openai puts the message alone into its exception's text, and the code into the attribute `code`. LangChain
#           looks for "context_length_exceeded" in that text, LiteLLM for '"code": "context_length_exceeded"', neither
#           at the attribute. What is left are two lists of words, with little in common; a 400 of any other code is taken
#           for it where its message has them.
# Seen:     (whether each tells it, the code, the message)
#           LangChain -     LiteLLM -     context_length_exceeded 900 tokens were sent, and 512 fit.
#           LangChain -     LiteLLM told  context_length_exceeded This model's maximum context length is 512 tokens, …
#           LangChain -     LiteLLM told  context_length_exceeded A request … exceeds the available context size of 512.
#           LangChain -     LiteLLM -     context_length_exceeded The input … exceeds the context window of 512.
#           LangChain told  LiteLLM -     context_length_exceeded context_length_exceeded: 900 tokens were sent, …
#           LangChain told  LiteLLM told  context_length_exceeded Input tokens exceed the configured limit of 512 …
#           LangChain told  LiteLLM told  context_length_exceeded The prompt is too long: 900 tokens were sent, …
#           LangChain told  LiteLLM told  invalid_value           The prompt is too long: 900 tokens were sent, …
# Why:      To our users' programs, a conversation that does not fit would be an error like any other. So EdgeKit's
#           message begins with "The prompt is too long", and has llama.cpp's words after it (edgekit/serve/refusal.py).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    langchain-openai==1.7.4 litellm==1.110.2 openai==3.57.0

LITELLM_LOCAL_MODEL_COST_MAP=True "$folder/venv/bin/python" - <<'PY'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import litellm
import openai
from langchain_core.exceptions import ContextOverflowError
from langchain_openai import ChatOpenAI

CODE = "context_length_exceeded"
# Message and code, and whether LangChain and LiteLLM tell that the context is exceeded.
CASES = [
    ("900 tokens were sent, and 512 fit.", CODE, (False, False)),
    ("This model's maximum context length is 512 tokens, and 900 were sent.", CODE, (False, True)),
    ("A request of 900 tokens exceeds the available context size of 512.", CODE, (False, True)),
    ("The input of 900 tokens exceeds the context window of 512.", CODE, (False, False)),
    ("context_length_exceeded: 900 tokens were sent, and 512 fit.", CODE, (True, False)),
    ("Input tokens exceed the configured limit of 512 tokens, by 388.", CODE, (True, True)),
    ("The prompt is too long: 900 tokens were sent, and 512 fit.", CODE, (True, True)),
    ("The prompt is too long: 900 tokens were sent, and 512 fit.", "invalid_value", (True, True)),
]
answer = b""


class Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/v1"
litellm.suppress_debug_info = True
messages = [{"role": "user", "content": "Hello"}]
client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
chat = ChatOpenAI(model="any", base_url=url, api_key="none", max_retries=0)
place = {"model": "openai/any", "api_base": url, "api_key": "none", "num_retries": 0, "max_retries": 0}


def told(ask, expected):
    """Whether what is raised is of the class that tells a context that is exceeded; it is openai's own in any case."""
    try:
        ask()
    except openai.BadRequestError as error:
        return isinstance(error, expected)
    raise AssertionError("it was answered")


same = True
for message, code, expected in CASES:
    error = {"message": message, "type": "invalid_request_error", "param": "messages", "code": code}
    answer = json.dumps({"error": error}).encode()
    try:
        client.chat.completions.create(model="any", messages=messages)
    except openai.BadRequestError as refused:
        same &= refused.code == code and str(refused) == f"Error code: 400 - {message}"
    seen = (
        told(lambda: chat.invoke("Hello"), ContextOverflowError),
        told(lambda: litellm.completion(messages=messages, **place), litellm.ContextWindowExceededError),
    )
    same &= seen == expected
    words = ["told" if each else "-" for each in seen]
    print(f"LangChain {words[0]:5} LiteLLM {words[1]:5} {code:23} {message}")
sys.exit(not same)
PY
