"""Checks the adapters on the engines themselves: Spark with workers that are processes of their own, Ray with two actors, Dask.

`tools/engines.sh` installs what it needs and runs it. Each engine answers a table of some thousand rows, among them empty,
missing and overlong ones and texts that repeat. The answers have to equal those of one plain process, bit for bit,
whatever the partitions; and once more when a worker is killed in the middle. An engine that is not installed is named
and skipped.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pyarrow

import vulnlens

ROWS = 6_000


def rows(number=ROWS):
    """Rows whose answers differ, some of which cannot be answered."""
    kinds = [
        "SQL injection in page{}.php allows remote attackers to read the database.",
        "Use after free in component {} of a browser.",
        "Path traversal in module {} allows attackers to read files.",
        "The same advisory again: cross-site scripting in the search field.",
    ]
    texts = [kinds[row % 4].format(row) for row in range(number)]
    texts[7], texts[11], texts[13] = None, " \t", "x" * (17 << 20)
    ids = [f"CVE-{2000 + row % 25}-{10_000 + row}" for row in range(number)]
    return pyarrow.table({"id": ids, "description": texts})


def sorted_rows(table):
    """The rows as plain values, by their ids."""
    return sorted(pyarrow.table(table).to_pylist(), key=lambda row: row["id"])


def check(name, found, wanted):
    """Ends with a message where answers differ."""
    if len(found) != len(wanted):
        sys.exit(f"{name}: {len(found)} rows, not {len(wanted)}")
    for one, other in zip(found, wanted):
        if one != other:
            sys.exit(f"{name}: {one}\n  is not\n{other}")
    print(f"{name}: {len(found)} rows equal those of a plain process", flush=True)


def killed(pattern, is_ended, after=0.5):
    """Kills, once, the newest process whose command line has the pattern, as soon as there is one and some time has
    passed; returns the thread, whose `killed` says which."""

    def kill():
        time.sleep(after)
        while not is_ended.is_set():
            listed = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True).stdout.split()
            own = [int(process) for process in listed if int(process) != os.getpid()]
            if own:
                os.kill(own[-1], signal.SIGKILL)
                thread.killed, thread.at = own[-1], time.perf_counter()
                return
            time.sleep(0.02)

    thread = threading.Thread(target=kill, daemon=True)
    thread.killed = None
    thread.start()
    return thread


def slow(table):
    """A batch later than it would be, so that a worker can be killed while it is at work."""
    time.sleep(0.3)
    return table


def failed_tasks(session):
    """The tasks of Spark that failed so far."""
    tracker = session.sparkContext.statusTracker()
    stages = {stage for job in tracker.getJobIdsForGroup(None) for stage in tracker.getJobInfo(job).stageIds}
    return sum(info.numFailedTasks for info in map(tracker.getStageInfo, stages) if info is not None)


def spark(frame, wanted):
    """Spark, by two executors in processes of their own."""
    import pyspark
    from pyspark.sql import SparkSession

    import vulnlens.spark

    if shutil.which("java") is None:
        return "there is no Java"
    home = os.path.dirname(pyspark.__file__)
    os.environ.update(
        SPARK_HOME=home, SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable, PYSPARK_DRIVER_PYTHON=sys.executable
    )
    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("vulnlens")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.log.level": "OFF",
    }.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    try:
        given = session.createDataFrame(frame)
        for partitions in (1, 2, 7):
            answers = vulnlens.spark.classify(given.repartition(partitions))
            check(f"spark, {partitions} partitions", sorted_rows(answers.toArrow()), wanted)
        answers = vulnlens.spark.classify(given.repartition(3), gather=True)
        check("spark, equal texts gathered", sorted_rows(answers.toArrow()), wanted)
        vulnlens.spark.register(session)
        given.createOrReplaceTempView("found")
        best = session.sql("SELECT id, vulnlens_cwe(description) AS cwe FROM found").toArrow()
        for one, other in zip(sorted_rows(best), wanted):
            predicted = [label["label"] for label in other["cwe"] or () if label["predicted"]]
            if one["cwe"] != (predicted[0] if predicted else None):
                sys.exit(f"spark, SQL: {one}")
        print(f"spark, SQL: {best.num_rows} rows equal", flush=True)
        # First a worker of Python, then a whole executor with its workers.
        for pattern in (r"pyspark[./]daemon", "CoarseGrainedExecutorBackend"):
            is_ended = threading.Event()
            failed = failed_tasks(session)
            late = given.repartition(8).mapInArrow(lambda batches: map(slow, batches), given.schema)
            thread = killed(pattern, is_ended)
            found = sorted_rows(vulnlens.spark.classify(late).toArrow())
            is_ended.set()
            thread.join()
            left = time.perf_counter() - thread.at if thread.killed else 0
            # Tasks of an executor that is lost are done again without being counted as failed.
            failed = failed_tasks(session) - failed
            if left < 0.3 or (failed < 1 and "daemon" in pattern):
                sys.exit(f"spark: no process {pattern} was killed in the middle of its work")
            check(f"spark, process {pattern} killed {left:.1f} s before the end", found, wanted)
    finally:
        session.stop()
    return None


def ray(frame, wanted):
    """Ray Data, by two actors."""
    import ray
    import ray.data

    import vulnlens.ray

    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        def answered(size, before=None):
            given = ray.data.from_arrow(frame).repartition(12)
            if before is not None:
                given = given.map_batches(before, batch_format="pyarrow", batch_size=size)
            answers = given.map_batches(
                vulnlens.ray.Classify,
                batch_format="pyarrow",
                batch_size=size,
                compute=ray.data.ActorPoolStrategy(size=2),
            )
            return sorted_rows(pyarrow.concat_tables(answers.iter_batches(batch_format="pyarrow", batch_size=None)))

        for size in (100, 4096):
            check(f"ray, batches of {size}", answered(size), wanted)
        is_ended = threading.Event()
        thread = killed(r"ray::.*MapBatches\(Classify", is_ended, after=0.0)
        found = answered(100, slow)
        is_ended.set()
        thread.join()
        if thread.killed is None:
            sys.exit("ray: no actor was there to be killed")
        check("ray, an actor killed", found, wanted)
    finally:
        ray.shutdown()
    return None


def dask(frame, wanted):
    """Dask, by processes."""
    import dask
    import dask.dataframe

    import vulnlens.dask

    given = dask.dataframe.from_pandas(frame.to_pandas(), npartitions=5)
    answers = vulnlens.dask.classify(given)
    # Lists of pandas are arrays, and their missing values many; columns of strings and lists compare as in Arrow.
    for scheduler in ("threads", "processes"):
        read = answers.compute(scheduler=scheduler)
        ids = pyarrow.array(read["id"], pyarrow.string())
        cwe = [None if row is None else [(label["label"], label["score"]) for label in row] for row in read["cwe"]]
        found = sorted(zip(ids.to_pylist(), cwe), key=lambda row: row[0])
        expected = [
            (row["id"], row["cwe"] and [(label["label"], label["score"]) for label in row["cwe"]]) for row in wanted
        ]
        check(f"dask, {scheduler}", found, expected)
    return None


def main():
    frame = rows()
    classifier = vulnlens.Classifier()
    wanted = sorted_rows(classifier.classify_table(frame))
    asked = sys.argv[1:] or ["spark", "ray", "dask"]
    engines = {"spark": spark, "ray": ray, "dask": dask}
    for name in asked:
        try:
            __import__({"spark": "pyspark", "ray": "ray.data", "dask": "dask.dataframe"}[name])
        except ImportError as error:
            print(f"skipped: {name}: {error}")
            continue
        reason = engines[name](frame, wanted)
        if reason is not None:
            print(f"skipped: {name}: {reason}")


if __name__ == "__main__":
    main()
