/*
 * lanes_sha256_priv - SHA-256 of FIPS 180-4 over vectors: W streams at once.
 *
 * The kernel that includes it gives TARGET, vec, and on vectors of words add,
 * xor, xor3, ch, maj, rol, shr, word (one constant in all places), load (a block
 * of each stream), gather and scatter (a word of each state). Rounds are written
 * out by inlining, so that all indices are constants and vectors stay registers.
 */
/* Round i, of which only i % 16 is a constant; k is that of round i - i % 16. */
LANES_INLINE TARGET void
sha256_round(vec v[8], vec w[16], const uint32_t *k, unsigned i)
{
	vec a = v[(16 - i) % 8], b = v[(17 - i) % 8], c = v[(18 - i) % 8];
	vec *d = &v[(19 - i) % 8], e = v[(20 - i) % 8], f = v[(21 - i) % 8];
	vec g = v[(22 - i) % 8], *h = &v[(23 - i) % 8], t;

	t = add(add(*h, add(w[i], word(k[i]))),
	    add(ch(e, f, g), xor3(rol(e, 26), rol(e, 21), rol(e, 7))));
	*d = add(*d, t);
	t = add(t, maj(a, b, c));
	*h = add(t, xor3(rol(a, 30), rol(a, 19), rol(a, 10)));
}

LANES_INLINE TARGET void
sha256_word(vec w[16], unsigned i)
{
	vec x = w[(i + 1) % 16], y = w[(i + 14) % 16];

	x = xor3(rol(x, 25), rol(x, 14), shr(x, 3));
	y = xor3(rol(y, 15), rol(y, 13), shr(y, 10));
	w[i] = add(add(w[i], w[(i + 9) % 16]), add(x, y));
}

LANES_INLINE TARGET void
sha256_rounds4(vec v[8], vec w[16], const uint32_t *k, unsigned i)
{
	if (k != bt_lanes_sha256_k) {
		sha256_word(w, i);
		sha256_word(w, i + 1);
		sha256_word(w, i + 2);
		sha256_word(w, i + 3);
	}
	sha256_round(v, w, k, i);
	sha256_round(v, w, k, i + 1);
	sha256_round(v, w, k, i + 2);
	sha256_round(v, w, k, i + 3);
}

LANES_INLINE TARGET void
sha256_rounds16(vec v[8], vec w[16], const uint32_t *k)
{
	sha256_rounds4(v, w, k, 0);
	sha256_rounds4(v, w, k, 4);
	sha256_rounds4(v, w, k, 8);
	sha256_rounds4(v, w, k, 12);
}

static TARGET void
sha256(uint32_t *const state[], const uint8_t *const from[], size_t blocks)
{
	vec sum[8], v[8], w[16];

	for (unsigned i = 0; i < 8; i++)
		sum[i] = gather(state, i);
	for (size_t at = 0; at < 64 * blocks; at += 64) {
		load(w, from, at);
		for (unsigned i = 0; i < 8; i++)
			v[i] = sum[i];
		sha256_rounds16(v, w, bt_lanes_sha256_k);
		for (unsigned i = 16; i < 64; i += 16)
			sha256_rounds16(v, w, bt_lanes_sha256_k + i);
		for (unsigned i = 0; i < 8; i++)
			sum[i] = add(sum[i], v[i]);
	}
	for (unsigned i = 0; i < 8; i++)
		scatter(state, i, sum[i]);
}
