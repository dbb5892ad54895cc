"""Language servers in real sandboxes, through the runner."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.images import described
from sandbox.runner.servers import MOST_STARTS
from sandbox.runner.wire import CallError, Client, Stream
from tests.sandbox.conftest import Lab

pytestmark = [pytest.mark.jail, pytest.mark.asyncio(loop_scope="module")]

SERVERS = {server.language: server for image in described() for server in image.servers}
IMAGE_OF = {server.language: image for image in reversed(described()) for server in image.servers}
PYTHON = """import numpy as np


def area(r: float) -> float:
    '''The area of a circle.'''
    return np.pi * r**2


area(undefined)
"""


class Talk:
    """A client of a language server: enough of the protocol to ask."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.root = stream, stream.result["root"]
        self._last = 0
        self._records = aiter(stream)
        self.diagnostics: dict[str, list[str]] = {}
        self.capabilities: dict[str, Any] = {}

    @classmethod
    async def start(cls, client: Client, language: str = "python") -> Talk:
        command = list(SERVERS[language].command)
        talk = cls(await client.open("server.attach", language=language, command=command))
        wanted: dict[str, Any] = {"textDocument": {"diagnostic": {}, "publishDiagnostics": {}}}
        result = await talk.ask("initialize", processId=None, rootUri=talk.root, capabilities=wanted)
        talk.capabilities = result["capabilities"]
        await talk.tell("initialized")
        return talk

    async def tell(self, method: str, **params: Any) -> None:
        await self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def ask(self, method: str, **params: Any) -> Any:
        self._last += 1
        await self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while (message := await self.next()).get("id") != self._last:
            continue
        assert "error" not in message, message
        return message["result"]

    async def open(self, name: str, text: str, language: str = "python") -> str:
        uri = f"{self.root}/{name}"
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        await self.tell("textDocument/didOpen", textDocument=document)
        return uri

    async def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        position = {"line": line, "character": character}
        return await self.ask(f"textDocument/{method}", textDocument={"uri": uri}, position=position, **more)

    async def problems(self, uri: str) -> list[str]:
        """The first diagnostics of ``uri`` that are some."""
        while not self.diagnostics.get(uri):
            await self.next()
        return self.diagnostics[uri]

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            _, record = await anext(self._records)
        message: dict[str, Any] = json.loads(record)
        if message.get("method") == "textDocument/publishDiagnostics":
            found = [one["message"] for one in message["params"]["diagnostics"]]
            self.diagnostics[message["params"]["uri"]] = found
        return message

    async def end(self) -> str:
        """Why the stream ends, once it does."""
        async with asyncio.timeout(60):
            async for _ in self._records:
                continue
        return str(self.stream.end)

    async def _send(self, message: dict[str, Any]) -> None:
        await self.stream.write(json.dumps(message).encode())


async def test_python_is_completed_explained_checked_found_and_renamed(lab: Lab, tmp_path: Path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "shapes.py").write_text(PYTHON)
    talk = await Talk.start(await lab.client(await lab.start(project=project)))
    uri = await talk.open(
        "main.py", "from shapes import area\n\nx = area(2)\nimport numpy as np\nnp.lins\nprint(nope)\n"
    )
    assert any("nope" in problem for problem in await talk.problems(uri))
    hover = await talk.at("hover", uri, 2, 5)
    assert "The area of a circle." in json.dumps(hover)
    found = await talk.at("completion", uri, 4, 7)
    items = found["items"] if isinstance(found, dict) else found
    assert any(item["label"] == "linspace" for item in items)
    where = await talk.at("definition", uri, 2, 5)
    assert where[0]["uri"] == f"{talk.root}/shapes.py"
    signature = await talk.at("signatureHelp", uri, 2, 9)
    assert "r: " in json.dumps(signature)
    places = await talk.at("references", uri, 2, 5, context={"includeDeclaration": True})
    assert {place["uri"].rpartition("/")[2] for place in places} == {"main.py", "shapes.py"}
    edits = await talk.at("rename", uri, 2, 5, newName="surface")
    assert "surface" in json.dumps(edits)


async def test_what_is_changed_is_checked_again(lab: Lab):
    talk = await Talk.start(await lab.client(await lab.start()))
    uri = await talk.open("main.py", "print(1)\n")
    for version, name in enumerate(("nope", "never")):
        change = {"text": f"print({name})\n"}
        await talk.tell(
            "textDocument/didChange", textDocument={"uri": uri, "version": version}, contentChanges=[change]
        )
        while name not in str(await talk.problems(uri)):
            await talk.next()


