/*
 * The database file before SQLite opens it: where it may lie, and who may read it.
 */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

bool store_is_network_fs(unsigned long f_type)
{
    /* statfs(2), linux/magic.h and the file systems' own sources. */
    static const uint32_t refused[] = {
        0x00006969, /* NFS */
        0x0000517b, /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB 2 and 3 */
        0x01021997, /* 9P */
        0x00c36400, /* Ceph */
        0x65735546, /* FUSE: sshfs, GlusterFS, rclone */
        0x5346414f, /* AFS (OpenAFS) */
        0x6b414653, /* AFS (kernel) */
        0x73757245, /* Coda */
        0x0000564c, /* NCP */
        0x0bd00bd0, /* Lustre */
        0x01161970, /* GFS2 */
        0x7461636f, /* OCFS2 */
        0x47504653, /* GPFS */
        0x19830326, /* BeeGFS */
        0x20030528, /* OrangeFS */
        0x786f4256, /* VirtualBox shared folder */
    };
    size_t i;

    /* f_type is signed on some machines: only its 32 bits count. */
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if ((uint32_t)f_type == refused[i])
            return true;
    return false;
}

enum rc store_file_check(const char *path)
{
    struct statfs fs;
    char *folder, *slash;
    int r = statfs(path, &fs);

    if (r != 0 && errno == ENOENT) {
        folder = strdup(path);
        if (!folder)
            return RC_NOMEM;
        slash = strrchr(folder, '/');
        if (slash)
            slash[slash == folder] = '\0';
        r = statfs(slash ? folder : ".", &fs);
        free(folder);
    }
    if (r != 0)
        return RC_IO;
    return store_is_network_fs((unsigned long)fs.f_type) ? RC_NETFS : RC_OK;
}

/*
 * SQLite gives WAL and shared memory the mode of the database file, so that one is
 * made here. mknod, since to open and close it would take away the locks that other
 * handles of this process have on it (SQLite's "How To Corrupt", section 2.2).
 */
enum rc store_file_create(const char *path)
{
    if (mknod(path, S_IFREG | 0600, 0) != 0 && errno != EEXIST)
        return rc_from_errno(errno) == RC_NOSPACE ? RC_NOSPACE : RC_IO;
    return RC_OK;
}
