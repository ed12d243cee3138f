#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/out.h"

#define SAMPLE_US 500000 /* the rate is reckoned twice a second */
#define SMOOTHING 0.25	 /* weight of a sample: about two seconds' memory */
#define COLUMNS 80	 /* when stderr does not say how wide it is */
#define COLUMNS_MAX 250
#define ETA_MAX 35999999u /* seconds; beyond 9999 hours nobody waits */

void
bt_progress_init(struct bt_progress *p, FILE *fp, bool on)
{
	memset(p, 0, sizeof(*p));
	p->fp = fp;
	p->on = on;
}

static void
sample(struct bt_progress *p, uint64_t now_us, uint64_t done)
{
	double rate;

	if (!p->begun || done < p->sampled_done || now_us < p->sampled_us) {
		p->begun = true;
		p->rate = 0;
	} else if (now_us - p->sampled_us < SAMPLE_US) {
		return;
	} else {
		rate = (double)(done - p->sampled_done) * 1e6 /
		       (double)(now_us - p->sampled_us);
		if (p->rate == 0)
			p->rate = rate;
		else
			p->rate += (rate - p->rate) * SMOOTHING;
	}
	p->sampled_us = now_us;
	p->sampled_done = done;
}

static int
columns(FILE *fp)
{
	struct winsize ws;

	if (ioctl(fileno(fp), TIOCGWINSZ, &ws) == -1 || ws.ws_col < 20)
		return COLUMNS;
	return ws.ws_col < COLUMNS_MAX ? ws.ws_col : COLUMNS_MAX;
}

static void
eta(const struct bt_progress *p, uint64_t left, char *to, size_t size)
{
	unsigned s;

	to[0] = '\0';
	if (p->rate < 1 || (double)left / p->rate > ETA_MAX)
		return;
	s = (unsigned)((double)left / p->rate + 0.5);
	if (s >= 3600)
		snprintf(to, size, "  eta %u:%02u:%02u", s / 3600, s / 60 % 60,
		    s % 60);
	else
		snprintf(to, size, "  eta %u:%02u", s / 60, s % 60);
}

void
bt_progress_draw(struct bt_progress *p, uint64_t now_us, uint64_t done,
    uint64_t total, const char *more)
{
	char have[BT_OUT_SIZE_LEN], all[BT_OUT_SIZE_LEN];
	char rate[BT_OUT_SIZE_LEN], wait[32], line[COLUMNS_MAX + 1];
	int percent, width;

	if (!p->on)
		return;
	sample(p, now_us, done);
	if (p->drawn_us != 0 && now_us - p->drawn_us < BT_PROGRESS_EVERY_US)
		return;
	p->drawn_us = now_us;

	bt_out_size(have, done);
	bt_out_size(rate, (uint64_t)p->rate);
	if (more == NULL)
		more = "";
	if (total == 0) {
		snprintf(line, sizeof(line), "%s  %s/s%s%s", have, rate,
		    *more != '\0' ? "  " : "", more);
	} else {
		percent = done >= total ? 100 : (int)(done / (total / 100.0));
		if (percent > 99 && done < total)
			percent = 99; /* 100% is only what is whole */
		eta(p, total - (done < total ? done : total), wait,
		    sizeof(wait));
		snprintf(line, sizeof(line), "%3d%%  %s of %s  %s/s%s%s%s",
		    percent, have, bt_out_size(all, total), rate, wait,
		    *more != '\0' ? "  " : "", more);
	}
	width = columns(p->fp) - 1; /* a full line would wrap */
	fprintf(p->fp, "\r%.*s\033[K", width, line);
	fflush(p->fp);
	p->shown = true;
}

void
bt_progress_clear(struct bt_progress *p)
{
	if (!p->shown)
		return;
	fprintf(p->fp, "\r\033[K");
	fflush(p->fp);
	p->shown = false;
	p->drawn_us = 0;
}
