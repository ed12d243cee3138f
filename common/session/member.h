/*
 * member - one torrent of a session, from its operand's bytes to its end.
 *
 * It is read (bt_member_read), opened by the tool (what of it is on disk?), may
 * be started in a swarm, is stopped, and has ended: then nothing of it is under
 * way. A tool has a struct that begins with it.
 * Touches: files, sockets, the terminal (through cli).
 *
 * Used by  session/session, bt-get, bt-seed
 * Tests    tests/e2e/bt-get.bats, tests/e2e/bt-get-end.bats,
 *          tests/e2e/bt-seed.bats
 */
#ifndef BT_SESSION_MEMBER_H
#define BT_SESSION_MEMBER_H

#include "cli/input.h"
#include "cli/json.h"
#include "net/client.h"

struct bt_session;

enum bt_member_state {
	BT_MEMBER_IDLE,
	BT_MEMBER_RUNNING,
	BT_MEMBER_STOPPING,
	BT_MEMBER_ENDED		/* or has no need to be started */
};

struct bt_member {
	struct bt_session *session;	/* borrowed */
	const char *operand;		/* borrowed */
	enum bt_member_state state;
	struct bt_member_tracker {	/* that the torrent names; until joined */
		char *url;
		uint32_t tier;
	} *trackers;
	uint32_t ntrackers;
	struct bt_layout *layout;	/* NULL: it could not be read */
	struct bt_files *files;		/* opened by the tool, closed here */
	struct bt_bits have;		/* pieces on disk, at the start */
	struct bt_swarm *swarm;		/* NULL: not started */
};

/*
 * m is zero but for session and operand. Of the torrent's bytes only what is
 * needed is kept. 0 or -1.
 */
int	bt_member_read(struct bt_member *m, struct bt_input *in,
	    struct bt_err *err);
/* The swarm is freed by then. */
void	bt_member_fini(struct bt_member *m);

/*
 * Hash the pieces in which (NULL: all), telling of it by `what` on the progress
 * line; good receives those that are right. A signal ends it: -1.
 */
int	bt_member_verify(struct bt_member *m, const struct bt_bits *which,
	    const char *what, struct bt_bits *good, struct bt_err *err);

/*
 * Join the swarm with what sc says of it; what the command line and the torrent
 * say of trackers, peers and limits is added here.
 */
void	bt_member_join(struct bt_member *m, struct bt_client *c,
	    const struct bt_swarm_conf *sc);
/*
 * End it: err says why, or is NULL when all is well. The session's `ended` comes
 * later, from the loop.
 */
void	bt_member_stop(struct bt_member *m, const struct bt_err *err);

/* Begin an event of --json about it; bt_json_end() ends it. */
void	bt_member_event(const struct bt_member *m, struct bt_json *j,
	    const char *event);

#endif
