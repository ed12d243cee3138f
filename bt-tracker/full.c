#include "full.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define KEEP (32u << 10) /* torrents of one pass; twice as many fit: 2 MB */
#define LOOK 256u	 /* torrents in one turn of a lock */
#define REST_EVERY 16u	 /* turns, then a pause: half of a core at most */
#define REST_MS 1
#define WAIT_MS 100	    /* between two looks at whether it is to end */
#define LEAST_PER_MS 64	    /* bytes of the whole answer; rule 5 */
#define OUT_MAX (64u << 10) /* bytes in one send */
#define OUT_SOFT (OUT_MAX - 256u) /* one row is less */

enum step { FREE, RESERVED, BEGUN };

struct bt_full {
	struct bt_service *service;
	struct bt_quota *quota;
	uint64_t timeout_ms;
	pthread_t thread;
	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t wake;
	enum step step;
	bool ending;
	int fd;
	struct bt_tls_conn *tls;
	struct bt_addr from;
	/* the thread's own */
	struct bt_gate_pass pass;
	struct bt_scrape_row *rows;
	size_t n;
	bool
	    cut; /* the rows are the least KEEP there are, or fewer came later */
	uint8_t after[20]; /* what was sent last */
	bool any;
	struct bt_buf out;
	int64_t spent; /* ms in sending */
	uint64_t sent; /* bytes */
};

static bool
is_ending(struct bt_full *f)
{
	bool ending;

	pthread_mutex_lock(&f->lock);
	ending = f->ending;
	pthread_mutex_unlock(&f->lock);
	return ending;
}

static int
by_hash(const void *a, const void *b)
{
	return memcmp(((const struct bt_scrape_row *)a)->info_hash,
	    ((const struct bt_scrape_row *)b)->info_hash, 20);
}

/* Sort, and leave one of those that are there twice: one that moved. */
static void
sort_rows(struct bt_full *f)
{
	size_t n = 0;

	qsort(f->rows, f->n, sizeof(f->rows[0]), by_hash);
	for (size_t i = 0; i < f->n; i++)
		if (n == 0 || by_hash(&f->rows[n - 1], &f->rows[i]) != 0)
			f->rows[n++] = f->rows[i];
	f->n = n;
}

/* Rule 2. */
static void
keep_row(struct bt_full *f, const struct bt_scrape_row *row)
{
	if (f->any && memcmp(row->info_hash, f->after, 20) <= 0)
		return;
	if (f->cut && by_hash(row, &f->rows[KEEP - 1]) >= 0)
		return;
	if (!bt_gate_lets_torrent(&f->pass, row->info_hash))
		return;
	f->rows[f->n++] = *row;
	if (f->n < 2 * KEEP)
		return;
	sort_rows(f);
	f->cut = f->n >= KEEP;
	if (f->cut)
		f->n = KEEP;
}

/* One pass: the next rows in order. False when it is to end. */
static bool
collect(struct bt_full *f)
{
	struct bt_service_tour tour = { .shard = 0 };
	struct bt_scrape_row some[LOOK];
	size_t n, turns = 0;

	f->n = 0;
	f->cut = false;
	while ((n = bt_service_look(f->service, &tour, some, LOOK)) > 0) {
		for (size_t i = 0; i < n; i++)
			keep_row(f, &some[i]);
		if (++turns % REST_EVERY != 0)
			continue;
		if (is_ending(f))
			return false;
		(void)poll(NULL, 0, REST_MS);
	}
	sort_rows(f);
	if (f->n > KEEP) {
		f->n = KEEP;
		f->cut = true;
	}
	return true;
}

static int64_t
now_ms(void)
{
	return (int64_t)bt_service_now_ms();
}

/* Until the socket has room, or bytes where TLS needs those; rule 5. */
static bool
wait_for(struct bt_full *f, short what, int64_t until)
{
	struct pollfd p = { .fd = f->fd, .events = what };

	if (f->tls != NULL && what == POLLOUT && !bt_tls_wants_write(f->tls))
		p.events = POLLIN;
	while (poll(&p, 1, WAIT_MS) <= 0)
		if (now_ms() >= until || is_ending(f))
			return false;
	return true;
}

/* How long may what is in out take? Rule 5; our own passes do not count. */
static int64_t
time_left(const struct bt_full *f)
{
	int64_t each = (int64_t)f->timeout_ms, all;

	all = each + (int64_t)(f->sent / LEAST_PER_MS) - f->spent;
	return all < each ? all : each;
}

