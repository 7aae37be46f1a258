"""Estimators for scikit-learn. The model is fitted already: ``fit`` changes nothing.

>>> import vulnlens.sklearn
>>> classifier = vulnlens.sklearn.CweClassifier().fit([])
>>> classifier.predict(["SQL injection in login.php", "Use after free in a browser"]).tolist()
['CWE-89', 'CWE-416']
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from ._classifier import Classifier

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NONE", "CweClassifier", "CweTransformer"]

#: The class of texts of which no weakness is known.
NONE = "none"


def _texts(texts: Iterable[Any], distinct: bool) -> tuple[list[str], NDArray[numpy.intp]]:
    """The texts to answer, and for each of those given its place among them; what is missing is an empty text."""
    given = [text if isinstance(text, str) else "" for text in numpy.asarray(texts, dtype=object).ravel()]
    if not distinct:
        return given, numpy.arange(len(given))
    places: dict[str, int] = {}
    found = [places.setdefault(text, len(places)) for text in given]
    return list(places), numpy.asarray(found, dtype=numpy.intp)


class _Estimator(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What the estimators have in common."""

    def __init__(
        self,
        model: str | Classifier = "fast",
        *,
        labels: Any = "recommended",
        as_of: int | None = None,
        distinct: bool = True,
    ) -> None:
        self.model = model
        self.labels = labels
        self.as_of = as_of
        self.distinct = distinct

    def _classifier(self) -> Classifier:
        if isinstance(self.model, Classifier):
            return self.model
        opened: Classifier | None = self.__dict__.get("_opened")
        if opened is None:
            opened = self.__dict__["_opened"] = Classifier(self.model)
        return opened

    def _distribution(self, texts: Iterable[Any]) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
        asked, places = _texts(texts, self.distinct)
        scores, none = self._classifier()._probabilities(asked, "cwe", self.labels, self.as_of)
        return scores[places], none[places]

    def __sklearn_is_fitted__(self) -> bool:
        return True


class CweClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc, unused-ignore]
    """A classifier of texts by weaknesses.

    ``classes_`` are the labels of the label space ``labels`` and, last, ``"none"``. ``predict`` gives the most probable
    one; ``predict_proba`` the probabilities divided by their sum, as records may have several weaknesses and the rows
    of a classifier add up to 1.
    """

    def fit(self, X: Iterable[Any], y: Any = None) -> CweClassifier:
        """Does nothing: the model is fitted."""
        self.classes_
        return self

    @property
    def classes_(self) -> NDArray[Any]:
        """The classes, in the order of the columns of ``predict_proba``."""
        return numpy.array([*self._classifier().labels("cwe", labels=self.labels), NONE], dtype=object)

    def predict_proba(self, X: Iterable[Any]) -> NDArray[numpy.float64]:
        """The probability of each class for each text."""
        scores, none = self._distribution(X)
        rows = numpy.column_stack([scores, none]).astype(numpy.float64)
        shares: NDArray[numpy.float64] = rows / rows.sum(axis=1, keepdims=True)
        return shares

    def predict(self, X: Iterable[Any]) -> NDArray[Any]:
        """The most probable class of each text."""
        best: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return best


class CweTransformer(TransformerMixin, _Estimator):  # type: ignore[misc, unused-ignore]
    """A transformer of texts to the probabilities of weaknesses, as features of other models."""

    def fit(self, X: Iterable[Any], y: Any = None) -> CweTransformer:
        """Does nothing: the model is fitted."""
        return self

    def transform(self, X: Iterable[Any]) -> NDArray[numpy.float32]:
        """The probability of each weakness for each text."""
        return self._distribution(X)[0]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """The weaknesses, in the order of the columns."""
        return numpy.array(self._classifier().labels("cwe", labels=self.labels), dtype=object)
