"""A module of MISP: the weaknesses, attack patterns and techniques that the text of a vulnerability implies."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from pymisp import MISPAttribute, MISPEvent, MISPObject
from vulnlens_client import MIN_SCORE, Answer, Asker, Label, Suggestion, VulnlensError, asker

Json = dict[str, Any]

misperrors = {"error": "Error"}
mispattributes = {"input": ["vulnerability", "text", "comment"], "format": "misp_standard"}
moduleinfo = {
    "version": "1",
    "author": "vulnlens",
    "name": "vulnlens weaknesses",
    "logo": "",
    "requirements": ["vulnlens-client; a server of vulnlens, or the package vulnlens"],
    "description": "Weaknesses (CWE), attack patterns and techniques that the text of a vulnerability implies.",
    "features": (
        "A vulnerability is answered by the text of its CVE, which a server that was started with --data knows; a text"
        " or a comment by itself. Weaknesses that the text tells surely become objects, and so do the attack patterns"
        " linked to them; techniques that analysts assign to such vulnerabilities become attributes with the tag of"
        " their galaxy. Comments have the score, the model and the releases. Nothing that is there is changed."
    ),
    "references": ["https://cwe.mitre.org/", "https://attack.mitre.org/"],
    "input": "A vulnerability, a text or a comment.",
    "output": "Objects of weaknesses and attack patterns, and attributes tagged with attack patterns of the galaxy.",
    "module-type": ["expansion", "hover"],
}
moduleconfig = ["url", "api_key", "model", "min_score"]

#: The tag that says of an attribute that no person has looked at it.
UNSUPERVISED = 'misp:automation-level="unsupervised"'


def introspection() -> Json:
    """The attributes that the module takes, and the form of its answers."""
    return mispattributes


def version() -> Json:
    """The description of the module, with the names of its settings."""
    return {**moduleinfo, "config": moduleconfig}


def handler(q: bytes | str | bool = False) -> Json | bool:
    """Answers a request of MISP: results, or an error in words."""
    if q is False or q is True:
        return False
    try:
        request = json.loads(q)
        attribute = _attribute_of(request)
        return _answer(attribute, request.get("config") or {})
    except VulnlensError as error:
        return {"error": str(error)}


def _attribute_of(request: Any) -> Json:
    attribute = request.get("attribute") if isinstance(request, dict) else None
    if not isinstance(attribute, dict) or not all(attribute.get(key) for key in ("type", "uuid", "value")):
        raise VulnlensError(
            "the request has no attribute with type, uuid and value, as MISP sends it to modules of misp_standard"
        )
    if attribute["type"] not in mispattributes["input"]:
        taken = ", ".join(mispattributes["input"])
        raise VulnlensError(f"an attribute of type {attribute['type']!r} is not answered; send one of {taken}")
    return attribute


def _answer(attribute: Json, config: Json) -> Json:
    try:
        min_score = float(config.get("min_score") or MIN_SCORE)
    except (TypeError, ValueError):
        min_score = float("nan")
    if not 0 <= min_score <= 1:
        raise VulnlensError(
            f"min_score: {config['min_score']!r} is not a number from 0 to 1; correct the setting of the module"
        )
    asked = _asker(config.get("url") or None, config.get("api_key") or None, config.get("model") or None)
    text, id, published = str(attribute["value"]), None, None
    if attribute["type"] == "vulnerability":
        found = asked.text_of(text.strip().upper())
        if found is None:
            has = (
                "start `vulnlens serve` with --data and a data set that has it, and give its address in the setting url"
            )
            raise VulnlensError(f"{text}: there is no text of it; {has}, or enrich its text")
        text, id, published = found.text, text.strip().upper(), found.published
    answer = asked.classify(text, id, published)
    suggestion = Suggestion.of(answer, asked, min_score)
    if not suggestion:
        raise VulnlensError(f"nothing to add: {answer.said}")
    return _results(attribute, answer, suggestion)


@lru_cache(maxsize=16)
def _asker(url: str | None, key: str | None, model: str | None) -> Asker:
    """The asker for some settings, which stays: a package in this process opens its model once."""
    return asker(url, key, model)


def _results(attribute: Json, answer: Answer, suggestion: Suggestion) -> Json:
    event = MISPEvent()
    # The attribute as it came: objects refer to it.
    given = MISPAttribute()
    given.from_dict(**attribute)
    event.add_attribute(**given)
    for label in suggestion.weaknesses:
        _add(event, "weakness", given.uuid, label, answer, {"id": label.id, "name": label.name})
    for label in suggestion.patterns:
        fields = {"id": label.id.removeprefix("CAPEC-"), "name": label.name, "related-weakness": label.via[0]}
        _add(event, "attack-pattern", given.uuid, label, answer, fields)
    for label in (*suggestion.assigned, *suggestion.derived):
        technique = MISPAttribute()
        technique.from_dict(
            type="text",
            value=f"{label.id} {label.own_name}",
            category="External analysis",
            comment=_comment(label, answer),
            to_ids=False,
            disable_correlation=True,
        )
        technique.add_tag(f'misp-galaxy:mitre-attack-pattern="{label.own_name} - {label.id}"')
        technique.add_tag(UNSUPERVISED)
        event.add_attribute(**technique)
    found = json.loads(event.to_json())
    return {"results": {key: found[key] for key in ("Attribute", "Object") if found.get(key)}}


def _add(event: MISPEvent, template: str, uuid: str, label: Label, answer: Answer, fields: dict[str, str]) -> None:
    """Adds an object that refers to the attribute."""
    found = MISPObject(template)
    comment = _comment(label, answer)
    found.comment = comment
    for relation, value in fields.items():
        added = found.add_attribute(relation, value, comment=comment, disable_correlation=True)
        if relation == "id" and added is not None:
            added.add_tag(UNSUPERVISED)
    found.add_reference(uuid, "related-to")
    event.add_object(found)


def _comment(label: Label, answer: Answer) -> str:
    if label.via:
        why = f"; follows from {' ▸ '.join(label.via)} through MITRE's catalogues"
    elif label.id.startswith("T"):
        why = f"; analysts assign it to such vulnerabilities{f' ({label.role})' if label.role else ''}"
    else:
        why = ""
    cut = "; only the beginning of the text was read" if answer.is_cut else ""
    return f"predicted, score {label.shown_score}{why}{cut}; {answer.origin}"
