#include "clerk.h"

#include "base/mem.h"
#include "service.h"

void
bt_clerk_init(
    struct bt_clerk *c, uint32_t most, struct bt_gate *gate, uint64_t seed)
{
	uint8_t secret[16];

	bt_rng_seed(&c->rng, seed);
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)bt_rng_below(&c->rng, 256);
	c->peers[0] = bt_mem_array(most + 1, 6);
	c->peers[1] = bt_mem_array(most + 1, 18);
	c->record = NULL;
	c->pace = bt_pace_new(secret);
	bt_gate_pass_init(&c->pass, gate);
	bt_clerk_now(c);
}

void
bt_clerk_fini(struct bt_clerk *c)
{
	bt_mem_free(c->peers[0]);
	bt_mem_free(c->peers[1]);
	bt_pace_free(c->pace);
	bt_gate_pass_fini(&c->pass);
}

uint64_t
bt_clerk_now(struct bt_clerk *c)
{
	c->now_ms = bt_service_now_ms();
	bt_gate_pass_renew(&c->pass);
	return c->now_ms;
}
