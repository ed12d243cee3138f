#include "disk/verify_stream.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk_layout.h"

static const struct made_file several[] = {
	{ "T/a", 1000, 0 },
	{ "T/.pad/24", 24, BT_META_PAD },
	{ "T/b", 300000, 0 },
	{ "T/none", 0, 0 },
	{ "T/d", 8700001, 0 },
	{ NULL, 0, 0 },
};
/* 5 MiB and more than is held at once: hashed in parts */
static const uint32_t lengths[] = { 1000, 16384, 262144, 4 << 20, 5 << 20,
	1 << 23, 9001025, 1 << 30 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Writes bytes into a pipe from a thread of its own. */
struct pump {
	pthread_t thread;
	const uint8_t *p;
	size_t n;
	int fds[2];
};

static void *
pump_run(void *arg)
{
	struct pump *u = arg;
	ssize_t put;

	while (u->n > 0) {
		put = write(u->fds[1], u->p, u->n < 70001 ? u->n : 70001);
		if (put == -1)
			break;
		u->p += put;
		u->n -= (size_t)put;
	}
	close(u->fds[1]);
	return NULL;
}

static int
pump_start(struct pump *u, const uint8_t *p, size_t n)
{
	u->p = p;
	u->n = n;
	assert_int_equal(pipe(u->fds), 0);
	assert_int_equal(pthread_create(&u->thread, NULL, pump_run, u), 0);
	return u->fds[0];
}

static void
pump_stop(struct pump *u)
{
	close(u->fds[0]);
	pthread_join(u->thread, NULL);
}

static void
a_pipe_is_authored_like_a_file(void **state)
{
	static const struct made_file one[] = { { "x", 9000001, 0 },
		{ NULL, 0, 0 } };

	(void)state;
	for (size_t k = 0; k < COUNT(lengths); k++) {
		struct bt_layout *l = made_layout("x", lengths[k], one);
		uint8_t *c = made_content(l);
		struct bt_err err = BT_ERR_INIT;
		struct bt_buf hashes;
		struct pump u;
		uint64_t size = 0;

		bt_buf_init(&hashes, (size_t)l->pieces * 20);
		assert_int_equal(
		    bt_verify_author_fd(pump_start(&u, c, l->size), "-",
			lengths[k], 2, NULL, NULL, &hashes, &size, &err),
		    0);
		pump_stop(&u);
		assert_int_equal(size, l->size);
		assert_int_equal(hashes.n, (size_t)l->pieces * 20);
		assert_memory_equal(hashes.p, l->piece_hashes, hashes.n);
		bt_buf_fini(&hashes);
		bt_layout_free(l);
		bt_mem_free(c);
	}
}

static void
sizes_around_a_piece_s_end_give_the_right_number_of_pieces(void **state)
{
	static const uint64_t sizes[] = { 0, 1, (5 << 20) - 1, 5 << 20,
		(5 << 20) + 1, 10 << 20 };

	(void)state;
	for (size_t k = 0; k < COUNT(sizes); k++) {
		struct made_file one[] = { { "x", sizes[k], 0 },
			{ NULL, 0, 0 } };
		struct bt_layout *l = made_layout("x", 5 << 20, one);
		uint8_t *c = made_content(l);
		struct bt_err err = BT_ERR_INIT;
		struct bt_buf hashes;
		struct pump u;
		uint64_t size = 99;

		bt_buf_init(&hashes, 100);
		assert_int_equal(
		    bt_verify_author_fd(pump_start(&u, c, l->size), "-",
			5 << 20, 1, NULL, NULL, &hashes, &size, &err),
		    0);
		pump_stop(&u);
		assert_int_equal(size, l->size);
		assert_int_equal(hashes.n, (size_t)l->pieces * 20);
		if (hashes.n > 0)
			assert_memory_equal(
			    hashes.p, l->piece_hashes, hashes.n);
		bt_buf_fini(&hashes);
		bt_layout_free(l);
		bt_mem_free(c);
	}
}

static void
more_pieces_than_the_ceiling_allows_is_a_limit(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf hashes;
	struct pump u;
	uint64_t size;
	uint8_t *c = bt_mem_zero(1, 100000);

	(void)state;
	bt_buf_init(&hashes, 20 * 9);
	assert_int_equal(bt_verify_author_fd(pump_start(&u, c, 100000), "-",
			     10000, 1, NULL, NULL, &hashes, &size, &err),
	    -1);
	pump_stop(&u);
	assert_int_equal(err.kind, BT_ELIMIT);
	bt_buf_fini(&hashes);
	bt_mem_free(c);
}

/* The content as it comes in a stream: without padding. gives, *n bytes. */
static uint8_t *
streamed(const struct bt_layout *l, const uint8_t *c, size_t *n)
{
	uint8_t *out = bt_mem_alloc(l->size + 1);

	*n = 0;
	for (uint32_t i = 0; i < l->files->n; i++) {
		if ((l->files->at[i].attr & BT_META_PAD) != 0)
			continue;
		memcpy(out + *n, c + l->files->at[i].offset,
		    bt_filetab_size(l->files, i));
		*n += bt_filetab_size(l->files, i);
	}
	return out;
}

static void
a_stream_without_padding_is_checked_against_the_pieces(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(lengths); k++) {
		struct bt_layout *l = made_layout("T", lengths[k], several);
		uint8_t *c = made_content(l), *s;
		struct bt_err err = BT_ERR_INIT;
		struct bt_bits good;
		struct pump u;
		uint64_t came = 0;
		size_t n;

		s = streamed(l, c, &n);
		bt_bits_init(&good, l->pieces);
		assert_int_equal(bt_verify_stream(pump_start(&u, s, n), "-", l,
				     2, NULL, &good, &came, &err),
		    0);
		pump_stop(&u);
		assert_true(bt_bits_is_full(&good));
		assert_true(came == l->size);
		s[n - 5] ^= 1; /* in the last piece */
		assert_int_equal(bt_verify_stream(pump_start(&u, s, n + 1), "-",
				     l, 2, NULL, &good, &came, &err),
		    0);
		pump_stop(&u);
		assert_true(came == l->size + 1);
		assert_int_equal(good.set, l->pieces - 1);
		assert_false(bt_bits_has(&good, l->pieces - 1));
		bt_bits_fini(&good);
		bt_layout_free(l);
		bt_mem_free(s);
		bt_mem_free(c);
	}
}

