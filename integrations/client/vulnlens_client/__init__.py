"""Answers of vulnlens for platforms: over HTTP, or in this process by the package ``vulnlens``.

>>> asker = vulnlens_client.asker("http://127.0.0.1:8080")
>>> answer = asker.classify("SQL injection in login.php", id="CVE-2024-1")
>>> [label.id for label in vulnlens_client.Suggestion.of(answer, asker).weaknesses]
['CWE-89']
"""

from vulnlens_client.answer import Answer, Label
from vulnlens_client.ask import Asker, HttpAsker, ProcessAsker, Text, VulnlensError, asker
from vulnlens_client.suggestion import MIN_SCORE, Suggestion

__all__ = [
    "MIN_SCORE",
    "Answer",
    "Asker",
    "HttpAsker",
    "Label",
    "ProcessAsker",
    "Suggestion",
    "Text",
    "VulnlensError",
    "asker",
]
