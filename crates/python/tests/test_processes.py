"""Threads, forks, pickles and signals."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import vulnlens

TEXTS = [f"Buffer overflow in parser {number} allows remote attackers to execute code." for number in range(300)]


def answered(classifier: vulnlens.Classifier) -> list[str]:
    return [answer.to_json() for answer in classifier(TEXTS)]


def test_a_classifier_is_pickled_by_what_opens_it(model: vulnlens.Classifier) -> None:
    pickled = pickle.dumps(model)
    assert len(pickled) < 1000
    again = pickle.loads(pickled)
    assert again(TEXTS[:3]) == model(TEXTS[:3])
    assert pickle.loads(pickled) is again, "a process opens it once"


@pytest.mark.parametrize("name", ["fast", "accurate"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_answer(name: str, method: str) -> None:
    classifier = vulnlens.Classifier(name, threads=2)
    texts = TEXTS[:40]
    wanted = [answer.to_json() for answer in classifier(texts)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        # A child without threads of its own would wait for ever.
        parts = pool.map_async(classifier, [texts[:20], texts[20:]]).get(timeout=240)
    assert [answer.to_json() for part in parts for answer in part] == wanted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_in_the_middle_of_work_leaves_the_child_whole(model: vulnlens.Classifier) -> None:
    wanted = answered(model)
    is_ended = threading.Event()

    def work() -> None:
        while not is_ended.is_set():
            answered(model)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0 if answered(model) == wanted else 1)
            deadline = time.monotonic() + 120
            while True:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    assert os.waitstatus_to_exitcode(status) == 0
                    break
                if time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    pytest.fail("the child did not answer")
                time.sleep(0.02)
    finally:
        is_ended.set()
        for thread in threads:
            thread.join()


def test_threads_share_a_classifier(model: vulnlens.Classifier) -> None:
    wanted = answered(model)
    with ThreadPoolExecutor(4) as pool:
        assert all(got == wanted for got in pool.map(lambda _: answered(model), range(8)))


def test_other_threads_run_while_texts_are_answered() -> None:
    classifier = vulnlens.Classifier(threads=1)
    texts = TEXTS * 60
    counted = 0
    is_ended = threading.Event()

    def count() -> None:
        nonlocal counted
        while not is_ended.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    before = counted
    classifier(texts)
    meanwhile = counted - before
    is_ended.set()
    thread.join()
    assert meanwhile > 10


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_a_long_call() -> None:
    program = (
        "import vulnlens, sys\n"
        "model = vulnlens.Classifier()\n"
        "texts = ['Use after free in component %d of a browser.' % n for n in range(20000)] * 200\n"
        "print('begun', flush=True)\n"
        "try:\n"
        "    model(texts)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 7
    process.stdout.close()
