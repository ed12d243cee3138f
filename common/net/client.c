#include "net/client_priv.h"

#include <malloc.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "net/coin.h"

/* Descriptors that are not peers': content (disk/opened), trackers, ourselves */
#define OTHERS_MAX 2048u

/*
 * However many come, descriptors are left for content and trackers: without
 * them a peer is of no use.
 */
static void
share_descriptors(struct bt_client *c)
{
	struct rlimit rl = { .rlim_cur = RLIM_INFINITY };
	rlim_t all, rest;

	getrlimit(RLIMIT_NOFILE, &rl);
	all = rl.rlim_cur;
	c->strangers_max = BT_CLIENT_STRANGERS;
	if (c->strangers_max > all / 8)
		c->strangers_max = (unsigned)(all / 8) + 1;
	rest = all / 4 < OTHERS_MAX ? all / 4 : OTHERS_MAX;
	rest += c->strangers_max;
	c->peers_max = c->conf.peers_max;
	if (c->peers_max > all - rest)
		c->peers_max = (uint32_t)(all - rest);
}

/*
 * A large buffer goes back to the system when it is freed. Left to itself,
 * malloc keeps it in the heap after a while; small things settle in it, the
 * next large one does not fit any more, and the ceiling is exceeded by one.
 */
static void
return_large_buffers(void)
{
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

static void
on_accept(void *arg, int fd, const struct bt_addr *from)
{
	bt_conn_accept(arg, fd, from);
}

/*
 * A swarm takes a step for all its jobs that came back, not for each: what they
 * made room for is then asked in one message, and sent in one batch.
 */
static void
on_pool(void *arg, unsigned what)
{
	struct bt_client *c = arg;
	struct bt_pool_job *done;
	struct bt_swarm *s, *last = NULL;

	(void)what;
	while ((done = bt_pool_done(c->pool)) != NULL) {
		struct bt_job *job = (struct bt_job *)(void *)done;

		s = job->arg;
		if (last != NULL && last != s)
			bt_swarm_step(last);
		bt_swarm_on_job(s, job);
		last = s;
	}
	if (last != NULL)
		bt_swarm_step(last);
}

static void
on_up(void *arg)
{
	bt_send_pump(arg);
}

static void
on_down(void *arg)
{
	bt_conn_pump_down(arg);
}

static void
on_strangers(void *arg)
{
	bt_conn_expire(arg);
}

static int
listen_on(struct bt_client *c, struct bt_err *err)
{
	struct bt_tcp_listen_conf lc = { .ipv4 = c->conf.ipv4,
		.ipv6 = c->conf.ipv6,
		.bind = c->conf.bind,
		.port = c->conf.port,
		.or_any = c->conf.or_any,
		.on_accept = on_accept,
		.arg = c };

	return bt_tcp_listen(&c->listener, c->conf.loop, &lc, err);
}

/* A sync holds its worker for as long as the disk takes: one more goes on. */
static unsigned
workers(const struct bt_client_conf *conf)
{
	unsigned n = bt_pool_cores();

	if (conf->threads != 0)
		return conf->threads;
	return n < 2 ? 2 : n;
}

int
bt_client_new(struct bt_client **out, const struct bt_client_conf *conf,
    struct bt_err *err)
{
	struct bt_client *c = bt_mem_zero(1, sizeof(*c));
	struct bt_asker_conf ac = { .loop = conf->loop,
		.ipv4 = conf->ipv4,
		.ipv6 = conf->ipv6,
		.bind = conf->bind,
		.insecure = conf->insecure,
		.log = conf->log };
	uint8_t key[16];
	int64_t now = bt_loop_now(conf->loop);

	c->conf = *conf;
	share_descriptors(c);
	return_large_buffers();
	TAILQ_INIT(&c->up_line);
	TAILQ_INIT(&c->down_line);
	TAILQ_INIT(&c->strangers);
	if (listen_on(c, err) == -1 ||
	    (c->pool = bt_pool_new(workers(conf), err)) == NULL) {
		bt_client_free(c);
		return -1;
	}
	bt_coin_fill(key, sizeof(key));
	c->swarms = bt_htab_new(BT_SHA1_LEN, key);
	c->asker = bt_asker_new(&ac);
	c->pool_watch =
	    bt_loop_watch_new(conf->loop, bt_pool_fd(c->pool), on_pool, c);
	bt_loop_watch_set(c->pool_watch, BT_LOOP_READ);
	bt_bucket_init(&c->up, conf->up_bps, now);
	bt_bucket_init(&c->down, conf->down_bps, now);
	c->up_timer = bt_loop_timer_new(conf->loop, on_up, c);
	c->down_timer = bt_loop_timer_new(conf->loop, on_down, c);
	c->stranger_timer = bt_loop_timer_new(conf->loop, on_strangers, c);
	c->scratch = bt_mem_alloc(SCRATCH_LEN);
	c->staging = bt_mem_pages(BT_MEM_CLEAR + STAGING_LEN);
	c->pipe = bt_pipe_new();
	*out = c;
	return 0;
}

void
bt_client_free(struct bt_client *c)
{
	struct bt_conn *conn;

	if (c == NULL)
		return;
	while ((conn = TAILQ_FIRST(&c->strangers)) != NULL)
		bt_conn_free(conn);
	bt_tcp_listen_free(c->listener);
	bt_asker_free(c->asker);
	bt_loop_watch_free(c->pool_watch);
	bt_pool_free(c->pool);
	bt_htab_free(c->swarms);
	bt_loop_timer_free(c->up_timer);
	bt_loop_timer_free(c->down_timer);
	bt_loop_timer_free(c->stranger_timer);
	bt_mem_free(c->scratch);
	bt_mem_free(c->staging);
	bt_pipe_free(c->pipe);
	bt_mem_free(c);
}

struct bt_addr
bt_client_addr(const struct bt_client *c)
{
	struct bt_addr a = { .family = 0 };

	if (!bt_tcp_listen_addr(c->listener, 4, &a))
		bt_tcp_listen_addr(c->listener, 6, &a);
	if (!bt_addr_is_any(&a))
		return a;
	/* A script dials what it reads: the wildcard is no address to dial. */
	if (a.family == 4)
		memcpy(a.ip, (const uint8_t[]){ 127, 0, 0, 1 }, 4);
	else
		a.ip[15] = 1;
	return a;
}
