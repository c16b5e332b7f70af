"""What the looks at a node say about its download."""

# Left out: two seconds after the first megabyte, while windows of TCP open; the last twentieth, when lines run dry.
WARM_UP_S = 2
WARM_UP_BYTES = 1e6
RUNNING_SHARE = 0.95
LOOKS_MIN = 20


def rates_between(looks):
    """Mbit/s of each line."""
    first, last = looks[0], looks[-1]
    seconds = last["at"] - first["at"]
    return [(b - a) * 8 / 1e6 / seconds for a, b in zip(first["lines"], last["lines"])]


def standstill_s(looks):
    """The longest time in which the tip did not move."""
    longest, since, height = 0.0, looks[0]["at"], looks[0]["height"]
    for look in looks:
        if look["height"] is None:
            continue
        if look["height"] != height:
            since, height = look["at"], look["height"]
        longest = max(longest, look["at"] - since)
    return longest


class Stretch:
    """Looks that follow one another, and the lines that were whole meanwhile."""

    def __init__(self, looks, rates, whole):
        if len(looks) < LOOKS_MIN:
            raise RuntimeError("the chain is too short for these lines: the download was over within seconds")
        self.rates, self.whole = rates, whole
        self.seconds = looks[-1]["at"] - looks[0]["at"]
        self.lines = rates_between(looks)
        self.sum = sum(rates[i] for i in whole)
        self.received = sum(self.lines[i] for i in whole)
        self.share = self.received / self.sum
        self.standstill_s = standstill_s(looks)

    def as_json(self):
        return {"seconds": round(self.seconds, 1), "sum_mbit_s": self.sum, "received_mbit_s": round(self.received, 1),
                "share": round(self.share, 3), "lines_mbit_s": [round(line, 1) for line in self.lines],
                "tip_standstill_max_s": round(self.standstill_s, 2)}

    def print(self, title):
        print(f"{title}: {self.received:.1f} of {self.sum:.0f} Mbit/s ({100 * self.share:.1f} %) over {self.seconds:.1f} s; "
              f"the tip stood still for {self.standstill_s:.2f} s at most")
        for i, line in enumerate(self.lines):
            print(f"  {self.rates[i]:6.1f} Mbit/s line: {line:6.1f}{'' if i in self.whole else '  (broken)'}")


def stretches(looks, rates, fault):
    """The whole download, or where a fault broke lines: before it and after it. The share after it is of the whole lines' rates, so that what
    was lost with the fault counts."""
    last = sum(looks[-1]["lines"])
    begin = next(look["at"] for look in looks if sum(look["lines"]) > WARM_UP_BYTES) + WARM_UP_S
    running = [look for look in looks if look["at"] >= begin and sum(look["lines"]) < RUNNING_SHARE * last]
    everyone = range(len(rates))
    if fault is None:
        return {"all": Stretch(running, rates, everyone)}
    if fault.at is None:
        raise RuntimeError("the download was over before the fault")
    whole = [i for i in everyone if i not in fault.lines]
    return {"before": Stretch([look for look in running if look["at"] < fault.at], rates, everyone),
            "after": Stretch([look for look in running if look["at"] >= fault.at], rates, whole)}
