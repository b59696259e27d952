// Functions of glibc that it declares only under _GNU_SOURCE, which Swift's Glibc module does not set.
#ifndef POSTERN_CLOOPBACK_SHIM_H
#define POSTERN_CLOOPBACK_SHIM_H

#include <spawn.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
int sched_setaffinity(pid_t thread, size_t size, const void *mask);

/// Pins the calling thread, and the threads that it starts later, to one core.
static inline int postern_pin_to_core(int core) {
    unsigned long mask[16] = {0};
    if (core < 0 || core >= (int)(sizeof mask * 8)) return -1;
    mask[core / (8 * sizeof mask[0])] = 1ul << (core % (8 * sizeof mask[0]));
    return sched_setaffinity(0, sizeof mask, mask);
}

#endif
