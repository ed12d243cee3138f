#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../lib/content.h"
#include "base/mem.h"
#include "base/rd.h"
#include "net.h"
#include "shell.h"

struct sim *
sim_world_new(const char *name, uint64_t seed, bool verbose)
{
	struct sim *s = bt_mem_zero(1, sizeof(*s));

	s->name = name;
	s->seed = seed;
	s->verbose = verbose;
	s->check_every = 1;
	s->linger_us = BT_SEC(3);
	s->now = s->began = BT_SEC(1000);
	s->digest = bt_hash_new(BT_HASH_SHA1);
	bt_rng_seed(&s->rng, seed);
	return s;
}

uint64_t
sim_between(struct sim *s, uint64_t low, uint64_t high)
{
	if (high <= low)
		return low;
	return low + bt_rng_u64(&s->rng) % (high - low + 1);
}

bool
sim_chance(struct sim *s, unsigned permille)
{
	return bt_rng_below(&s->rng, 1000) < permille;
}

/* Eight bytes of content at a time: a function of the seed and the offset. */
static void
fill(uint8_t *p, size_t n, uint64_t seed)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0) {
			x = seed + i;
			x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
			x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
			x ^= x >> 31;
		}
		p[i] = (uint8_t)(x >> (i % 8 * 8));
	}
}

void
sim_world_content(
    struct sim *s, uint32_t pieces, uint32_t piece_length, uint32_t last_length)
{
	struct sim_content *c = &s->content;
	uint64_t size = (uint64_t)(pieces - 1) * piece_length + last_length;
	uint8_t *hashes = bt_mem_array(pieces, BT_SHA1_LEN);
	struct bt_meta m = { .has_v1 = true,
		.name = STR("content"),
		.size = size,
		.piece_length = piece_length,
		.pieces = pieces,
		.piece_hashes = hashes,
		.files = bt_filetab_new() };

	content_cut(m.files, size);
	c->bytes = bt_mem_alloc(size);
	fill(c->bytes, size, s->seed);
	memset(m.info_hash, 0x5a, sizeof(m.info_hash));
	for (uint32_t i = 0; i < pieces; i++)
		bt_hash_sha1(
		    (struct bt_str){ c->bytes + (size_t)i * piece_length,
			i + 1 < pieces ? piece_length : last_length },
		    hashes + (size_t)i * BT_SHA1_LEN);
	c->layout = bt_layout_new(&m);
	bt_filetab_free(m.files);
	c->block_at = bt_mem_array(pieces + 1, sizeof(*c->block_at));
	for (uint32_t i = 0; i < pieces; i++) {
		c->block_at[i] = c->blocks;
		c->blocks += bt_layout_blocks(c->layout, i);
	}
	c->block_at[pieces] = c->blocks;
	bt_mem_free(hashes);
}

/*
 * Every fifth host is of IPv6, in a /64 of its own. The address tells the host's
 * number; those of IPv4 are of 64 networks of 256 addresses.
 */
