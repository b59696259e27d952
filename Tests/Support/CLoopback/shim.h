// Functions of glibc that it declares only under _GNU_SOURCE, which Swift's Glibc module does not set.
#ifndef POSTERN_CLOOPBACK_SHIM_H
#define POSTERN_CLOOPBACK_SHIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

int epoll_pwait2(
    int poller, struct epoll_event *events, int capacity, const struct timespec *timeout, const sigset_t *mask);
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

/// `epoll_event` is packed and holds a union; here it is two plain integers.
struct postern_ready {
    uint64_t key;
    uint32_t events;
};

/// Lets the calling thread's timeouts end on time instead of up to 50 us late, and asks the scheduler for short turns
/// (Linux 6.12; older kernels ignore it): threads that share a core then wait for each other for 0.1 ms, not for 3.
static inline int postern_be_punctual(void) {
    // The kernel's struct sched_attr, whose header does not go together with glibc's <sched.h>.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } turns = {.size = sizeof turns, .runtime = 100000};
    syscall(SYS_sched_setattr, 0, &turns, 0);
    return prctl(PR_SET_TIMERSLACK, 1ul);
}

/// Raises RLIMIT_NOFILE to `wanted`, or as far as the hard limit lets it, and returns what holds then.
static inline long postern_raise_descriptor_limit(long wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    struct rlimit higher = {wanted, limit.rlim_max > (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted};
    if (setrlimit(RLIMIT_NOFILE, &higher) != 0) {
        higher.rlim_max = limit.rlim_max;
        higher.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &higher) != 0) return (long)limit.rlim_cur;
    }
    return (long)higher.rlim_cur;
}

static inline int postern_poller_control(int poller, int operation, int descriptor, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data = {.u64 = key}};
    return epoll_ctl(poller, operation, descriptor, &event);
}

static inline int postern_poller_wait(int poller, struct postern_ready *ready, int capacity, int64_t nanoseconds) {
    struct epoll_event events[256];
    struct timespec timeout = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    int count = epoll_pwait2(poller, events, capacity < 256 ? capacity : 256, &timeout, 0);
    for (int i = 0; i < count; i++) {
        ready[i].key = events[i].data.u64;
        ready[i].events = events[i].events;
    }
    return count;
}

/// Makes io_uring_setup fail with `error` on the calling thread and in all that it starts, as a container's seccomp
/// profile does. There is no way back.
static inline int postern_forbid_io_uring(int error) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof rules[0], rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#endif
