#include "stats_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 1024u /* one put() */

static const char *const fronts[] = { "http", "https", "udp" };
static const char *const fronts_shown[] = { "HTTP", "HTTPS", "UDP" };
static const char *const families[] = { "ipv4", "ipv6" };
static const char *const families_shown[] = { "IPv4", "IPv6" };
static const char *const kinds[] = { "announce", "scrape", "refused" };
static const char *const roles[] = { "leech", "seed" };

/* What is written, and whether all had room. */
struct page {
	struct bt_buf *out;
	int rc;
};

__attribute__((format(printf, 2, 3))) static void
put(struct page *p, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	p->rc |= bt_buf_puts(p->out, line);
}

/* Text for HTML. */
static void
put_text(struct page *p, const char *s)
{
	for (; *s != '\0'; s++)
		if (strchr("&<>\"'", *s) != NULL || (uint8_t)*s < ' ')
			put(p, "&#%u;", (unsigned)(uint8_t)*s);
		else
			p->rc |= bt_buf_putc(p->out, (uint8_t)*s);
}

/* Text within the quotes of JSON, which are those of a label too. */
static void
put_quoted(struct page *p, const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '"' || *s == '\\')
			put(p, "\\%c", *s);
		else if ((uint8_t)*s >= ' ')
			p->rc |= bt_buf_putc(p->out, (uint8_t)*s);
}

static uint64_t
role_sum(const struct bt_stats_now *now, int role)
{
	return now->peers[0][role] + now->peers[1][role];
}

static const char style[] =
    ":root{color-scheme:light dark;--fg:#1c1e21;--bg:#fbfbfa;--dim:#5f666d;"
    "--line:#dcdfe2}"
    "@media(prefers-color-scheme:dark){:root{--fg:#e4e6e8;--bg:#16181a;"
    "--dim:#9aa1a8;--line:#33373b}}"
    "body{margin:2rem auto;max-width:60rem;padding:0 1rem;color:var(--fg);"
    "background:var(--bg);font:16px/1.5 system-ui,sans-serif}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}"
    "p{color:var(--dim)}";
static const char style_tables[] =
    "div{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "th,td{padding:.3rem .6rem;text-align:right;"
    "border-bottom:1px solid var(--line);font-variant-numeric:tabular-nums}"
    "th{color:var(--dim);font-weight:500}"
    "th:first-child,td:first-child{text-align:left}"
    "td code{font-size:.85rem}a{color:inherit}";

static void
html_head(struct page *p, const struct bt_stats_now *now)
{
	uint64_t s = now->uptime_s;

	put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	       "<meta charset=\"utf-8\">\n"
	       "<meta http-equiv=\"refresh\" content=\"5\">\n"
	       "<meta name=\"viewport\" "
	       "content=\"width=device-width,initial-scale=1\">\n"
	       "<title>bt-tracker</title>\n");
	put(p, "<style>%s", style);
	put(p, "%s</style>\n</head>\n<body>\n", style_tables);
	put(p, "<h1>bt-tracker ");
	put_text(p, now->version);
	put(p,
	    "</h1>\n<p>up %" PRIu64 " d %" PRIu64 " h %" PRIu64 " min %" PRIu64
	    " s, %u worker%s; <a href=\"/stats.json\">JSON</a>, "
	    "<a href=\"/metrics\">metrics</a></p>\n",
	    s / 86400, s / 3600 % 24, s / 60 % 60, s % 60, now->workers,
	    now->workers == 1 ? "" : "s");
}

