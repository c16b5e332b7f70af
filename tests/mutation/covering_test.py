"""Runs one covering test, and finds out what of it failed first."""

import collections
import dataclasses
import os
import re
import resource
import shlex
import signal
import subprocess
import threading
import time

# A test may take this much longer than it did without the fault, and this at least, before it counts as hanging.
TIMES_LONGER = 8
SECONDS_AT_LEAST = 60
DEFAULT_TIMEOUT_S = 600


@dataclasses.dataclass
class Outcome:
    passed: bool
    seconds: float = 0.0
    case: str = ""  # the first failing test case
    how: str = ""  # beside it: a hang, a check, a signal
    ran: int = 0  # test cases that really ran
    skipped: int = 0

    def sentence(self):
        return f"{self.case}{' (' + self.how + ')' if self.how else ''}"


def program_of(test):
    return shlex.split(test)[0]


def timeout_after(seconds):
    return max(SECONDS_AT_LEAST, TIMES_LONGER * seconds)


def _leave_no_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Watch:
    """Reads a program's output as it comes and keeps little of it: a fault may make it endless."""

    def __init__(self, command, environment, timeout_s):
        self.begin = time.monotonic()
        self.is_hanging = False
        self.tail = collections.deque(maxlen=60)
        self.failed = []
        self.running = ""
        self.passed_cases = 0
        self.skipped_cases = 0
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, errors="replace", start_new_session=True,
                                        preexec_fn=_leave_no_cores)
        timer = threading.Timer(timeout_s, self._end)
        timer.start()
        try:
            for line in self.process.stdout:
                self._take(line.rstrip("\n"))
        finally:
            timer.cancel()
            self._kill()
        self.status = self.process.wait()
        self.seconds = time.monotonic() - self.begin

    def _end(self):
        self.is_hanging = True
        self._kill()

    def _kill(self):
        # The whole session: tests start processes of their own.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _take(self, line):
        self.tail.append(line[:500])
        if match := re.match(r"\[ RUN      \] (\S+)", line):
            self.running = match.group(1)
        elif line.startswith("[       OK ]"):
            self.passed_cases += 1
            self.running = ""
        elif line.startswith("[  SKIPPED ] ") and self.running:
            self.skipped_cases += 1
            self.running = ""
        elif (match := re.match(r"\[  FAILED  \] ([^\s,]+)", line)) and self.running:
            # The list at the end names them again; only what was running counts.
            self.failed.append(match.group(1))
            self.running = ""


def _how_it_ended(watch):
    if watch.is_hanging:
        return "hangs"
    for line in watch.tail:
        if line.startswith("Internal error: "):
            return "ends by a check"
    if watch.status < 0:
        return f"ends by {signal.Signals(-watch.status).name}"
    return ""


class TestRunner:
    def __init__(self, copy):
        self.copy = copy
        self.environment = dict(os.environ, TMPDIR=str(copy.temporary))

    def _watch(self, path, arguments, timeout_s):
        self.copy.empty_temporary()
        command = [str(path), *arguments]
        watch = _Watch(command, self.environment, timeout_s)
        self.copy.empty_temporary()
        return watch

    def run(self, test, path=None, timeout_s=DEFAULT_TIMEOUT_S):
        """`path` names the program where it is not the copy's own."""
        program, *arguments = shlex.split(test)
        path = path or self.copy.program(program)
        if program == "simulate":
            return self._run_seeds(path, arguments, timeout_s)
        filters = ["--gtest_fail_fast", *(f"--gtest_filter={argument}" for argument in arguments[:1])]
        watch = self._watch(path, filters, timeout_s)
        case = watch.failed[0] if watch.failed else watch.running
        passed = watch.status == 0 and not watch.is_hanging and not watch.failed
        how = "" if passed or watch.failed else _how_it_ended(watch)
        return Outcome(passed, watch.seconds, "" if passed else case or program, how,
                       watch.passed_cases + len(watch.failed), watch.skipped_cases)

    def _run_seeds(self, path, arguments, timeout_s):
        """Every seed by itself, so that all that catch a fault are known."""
        first, last = re.fullmatch(r"--seeds=(\d+)-(\d+)", arguments[0]).groups()
        caught = {}
        seconds = 0.0
        for seed in range(int(first), int(last) + 1):
            watch = self._watch(path, [f"--seed={seed}", *arguments[1:]], timeout_s)
            seconds += watch.seconds
            if watch.status != 0 or watch.is_hanging:
                caught[seed] = self._why_a_world_failed(watch)
        if not caught:
            return Outcome(True, seconds, ran=int(last) - int(first) + 1)
        seeds = ", ".join(str(seed) for seed in caught)
        why = next(iter(caught.values()))
        return Outcome(False, seconds, f"seeds {seeds} of {first} to {last}", why, len(caught))

    def _why_a_world_failed(self, watch):
        if watch.is_hanging:
            return "hangs"
        for line in watch.tail:
            if line.startswith(("FAILED: ", "Internal error: ")):
                # Hashes and paths say little without their world.
                text = re.sub(r"\b[0-9a-f]{16,}\b", "…", line.split(": ", 1)[1])
                return re.sub(r"/\S*/", "", text)[:150].replace("|", "/")
        return _how_it_ended(watch)
