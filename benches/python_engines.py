"""What an engine costs: a million records through Spark, Ray and one plain process, on the same two cores.

    python benches/python_engines.py --records records.parquet [--engines plain,spark,ray] [--repeat 20] --work FOLDER

`python` is one that has the wheel, pyarrow, pyspark and ray; Spark needs a Java. The records are the rows of the file (`id`,
`published`, `description`), repeated with their number behind the text until there are a million different ones. Every
run reads the same Parquet files and throws its answers away after they were made (Spark: the sink `noop`). Engines are
started before the clock, and their start is given by itself; workers have opened the model before it, too, as a first small
job does that. --repeat R measures texts that repeat, R times each, in random order, with and without `distinct`.

Spark's workers are executors in processes of their own (`local-cluster`), Ray's are actors; each answers on one thread.
"""

import argparse
import os
import pathlib
import random
import statistics
import sys
import time

import pyarrow
import pyarrow.parquet as parquet

import vulnlens

COUNT = 1_000_000
FILES = 16


def prepare(source, folder, count, repeat):
    """Files with `count` rows, each text `repeat` times."""
    if folder.exists():
        return
    rows = parquet.read_table(source, columns=["id", "published", "description"]).to_pylist()
    rows = [row for row in rows if row["description"] and row["id"]]
    folder.mkdir(parents=True)
    different = count // repeat
    numbers = list(range(different)) * repeat
    random.Random(1).shuffle(numbers)
    per_file = count // FILES
    for file in range(FILES):
        part = numbers[file * per_file : (file + 1) * per_file]
        given = [rows[number % len(rows)] for number in part]
        rounds = [number // len(rows) for number in part]
        texts = [row["description"] + (f" (report {turn})" if turn else "") for row, turn in zip(given, rounds)]
        columns = {"id": [row["id"] for row in given], "published": [row["published"] for row in given]}
        parquet.write_table(pyarrow.table({**columns, "description": texts}), folder / f"{file:02}.parquet", compression="none")


def plain(folder, threads, distinct):
    import pyarrow.dataset

    model = vulnlens.Classifier(threads=threads)
    model("SQL injection")
    start = time.perf_counter()
    data = pyarrow.dataset.dataset(folder)
    reader = pyarrow.RecordBatchReader.from_batches(data.schema, data.to_batches())
    table = model.classify_table(reader, published="published", distinct=distinct)
    rows = sum(batch.num_rows for batch in pyarrow.RecordBatchReader.from_stream(table))
    return time.perf_counter() - start, rows


class Spark:
    """A session with so many executors of one core."""

    def __init__(self, workers):
        import pyspark
        from pyspark.sql import SparkSession

        home = os.path.dirname(pyspark.__file__)
        own = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
        os.environ.update(SPARK_HOME=home, SPARK_LOCAL_IP="127.0.0.1", **own)
        start = time.perf_counter()
        builder = SparkSession.builder.master(f"local-cluster[{workers},1,2048]").appName("vulnlens")
        settings = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.executor.memory": "2g"}
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        frame = self.session.createDataFrame([("SQL injection",)] * 8, "description string").repartition(8)
        self.run(frame, {})
        self.start = time.perf_counter() - start

    def run(self, frame, options):
        import vulnlens.spark

        answers = vulnlens.spark.classify(frame, **options)
        answers.write.format("noop").mode("overwrite").save()

    def seconds(self, folder, options):
        frame = self.session.read.parquet(str(folder))
        start = time.perf_counter()
        self.run(frame, {"published": "published", **options})
        return time.perf_counter() - start

    def stop(self):
        self.session.stop()


class Ray:
    """Ray with so many actors."""

    def __init__(self, workers):
        import ray
        import ray.data

        self.workers, self.ray = workers, ray
        start = time.perf_counter()
        # One core more for the tasks that read.
        ray.init(num_cpus=workers + 1, include_dashboard=False, log_to_driver=False, logging_level="error")
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        self.start = time.perf_counter() - start

    def seconds(self, folder, options):
        import vulnlens.ray

        start = time.perf_counter()
        answers = self.ray.data.read_parquet(str(folder)).map_batches(
            vulnlens.ray.Classify,
            batch_format="pyarrow",
            batch_size=8192,
            fn_constructor_kwargs={"published": "published", **options},
            compute=self.ray.data.ActorPoolStrategy(size=self.workers),
        )
        rows = sum(batch.num_rows for batch in answers.iter_batches(batch_format="pyarrow", batch_size=None))
        if rows < 1:
            sys.exit("ray: no rows")
        return time.perf_counter() - start

    def stop(self):
        self.ray.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--engines", default="plain,spark,ray")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    folder = options.work / f"records-{options.count}-{options.repeat}"
    prepare(options.records, folder, options.count, options.repeat)
    asked = options.engines.split(",")
    choices = [{"distinct": True}] if options.repeat == 1 else [{"distinct": False}, {"distinct": True}]

    def tell(name, seconds, more=""):
        median = statistics.median(seconds)
        print(f"{name}: {median:.1f} s, {options.count / median:.0f}/s{more}", flush=True)

    for choice in choices:
        told = f", distinct {choice['distinct']}" if options.repeat > 1 else ""
        if "plain" in asked:
            for threads in (1, 2):
                seconds = [plain(folder, threads, choice["distinct"])[0] for _ in range(options.rounds)]
                tell(f"plain process, {threads} threads{told}", seconds)
    for name, engine in (("spark", Spark), ("ray", Ray)):
        if name not in asked:
            continue
        for workers in (1, 2):
            session = engine(workers)
            ways = choices + ([{"distinct": True, "gather": True}] if name == "spark" and options.repeat > 1 else [])
            for choice in ways:
                told = f", {choice}" if options.repeat > 1 else ""
                seconds = [session.seconds(folder, choice) for _ in range(options.rounds)]
                tell(f"{name}, {workers} workers{told}", seconds, f"; start {session.start:.1f} s")
            session.stop()


if __name__ == "__main__":
    main()
