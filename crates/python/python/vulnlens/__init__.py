"""Says which weaknesses (CWE), attack patterns (CAPEC) and ATT&CK techniques a vulnerability's text implies.

Works offline: two models and the knowledge base are part of the package.

    >>> import vulnlens
    >>> model = vulnlens.Classifier()
    >>> answer = model("SQL injection in login.php via the id parameter.")
    >>> answer.cwe[0].label, answer.cwe[0].name[:21]
    ('CWE-89', 'Improper Neutralizati')

- :class:`Classifier` answers texts, lists, records and tables; :class:`Answer` is what it gives;
- :func:`read` reads the records of any file that the command line reads;
- :func:`enrich` fills missing weaknesses into advisories, reports of scanners and tables;
- :mod:`vulnlens.kb` has the entries of the catalogues and the ways between them;
- ``vulnlens.sklearn``, ``vulnlens.pandas``, ``vulnlens.polars``, ``vulnlens.duckdb``, … bring answers into other
  libraries;
- ``python -m vulnlens`` and ``vulnlens`` are the command line.
"""

from __future__ import annotations

from . import _native, kb
from ._answer import Answer, Family, Label
from ._classifier import Classifier, ModelWarning, Scored
from ._enrich import Enriched, enrich
from ._errors import ArgumentError, Error, InputError, MissingPackageError, ModelError, OutputError
from ._records import Record, RecordWarning, read
from ._table import AnswerTable, ArrowStream

__all__ = [
    "Answer",
    "AnswerTable",
    "ArgumentError",
    "ArrowStream",
    "Classifier",
    "Enriched",
    "Error",
    "Family",
    "InputError",
    "Label",
    "MissingPackageError",
    "ModelError",
    "ModelWarning",
    "OutputError",
    "Record",
    "RecordWarning",
    "Scored",
    "enrich",
    "kb",
    "read",
]

#: The version of the package.
__version__: str = _native.VERSION
