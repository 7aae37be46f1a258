"""Tables: the numbers of the command line, whatever the types and the batches."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

import vulnlens
from conftest import Command

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def rows(table: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.table(table).to_pylist()
    return found


def test_the_numbers_are_those_of_the_command_line(
    model: vulnlens.Classifier, command: Command, texts: list[str], tmp_path: Path
) -> None:
    ids = [f"CVE-{1999 + number % 26}-{1000 + number}" for number in range(len(texts))]
    frame = pyarrow.table({"id": ids, "description": texts})
    file = tmp_path / "in.parquet"
    parquet.write_table(frame, file)
    wanted = command("classify", "--format", "parquet", "--input", str(file)).stdout
    of_command: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in parquet.read_table(io.BytesIO(wanted)).to_pylist():
        if row["label"] and row["taxonomy"] != "cwe-family":
            label = (row["label"], row["score"], row["predicted"], row["via"], row["distance"], row["role"])
            of_command.setdefault((row["id"], row["taxonomy"]), []).append(label)
    by_batches: list[list[dict[str, Any]]] = []
    for size in (1, 100, len(texts)):
        cut = pyarrow.Table.from_batches(frame.to_batches(max_chunksize=size))
        for distinct in (False, True):
            by_batches.append(rows(model.classify_table(cut, distinct=distinct)))
    assert all(other == by_batches[0] for other in by_batches)
    labels = 0
    for row in by_batches[0]:
        assert row["error"] is None
        for taxonomy in ("cwe", "capec", "attack", "attack_curated"):
            own = [
                tuple(label.get(key) for key in ("label", "score", "predicted", "via", "distance", "role"))
                for label in row[taxonomy]
            ]
            assert own == of_command.get((row["id"], taxonomy), [])
            labels += len(own)
    assert [row["id"] for row in by_batches[0]] == ids and labels > len(texts)


def test_a_row_that_cannot_be_answered_has_its_problem(model: vulnlens.Classifier) -> None:
    given = ["SQL injection in login.php", None, " \t", "x" * (17 << 20), "Use after free"]
    found = rows(model.classify_table(pyarrow.table({"description": given})))
    assert [row["row"] for row in found] == [0, 1, 2, 3, 4]
    assert [row["error"] for row in found] == [
        None,
        "the text is empty; give each record a description",
        "the text is empty; give each record a description",
        "longer than 16777216 bytes; the record is left out",
        None,
    ]
    assert found[1]["cwe"] is None and found[1]["outcome"] is None and found[1]["none"] is None
    assert found[4]["cwe"][0]["label"] == "CWE-416"


def test_all_types_of_text_are_read(model: vulnlens.Classifier) -> None:
    given = ["SQL injection", None, "Use after free", "SQL injection"]
    plain = rows(model.classify_table(pyarrow.table({"description": given})))
    views = [pyarrow.string_view()] if hasattr(pyarrow, "string_view") else []
    for kind in [pyarrow.large_string(), *views, pyarrow.dictionary(pyarrow.int8(), pyarrow.string())]:
        column = pyarrow.array(given, pyarrow.string())
        column = column.dictionary_encode() if pyarrow.types.is_dictionary(kind) else column.cast(kind)
        assert rows(model.classify_table(pyarrow.table({"description": column}))) == plain
    sliced = pyarrow.table({"description": ["x", *given, "y"]}).slice(1, 4)
    assert rows(model.classify_table(sliced)) == plain
    nothing = pyarrow.table({"description": pyarrow.nulls(3)})
    assert [row["cwe"] for row in rows(model.classify_table(nothing))] == [None] * 3
    assert rows(model.classify_table(pyarrow.table({"description": pyarrow.array([], pyarrow.string())}))) == []


def test_all_types_of_ids_and_dates_are_read(model: vulnlens.Classifier) -> None:
    text = "Memory corruption in the parser allows attackers to execute code."
    [wanted] = rows(model.classify_table(pyarrow.table({"description": [text], "id": ["CVE-1999-0001"]})))
    days = [date(1999, 12, 31), datetime(1999, 1, 1, 12), "1999-07-01", 1999]
    kinds = [[pyarrow.date32(), pyarrow.date64()], [pyarrow.timestamp(unit) for unit in ("s", "ms", "us", "ns")]]
    for day, types in zip(days, [*kinds, [pyarrow.string()], [pyarrow.int16(), pyarrow.int64()]]):
        for kind in types:
            frame = pyarrow.table({"description": [text], "key": [17], "on": pyarrow.array([day], kind)})
            [row] = rows(model.classify_table(frame, id="key", published="on"))
            assert row["id"] == "17" and row["cwe"] == wanted["cwe"], kind
    late = pyarrow.table({"description": [text], "on": pyarrow.array([date(2000, 1, 1)])})
    assert rows(model.classify_table(late, published="on"))[0]["cwe"] == model_row(model, text, 2000)


def model_row(model: vulnlens.Classifier, text: str, year: int) -> Any:
    frame = pyarrow.table({"description": [text]})
    return rows(model.classify_table(frame, as_of=year))[0]["cwe"]


def test_years_of_days_are_those_of_the_calendar(model: vulnlens.Classifier) -> None:
    text = "Memory corruption in the parser allows attackers to execute code."
    edges = [date(year, month, day) for year in range(1999, 2026) for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))]
    frame = pyarrow.table({"description": [text] * len(edges), "on": pyarrow.array(edges)})
    found = [row["cwe"] for row in rows(model.classify_table(frame, published="on"))]
    by_year = {year: model_row(model, text, year) for year in range(1999, 2026)}
    assert found == [by_year[edge.year] for edge in edges]
    assert len({json.dumps(cwe) for cwe in by_year.values()}) > 5


def test_columns_that_do_not_fit_are_named(model: vulnlens.Classifier) -> None:
    frame = pyarrow.table({"a": ["x"], "n": [1.5], "id": [1]})
    for arguments, words in [
        ({}, "the table has no column \"description\", but a, n, id"),
        ({"text": "n"}, "is of type Float64"),
        ({"text": "a", "id": "n"}, "give text or whole numbers"),
        ({"text": "a", "id": "z"}, "no column \"z\""),
        ({"text": "a", "published": "n"}, "dates, years or text"),
    ]:
        with pytest.raises(vulnlens.ArgumentError, match="column") as caught:
            model.classify_table(frame, **arguments)  # type: ignore[arg-type]
        assert words in str(caught.value)
    with pytest.raises(vulnlens.ArgumentError, match="__arrow_c_stream__"):
        model.classify_table([1])  # type: ignore[arg-type]


def test_a_table_streams(model: vulnlens.Classifier) -> None:
    """A table without an end is answered as it comes, and let go of when nobody reads on."""
    schema = pyarrow.schema([("description", pyarrow.string())])
    handed = 0

    def batches() -> Any:
        nonlocal handed
        while True:
            handed += 1
            yield pyarrow.record_batch([pyarrow.array(["SQL injection", "Use after free"])], schema=schema)

    source = pyarrow.RecordBatchReader.from_batches(schema, batches())
    reader = pyarrow.RecordBatchReader.from_stream(model.classify_table(source))
    assert [reader.read_next_batch().num_rows for _ in range(5)] == [2] * 5
    del reader
    assert handed < 200


def test_a_table_that_breaks_is_an_error(model: vulnlens.Classifier) -> None:
    schema = pyarrow.schema([("description", pyarrow.string())])

    def batches() -> Any:
        yield pyarrow.record_batch([pyarrow.array(["SQL injection"])], schema=schema)
        raise RuntimeError("the disk is gone")

    source = pyarrow.RecordBatchReader.from_batches(schema, batches())
    reader = pyarrow.RecordBatchReader.from_stream(model.classify_table(source))
    assert reader.read_next_batch().num_rows == 1
    with pytest.raises(Exception, match="the disk is gone"):
        reader.read_next_batch()


def test_options_shape_the_table(model: vulnlens.Classifier) -> None:
    frame = pyarrow.table({"description": ["SQL injection in login.php"]})
    table = pyarrow.table(model.classify_table(frame, taxonomy=["cwe"], severity=True, top_k=1))
    assert table.column_names == ["row", "outcome", "cwe", "family", "none", "severity", "error"]
    [row] = table.to_pylist()
    assert len(row["cwe"]) == 1 and row["severity"]["vector"].startswith("CVSS:3.1")
    answer = model("SQL injection in login.php", taxonomy=["cwe"], severity=True, top_k=1)
    assert answer.severity is not None and row["severity"]["vector"] == answer.severity["vector"]
    assert table.schema.metadata[b"vulnlens.model"] == b"fast"
    again = model.classify_table(frame)
    assert rows(again) == rows(again), "a table can be read as often as the one that it answers"


def test_the_encoder_answers_tables(texts: list[str]) -> None:
    accurate = vulnlens.Classifier("accurate", threads=2)
    some = texts[:12]
    found = rows(accurate.classify_table(pyarrow.table({"description": some}), distinct=True))
    for row, answer in zip(found, accurate(some)):
        assert [label["label"] for label in row["cwe"]] == [label.label for label in answer.cwe]