static void
a_stream_that_ends_early_has_the_pieces_that_came(void **state)
{
	(void)state;
	for (size_t k = 0; k < COUNT(lengths); k++) {
		struct bt_layout *l = made_layout("T", lengths[k], several);
		uint8_t *c = made_content(l), *s;
		struct bt_err err = BT_ERR_INIT;
		struct bt_bits good;
		struct pump u;
		uint64_t came = 0;
		size_t n;

		s = streamed(l, c, &n);
		bt_bits_init(&good, l->pieces);
		assert_int_equal(
		    bt_verify_stream(pump_start(&u, s, 6000000 - 24), "-", l, 2,
			NULL, &good, &came, &err),
		    0);
		pump_stop(&u);
		assert_int_equal(came, 6000000);
		for (uint32_t i = 0; i < l->pieces; i++)
			assert_int_equal(bt_bits_has(&good, i),
			    (i + 1ull) * lengths[k] <= 6000000);
		bt_bits_fini(&good);
		bt_layout_free(l);
		bt_mem_free(s);
		bt_mem_free(c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_is_authored_like_a_file),
		cmocka_unit_test(
		    sizes_around_a_piece_s_end_give_the_right_number_of_pieces),
		cmocka_unit_test(
		    more_pieces_than_the_ceiling_allows_is_a_limit),
		cmocka_unit_test(
		    a_stream_without_padding_is_checked_against_the_pieces),
		cmocka_unit_test(
		    a_stream_that_ends_early_has_the_pieces_that_came),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
