/*
 * files_priv - what the parts of disk/files share; nobody else's.
 *
 * A file's bytes lie in a store: a .part or final file of their own, or, at the
 * place they have in the whole content, the side file (anonymous: an unlinked
 * temporary one). Store i < nfiles is file i's own; store nfiles is the side.
 *
 * Used by  disk/files*.c, disk/opened, disk/jobs, disk/pipe, disk/verify,
 *          disk/holes, disk/resume
 */
#ifndef BT_DISK_FILES_PRIV_H
#define BT_DISK_FILES_PRIV_H

#include "disk/files.h"
#include "disk/opened.h"

enum bt_store_state {
	BT_STORE_UNKNOWN,	/* not looked for yet */
	BT_STORE_PART,
	BT_STORE_FINAL,
	BT_STORE_SIDE		/* file's bytes are in store nfiles */
};

/* All zeros at first: what nobody asks for takes no memory. */
struct bt_store {
	uint32_t entry;		/* 1 + its place in opened's entries; 0: none */
	uint8_t state;		/* enum bt_store_state */
	bool no_nowait;		/* RWF_NOWAIT is not for this file system */
	bool unsynced;		/* written since bt_files_sync */
	bool settled;		/* not written or renamed since its last stat */
};

struct bt_files {
	const struct bt_layout *layout;
	enum bt_files_mode mode;
	bool anonymous;
	bool has_selected;
	struct bt_bits selected;
	char *root;
	int root_fd;
	char *base;		/* folder of all files but `only` */
	int base_fd;
	size_t strip;		/* bytes of a layout path that base replaces */
	uint32_t only;		/* the file with a path of its own, or nfiles */
	char *only_path;
	int only_fd;		/* its folder */
	char *side_name;	/* in root */
	const char **part_like;	/* paths that end in ".part", sorted */
	size_t nparts_like;

	/*
	 * Writes take turns. Two at once to one file make the kernel's lock of
	 * it spin, which burns the time of the core that could hash meanwhile.
	 */
	pthread_mutex_t write_turn;

	/*
	 * A sync has failed: the kernel holds the lost pages for clean, so the
	 * next sync would succeed and mean nothing. Under opened's lock.
	 */
	bool sync_failed;
	unsigned syncs;		/* that run now: a store of theirs is not safe */

	struct bt_opened *opened;
	bool owns_opened;
	struct bt_store *stores;	/* nfiles + 1; under opened's lock */
	struct bt_files_stat side;	/* while the side's store is settled */
	/* READ: of each file, when it was changed as it was first opened; 0: not */
	int64_t *since_ns;
};

/* A descriptor that is lent until bt_files_put(). */
struct bt_files_ref {
	int fd;
	uint32_t entry, store;
	uint64_t base;		/* offset of the file's first byte in fd */
	bool is_final;		/* WRITE: compare and never write */
	bool wrote;		/* set by who wrote to fd */
};

/*
 * Open file's store, or find it open. A store that is missing is made where
 * `make` is set, else ENOENT. 0, or -1 with *err set and errno kept.
 */
int	bt_files_get(struct bt_files *f, uint32_t file, bool make,
	    struct bt_files_ref *ref, struct bt_err *err);
/* The same if it is open already and may be asked without waiting. */
bool	bt_files_get_open(struct bt_files *f, uint32_t file,
	    struct bt_files_ref *ref);
void	bt_files_put(struct bt_files *f, const struct bt_files_ref *ref);
/* READ: is it the file that was first opened, unchanged and not removed? */
bool	bt_files_is_same(struct bt_files *f, const struct bt_files_ref *ref);

/* The open file of a store, or NULL. Locked. */
struct bt_open_file	*bt_files_entry(const struct bt_files *f,
	    uint32_t store);
/* gives the path for a person, of what state says holds the file's bytes */
char	*bt_files_shown(const struct bt_files *f, uint32_t file,
	    enum bt_store_state state);
/* *dir borrowed; gives file's path in it as state says */
char	*bt_files_where(const struct bt_files *f, uint32_t file,
	    enum bt_store_state state, int *dir);
bool	bt_files_is_selected(const struct bt_files *f, uint32_t file);
static inline bool
bt_files_is_pad(const struct bt_files *f, uint32_t file)
{
	return (f->layout->files->at[file].attr & BT_META_PAD) != 0;
}

/* Open what state names; -1 with errno. No lock held. */
int	bt_files_open_state(struct bt_files *f, uint32_t file,
	    enum bt_store_state state, int flags);
/* Look which store holds file; UNKNOWN: none is there. Or -1, errno. */
int	bt_files_look(struct bt_files *f, uint32_t file);
/* "cannot open 'path'", with the reason in errno told well. Returns -1. */
int	bt_files_fail_open(struct bt_files *f, uint32_t file,
	    enum bt_store_state state, struct bt_err *err);

/* Tell the kernel that n bytes at offset of the content come soon. */
void	bt_files_advise(struct bt_files *f, uint64_t offset, uint64_t n);
/* Was it, or the side file (nfiles), written or renamed since bt_files_stat?
 * `side` is the side file's answer, for files whose bytes lie there. */
bool	bt_files_has_changed(struct bt_files *f, uint32_t file, bool side);
/* Is everything that was written synced? */
bool	bt_files_is_synced(struct bt_files *f);
/* Has a sync failed, so that what was written may never come to the disk? */
bool	bt_files_has_lost(struct bt_files *f);

#endif