async def test_pages_share_one_process_which_stays_for_a_page_that_is_loaded_anew(lab: Lab):
    id = await lab.start()
    clients = [await lab.client(id) for _ in range(3)]
    ann, ben = [await Talk.start(client) for client in clients[:2]]
    uri = await ann.open("a.py", "print(nope)\n")
    await ann.problems(uri)
    await ben.open("a.py", "print(nope)\n")
    assert await ben.problems(uri) == ann.diagnostics[uri]
    (running,) = await clients[2].call("server.list")
    assert running["clients"] == 2
    await clients[0].close()
    await clients[1].close()
    while (await clients[2].call("server.list"))[0]["clients"]:
        await asyncio.sleep(0.01)
    await Talk.start(clients[2])
    assert (await clients[2].call("server.list"))[0]["pid"] == running["pid"]


async def test_a_server_that_is_killed_ends_its_streams_and_is_started_again(lab: Lab):
    client = await lab.client(id := await lab.start())
    talk = await Talk.start(client)
    (running,) = await client.call("server.list")
    inside = await lab.kernel(id)
    await inside.run(f"import os, signal; os.kill({running['pid']}, signal.SIGKILL)")
    assert await talk.end() == "ended by signal 9"
    again = await Talk.start(client)
    assert await again.problems(await again.open("a.py", "print(nope)\n"))


async def test_one_that_keeps_ending_is_left_alone_and_its_last_words_are_told(lab: Lab):
    client = await lab.client(await lab.start())
    command = ["bash", "-c", "echo 'no licence' >&2; exit 3"]
    for _ in range(MOST_STARTS):
        stream = await client.open("server.attach", language="x", command=command)
        assert await Talk(stream).end() == "exited with status 3: no licence"
    with pytest.raises(CallError, match="keeps ending"):
        await client.open("server.attach", language="x", command=command)


async def test_one_that_is_not_there_says_so(lab: Lab):
    client = await lab.client(await lab.start())
    stream = await client.open("server.attach", language="x", command=["no-such-server"])
    assert "no-such-server: No such file or directory" in await Talk(stream).end()


@pytest.mark.parametrize(
    "said", ["hello there", r"Content-Length: 99999999999\r\n\r\n", r"Content-Length: 2\r\n\r\n[]"]
)
async def test_one_that_talks_nonsense_is_ended(lab: Lab, said: str):
    client = await lab.client(await lab.start())
    command = ["bash", "-c", f"printf '{said}%05000d' 0; sleep 1000"]
    stream = await client.open("server.attach", language="x", command=command)
    assert "what is no message" in await Talk(stream).end()
    assert await client.call("server.list") == []


async def test_a_page_that_talks_nonsense_is_left_and_others_are_not(lab: Lab):
    id = await lab.start()
    talk = await Talk.start(await lab.client(id))
    bad = await Talk.start(await lab.client(id))
    await bad.stream.write(b"\xff not a message")
    assert "does not understand" in await bad.end()
    assert await talk.problems(await talk.open("a.py", "print(nope)\n"))


async def test_a_server_that_reads_nothing_holds_only_who_writes_to_it(lab: Lab):
    id = await lab.start()
    client, other = await lab.client(id), await lab.client(id)
    stream = await client.open("server.attach", language="x", command=["sleep", "1000"])
    filler = json.dumps({"method": "x", "params": "y" * 500_000}).encode()
    writing = asyncio.ensure_future(_write(stream, filler))
    done, _ = await asyncio.wait({writing}, timeout=2)
    assert not done
    assert (await other.call("server.list"))[0]["language"] == "x"
    writing.cancel()


async def _write(stream: Stream, record: bytes) -> None:
    for _ in range(1000):
        await stream.write(record)


@dataclass(frozen=True)
class Sample:
    """Two files of a language, and what its server is to say of the second: a problem in it; what completes the word
    at ``typed``, and where the name at ``used`` is defined (line and character, from 0)."""

    files: dict[str, str]
    main: str
    problem: str
    typed: tuple[int, int]
    completes: str
    used: tuple[int, int]
    defined: tuple[str, int]


