"""Askers: a server of vulnlens over HTTP, or the package ``vulnlens`` in this process."""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Protocol

from vulnlens_client.answer import Answer

#: The most characters of a text that are sent. A server takes 2 MiB of JSON, and no character is longer there than the
#: six bytes of an escape; a record of the CVE list has at most 4,096 characters.
TEXT_CHARACTERS = 300_000
#: The longest answer that is read: a server's answers are some kilobytes.
ANSWER_BYTES = 16 << 20
CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}")


class VulnlensError(Exception):
    """A question without an answer: the message says the place, the problem and the cure.

    ``is_temporary`` is true if the same question may be answered later.
    """

    def __init__(self, message: str, is_temporary: bool = False) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary


@dataclass(frozen=True)
class Text:
    """The text of a CVE, and the day when it was published, where it is known."""

    text: str
    published: str | None = None


class Asker(Protocol):
    """Answers to texts, wherever they come from."""

    def classify(self, text: str, id: str | None = None, published: str | None = None) -> Answer:
        """Answers a text, whose year is that of its publication or of its CVE id."""

    def mapping_usage(self, weakness: str) -> str | None:
        """CWE's word on mapping vulnerabilities to a weakness, such as ``Allowed`` or ``Discouraged``."""

    def text_of(self, cve: str) -> Text | None:
        """The text of a CVE, or None if it is not known."""


def asker(url: str | None = None, key: str | None = None, model: str | None = None, timeout: float = 60) -> Asker:
    """The server at an address, or without one the package ``vulnlens`` in this process."""
    return HttpAsker(url, key, model, timeout) if url else ProcessAsker(model)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key is for the server that was named, and for no other."""

    def redirect_request(self, *_: Any) -> None:
        """None: the answer is an error that names where it leads."""


class HttpAsker:
    """A server of ``vulnlens serve``."""

    def __init__(self, url: str, key: str | None = None, model: str | None = None, timeout: float = 60) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise VulnlensError(f"{url!r} is not the address of a server; give one such as http://127.0.0.1:8080")
        self.url = url.rstrip("/")
        self.key = key
        self.model = model
        self.timeout = timeout
        self._opener = urllib.request.build_opener(NoRedirects)
        self._usages: dict[str, str | None] = {}

    def classify(self, text: str, id: str | None = None, published: str | None = None) -> Answer:
        """Answers a text by ``POST /v1/classify``."""
        record: dict[str, Any] = {"id": id or "text", "text": text[:TEXT_CHARACTERS]}
        if published:
            record["published"] = published[:10]
        body: dict[str, Any] = {"records": [record]}
        if self.model:
            body["options"] = {"model": self.model}
        found = self._ask("/v1/classify", body)
        records = found.get("records") if isinstance(found, dict) else None
        if not isinstance(records, list) or len(records) != 1 or not isinstance(records[0], dict):
            raise VulnlensError(
                f"{self.url}: the answer is not one of vulnlens; is it the address of `vulnlens serve`?"
            )
        if "error" in records[0]:
            raise VulnlensError(f"{self.url}: {records[0]['error']}")
        return self._answer(records[0], len(text) > TEXT_CHARACTERS)

    def _answer(self, record: dict[str, Any], is_cut: bool) -> Answer:
        try:
            return Answer.of(record, is_cut)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise VulnlensError(f"{self.url}: the answer is not record output of version 1: {error!r}") from error

    def mapping_usage(self, weakness: str) -> str | None:
        """CWE's word on mapping, by ``GET /v1/kb/{id}``; asked once for each weakness."""
        if weakness not in self._usages:
            found = self._ask(f"/v1/kb/{urllib.parse.quote(weakness, safe='')}")
            self._usages[weakness] = found.get("mapping_usage") if isinstance(found, dict) else None
        return self._usages[weakness]

    def text_of(self, cve: str) -> Text | None:
        """The text of a CVE, by ``GET /v1/records/{cve}`` of a server that was started with ``--data``."""
        if not CVE.fullmatch(cve):
            return None
        found = self._ask(f"/v1/records/{cve}", missing=None)
        if not isinstance(found, dict) or not found.get("text"):
            return None
        return Text(str(found["text"]), found.get("published"))

    def _ask(self, path: str, body: Any = None, **missing: Any) -> Any:
        """The JSON at a path; ``missing`` is the answer where there is no such thing."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        request = urllib.request.Request(self.url + path, data, {"Accept": "application/json"})
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if self.key:
            request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with self._opener.open(request, timeout=self.timeout) as answer:
                read = answer.read(ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404 and "missing" in missing:
                    return missing["missing"]
                raise self._refusal(error.code, error.read(ANSWER_BYTES), error.headers.get("Location")) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            message = (
                f"{self.url}: the server cannot be reached ({reason}); start `vulnlens serve`, or correct the address"
            )
            raise VulnlensError(message, is_temporary=True) from error
        try:
            return json.loads(read)
        except ValueError:
            message = f"{self.url}{path}: the answer is not JSON; is it the address of `vulnlens serve`?"
            raise VulnlensError(message) from None

    def _refusal(self, status: int, body: bytes, location: str | None) -> VulnlensError:
        """The error of a status: the server's own words, and its hint."""
        try:
            told = json.loads(body)
            words = "; ".join(str(told[key]) for key in ("error", "hint") if told.get(key))
        except (ValueError, AttributeError, TypeError):
            words = ""
        if 300 <= status < 400:
            words = f"it leads to {location}; give the address where vulnlens is"
        if status == 401:
            words = f"{words}; give the key of the server" if words else "give the key of the server"
        message = f"{self.url}: {status}: {words or 'the server gives no reason'}"
        return VulnlensError(message, is_temporary=status in (408, 429) or status >= 500)


class ProcessAsker:
    """The package ``vulnlens`` in this process: nothing leaves it."""

    def __init__(self, model: str | None = None) -> None:
        try:
            import vulnlens
            import vulnlens.kb
        except ImportError as error:
            message = "neither the address of a server is given nor is the package vulnlens installed; do one of both"
            raise VulnlensError(message) from error
        self._vulnlens = vulnlens
        try:
            self._classifier = vulnlens.Classifier(model) if model else vulnlens.Classifier()
        except vulnlens.Error as error:
            raise VulnlensError(_one_line(error)) from error

    def classify(self, text: str, id: str | None = None, published: str | None = None) -> Answer:
        """Answers a text."""
        try:
            found = self._classifier(
                [text[:TEXT_CHARACTERS]], ids=[id or "text"], published=[published and published[:10]]
            )
        except self._vulnlens.Error as error:
            raise VulnlensError(_one_line(error)) from error
        return Answer.of(found[0].to_dict(), len(text) > TEXT_CHARACTERS)

    def mapping_usage(self, weakness: str) -> str | None:
        """CWE's word on mapping, from the embedded knowledge base."""
        try:
            usage = self._vulnlens.kb.show(weakness).get("mapping_usage")
        except self._vulnlens.Error as error:
            raise VulnlensError(_one_line(error)) from error
        return None if usage is None else str(usage)

    def text_of(self, cve: str) -> Text | None:
        """None: the package has no texts of CVEs."""
        return None


def _one_line(error: Exception) -> str:
    """The words of an error and its hint in a line."""
    return "; ".join(str(error).splitlines())
