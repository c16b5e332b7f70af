"""Builds test programs with one fault each, from the objects of the private copy.

A fault never enters the copy's sources. What it changes is compiled again from a file of its own, and linked in front of
the libraries, whose member of the same name is then not taken; so many programs, each with its fault, are made at once. A
fault in a header changes every object of the program that was made of that header.
"""

import json
import os
import pathlib
import re
import shlex
import subprocess

from fault_files import StaleFault


class MutantBuild:
    def __init__(self, copy):
        self.copy = copy
        self.home = copy.home / "mutants"
        self.home.mkdir(exist_ok=True)
        self._commands = {}
        self._inputs = {}
        self._deps = None
        entries = json.loads((copy.build_directory / "compile_commands.json").read_text())
        self._objects_of_source = {}
        for entry in entries:
            output = re.search(r" -o (\S+) ", entry["command"]).group(1)
            name = pathlib.Path(entry["file"]).relative_to(copy.tree).as_posix()
            self._objects_of_source.setdefault(name, []).append(output)

    def _ask(self, *tool):
        command = ["ninja", "-C", str(self.copy.build_directory), "-t", *tool]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()

    def _command(self, output):
        """What makes one file of the copy's build."""
        if output not in self._commands:
            self._commands[output] = self._ask("commands", "-s", output)[-1]
        return self._commands[output]

    def _objects_with(self, header):
        """The objects that were made of the header."""
        if self._deps is None:
            self._deps = {}
            for line in self._ask("deps"):
                if match := re.match(r"(\S+\.o): #deps", line):
                    output = match.group(1)
                elif line.startswith(" "):
                    # Compiler caches may write paths as seen from the build directory.
                    path = pathlib.Path(os.path.normpath(self.copy.build_directory / line.strip()))
                    if path.is_relative_to(self.copy.tree):
                        self._deps.setdefault(path.relative_to(self.copy.tree).as_posix(), set()).add(output)
        return self._deps.get(header, set())

    def _changed_objects(self, fault, program):
        if program not in self._inputs:
            self._inputs[program] = set(self._ask("inputs", f"bin/{program}"))
        own = self._objects_of_source.get(fault.file) or self._objects_with(fault.file)
        changed = sorted(self._inputs[program].intersection(own))
        if not changed:
            raise StaleFault(f"{fault.name}: nothing that {program} is linked from is made of {fault.file}; name another test")
        return changed

    def program_path(self, fault, program):
        return self.home / fault.name / program

    def _statements(self, fault, program):
        """The build statements of one fault in one program."""
        directory = self.home / fault.name
        source = directory / "tree" / fault.file
        planted = fault.planted_in((self.copy.tree / fault.file).read_text())
        if not source.is_file() or source.read_text() != planted:
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(planted)
        original = self.copy.build_directory / "bin" / program
        link = self._command(f"bin/{program}")
        added = []
        statements = []
        for number, output in enumerate(self._changed_objects(fault, program)):
            made = directory / f"{program}-{number}.o"
            command = self._command(output).replace(f" -I{self.copy.tree}", f" -I{directory / 'tree'} -I{self.copy.tree}", 1)
            command = command.replace(output, str(made)).replace(f" -c {self.copy.tree / fault.file}", f" -c {source}")
            # The compiler is most of what a fault costs, and the tests do not mind a slow file.
            command = command.replace(" -O3 ", " -O1 ")
            statements.append((made, [source, original], command))
            if f" {output} " in link:
                link = link.replace(f" {output} ", f" {made} ")
            else:
                added.append(str(made))
        path = self.program_path(fault, program)
        link = link.replace(f" -o bin/{program} ", f" {' '.join(added)} -o {path} ")
        statements.append((path, [made for made, _, _ in statements] + [original], link))
        return statements

    def make(self, jobs):
        """Builds (fault, program) pairs; returns those that did not build, with what the build said."""
        if not jobs:
            return []
        lines = ["rule make", "  command = cd $directory && $what", "  description = $out", ""]
        written = set()
        for fault, program in jobs:
            for output, inputs, command in self._statements(fault, program):
                if output in written:
                    continue
                written.add(output)
                what = command.replace("$", "$$")
                lines += [f"build {output}: make {' '.join(map(str, inputs))}", f"  what = {what}",
                          f"  directory = {self.copy.build_directory}", ""]
        (self.home / "build.ninja").write_text("\n".join(lines))
        command = [*shlex.split(os.environ.get("NINJA", "ninja")), "-C", str(self.home), "-k", "0",
                   *(str(self.program_path(*job)) for job in jobs)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return [(job, done.stdout[-3000:]) for job in jobs if not self.program_path(*job).is_file()]

    def forget(self, fault):
        """Programs are large, and are made again from their objects when they are wanted again."""
        for path in (self.home / fault.name).iterdir():
            if path.is_file() and path.suffix != ".o":
                path.unlink()
