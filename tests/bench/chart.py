"""chart - the figures as an SVG of bars: ours in blue, the others grey. Colours
that are readable on white and on black, as the page is not ours."""
import os

WIDTH, LABEL, BAR, STEP, GAP = 860, 240, 500, 20, 34
OURS, THEIRS, TEXT, FLOOR = "#2f81f7", "#8b949e", "#768390", "#57ab5a"


def esc(s):
    return s.replace("&", "&amp;").replace("<", "&lt;")


def colour(label):
    if "bt-" in label:
        return OURS
    if "floor" in label or "openssl" in label:
        return FLOOR
    return THEIRS


def one(title, unit, more, bars, y):
    """The elements of a chart whose title is at y, and where the next is."""
    out = ['<text x="0" y="%d" class="t">%s, %s (%s is better)</text>' % (
        y, esc(title), esc(unit), "more" if more else "less")]
    bars = [b for b in bars if b[1] is not None]
    # What takes ten times as long as the best, or was cut off, runs out of
    # the chart, faded.
    known = [b[1] for b in bars if not b[2]] or [1]
    most = max(known) if more else min(max(known), 10 * min(known))
    for label, value, cut in bars:
        y += STEP
        is_out = cut or value > most
        wide = BAR if is_out else max(1, round(BAR * value / (most or 1)))
        said = ("&gt; %.3g" if cut else "%.3g") % value
        if value >= 1000:
            said = said.replace("%.3g" % value, "%.0f" % value)
        out.append(
            '<text x="%d" y="%d" class="l">%s</text>'
            '<rect x="%d" y="%d" width="%d" height="13" rx="2" fill="%s"%s/>'
            '<text x="%d" y="%d">%s</text>' % (
                LABEL - 8, y + 11, esc(label), LABEL, y, wide, colour(label),
                ' fill-opacity="0.4"' if is_out else "", LABEL + wide + 6,
                y + 11, said))
    return out, y + STEP + GAP


def svg(results):
    y, body = 20, []
    for row in results["rows"].values():
        for c in row["charts"]:
            if any(b[1] is not None for b in c["bars"]):
                part, y = one(c["title"], c["unit"], c.get("more", False),
                              c["bars"], y)
                body += part
    head = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
            'viewBox="0 0 %d %d" role="img" aria-label="bt-tools beside other '
            'programs">' % (WIDTH, y - GAP, WIDTH, y - GAP),
            "<style>text{font:12px system-ui,sans-serif;fill:%s}"
            ".t{font-weight:600;font-size:14px}.l{text-anchor:end}</style>" %
            TEXT]
    return "\n".join(head + body + ["</svg>"]) + "\n"


def write(results, folder):
    with open(os.path.join(folder, "results.svg"), "w") as f:
        f.write(svg(results))