SAMPLES = {
    "python": Sample(
        {"shapes.py": PYTHON, "main.py": "from shapes import area\n\nprint(nope)\nprint(area(2))\narea.__na\n"},
        "main.py",
        "nope",
        (4, 9),
        "__name__",
        (3, 7),
        ("shapes.py", 3),
    ),
    "c": Sample(
        {
            "shapes.h": "/* shapes */\nstatic double area(double r) { return r * r * 3; }\n",
            "main.c": '#include <stdio.h>\n#include "shapes.h"\nint main(void) {\n    nope;\n    area(2);\n'
            "    prin\n}\n",
        },
        "main.c",
        "nope",
        (5, 8),
        "printf",
        (4, 5),
        ("shapes.h", 1),
    ),
    "cpp": Sample(
        {
            "shapes.hpp": "// shapes\ninline double area(double r) { return r * r * 3; }\n",
            "main.cpp": '#include <string>\n#include "shapes.hpp"\nint main() {\n    nope;\n    std::string().siz\n'
            "    return area(2);\n}\n",
        },
        "main.cpp",
        "nope",
        (4, 21),
        "size",
        (5, 12),
        ("shapes.hpp", 1),
    ),
    "go": Sample(
        {
            "go.mod": "module madang\n\ngo 1.19\n",
            "shapes.go": "package main\n\nfunc area(r float64) float64 { return r * r * 3 }\n",
            "main.go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tnope()\n\tfmt.Println(area(2))\n'
            "\tfmt.Prin\n}\n",
        },
        "main.go",
        "nope",
        (7, 9),
        "Println",
        (6, 14),
        ("shapes.go", 2),
    ),
    "javascript": Sample(
        {
            "shapes.js": "// shapes\nexport function area(r) { return r * r * 3; }\n",
            "main.js": 'import { area } from "./shapes.js";\nlet x = ;\narea(2);\nMath.ma\n',
        },
        "main.js",
        "Expression expected",
        (3, 7),
        "max",
        (2, 1),
        ("shapes.js", 1),
    ),
    "typescript": Sample(
        {
            "shapes.ts": "// shapes\nexport function area(r: number): number { return r * r * 3; }\n",
            "main.ts": 'import { area } from "./shapes";\nconst x: number = "nope";\narea(2);\nMath.ma\n',
        },
        "main.ts",
        "not assignable to type 'number'",
        (3, 7),
        "max",
        (2, 1),
        ("shapes.ts", 1),
    ),
    "rust": Sample(
        {
            "Cargo.toml": '[package]\nname = "madang"\nversion = "0.1.0"\nedition = "2021"\n',
            "src/shapes.rs": "// shapes\npub fn area(r: f64) -> f64 { r * r * 3.0 }\n",
            "src/main.rs": "mod shapes;\nfn main() {\n    let x = ;\n    shapes::area(2.0);\n    shapes::are\n}\n",
        },
        "src/main.rs",
        "expected",
        (4, 15),
        "area",
        (3, 13),
        ("src/shapes.rs", 1),
    ),
}
UGLY = {
    "c": "int main(void){\nreturn 0;\n}\n",
    "cpp": "int main(){\nreturn 0;\n}\n",
    "go": "package main\nfunc main() {\n}\nvar  x = 1\n",
    "javascript": "let x = {  'a':1 }\n",
    "python": "x = {  'a':1 }\n",
    "rust": "fn main() {let x = 1;}\n",
    "typescript": "let x = {  'a':1 }\n",
}
HERE = [language for language in SAMPLES if not SERVERS[language].missing and not IMAGE_OF[language].missing]


@pytest.mark.parametrize("language", HERE)
async def test_the_server_of_a_language_completes_checks_and_finds(lab: Lab, language: str):
    lab.image, sample = IMAGE_OF[language], SAMPLES[language]
    project = lab.folder / "project"
    for name, text in sample.files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    talk = await Talk.start(await lab.client(await lab.start(lab.image.slots)), language)
    uri = await talk.open(sample.main, sample.files[sample.main], language)
    while not any(sample.problem in problem for problem in await talk.problems(uri)):
        await talk.next()
    while (found := await talk.at("completion", uri, *sample.typed)) is None:
        await talk.next()  # rust-analyzer reads the project after it has complained of the text
    items = found["items"] if isinstance(found, dict) else found
    assert any(item["label"].strip().startswith(sample.completes) for item in items), items[:20]
    while not (places := await talk.at("definition", uri, *sample.used)):
        await talk.next()
    (where,) = places
    assert (where["uri"].removeprefix(f"{talk.root}/"), where["range"]["start"]["line"]) == sample.defined


@pytest.mark.parametrize("language", HERE)
async def test_a_server_lays_a_text_out_where_it_says_that_it_does(lab: Lab, language: str):
    lab.image = IMAGE_OF[language]
    talk = await Talk.start(await lab.client(await lab.start(lab.image.slots)), language)
    uri = await talk.open(f"a{SERVERS[language].extensions[0]}", UGLY[language], language)
    if talk.capabilities.get("documentFormattingProvider"):
        options = {"tabSize": 4, "insertSpaces": True}
        assert await talk.ask("textDocument/formatting", textDocument={"uri": uri}, options=options)
    else:
        assert language == "python", "the image's formatter does it"
