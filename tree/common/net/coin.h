/*
 * coin - randomness from the operating system, and the id we go by.
 *
 * Peer ids are BEP 20's first form: -BQ0100- and twelve random characters.
 * BQ is in neither BEP 20's list nor other clients' tables.
 * Touches: the kernel's generator.
 *
 * Speaks   BEP 20
 * Used by  net/client, net/udp, net/announcer, bt-scrape
 * Tests    tests/unit/test_net_coin.c
 */
#ifndef BT_NET_COIN_H
#define BT_NET_COIN_H

#include <stddef.h>
#include <stdint.h>

void	bt_coin_fill(void *p, size_t n);
uint64_t	bt_coin_u64(void);
uint32_t	bt_coin_u32(void);
void	bt_coin_peer_id(uint8_t out[20]);

#endif
