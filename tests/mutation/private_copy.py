"""A copy of the checkout under build/mutation/, with a build directory of its own.

The copy follows the working tree, uncommitted changes included, and only what differs is written, so that builds stay
incremental. Whoever edits the tree meanwhile disturbs nothing.
"""

import fcntl
import hashlib
import os
import pathlib
import shlex
import shutil
import subprocess


class BuildFailed(Exception):
    """The last lines of what the build said."""


class PrivateCopy:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.home = self.root / "build" / "mutation"
        self.tree = self.home / "tree"
        # Where the preset puts it, as seen from the sources: compiler caches may then know the objects from elsewhere.
        self.build_directory = self.tree / "build" / "release"
        self.temporary = self.home / "tmp"
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.home / "lock", "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"Error: another run works in {self.home}; wait for its end") from None

    def follow(self):
        """Makes the copy equal to the working tree, and returns a digest of all of it."""
        command = ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
        names = sorted({name for name in listed if name and (self.root / name).is_file()})
        # First what is gone: a file may have become a folder.
        known = set(names)
        for path in list(self.tree.rglob("*")):
            name = path.relative_to(self.tree).as_posix()
            if path.is_file() and name not in known and not name.startswith("build/"):
                path.unlink()
        digest = hashlib.sha256()
        for name in names:
            content = (self.root / name).read_bytes()
            # Fault files and their runner change often, and no test program is made of them.
            if not name.startswith("tests/mutation/"):
                digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
            target = self.tree / name
            if target.is_file() and target.read_bytes() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(self.root / name, target)
        return digest.hexdigest()

    def configure(self):
        """The preset release, file by file and without optimisation across files: one that is changed costs one compilation."""
        command = ["cmake", "--preset", "release", "-DCMAKE_UNITY_BUILD=OFF", "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF"]
        done = subprocess.run(command, cwd=self.tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"Error: cmake could not configure the copy:\n{done.stdout[-4000:]}")

    def build(self, targets):
        """Brings the targets up to date. $NINJA replaces the program that does it."""
        command = [*shlex.split(os.environ.get("NINJA", "ninja")), "-C", str(self.build_directory), *sorted(targets)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise BuildFailed("\n".join(done.stdout.splitlines()[-15:]))

    def program(self, name):
        return self.build_directory / "bin" / name

    def empty_temporary(self):
        """What tests that were ended by a fault left behind."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)