static bool
send_out(struct bt_full *f, int64_t until)
{
	const uint8_t *p = f->out.p;
	size_t n = f->out.n;
	ssize_t sent;

	while (n > 0) {
		sent = f->tls != NULL ? bt_tls_send(f->tls, p, n)
				      : send(f->fd, p, n, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1 && errno != EAGAIN)
			return false;
		if (sent == -1 && !wait_for(f, POLLOUT, until))
			return false;
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
			f->sent += (uint64_t)sent;
		}
		if (now_ms() >= until && n > 0)
			return false;
	}
	return true;
}

/* Send what is in out. False when the other side is gone, or too slow. */
static bool
flush(struct bt_full *f)
{
	int64_t begun = now_ms();

	if (!send_out(f, begun + time_left(f)))
		return false;
	f->spent += now_ms() - begun;
	bt_buf_clear(&f->out);
	return true;
}

static bool
add(struct bt_full *f, struct bt_str s)
{
	if (f->out.n > OUT_SOFT && !flush(f))
		return false;
	return bt_buf_add(&f->out, s) == 0;
}

static bool
tell(struct bt_full *f)
{
	if (!add(f, STR("d5:filesd")))
		return false;
	do {
		if (!collect(f))
			return false;
		for (size_t i = 0; i < f->n; i++) {
			if (!add(f, STR("")) ||
			    bt_scrape_row_put(&f->out, &f->rows[i]) == -1)
				return false;
		}
		if (f->n > 0) {
			memcpy(f->after, f->rows[f->n - 1].info_hash, 20);
			f->any = true;
		}
	} while (f->cut);
	return add(f, STR("ee")) && flush(f);
}

/* Closing with bytes unread may undo what was sent: let it go out first. */
static void
drain(struct bt_full *f)
{
	int64_t until = now_ms() + (int64_t)f->timeout_ms;
	uint8_t rest[4096];
	ssize_t n;

	shutdown(f->fd, SHUT_WR);
	do {
		n = recv(f->fd, rest, sizeof(rest), 0);
		if (n == -1 && errno == EAGAIN && wait_for(f, POLLIN, until))
			n = 1;
	} while (n > 0 && now_ms() < until && !is_ending(f));
}

static void
answer(struct bt_full *f)
{
	bool all;

	bt_gate_pass_init(&f->pass, bt_service_conf_of(f->service)->gate);
	f->rows = bt_mem_array((size_t)2 * KEEP, sizeof(*f->rows));
	f->any = false;
	f->spent = 0;
	f->sent = 0;
	bt_buf_clear(&f->out);
	all = tell(f);
	bt_mem_free(f->rows);
	bt_gate_pass_fini(&f->pass);
	bt_tls_end(f->tls);
	f->tls = NULL;
	if (all)
		drain(f);
	close(f->fd);
	bt_quota_leave(f->quota, &f->from);
}

static void *
run(void *arg)
{
	struct bt_full *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		while (f->step != BEGUN && !f->ending)
			pthread_cond_wait(&f->wake, &f->lock);
		if (f->step != BEGUN)
			break;
		pthread_mutex_unlock(&f->lock);
		answer(f);
		pthread_mutex_lock(&f->lock);
		f->step = FREE;
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static void
release(struct bt_full *f)
{
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	bt_buf_fini(&f->out);
	bt_mem_free(f);
}

int
bt_full_new(struct bt_full **out, struct bt_service *s, struct bt_quota *quota,
    uint64_t timeout_ms, struct bt_err *err)
{
	struct bt_full *f = bt_mem_zero(1, sizeof(*f));
	int code;

	f->service = s;
	f->quota = quota;
	f->timeout_ms = timeout_ms;
	bt_buf_init(&f->out, OUT_MAX);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	code = pthread_create(&f->thread, NULL, run, f);
	if (code != 0) {
		release(f);
		return bt_err_code(
		    err, BT_EFILE, code, "cannot start another thread");
	}
	*out = f;
	return 0;
}

void
bt_full_free(struct bt_full *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->ending = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	release(f);
}

bool
bt_full_reserve(struct bt_full *f)
{
	bool was_free;

	pthread_mutex_lock(&f->lock);
	was_free = f->step == FREE;
	if (was_free)
		f->step = RESERVED;
	pthread_mutex_unlock(&f->lock);
	return was_free;
}

void
bt_full_release(struct bt_full *f)
{
	pthread_mutex_lock(&f->lock);
	f->step = FREE;
	pthread_mutex_unlock(&f->lock);
}

void
bt_full_begin(struct bt_full *f, int fd, struct bt_tls_conn *tls,
    const struct bt_addr *from)
{
	pthread_mutex_lock(&f->lock);
	f->fd = fd;
	f->tls = tls;
	f->from = *from;
	f->step = BEGUN;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}