static void
html_held(struct page *p, const struct bt_stats_now *now)
{
	const double mib = 1 << 20;

	put(p, "<h2>Swarms</h2>\n<div><table>\n"
	       "<tr><th></th><th>IPv4</th><th>IPv6</th><th>Both</th></tr>\n");
	for (int role = 1; role >= 0; role--)
		put(p,
		    "<tr><td>%s</td><td>%" PRIu64 "</td><td>%" PRIu64
		    "</td><td>%" PRIu64 "</td></tr>\n",
		    role == 1 ? "Seeds" : "Leeches", now->peers[0][role],
		    now->peers[1][role], role_sum(now, role));
	put(p,
	    "<tr><td>Peers</td><td>%" PRIu64 "</td><td>%" PRIu64
	    "</td><td>%" PRIu64 "</td></tr>\n</table></div>\n",
	    now->peers[0][0] + now->peers[0][1],
	    now->peers[1][0] + now->peers[1][1],
	    role_sum(now, 0) + role_sum(now, 1));
	put(p, "<p>Torrents: %u, of at most %u. ", now->swarms,
	    now->swarms_max);
	put(p, "They take %.1f MiB, of at most %.1f MiB",
	    (double)now->bytes / mib, (double)now->bytes_max / mib);
	if (now->resident != 0)
		put(p, "; the whole program %.1f MiB",
		    (double)now->resident / mib);
	put(p, ".</p>\n");
}

static void
html_requests(struct page *p, const struct bt_stats_now *now)
{
	put(p, "<h2>Requests</h2>\n<div><table>\n<tr><th></th>"
	       "<th>Announces/s</th><th>Scrapes/s</th><th>Refused/s</th>"
	       "<th>Announces</th><th>Scrapes</th><th>Refused</th></tr>\n");
	for (int front = 0; front < BT_STATS_FRONTS; front++)
		for (int f = 0; f < 2; f++) {
			put(p, "<tr><td>%s %s</td>", fronts_shown[front],
			    families_shown[f]);
			for (int k = 0; k < BT_STATS_KINDS; k++)
				put(p, "<td>%.1f</td>", now->rate[front][f][k]);
			for (int k = 0; k < BT_STATS_KINDS; k++)
				put(p, "<td>%" PRIu64 "</td>",
				    now->n[front][f][k]);
			put(p, "</tr>\n");
		}
	put(p, "</table></div>\n<p>Rates are of the last ten seconds.</p>\n");
}

static void
html_top(struct page *p, const struct bt_stats_now *now)
{
	const struct bt_scrape_row *row;
	char hex[41];

	put(p, "<h2>Top torrents</h2>\n<div><table>\n<tr><th>Info-hash</th>"
	       "<th>Seeds</th><th>Leeches</th><th>Completed</th></tr>\n");
	for (size_t i = 0; i < now->ntop; i++) {
		row = &now->top[i];
		bt_str_hex((struct bt_str){ row->info_hash, 20 }, hex);
		put(p,
		    "<tr><td><code>%s</code></td><td>%u</td><td>%u</td>"
		    "<td>%u</td></tr>\n",
		    hex, row->complete, row->incomplete, row->downloaded);
	}
	put(p, "</table></div>\n");
	if (now->looked < now->swarms)
		put(p,
		    "<p>This time %u torrents were looked at; the next time "
		    "others are.</p>\n",
		    now->looked);
}

int
bt_stats_page_html(const struct bt_stats_now *now, struct bt_buf *out)
{
	struct page p = { out, 0 };

	html_head(&p, now);
	html_held(&p, now);
	html_requests(&p, now);
	html_top(&p, now);
	put(&p, "</body>\n</html>\n");
	return p.rc;
}

static void
json_requests(struct page *p, const struct bt_stats_now *now)
{
	const char *comma = "";

	put(p, "\"requests\":[");
	for (int front = 0; front < BT_STATS_FRONTS; front++)
		for (int f = 0; f < 2; f++) {
			put(p, "%s{\"front\":\"%s\",\"family\":\"%s\"", comma,
			    fronts[front], families[f]);
			for (int k = 0; k < BT_STATS_KINDS; k++)
				put(p,
				    ",\"%s\":%" PRIu64
				    ",\"%s_per_second\":%.3f",
				    kinds[k], now->n[front][f][k], kinds[k],
				    now->rate[front][f][k]);
			put(p, "}");
			comma = ",";
		}
	put(p, "],");
}

static void
json_top(struct page *p, const struct bt_stats_now *now)
{
	const struct bt_scrape_row *row;
	char hex[41];

	put(p, "\"top\":[");
	for (size_t i = 0; i < now->ntop; i++) {
		row = &now->top[i];
		bt_str_hex((struct bt_str){ row->info_hash, 20 }, hex);
		put(p,
		    "%s{\"info_hash\":\"%s\",\"seeds\":%u,\"leeches\":%u,"
		    "\"downloaders\":%u,\"completed\":%u}",
		    i == 0 ? "" : ",", hex, row->complete, row->incomplete,
		    row->downloaders, row->downloaded);
	}
	put(p, "],\"looked_at\":%u}\n", now->looked);
}

