"""report - the figures as Markdown."""
import os


def cell(record, key, form):
    v = record.get(key)
    if record.get("note") and key not in ("size", "program"):
        return record["note"] if key == "wall" else ""
    if record.get("cut") and key == "wall":
        return "> %.0f" % v
    if v is None:
        return ""
    if form == "mib":
        return "%.0f" % (v / 1024)
    return format(v, form) if form else str(v)


def is_met(check):
    if "most" in check:
        return check["figure"] <= check["most"]
    return check["figure"] >= check["least"]


def target(check):
    if "most" in check:
        return "at most %g" % check["most"]
    return "at least %g" % check["least"]


def verdicts(results):
    checks = sorted((c for r in results["rows"].values()
                     for c in r["checks"]), key=lambda c: c["item"])
    lines = ["| item | what | target | figure | met |",
             "|---|---|---|---|---|"]
    for c in checks:
        lines.append("| %d | %s | %s | %.3g | %s |" % (
            c["item"], c["what"], target(c), c["figure"],
            "yes" if is_met(c) else "no"))
    return lines


def table(row):
    keep = [c for c in row["columns"]
            if any(c[0] in r for r in row["records"])]
    lines = ["| " + " | ".join(c[1] for c in keep) + " |",
             "|" + "---|" * len(keep)]
    for r in row["records"]:
        cells = [cell(r, c[0], c[2]) for c in keep]
        n = r.get("runs", row["runs"])
        if n != row["runs"]:
            at = [c[0] for c in keep].index("program")
            cells[at] += ", %d turn%s" % (n, "s" if n != 1 else "")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def text(results):
    out = ["# Results", "", "Made by `make bench`; `tests/bench/README.md` "
           "says what each row is.", ""]
    out += verdicts(results)
    for name, row in results["rows"].items():
        m = row["machine"]
        out += ["", "## %s (`%s`)" % (row["title"], name), "",
                "Medians of %d, %s, %d cores, Linux %s, %s.%s" % (
                    row["runs"], m["cpu"], m["cores"], m["kernel"],
                    " ".join(m["simd"]),
                    " Small sizes." if row["quick"] else ""), ""]
        out += table(row)
        for line in row.get("notes", []):
            out += ["", line]
    return "\n".join(out) + "\n"


def write(results, folder):
    said = text(results)
    with open(os.path.join(folder, "RESULTS.md"), "w") as f:
        f.write(said)
    print(said, end="")
