"""Runs an image in a memory cgroup of its own, sends it requests, and says what it took.

    limited.py ROOT CONFIG PORT LIMIT_MI

ROOT is the image's file system, CONFIG what `buildah inspect` says of it. Prints
`PEAK_MI ANONYMOUS_MI OOM_KILLS ANSWERED`, and fails where the server does not answer 300 requests, 4 at a time, within
its limit. The peak has the pages of files in it, which the kernel drops where it needs the room: it may reach the limit.
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

REQUESTS = 300
V1 = pathlib.Path("/sys/fs/cgroup/memory")
V2 = pathlib.Path("/sys/fs/cgroup")


class Cgroup:
    def __init__(self, name: str, limit: int) -> None:
        self.is_v1 = (V1 / "memory.limit_in_bytes").exists()
        self.path = (V1 if self.is_v1 else V2) / name
        self.path.mkdir()
        (self.path / ("memory.limit_in_bytes" if self.is_v1 else "memory.max")).write_text(str(limit))

    def peak(self) -> int:
        return int((self.path / ("memory.max_usage_in_bytes" if self.is_v1 else "memory.peak")).read_text())

    def kills(self) -> int:
        lines = (self.path / ("memory.oom_control" if self.is_v1 else "memory.events")).read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)

    def anonymous(self) -> int:
        word = "rss" if self.is_v1 else "anon"
        lines = (self.path / "memory.stat").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.split()[0] == word), 0)

    def processes(self) -> list[int]:
        return [int(line) for line in (self.path / "cgroup.procs").read_text().split()]

    def end(self) -> None:
        for _ in range(100):
            left = self.processes()
            if not left:
                break
            for process in left:
                try:
                    os.kill(process, 9)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        self.path.rmdir()


def command(config: dict) -> tuple[list[str], dict[str, str], str, str]:
    of_image = config["OCIv1"]["config"]
    words = of_image.get("Entrypoint", []) + of_image.get("Cmd", [])
    environment = dict(line.split("=", 1) for line in of_image.get("Env", []))
    return words, environment, of_image["User"], of_image.get("WorkingDir", "/")


def ask(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return answer.status == 200 and b"hello" in answer.read()
    except OSError:
        return False


def main() -> int:
    root, config, port, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    words, environment, user, folder = command(json.loads(pathlib.Path(config).read_text()))
    if user != "10001:10001":
        print(f"the image runs as {user!r}", file=sys.stderr)
        return 1
    # What other cgroups read before would not be charged to this one.
    try:
        subprocess.run(["sync"], check=True)
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        print("caches stay warm here: peaks are lower than after a cold start", file=sys.stderr)
    cgroup = Cgroup(f"bzc-images-{os.getpid()}", limit << 20)
    # The shell enters the cgroup, and becomes the server: nothing else is charged.
    steps = (
        'cgroup=$1; root=$2; folder=$3; shift 3; mount --rbind /dev "$root/dev"; mount -t proc proc "$root/proc"; '
        'cd /; echo 0 > "$cgroup/cgroup.procs"; exec chroot --userspec=10001:10001 "$root" '
        '/usr/bin/env -C "$folder" "$@"'
    )
    if not pathlib.Path(root, "usr/bin/env").exists():
        print("the image has no env to start it with", file=sys.stderr)
        return 1
    pairs = [f"{name}={value}" for name, value in environment.items()]
    shell = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", steps, "sh"]
    server = subprocess.Popen([*shell, str(cgroup.path), root, folder, "-i", *pairs, *words], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    try:
        until = time.monotonic() + 60
        while not ask(port):
            if server.poll() is not None or time.monotonic() > until:
                print(f"{words} does not answer on {port}", file=sys.stderr)
                return 1
            time.sleep(0.1)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answered = sum(pool.map(lambda _: ask(port), range(REQUESTS)))
        kills = cgroup.kills()
        print(f"{cgroup.peak() / (1 << 20):.1f} {cgroup.anonymous() / (1 << 20):.1f} {kills} {answered}")
        return 0 if answered == REQUESTS and kills == 0 else 1
    finally:
        cgroup.end()
        server.wait()


sys.exit(main())
