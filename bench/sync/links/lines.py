"""Network namespaces: one for the node, one for each seed, a shaped veth pair between."""

import subprocess

NODE = "headrace-links-node"


def seed_namespace(i):
    return f"headrace-links-{i}"


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def inside(namespace, *command, **options):
    return subprocess.Popen(["ip", "netns", "exec", namespace, *command], **options)


class Lines:
    """The namespaces and lines; gone when it is closed."""

    def __init__(self, rates):
        self.names = [NODE]
        try:
            run("ip", "netns", "add", NODE)
            run("ip", "-n", NODE, "link", "set", "lo", "up")
            for i, rate in enumerate(rates):
                self.add(i, rate)
        except BaseException:
            self.close()
            raise

    def add(self, i, rate):
        name = seed_namespace(i)
        self.names.append(name)
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "link", "add", "line", "type", "veth", "peer", "name", f"line{i}", "netns", NODE)
        run("ip", "-n", name, "addr", "add", f"10.77.{i}.1/24", "dev", "line")
        run("ip", "-n", NODE, "addr", "add", f"10.77.{i}.2/24", "dev", f"line{i}")
        run("ip", "-n", name, "link", "set", "line", "up")
        run("ip", "-n", NODE, "link", "set", f"line{i}", "up")
        run("tc", "-n", name, "qdisc", "add", "dev", "line", "root", "tbf", "rate", f"{rate}mbit", "burst", "64k", "latency", "100ms")

    def cut(self, i):
        """What either end sends from now on is lost, and nobody is told."""
        for name, device in ((seed_namespace(i), "line"), (NODE, f"line{i}")):
            run("tc", "-n", name, "qdisc", "replace", "dev", device, "root", "pfifo", "limit", "0")

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
