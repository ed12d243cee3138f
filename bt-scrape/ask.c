/*
 * The scrape: a line per torrent and tracker, as they answer.
 */
#include <stdlib.h>

#include "cli/json.h"
#include "cli/signal.h"
#include "scrape.h"

struct ask {
	struct job *job;
	struct bt_loop *loop;
	bool headed; /* the table's header was written */
};

static void
print_row(struct ask *k, const char *url, const struct bt_scrape_row *row)
{
	struct bt_out *o = &k->job->cli.out;
	char hex[41];

	bt_str_hex((struct bt_str){ row->info_hash, 20 }, hex);
	if (o->tty && !k->headed)
		bt_out_printf(o, "%-40s %10s %10s %10s  %s\n", "INFO HASH",
		    "SEEDERS", "LEECHERS", "COMPLETED", "TRACKER");
	k->headed = true;
	bt_out_printf(o, o->tty ? "%-40s %10u %10u %10u  " : "%s\t%u\t%u\t%u\t",
	    hex, row->complete, row->incomplete, row->downloaded);
	bt_out_name(o, bt_str_of(url));
	bt_out_printf(o, "\n");
}

static void
on_row(void *arg, const char *url, const struct bt_scrape_row *row)
{
	struct ask *k = arg;
	struct bt_json j;
	char hex[41];

	k->job->answers++;
	if (k->job->cli.json) {
		bt_str_hex((struct bt_str){ row->info_hash, 20 }, hex);
		bt_json_begin(&j, &k->job->cli.out);
		bt_json_cstr(&j, "info_hash", hex);
		bt_json_int(&j, "seeders", row->complete);
		bt_json_int(&j, "leechers", row->incomplete);
		bt_json_int(&j, "completed", row->downloaded);
		bt_json_cstr(&j, "tracker", url);
		bt_json_end(&j);
	} else
		print_row(k, url, row);
	if (bt_out_flush(&k->job->cli.out) == -1)
		bt_loop_stop(k->loop);
}

static void
on_failed(void *arg, const char *url, size_t torrents, const struct bt_err *err)
{
	struct ask *k = arg;

	(void)torrents;
	scrape_failed(k->job, url, err);
}

static void
on_done(void *arg)
{
	struct ask *k = arg;

	bt_loop_stop(k->loop);
}

static void
on_signal(void *arg, int signo)
{
	struct ask *k = arg;

	bt_signal_came(signo);
	k->job->cli.signal = signo;
	bt_loop_stop(k->loop);
}

void
scrape_ask(struct job *job)
{
	struct ask k = { .job = job };
	struct bt_scraper_conf conf = { .timeout_us = job->timeout_us,
		.on_row = on_row,
		.on_failed = on_failed,
		.on_done = on_done,
		.arg = &k };
	struct bt_err err = BT_ERR_INIT;
	struct bt_scraper *scraper;
	const char *url;

	if (bt_loop_new(&k.loop, &err) == -1) {
		bt_cli_fail(&job->cli, &err);
		return;
	}
	bt_loop_on_signal(k.loop, on_signal, &k);
	job->net.loop = conf.loop = k.loop;
	conf.asker = bt_asker_new(&job->net);
	scraper = bt_scraper_new(&conf);
	for (size_t i = 0; i < job->ntorrents; i++) {
		struct torrent *t = &job->torrents[i];

		for (size_t n = 0; (url = scrape_tracker(job, t, n)) != NULL;
		     n++)
			bt_scraper_add(scraper, url, t->info_hash);
	}
	bt_scraper_start(scraper);
	bt_loop_run(k.loop);
	bt_scraper_free(scraper);
	bt_asker_free(conf.asker);
	bt_loop_free(k.loop);
}
