#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define ROOM (1u << 20) /* bytes that wait; twice that in all */
#define LINE_MAX_LEN 512u
#define CHUNK 4096u	/* a pipe that can be written has room for so much */
#define WAIT_MS 100	/* between two looks at whether it is to end */
#define GIVE_UP_MS 2000 /* at the end, for who does not read */

static const char *const fronts[] = {
	[BT_STATS_HTTP] = "http",
	[BT_STATS_HTTPS] = "https",
	[BT_STATS_UDP] = "udp",
};

static const char *const requests[] = {
	[BT_EVENT_NONE] = "announce",
	[BT_EVENT_COMPLETED] = "completed",
	[BT_EVENT_STARTED] = "started",
	[BT_EVENT_STOPPED] = "stopped",
	[BT_EVENT_PAUSED] = "paused",
};

struct bt_record {
	char *path; /* NULL: what was opened by others */
	bool whole;
	int fd; /* the writer's */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what is below */
	pthread_cond_t wake;
	char *fill; /* lines that wait */
	size_t n;
	uint64_t lost, lost_told; /* lines; those that were said to be */
	uint64_t marked;	  /* lost lines that what is in out tells of */
	int next_fd;		  /* to go on with, or -1 */
	bool ending;
	char *out; /* the writer's: what is being written */
	bool
	    torn; /* the writer's: the last line in the file is a part of one */
};

static int
open_file(const char *path, struct bt_err *err)
{
	int fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);

	return fd == -1 ? bt_err_sys(err, "cannot write '%s'", path) : fd;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool
is_ending(struct bt_record *r)
{
	bool ending;

	pthread_mutex_lock(&r->lock);
	ending = r->ending;
	pthread_mutex_unlock(&r->lock);
	return ending;
}

/* Is there room? Until there is, or the end comes and nobody reads. */
static bool
wait_for_room(struct bt_record *r, int64_t *give_up)
{
	struct pollfd p = { .fd = r->fd, .events = POLLOUT };

	while (poll(&p, 1, WAIT_MS) <= 0) {
		if (!is_ending(r))
			continue;
		if (*give_up == 0)
			*give_up = now_ms() + GIVE_UP_MS;
		if (now_ms() >= *give_up)
			return false;
	}
	return true;
}

