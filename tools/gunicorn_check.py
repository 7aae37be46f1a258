"""Checks that a model which gunicorn opened before it forked its workers answers in all of them: `--preload`."""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

APPLICATION = '''
import json, os
import vulnlens

model = vulnlens.Classifier(threads=2)
wanted = [answer.to_json() for answer in model(["SQL injection in login.php", "Use after free"] * 100)]


def application(environment, start):
    answers = [answer.to_json() for answer in model(["SQL injection in login.php", "Use after free"] * 100)]
    body = json.dumps({"process": os.getpid(), "parent": os.getppid(), "equal": answers == wanted}).encode()
    start("200 OK", [("Content-Type", "application/json")])
    return [body]
'''


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def main():
    try:
        import gunicorn  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}")
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "app.py").write_text(APPLICATION)
        command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
        server = subprocess.Popen([*command, "--log-level", "error", "app:application"], cwd=folder)
        try:
            seen = set()
            for _ in range(200):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                        told = json.load(answer)
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
                    continue
                if not told["equal"] or told["parent"] != server.pid:
                    sys.exit(f"gunicorn: {told}")
                seen.add(told["process"])
                if len(seen) == 2:
                    break
            if len(seen) != 2:
                sys.exit(f"gunicorn: {len(seen)} workers answered, not 2")
            print("gunicorn --preload: both workers answer as their parent did")
        finally:
            server.terminate()
            server.wait(timeout=30)


if __name__ == "__main__":
    main()
