#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/*
 * The source of the AVX-512 kernels over instructions that are plain C, so that
 * they are tested where the processor lacks them.
 */
#include "base/lanes_priv.h"

#undef LANES_TARGET
#define LANES_TARGET(isa)
#undef LANES_INLINE /* C in place of instructions is too much to inline */
#define LANES_INLINE static
#define bt_lanes_avx512 emulated
#include "base/lanes_x86_avx512.c"

#include "lanes_check.h"

static void
check(void (*how)(struct lanes_check *c))
{
	struct lanes_check c;
	struct bt_lanes l;

	for (unsigned i = 0; i < 2; i++) {
		bt_lanes_init_only(&l, &emulated[i]);
		lanes_check_init(&c, &l, emulated[i].kind, 7);
		how(&c);
		lanes_check_fini(&c);
	}
}

static void
some_random_streams(struct lanes_check *c)
{
	lanes_check_random(c, LANES_STREAMS);
}

static void
streams_of_any_length_agree_with_openssl(void **state)
{
	(void)state;
	check(some_random_streams);
}

static void
edges_of_blocks_and_padding_agree_with_openssl(void **state)
{
	(void)state;
	check(lanes_check_edges);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_of_any_length_agree_with_openssl),
		cmocka_unit_test(
		    edges_of_blocks_and_padding_agree_with_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
