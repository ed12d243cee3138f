#include "net/coin.h"

#include <sys/random.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A kernel without its generator cannot be worked with: ids that strangers can
 * guess would be worse than an end.
 */
void
bt_coin_fill(void *p, size_t n)
{
	uint8_t *to = p;
	ssize_t got;

	while (n > 0) {
		got = getrandom(to, n, 0);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		to += got;
		n -= (size_t)got;
	}
}

uint64_t
bt_coin_u64(void)
{
	uint64_t v;

	bt_coin_fill(&v, sizeof(v));
	return v;
}

uint32_t
bt_coin_u32(void)
{
	uint32_t v;

	bt_coin_fill(&v, sizeof(v));
	return v;
}

void
bt_coin_peer_id(uint8_t out[20])
{
	/* 64 of them, so that each is equally likely; none needs escaping */
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
				       "WXYZabcdefghijklmnopqrstuvwxyz-_";

	memcpy(out, "-BQ0100-", 8);
	bt_coin_fill(out + 8, 12);
	for (int i = 8; i < 20; i++)
		out[i] = (uint8_t)alphabet[out[i] % 64];
}
