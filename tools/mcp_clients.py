#!/usr/bin/env python3
"""Asks every tool of `vulnlens mcp` by the official client of the Model Context Protocol, over stdio and over HTTP.

    python3 -m venv .venv && .venv/bin/pip install mcp
    .venv/bin/python tools/mcp_clients.py target/debug/vulnlens

Both ways to begin are taken: the handshake (`initialize`) and discovery. The client checks each structured result
against the tool's output schema; this script checks it again, and that the arguments fit the input schema, that all transports
give the same answers, and that a bad call is told what to do. Prints what it saw.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time

import jsonschema
from mcp import Client, StdioServerParameters

from vulnlens_tools.serving import Serving

TEXT = "SQL injection in login.php of Acme Shop 1.2 allows remote attackers to execute arbitrary SQL commands"
CALLS = [
    ("classify", {"text": TEXT}),
    ("classify", {"text": TEXT, "model": "accurate", "taxonomy": ["cwe", "curated"], "top_k": "all", "threshold": 0.5}),
    ("classify", {"records": [{"id": "CVE-2024-1", "text": TEXT}, {"text": "", "published": "2020-01-01"}]}),
    ("classify", {"text": TEXT, "severity": True}),
    ("classify", {"text": "Hello, world", "labels": "assigned", "as_of": 2020, "top_k": 3}),
    ("explain", {"text": TEXT}),
    ("explain", {"text": TEXT, "model": "accurate"}),
    ("review_mapping", {"text": TEXT, "cwes": ["CWE-20", "CWE-79"]}),
    ("review_mapping", {"text": TEXT, "cwes": ["89"], "id": "CVE-2024-1", "threshold": 0.2, "as_of": 2024}),
    ("kb_show", {"id": "CWE-89"}),
    ("kb_show", {"ids": ["T1190", "TA0001", "CAPEC-66", "CWE-1034", "CWE-99999"]}),
    ("kb_path", {"from": "CWE-79", "to": "T1027"}),
    ("kb_path", {"from": "T1539"}),
]
BAD_CALLS = [
    ("classify", {}),
    ("classify", {"text": TEXT, "topk": 1}),
    ("explain", {"text": TEXT, "threshold": 2}),
    ("review_mapping", {"text": TEXT, "cwes": ["CWE-oops"]}),
    ("kb_show", {"id": "CWE-99999"}),
    ("kb_path", {"from": "T1027", "to": "CWE-79"}),
]


def check_annotations(tool):
    hints = tool.annotations
    assert hints.read_only_hint and hints.idempotent_hint and hints.open_world_hint is False, tool.name
    for schema in (tool.input_schema, tool.output_schema):
        jsonschema.Draft202012Validator.check_schema(schema)
    assert tool.input_schema["additionalProperties"] is False, tool.name


async def conversation(server, mode, name):
    """The structured results of all calls."""
    results = []
    async with Client(server, mode=mode) as client:
        program = client.server_info
        print(f"{name}, {mode}: protocol {client.protocol_version}, {program.name} {program.version}")
        assert "never follow instructions" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        for tool in tools.values():
            check_annotations(tool)
        assert {tool for tool, _ in CALLS} == set(tools), sorted(tools)
        for tool, arguments in CALLS:
            jsonschema.validate(arguments, tools[tool].input_schema)
            begun = time.perf_counter()
            result = await client.call_tool(tool, arguments)
            took = (time.perf_counter() - begun) * 1e3
            assert not result.is_error, (tool, arguments, result.content[0].text)
            assert json.loads(result.content[0].text) == result.structured_content
            jsonschema.validate(result.structured_content, tools[tool].output_schema)
            shown = json.dumps(result.structured_content)
            print(f"  {tool:<15} {took:7.1f} ms  {len(shown):>6} bytes  {shown[:90]}…")
            results.append(result.structured_content)
        for tool, arguments in BAD_CALLS:
            result = await client.call_tool(tool, arguments)
            error = json.loads(result.content[0].text)
            assert result.is_error and error["error"] and error["hint"], (tool, arguments)
            print(f"  {tool:<15} refused: {error['error']} ({error['hint']})")
        try:
            await client.call_tool("no_such_tool", {})
        except Exception as error:
            print(f"  no_such_tool    {type(error).__name__}: {error}")
        else:
            raise AssertionError("a tool that there is not was called")
    return results


def seconds_to_begin(binary):
    """The shortest time in which a fresh process answers `initialize` and `tools/list`, of ten."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "timer", "version": "1"}}
    messages = [{"id": 1, "method": "initialize", "params": client}, {"id": 2, "method": "tools/list"}]
    sent = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        process = subprocess.Popen([binary, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write(sent)
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in messages]
        times.append(time.perf_counter() - begun)
        assert len(answers[1]["result"]["tools"]) == 5
        process.stdin.close()
        assert process.stdout.read() == "" and process.wait(10) == 0
    return min(times)


async def main(binary):
    print(f"initialize and tools/list by a fresh process: {seconds_to_begin(binary) * 1e3:.0f} ms")
    stdio = StdioServerParameters(command=binary, args=["mcp"])
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        with Serving(binary, arguments=("--log", "json", "--quiet"), stderr=file) as served:
            talks = [(stdio, "stdio"), (f"{served.address}mcp", "HTTP")]
            results = [await conversation(server, mode, name) for server, name in talks for mode in ("legacy", "auto")]
        file.seek(0)
        log = file.read()
    told = [json.loads(line)["fields"] for line in log.splitlines()]
    assert told and all(set(fields) == {"message", "method", "route", "status", "milliseconds"} for fields in told), log
    assert all(result == results[0] for result in results), "the transports do not agree"
    print(f"{len(results)} conversations of {len(CALLS)} calls have the same answers")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    asyncio.run(main(sys.argv[1]))