/* How many bytes of p went out: less than n when no more could be written. */
static size_t
write_bytes(struct bt_record *r, const char *p, size_t n)
{
	int64_t give_up = 0;
	size_t done = 0, len;
	ssize_t sent;

	while (done < n) {
		if (!wait_for_room(r, &give_up))
			break;
		len = n - done < CHUNK ? n - done : CHUNK;
		sent = write(r->fd, p + done, len);
		if (sent == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (sent == -1)
			break;
		done += (size_t)sent;
	}
	return done;
}

/* The same of what is in out, which begins a line. */
static size_t
write_out(struct bt_record *r, size_t n)
{
	size_t sent;

	if (n > 0 && r->torn && write_bytes(r, "\n", 1) == 0)
		return 0;
	sent = write_bytes(r, r->out, n);
	if (n > 0)
		r->torn = sent > 0 && r->out[sent - 1] != '\n';
	return sent;
}

static uint64_t
lines_in(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

static void
time_text(char out[24])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Under the lock: take what waits, and what is to be said of what was lost. */
static size_t
take(struct bt_record *r)
{
	char when[24], *full = r->fill;
	size_t n = r->n;

	r->marked = 0;
	if (r->lost > r->lost_told && ROOM - n >= LINE_MAX_LEN) {
		time_text(when);
		n += (size_t)snprintf(full + n, LINE_MAX_LEN,
		    "%s\t-\t-\tlost\t-\t%" PRIu64 "\n", when,
		    r->lost - r->lost_told);
		r->marked = r->lost - r->lost_told;
		r->lost_told = r->lost;
	}
	r->fill = r->out;
	r->out = full;
	r->n = 0;
	return n;
}

static bool
is_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static void
change_file(struct bt_record *r)
{
	if (!is_same_file(r->fd, r->next_fd))
		r->torn = false;
	close(r->fd);
	r->fd = r->next_fd;
	r->next_fd = -1;
}

/* Under the lock: of what take() gave only `sent` bytes went out, not the last. */
static void
lose(struct bt_record *r, size_t sent, size_t n)
{
	r->lost += lines_in(r->out + sent, n - sent);
	if (r->marked == 0)
		return;
	r->lost--; /* the line that told of others */
	r->lost_told -= r->marked;
}

static void *
run(void *arg)
{
	struct bt_record *r = arg;
	bool failed = false;
	size_t n, sent;

	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (r->n == 0 && (failed || r->lost == r->lost_told) &&
		       r->next_fd == -1 && !r->ending)
			pthread_cond_wait(&r->wake, &r->lock);
		n = take(r);
		pthread_mutex_unlock(&r->lock);
		sent = write_out(r, n);
		failed = sent < n;
		pthread_mutex_lock(&r->lock);
		if (failed)
			lose(r, sent, n);
		if (r->next_fd != -1)
			change_file(r);
		if (r->ending &&
		    (failed || (r->n == 0 && r->lost == r->lost_told)))
			break;
	}
	r->lost += lines_in(r->fill, r->n);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void
release(struct bt_record *r)
{
	close(r->fd);
	if (r->next_fd != -1)
		close(r->next_fd);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	bt_mem_free(r->path);
	bt_mem_free(r->fill);
	bt_mem_free(r->out);
	bt_mem_free(r);
}

int
bt_record_new(
    struct bt_record **out, const char *path, bool whole, struct bt_err *err)
{
	struct bt_record *r;
	int fd;

	if (path == NULL || strcmp(path, "-") == 0) {
		fd = fcntl(path == NULL ? STDERR_FILENO : STDOUT_FILENO,
		    F_DUPFD_CLOEXEC, 0);
		if (fd == -1)
			return bt_err_sys(err, "cannot write the log");
		path = NULL;
	} else if ((fd = open_file(path, err)) == -1)
		return -1;
	r = bt_mem_zero(1, sizeof(*r));
	r->path = path == NULL ? NULL : bt_mem_strdup(path);
	r->whole = whole;
	r->fd = fd;
	r->next_fd = -1;
	r->fill = bt_mem_alloc(ROOM);
	r->out = bt_mem_alloc(ROOM);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	*out = r;
	return 0;
}

int
bt_record_start(struct bt_record *r, struct bt_err *err)
{
	sigset_t all, was;
	int code;

	/* signals are for who waits for them: here they would end us */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	code = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (code != 0)
		return bt_err_code(err, BT_EFILE, code, "cannot start the log");
	r->started = true;
	return 0;
}

uint64_t
bt_record_free(struct bt_record *r)
{
	uint64_t lost;

	if (r == NULL)
		return 0;
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	lost = r->lost;
	release(r);
	return lost;
}

int
bt_record_reopen(struct bt_record *r, struct bt_err *err)
{
	int fd;

	if (r->path == NULL)
		return 0;
	fd = open_file(r->path, err);
	if (fd == -1)
		return -1;
	pthread_mutex_lock(&r->lock);
	if (r->next_fd != -1)
		close(r->next_fd);
	r->next_fd = fd;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

/* Rule 2. */
static void
client_text(const struct bt_record *r, const struct bt_addr *a,
    char out[BT_ADDR_TEXT_MAX + 4])
{
	struct bt_addr cut = *a;
	size_t keep = a->family == 4 ? 3 : 6, all = a->family == 4 ? 4 : 16;
	char text[BT_ADDR_TEXT_MAX];

	if (a->family == 0) {
		memcpy(out, "-", 2);
		return;
	}
	if (!r->whole)
		memset(cut.ip + keep, 0, all - keep);
	snprintf(out, BT_ADDR_TEXT_MAX + 4, "%s%s", bt_addr_ip_text(&cut, text),
	    r->whole	     ? ""
	    : a->family == 4 ? "/24"
			     : "/48");
}

void
bt_record_put(struct bt_record *r, const struct bt_record_line *line)
{
	char text[LINE_MAX_LEN], when[24], client[BT_ADDR_TEXT_MAX + 4];
	char hex[41] = "-", result[256];
	size_t n;

	time_text(when);
	client_text(r, &line->client, client);
	if (line->info_hash != NULL)
		bt_str_hex((struct bt_str){ line->info_hash, 20 }, hex);
	if (line->refusal == NULL)
		snprintf(result, sizeof(result), "%" PRIu32, line->n);
	else
		snprintf(result, sizeof(result), "refused: %s", line->refusal);
	n = (size_t)snprintf(text, sizeof(text), "%s\t%s\t%s\t%s\t%s\t%s\n",
	    when, client, fronts[line->front],
	    line->is_scrape ? "scrape" : requests[line->event], hex, result);
	pthread_mutex_lock(&r->lock);
	if (ROOM - r->n < n)
		r->lost++;
	else {
		memcpy(r->fill + r->n, text, n);
		if (r->n == 0)
			pthread_cond_signal(&r->wake);
		r->n += n;
	}
	pthread_mutex_unlock(&r->lock);
}