int
bt_stats_page_json(const struct bt_stats_now *now, struct bt_buf *out)
{
	struct page p = { out, 0 };

	put(&p, "{\"version\":\"");
	put_quoted(&p, now->version);
	put(&p,
	    "\",\"started\":%" PRId64 ",\"uptime\":%" PRIu64
	    ",\"workers\":%u,\"torrents\":%u,\"torrents_max\":%u,",
	    now->started, now->uptime_s, now->workers, now->swarms,
	    now->swarms_max);
	put(&p, "\"peers\":{\"seeds\":%" PRIu64 ",\"leeches\":%" PRIu64,
	    role_sum(now, 1), role_sum(now, 0));
	for (int f = 0; f < 2; f++)
		put(&p,
		    ",\"%s\":{\"seeds\":%" PRIu64 ",\"leeches\":%" PRIu64 "}",
		    families[f], now->peers[f][1], now->peers[f][0]);
	put(&p,
	    "},\"memory\":{\"held\":%" PRIu64 ",\"held_max\":%" PRIu64
	    ",\"resident\":",
	    now->bytes, now->bytes_max);
	if (now->resident != 0)
		put(&p, "%" PRIu64 "},", now->resident);
	else
		put(&p, "null},");
	json_requests(&p, now);
	json_top(&p, now);
	return p.rc;
}

static void
metric_head(
    struct page *p, const char *name, const char *type, const char *help)
{
	put(p, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
gauge(struct page *p, const char *name, uint64_t v, const char *help)
{
	metric_head(p, name, "gauge", help);
	put(p, "%s %" PRIu64 "\n", name, v);
}

static void
metrics_held(struct page *p, const struct bt_stats_now *now)
{
	metric_head(p, "bt_tracker_info", "gauge", "Always 1; its version.");
	put(p, "bt_tracker_info{version=\"");
	put_quoted(p, now->version);
	put(p, "\"} 1\n");
	metric_head(p, "process_start_time_seconds", "gauge",
	    "When it was started, in seconds since the epoch.");
	put(p, "process_start_time_seconds %" PRId64 "\n", now->started);
	if (now->resident != 0)
		gauge(p, "process_resident_memory_bytes", now->resident,
		    "Memory of the whole process.");
	gauge(p, "bt_tracker_workers", now->workers, "Threads that serve.");
	gauge(p, "bt_tracker_torrents", now->swarms, "Torrents known.");
	gauge(p, "bt_tracker_torrents_max", now->swarms_max,
	    "The most torrents that there may be.");
	gauge(p, "bt_tracker_held_bytes", now->bytes,
	    "Memory of torrents and peers.");
	gauge(p, "bt_tracker_held_bytes_max", now->bytes_max,
	    "The most memory that torrents and peers may take.");
	metric_head(p, "bt_tracker_peers", "gauge", "Peers known.");
	for (int f = 0; f < 2; f++)
		for (int role = 0; role < 2; role++)
			put(p,
			    "bt_tracker_peers{family=\"%s\",role=\"%s\"} "
			    "%" PRIu64 "\n",
			    families[f], roles[role], now->peers[f][role]);
}

int
bt_stats_page_metrics(const struct bt_stats_now *now, struct bt_buf *out)
{
	struct page p = { out, 0 };

	metrics_held(&p, now);
	metric_head(&p, "bt_tracker_requests_total", "counter",
	    "Announces and scrapes answered, and those refused.");
	for (int front = 0; front < BT_STATS_FRONTS; front++)
		for (int f = 0; f < 2; f++)
			for (int k = 0; k < BT_STATS_KINDS; k++)
				put(&p,
				    "bt_tracker_requests_total{front=\"%s\","
				    "family=\"%s\",kind=\"%s\"} %" PRIu64 "\n",
				    fronts[front], families[f], kinds[k],
				    now->n[front][f][k]);
	return p.rc;
}
