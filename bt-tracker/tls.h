/*
 * tls - HTTPS: bytes over a non-blocking socket, encrypted.
 *
 * The rules
 * 1. TLS 1.2 and 1.3; no renegotiation; of the protocols that a client offers
 *    (ALPN) http/1.1 alone.
 * 2. The handshake is part of the first receive, so the time that a request has
 *    bounds it.
 * 3. The files may be read again while connections go on: those keep what they
 *    began with. A bad file changes nothing.
 * 4. A connection that waits holds no buffers.
 * The one door to OpenSSL here. bt_tls is shared by the workers, a connection
 * is its worker's.
 * Touches: files, sockets, locks.
 *
 * Speaks   RFC 8446, RFC 5246, RFC 7301
 * Used by  bt-tracker/http.c, bt-tracker/main.c
 * Tests    tests/e2e/bt-tracker-fronts.bats
 */
#ifndef BT_TRACKER_TLS_H
#define BT_TRACKER_TLS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct bt_tls;
struct bt_tls_conn;

/*
 * gives *out; the certificate with its chain and the key, both PEM. BT_EFILE.
 * 0 or -1.
 */
int	bt_tls_new(struct bt_tls **out, const char *cert, const char *key,
	    struct bt_err *err);
void	bt_tls_free(struct bt_tls *t);
/* Read the files again. 0, or -1 and all is as before. */
int	bt_tls_reload(struct bt_tls *t, struct bt_err *err);

/* gives; borrows fd, or NULL when OpenSSL has no memory. */
struct bt_tls_conn	*bt_tls_accept(struct bt_tls *t, int fd);
/* Says that it ends, where that can be said, and frees it. NULL is fine. */
void	bt_tls_end(struct bt_tls_conn *c);
/*
 * As recv() and send(): -1 with errno EAGAIN, or EPROTO when it is dead. What
 * was offered to a send that did not take it all is offered again, and first.
 */
ssize_t	bt_tls_recv(struct bt_tls_conn *c, void *p, size_t n);
ssize_t	bt_tls_send(struct bt_tls_conn *c, const void *p, size_t n);
/* What the last EAGAIN waits for: room in the socket, or else bytes. */
bool	bt_tls_wants_write(const struct bt_tls_conn *c);

#endif