static struct bt_addr
address(unsigned id)
{
	uint8_t ip[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (id % 5 == 4) {
		bt_put_be32(ip + 4, id);
		bt_put_be32(ip + 12, id);
		return bt_addr_v6(ip, 6881);
	}
	bt_put_be32(ip, UINT32_C(0x0a000001) + (id % 64 << 8) + id / 64);
	return bt_addr_v4(ip, 6881);
}

struct sim_host *
sim_world_at(struct sim *s, const struct bt_addr *addr)
{
	uint32_t id = bt_be32(addr->ip + 12), ip = bt_be32(addr->ip);

	if (addr->family == 4)
		id = ((ip & 0xff) - 1) * 64 + (ip >> 8 & 0xff);
	if (id >= s->nhosts || !bt_addr_eq_ip(&s->hosts[id]->addr, addr)) {
		sim_fail(s, NULL, "an address that is nobody's is named");
		return s->hosts[0];
	}
	return s->hosts[id];
}

struct sim_host *
sim_world_host(struct sim *s, const struct sim_ops *ops)
{
	struct sim_host *h = bt_mem_zero(1, sizeof(*h));

	s->hosts = bt_mem_resize(s->hosts, s->nhosts + 1, sizeof(*s->hosts));
	s->listed = bt_mem_resize(s->listed, s->nhosts + 1, sizeof(*s->listed));
	h->sim = s;
	h->id = s->nhosts;
	h->addr = address(h->id);
	h->ops = ops;
	h->listens = true;
	TAILQ_INIT(&h->line);
	TAILQ_INIT(&h->ends);
	s->hosts[s->nhosts++] = h;
	return h;
}

static void
birth(struct sim *s, void *what, uint64_t arg)
{
	struct sim_host *h = what;

	(void)arg;
	if (s->is_over || h->up)
		return;
	h->up = true;
	h->life++;
	h->up_free = h->down_free = s->now;
	sim_log(s, h, "born", h->life, 0);
	h->ops->born(h);
}

void
sim_world_birth(struct sim_host *h, int64_t at)
{
	sim_heap_put(&h->sim->heap, at, birth, h, 0);
}

void
sim_world_death(struct sim_host *h, bool loud)
{
	if (!h->up)
		return;
	sim_log(h->sim, h, "died", loud, 0);
	h->up = false;
	h->life++;
	h->ops->died(h);
	sim_net_drop_all(h, loud);
}

void
sim_world_after(
    struct sim *s, int64_t us, sim_act *act, void *what, uint64_t arg)
{
	sim_heap_put(&s->heap, s->now + us, act, what, arg);
}

unsigned
sim_world_announce(struct sim_host *h, struct bt_addr *out, unsigned n)
{
	struct sim *s = h->sim;
	unsigned given = 0;
	bool known = false;

	for (unsigned i = 0; i < s->nlisted; i++)
		known = known || s->listed[i] == h;
	/* The first `given` of the list are those already drawn. */
	for (unsigned i = 0; i < s->nlisted && given < n; i++) {
		unsigned j = i + bt_rng_below(&s->rng, s->nlisted - i);
		struct sim_host *other = s->listed[j];

		s->listed[j] = s->listed[i];
		s->listed[i] = other;
		if (other != h)
			out[given++] = other->addr;
	}
	if (!known)
		s->listed[s->nlisted++] = h;
	return given;
}

void
sim_log(struct sim *s, const struct sim_host *h, const char *what, uint64_t a,
    uint64_t b)
{
	uint8_t rec[32] = { 0 };

	bt_put_be64(rec, (uint64_t)s->now);
	bt_put_be64(rec + 8, a);
	bt_put_be64(rec + 16, b);
	bt_put_be32(rec + 24, h == NULL ? UINT32_MAX : h->id);
	for (unsigned i = 0; what[i] != '\0'; i++)
		rec[28 + i % 4] = (uint8_t)(rec[28 + i % 4] * 31 + what[i]);
	bt_hash_add(s->digest, rec, sizeof(rec));
	s->events++;
	if (s->verbose && h != NULL)
		printf("%9.4f h%u %s %llu %llu\n", (double)s->now / 1e6 - 1000,
		    h->id, what, (unsigned long long)a, (unsigned long long)b);
}

void
sim_fail(struct sim *s, const struct sim_host *h, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	printf("%s seed %llu: at %.6f s", s->name, (unsigned long long)s->seed,
	    (double)s->now / 1e6 - 1000);
	if (h != NULL)
		printf(", host %u", h->id);
	printf(": ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* The evil first: who still keeps one is seen while it is alive. */
static void
end_all(struct sim *s, bool evil)
{
	for (unsigned i = 0; i < s->nhosts && !s->failed; i++)
		if ((s->hosts[i]->evil != NULL) == evil)
			sim_world_death(s->hosts[i], true);
}

bool
sim_world_run(struct sim *s, int64_t limit_us)
{
	struct sim_event e;
	int64_t end = s->now + (s->limit_us != 0 ? s->limit_us : limit_us);

	s->finished = 0;
	while (!s->failed && sim_heap_take(&s->heap, &e)) {
		if (e.at > end) {
			sim_heap_put(&s->heap, e.at, e.act, e.what, e.arg);
			break;
		}
		s->now = e.at;
		e.act(s, e.what, e.arg);
		if (s->unfinished == 0 && s->finished == 0) {
			s->finished = s->now;
			end = s->now + s->linger_us;
		}
	}
	if (s->unfinished > 0)
		sim_fail(
		    s, NULL, "%u have not finished by then", s->unfinished);
	s->is_judging = true;
	end_all(s, true);
	end_all(s, false);
	s->is_judging = false;
	return !s->failed;
}

void
sim_world_free(struct sim *s)
{
	struct sim_event e;

	for (unsigned i = 0; i < s->nhosts; i++)
		sim_world_death(s->hosts[i], false);
	s->is_over = true;
	while (sim_heap_take(&s->heap, &e))
		e.act(s, e.what, e.arg); /* frees what it carries */
	sim_net_free(s);
	for (unsigned i = 0; i < s->nhosts; i++) {
		if (s->hosts[i]->shell != NULL)
			sim_shell_free(s->hosts[i]);
		bt_mem_free(s->hosts[i]->evil);
		bt_mem_free(s->hosts[i]);
	}
	bt_mem_free(s->hosts);
	bt_mem_free(s->listed);
	bt_layout_free(s->content.layout);
	bt_mem_free(s->content.bytes);
	bt_mem_free(s->content.block_at);
	sim_heap_fini(&s->heap);
	bt_hash_free(s->digest);
	bt_mem_free(s);
}
