"""What runs found, kept in build/mutation/results.json, and the table of it in README.md."""

import json

BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"


class Results:
    """By fault; a result counts as long as the fault is what it was."""

    def __init__(self, path):
        self.path = path
        self.rows = json.loads(path.read_text()) if path.is_file() else {}

    def put(self, fault, caught_by, case):
        self.rows[fault.name] = {"digest": fault.digest(), "caught_by": caught_by, "case": case}
        self.path.write_text(json.dumps(self.rows, indent=1, sort_keys=True))

    def of(self, fault):
        row = self.rows.get(fault.name)
        return row if row is not None and row["digest"] == fault.digest() else None


def _cell(text):
    return text.replace("|", "\\|")


def row_of(fault, result):
    if result is None:
        caught = "not run yet"
    elif result["caught_by"]:
        caught = f"`{result['caught_by']}`: {result['case']}"
    else:
        caught = f"nothing: {fault.survives}"
    return f"| {fault.name} | `{fault.file}` | {_cell(fault.says)} | {_cell(caught)} |"


def table_of(faults, results):
    lines = ["| fault | file | what is wrong | caught by |", "|---|---|---|---|"]
    lines += [row_of(fault, results.of(fault)) for fault in faults]
    return "\n".join(lines)


def write_table(readme, table):
    before, _, rest = readme.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def names_in_table(readme):
    _, _, rest = readme.read_text().partition(BEGIN)
    table, _, _ = rest.partition(END)
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    return [row.split("|")[1].strip() for row in rows[1:]]
