"""Readers of the two forms of the data: the corpus (JSON Lines, gzip) and a data set (Parquet) of `vulnlens data build`."""

import gzip
import hashlib
import json


def corpus_records(corpus):
    """The records that have a description, with the keys of their texts, in the order of these keys."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        keyed = [(text_key(record["description"]), record) for record in map(json.loads, lines) if record["description"]]
    keyed.sort(key=lambda pair: (pair[0], pair[1]["id"]))
    return keyed


def text_key(text):
    """The hash of a text, white space and case folded."""
    return hashlib.sha256(" ".join(text.split()).lower().encode()).hexdigest()


def descriptions(corpus, count):
    """The first different texts of the corpus, in the order of their keys."""
    return list(dict.fromkeys(record["description"] for _, record in corpus_records(corpus)))[:count]


def data_set(file, *columns):
    """The rows of a data set as tuples of these columns."""
    import pyarrow.parquet as pq

    # One column at a time, so that only one is held twice.
    return zip(*(pq.read_table(file, columns=[name])[name].to_pylist() for name in columns), strict=True)


def year_of(cve, published_year):
    """The year of publication, otherwise that of the CVE id: the year that a model is given."""
    return published_year or int(cve.split("-")[1])
