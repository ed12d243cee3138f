/*
 * rig - what the bench programs share: clocks, sockets, a torrent in memory.
 *
 * Whatever fails ends the program with a sentence on stderr: a measurement
 * goes on with nothing missing or not at all.
 * Touches: files, sockets, clocks.
 *
 * Used by  every program in this folder
 */
#ifndef BT_BENCH_RIG_H
#define BT_BENCH_RIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codec/wire.h"

#define RIG_BATCH 16u /* blocks in one send */
#define RIG_GAP 13u /* bytes before a block: length, id, index, begin */
#define RIG_RECV (256u << 10) /* bytes asked of one receive */

void	rig_fail(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2), noreturn));
/* The value of a command line's number, with K, M or G; at least least. */
uint64_t	rig_number(const char *s, uint64_t least);
void	*rig_alloc(size_t n); /* gives; page by page touched */

double	rig_now(void); /* seconds, of no particular beginning */
double	rig_cpu(pid_t pid); /* of all its threads, ended ones too; 0: ours */
/* A line of /proc/PID/status in KiB, or 0: "VmHWM", "RssAnon". */
uint64_t	rig_status(pid_t pid, const char *name);
void	rig_raise_files(void); /* as many descriptors as the system lets */

/* "198.18.0.1:6881" or "198.18.0.1" (port 0) */
struct sockaddr_in	rig_addr(const char *s);
/* Connected; from may be NULL. Gives a blocking socket. */
int	rig_dial(const struct sockaddr_in *from, const struct sockaddr_in *to);
int	rig_listen(struct sockaddr_in *at); /* gives; at->sin_port is set */
void	rig_send(int fd, const void *p, size_t n); /* all of it */
/* One receive of n bytes at most; 0 when the other side has closed. */
size_t	rig_recv(int fd, void *p, size_t n);
void	rig_recv_all(int fd, void *p, size_t n);

struct rig_torrent {
	uint8_t hash[20];
	uint64_t size;
	uint32_t piece_length, pieces;
	uint8_t *hashes; /* of each piece, 20 bytes */
};

void	rig_torrent_read(struct rig_torrent *t, const char *path);
uint32_t	rig_piece_size(const struct rig_torrent *t, uint32_t piece);
/* Block n of the content, counted through all pieces: what a request says. */
struct rig_block {
	uint32_t piece, begin, length;
};
uint64_t	rig_blocks(const struct rig_torrent *t);
struct rig_block	rig_block(const struct rig_torrent *t, uint64_t n);

/* A handshake of ours for t, whose peer id ends with who. */
void	rig_hello(const struct rig_torrent *t, uint32_t who,
	    uint8_t out[BT_HANDSHAKE_LEN]);
/* Fixed messages: a message without a body; a request. Return their bytes. */
size_t	rig_put_plain(uint8_t *p, enum bt_wire_id id);
size_t	rig_put_request(uint8_t *p, struct rig_block b);
void	rig_put_piece(uint8_t *p, struct rig_block b); /* RIG_GAP bytes */

/*
 * Gives room for RIG_BATCH blocks of at most so many bytes and their headers, where
 * reads cost least: see bt_mem_pages().
 */
uint8_t	*rig_staging(size_t block);
void	rig_staging_free(uint8_t *staging);
/* Read n blocks of fd into a staging buffer, headers before them; its bytes. */
size_t	rig_stage(int fd, const struct rig_torrent *t,
	    const struct rig_block *b, unsigned n, uint8_t *staging);

#endif
