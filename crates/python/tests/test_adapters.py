"""Adapters for other libraries; each is tested where its library is installed."""

from __future__ import annotations

import json
import os
import shutil
import sys

import pytest

import vulnlens

TEXTS = ["SQL injection in login.php", None, "Use after free in a browser", "SQL injection in login.php"]
CWES = ["CWE-89", None, "CWE-416", "CWE-89"]


def best(rows: object) -> list[str | None]:
    return [row[0]["label"] if row is not None and len(row) else None for row in rows]  # type: ignore[attr-defined]


def test_pandas(model: vulnlens.Classifier) -> None:
    pandas = pytest.importorskip("pandas")
    import vulnlens.pandas

    frame = pandas.DataFrame({"description": TEXTS, "other": [object()] * 4}, index=list("abcd"))
    for distinct in (True, False):
        answers = vulnlens.pandas.classify(frame, model=model, distinct=distinct)
        assert answers.index.tolist() == list("abcd") and best(answers["cwe"]) == CWES
    assert best(vulnlens.pandas.classify(frame, taxonomy="cwe")["cwe"]) == CWES


def test_polars(model: vulnlens.Classifier) -> None:
    polars = pytest.importorskip("polars")
    import vulnlens.polars

    frame = polars.DataFrame({"description": TEXTS, "id": [1, 2, 3, 4]})
    answers = vulnlens.polars.classify(frame.lazy(), model=model)
    assert best(answers["cwe"].to_list()) == CWES and answers["id"].to_list() == ["1", "2", "3", "4"]
    expression = vulnlens.polars.answers("description", model=model, taxonomy="cwe").alias("answer")
    for answered in (frame.with_columns(expression), frame.lazy().with_columns(expression).collect()):
        assert best(answered["answer"].struct.field("cwe").to_list()) == CWES
    assert polars.DataFrame(model.classify_table(frame)).height == 4


def test_duckdb(model: vulnlens.Classifier) -> None:
    duckdb = pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    import vulnlens.duckdb

    connection = duckdb.connect()
    vulnlens.duckdb.register(connection, model=model)
    connection.execute("CREATE TABLE found (id INTEGER, description VARCHAR)")
    connection.executemany("INSERT INTO found VALUES (?, ?)", list(enumerate(TEXTS)))
    got = connection.sql("SELECT vulnlens_cwe(description) FROM found ORDER BY id").fetchall()
    assert [row[0] for row in got] == CWES
    [(record,)] = connection.sql("SELECT vulnlens_answer(description) FROM found WHERE id = 0").fetchall()
    assert record == model(TEXTS[0] or "").to_json() and json.loads(record)["cwe"]
    answers = vulnlens.duckdb.classify(connection.sql("SELECT * FROM found ORDER BY id"), model=model)
    assert best(answers["cwe"].to_pylist()) == CWES
    counted = connection.sql("SELECT count(*) FROM answers WHERE error IS NOT NULL").fetchall()
    assert counted == [(1,)]


def test_dask(model: vulnlens.Classifier) -> None:
    pandas = pytest.importorskip("pandas")
    dask = pytest.importorskip("dask.dataframe")
    import vulnlens.dask

    frame = dask.from_pandas(pandas.DataFrame({"description": TEXTS}), npartitions=2)
    for scheduler in ("sync", "threads"):
        answers = vulnlens.dask.classify(frame, model=model).compute(scheduler=scheduler)
        assert best(answers["cwe"]) == CWES


def test_sklearn(model: vulnlens.Classifier) -> None:
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("sklearn")
    from sklearn.base import clone
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score
    from sklearn.pipeline import make_pipeline

    from vulnlens.sklearn import CweClassifier, CweTransformer

    classifier = clone(CweClassifier(model)).fit([])
    assert classifier.predict(TEXTS).tolist() == ["CWE-89", "none", "CWE-416", "CWE-89"]
    scores = classifier.predict_proba(TEXTS)
    assert scores.shape == (4, len(classifier.classes_)) and numpy.allclose(scores.sum(axis=1), 1)
    assert numpy.array_equal(scores, CweClassifier(model, distinct=False).predict_proba(TEXTS))
    assert accuracy_score(["CWE-89"], classifier.predict(TEXTS[:1])) == 1
    features = CweTransformer(model).fit_transform(TEXTS)
    assert features.shape == (4, len(CweTransformer(model).get_feature_names_out()))
    assert numpy.array_equal(features, model.probabilities([text or "" for text in TEXTS], "cwe"))
    fitted = make_pipeline(CweTransformer(model), LogisticRegression()).fit(TEXTS, [1, 0, 0, 1])
    assert fitted.predict(TEXTS).tolist() == [1, 0, 0, 1]


def test_spark(model: vulnlens.Classifier) -> None:
    pytest.importorskip("pyspark")
    pytest.importorskip("pyarrow")
    if shutil.which("java") is None:
        pytest.skip("there is no Java for Spark")
    from pyspark.sql import SparkSession

    import vulnlens.spark

    os.environ.update(PYSPARK_PYTHON=sys.executable, PYSPARK_DRIVER_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    try:
        rows = list(enumerate(TEXTS))
        frame = session.createDataFrame(rows, "id int, description string").repartition(2)
        answers = vulnlens.spark.classify(frame, model=model).orderBy("id").collect()
        assert best([row["cwe"] for row in answers]) == CWES
        assert [row["id"] for row in answers] == ["0", "1", "2", "3"]
        assert [row["error"] is None for row in answers] == [True, False, True, True]
        unnamed = vulnlens.spark.classify(frame.select("description"), taxonomy="cwe", severity=True).collect()
        assert sorted(map(str, best([row["cwe"] for row in unnamed]))) == sorted(map(str, CWES))
        vulnlens.spark.register(session, model=model)
        frame.createOrReplaceTempView("found")
        got = session.sql("SELECT vulnlens_cwe(description) AS cwe FROM found ORDER BY id").collect()
        assert [row["cwe"] for row in got] == CWES
    finally:
        session.stop()


def test_ray(model: vulnlens.Classifier) -> None:
    pytest.importorskip("ray.data")
    pytest.importorskip("pyarrow")
    import ray
    import ray.data

    import vulnlens.ray

    given = [{"description": text, "id": str(number)} for number, text in enumerate(TEXTS)]
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        answers = ray.data.from_items(given).map_batches(
            vulnlens.ray.Classify,
            batch_format="pyarrow",
            fn_constructor_kwargs={"model": model},
            compute=ray.data.ActorPoolStrategy(size=1),
        )
        found = sorted(answers.take_all(), key=lambda row: str(row["id"]))
        assert best([row["cwe"] for row in found]) == CWES
    finally:
        ray.shutdown()
