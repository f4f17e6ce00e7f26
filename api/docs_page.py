"""The interface as one page of plain HTML, made from the OpenAPI document.

Swagger UI would load scripts from the internet, which an office network does not have; this page needs
none, and no script at all, so the strictest content policy holds.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from api.errors import PROBLEMS
from api.roles import PERMISSIONS, Action

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f4f6;border-radius:4px}
code{padding:.1em .3em}pre{padding:.7em 1em;overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border-bottom:1px solid #d9dce1;text-align:left;padding:.3rem .6rem;vertical-align:top}
h2{margin-top:2.5rem;border-bottom:2px solid #1a1a1a}h3{margin-top:2rem}
.method{display:inline-block;min-width:4.2rem;font-weight:700}
.roles{color:#4a4f57}details{margin:.5rem 0}
"""


def interface_page(document: Mapping[str, Any]) -> str:
    """Render every operation of an OpenAPI document: what it does, who may, what it takes and answers."""
    operations = list(_operations(document))
    tags = list(
        dict.fromkeys(tag for _, _, operation in operations for tag in operation.get("tags", ["Other"]))
    )
    sections = "".join(_section(tag, operations, document) for tag in tags)
    contents = "".join(f'<li><a href="#{_anchor(tag)}">{html.escape(tag)}</a></li>' for tag in tags)
    introduction = _prose(document["info"].get("description", ""))
    title = html.escape(document["info"]["title"])
    body = (
        f"<h1>{title}</h1>{introduction}<ul>{contents}</ul>"
        f'<p>Machines read <a href="openapi.json"><code>openapi.json</code></a>; '
        f'<a href="problems">every problem code</a> has its own line.</p>{sections}'
    )
    return _page(title, body)


def problems_page() -> str:
    """Every stable problem code with its HTTP status and number."""
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{problem.status}</td><td>{problem.number}</td>'
        f"<td>{html.escape(problem.title)}</td></tr>"
        for code, problem in sorted(PROBLEMS.items())
    )
    head = "<tr><th>code</th><th>HTTP status</th><th>number (OSIA)</th><th>meaning</th></tr>"
    note = (
        "<p>Each refusal is an <code>application/problem+json</code> whose <code>detail</code> says what to "
        "do. Under <code>/v1</code> OSIA's rules hold: status 422 becomes 400, <code>code</code> is the "
        "number and <code>message</code> repeats <code>detail</code>.</p>"
    )
    return _page("Problem codes", f"<h1>Problem codes</h1>{note}<table>{head}{rows}</table>")


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _section(
    tag: str, operations: list[tuple[str, str, Mapping[str, Any]]], document: Mapping[str, Any]
) -> str:
    own = [entry for entry in operations if tag in entry[2].get("tags", ["Other"])]
    parts = "".join(_operation(method, path, operation, document) for method, path, operation in own)
    return f'<h2 id="{_anchor(tag)}">{html.escape(tag)}</h2>{parts}'


def _operation(method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    heading = (
        f'<h3><span class="method">{method}</span> <code>{html.escape(path)}</code></h3>'
        f"<p><strong>{html.escape(operation.get('summary', ''))}</strong></p>"
    )
    return "".join(
        (
            heading,
            _callers(operation),
            _prose(operation.get("description", "")),
            _parameters(operation),
            _body(operation, document),
            _answers(operation),
        )
    )


def _callers(operation: Mapping[str, Any]) -> str:
    scopes = [scope for entry in operation.get("security", []) for names in entry.values() for scope in names]
    if not scopes:
        return '<p class="roles">Open to everybody.</p>'
    wanted = {Action(scope) for scope in scopes}
    roles = ", ".join(role.value for role, allowed in PERMISSIONS.items() if wanted <= allowed)
    return f'<p class="roles">Roles: {roles} (<code>{html.escape(", ".join(scopes))}</code>)</p>'


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(parameter['name'])}</code></td><td>{parameter['in']}"
        f"{', required' if parameter.get('required') else ''}</td>"
        f"<td>{_inline(parameter.get('description', ''))}</td></tr>"
        for parameter in operation.get("parameters", [])
    )
    return f"<table>{rows}</table>" if rows else ""


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(
        f"<p>Body: <code>{html.escape(kind)}</code></p>{_fields(media.get('schema', {}), document)}"
        for kind, media in content.items()
    )


def _fields(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{html.escape(name)}</code></td><td>{'required' if name in required else ''}</td>"
        f"<td>{_inline(field.get('description', ''))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>" if rows else ""


def _answers(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{status}</td><td>{_inline(answer.get('description', ''))}</td></tr>"
        for status, answer in operation.get("responses", {}).items()
    )
    return f"<details><summary>Answers</summary><table>{rows}</table></details>"


def _prose(text: str) -> str:
    """Paragraphs, indented blocks and `code`: all the mark-up our descriptions use."""
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    return "".join(
        f"<pre>{html.escape(block)}</pre>" if block.startswith("    ") else f"<p>{_inline(block)}</p>"
        for block in blocks
        if block.strip()
    )


def _inline(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def _anchor(tag: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", tag.lower())


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
