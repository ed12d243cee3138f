/*
 * lanes_sha1_priv - SHA-1 of FIPS 180-4 over vectors: W streams at once.
 *
 * The kernel that includes it gives TARGET, vec, and on vectors of words add,
 * xor, xor3, ch, maj, rol, shr, word (one constant in all places), load (a block
 * of each stream), gather and scatter (a word of each state). Rounds are written
 * out by inlining, so that all indices are constants and vectors stay registers.
 */
LANES_INLINE TARGET void
sha1_round(vec v[5], vec w[16], unsigned i)
{
	vec a = v[(80 - i) % 5], *b = &v[(81 - i) % 5];
	vec c = v[(82 - i) % 5], d = v[(83 - i) % 5], *e = &v[(84 - i) % 5];
	vec f, k = word(bt_lanes_sha1_k[i / 20]);

	if (i >= 16)
		w[i % 16] = rol(xor(w[i % 16], xor3(w[(i + 2) % 16],
		    w[(i + 8) % 16], w[(i + 13) % 16])), 1);
	switch (i / 20) {
	case 0:
		f = ch(*b, c, d);
		break;
	case 2:
		f = maj(*b, c, d);
		break;
	default:
		f = xor3(*b, c, d);
		break;
	}
	*e = add(add(*e, add(w[i % 16], k)), add(f, rol(a, 5)));
	*b = rol(*b, 30);
}

LANES_INLINE TARGET void
sha1_rounds4(vec v[5], vec w[16], unsigned i)
{
	sha1_round(v, w, i);
	sha1_round(v, w, i + 1);
	sha1_round(v, w, i + 2);
	sha1_round(v, w, i + 3);
}

LANES_INLINE TARGET void
sha1_rounds20(vec v[5], vec w[16], unsigned i)
{
	sha1_rounds4(v, w, i);
	sha1_rounds4(v, w, i + 4);
	sha1_rounds4(v, w, i + 8);
	sha1_rounds4(v, w, i + 12);
	sha1_rounds4(v, w, i + 16);
}

static TARGET void
sha1(uint32_t *const state[], const uint8_t *const from[], size_t blocks)
{
	vec sum[5], v[5], w[16];

	for (unsigned i = 0; i < 5; i++)
		sum[i] = gather(state, i);
	for (size_t at = 0; at < 64 * blocks; at += 64) {
		load(w, from, at);
		for (unsigned i = 0; i < 5; i++)
			v[i] = sum[i];
		sha1_rounds20(v, w, 0);
		sha1_rounds20(v, w, 20);
		sha1_rounds20(v, w, 40);
		sha1_rounds20(v, w, 60);
		for (unsigned i = 0; i < 5; i++)
			sum[i] = add(sum[i], v[i]);
	}
	for (unsigned i = 0; i < 5; i++)
		scatter(state, i, sum[i]);
}
