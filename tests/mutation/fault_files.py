"""The faults as data: what faults/*.txt say, and whether the code still has the text that each of them replaces.

A fault is a few `key: value` lines and two blocks of verbatim text:

    fault: coinbase-maturity-99
    says: A coinbase may be spent one block too early.
    file: engine/consensus/check_spends.cc
    test: test_engine_consensus CheckSpends.CoinbasesMature
    test: simulate --seeds=1-4
    --- old
    spend_height} - coin.height < kCoinbaseMaturity
    --- new
    spend_height} - coin.height < kCoinbaseMaturity - 1
    --- end

`test` lines stand in the order in which they are run, the cheapest first. `survives: REASON` marks a fault that no test
can see, and says why. Lines that begin with # are comments.
"""

import dataclasses
import hashlib
import pathlib
import re
import shlex

SINGLE_KEYS = ("says", "file", "survives")


class StaleFault(Exception):
    """A fault that cannot be used as it stands; the sentence says what to do."""


@dataclasses.dataclass
class Fault:
    name: str
    area: str
    says: str = ""
    file: str = ""
    survives: str = ""
    tests: list = dataclasses.field(default_factory=list)
    old: str = ""
    new: str = ""

    def digest(self):
        """Changes with everything that a result depends on in the fault itself."""
        parts = (self.file, self.old, self.new, self.survives, *self.tests)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def planted_in(self, text):
        """The text with the fault in it; raises when the old text is not there exactly once."""
        count = text.count(self.old)
        if count != 1:
            raise StaleFault(
                f"{self.name} is stale: its old text stands in {self.file} {count} times instead of once; "
                f"bring faults/{self.area}.txt up to date"
            )
        return text.replace(self.old, self.new)


def _wrong(path, number, what):
    return StaleFault(f"{path.name}:{number}: {what}")


def _finish(fault, path, number):
    missing = [key for key in ("says", "file", "old", "tests") if not getattr(fault, key)]
    if missing or fault.old == fault.new:
        raise _wrong(path, number, f"{fault.name} lacks {', '.join(missing) or 'a change'}")
    return fault


def _read_file(path):
    faults = []
    fault = None
    block = None  # the name of the verbatim block that is being read
    lines = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if block is not None:
            if line in ("--- new", "--- end"):
                setattr(fault, block, "\n".join(lines))
                lines = []
                block = "new" if line == "--- new" and block == "old" else None
                if block is None:
                    faults.append(_finish(fault, path, number))
                    fault = None
            else:
                lines.append(line)
            continue
        if not line.strip() or line.startswith("#"):
            continue
        if line == "--- old" and fault is not None:
            block = "old"
            continue
        key, _, value = line.partition(": ")
        if key == "fault" and fault is None and re.fullmatch(r"[a-z0-9-]+", value):
            fault = Fault(value, path.stem)
        elif key == "test" and fault is not None:
            fault.tests.append(value)
        elif key in SINGLE_KEYS and fault is not None and not getattr(fault, key):
            setattr(fault, key, value)
        else:
            raise _wrong(path, number, f"not understood: {line}")
    if fault is not None:
        raise _wrong(path, number, f"{fault.name} has no end")
    return faults


def read_faults(directory):
    """All faults, by file and in the order of the file."""
    faults = []
    for path in sorted(pathlib.Path(directory).glob("*.txt")):
        faults += _read_file(path)
    names = [fault.name for fault in faults]
    for name in names:
        if names.count(name) > 1:
            raise StaleFault(f"two faults have the name {name}")
    return faults


def names_of(test):
    """The names that a test line's filter is made of, without its wildcards."""
    program, *arguments = shlex.split(test)
    if program == "simulate" or not arguments:
        return []
    return [part for part in re.split(r"[.:*?/]", arguments[0]) if part]


def stale_sentences(faults, root):
    """Why faults do not fit the checkout at `root`, a sentence each; empty when all of them do."""
    sentences = []
    sources = {path.relative_to(root).as_posix() for path in root.glob("tests/**/*.cc")}
    test_text = "\n".join((root / source).read_text() for source in sorted(sources))
    for fault in faults:
        path = root / fault.file
        if not path.is_file():
            sentences.append(f"{fault.name} is stale: {fault.file} is not there any more")
            continue
        try:
            fault.planted_in(path.read_text())
        except StaleFault as stale:
            sentences.append(str(stale))
        for test in fault.tests:
            for name in names_of(test):
                if name not in test_text:
                    sentences.append(f"{fault.name} is stale: no test has {name} in its name, as in: {test}")
    return sentences
