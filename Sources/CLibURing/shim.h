#pragma once
// Before liburing.h, which defines _GNU_SOURCE: fd_set must look as it does to Swift's Glibc, or a cold build fails.
#include <sys/select.h>
// What Debian 12's liburing 2.3 declares as macros or lacks, as inline functions and constants that Swift can see.
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <liburing.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static const uint8_t postern_sqe_buffer_select = IOSQE_BUFFER_SELECT;
static const uint32_t postern_setup_submit_all = 1U << 7;
static const uint32_t postern_setup_single_issuer = 1U << 12;
static const uint32_t postern_setup_defer_taskrun = 1U << 13;
static const uint32_t postern_cqe_buffer = IORING_CQE_F_BUFFER;
static const uint32_t postern_cqe_more = IORING_CQE_F_MORE;
static const uint32_t postern_cqe_socket_nonempty = IORING_CQE_F_SOCK_NONEMPTY;
static const uint16_t postern_receive_poll_first = IORING_RECVSEND_POLL_FIRST;
static const uint32_t postern_cqe_buffer_shift = IORING_CQE_BUFFER_SHIFT;
static const uint32_t postern_epoll_in = EPOLLIN;
static const uint32_t postern_epoll_out = EPOLLOUT;
static const uint32_t postern_epoll_hangup = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
static const uint32_t postern_epoll_edge = EPOLLET;
static const int postern_epoll_cloexec = EPOLL_CLOEXEC;
static const int postern_eventfd_cloexec = EFD_CLOEXEC;
static const int postern_eventfd_nonblock = EFD_NONBLOCK;
static const int postern_sock_stream_cloexec = SOCK_STREAM | SOCK_CLOEXEC;
static const int postern_sock_cloexec = SOCK_CLOEXEC;
static const int postern_sock_nonblock = SOCK_NONBLOCK;
static const int postern_msg_dontwait = MSG_DONTWAIT;
static const int postern_msg_nosignal = MSG_NOSIGNAL;

/// accept4(2), which Swift's Glibc does not show.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int postern_accept(int listener, int flags) { return accept4(listener, NULL, NULL, flags); }

/// Has a listening TCP socket drop every SYN, by a filter that needs no privilege: zero, or -1 with errno.
static inline int postern_drop_syns(int listener) {
    // The filter sees the packet from its TCP header on, whose 14th byte has the flags (RFC 9293, section 3.1).
    struct sock_filter code[] = {
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},
        {BPF_JMP | BPF_JSET | BPF_K, 0, 1, 2},
        {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, 0xffffffff},
    };
    struct sock_fprog program = {4, code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/// What the loop reads of a completion, of 16 bytes in every ring.
struct postern_completion {
    uint64_t user_data;
    int32_t res;
    uint32_t flags;
};

/// The completion `offset` places after the oldest one, `offset` < io_uring_cq_ready(); the iteration is a macro there.
static inline struct postern_completion postern_completion_at(const struct io_uring *ring, unsigned offset) {
    const struct io_uring_cqe *entry = &ring->cq.cqes[(*ring->cq.khead + offset) & *ring->cq.kring_mask];
    struct postern_completion completion = {entry->user_data, entry->res, entry->flags};
    return completion;
}

/// True where the kernel has every opcode that the loop uses, asked of the kernel and not of its version.
static inline int postern_has_opcodes(struct io_uring *ring) {
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    if (!probe) return 0;
    int all = io_uring_opcode_supported(probe, IORING_OP_ACCEPT)
        && io_uring_opcode_supported(probe, IORING_OP_CONNECT)
        && io_uring_opcode_supported(probe, IORING_OP_RECV)
        && io_uring_opcode_supported(probe, IORING_OP_SEND)
        && io_uring_opcode_supported(probe, IORING_OP_READ)
        && io_uring_opcode_supported(probe, IORING_OP_ASYNC_CANCEL);
    io_uring_free_probe(probe);
    return all;
}

// Of malloc.h, which would take declarations away from Swift's Glibc module in a cold build.
int malloc_trim(size_t pad);

// liburing tells its version since 2.4.
#define POSTERN_TEXT_OF(number) #number
#define POSTERN_VERSION_OF(major, minor) POSTERN_TEXT_OF(major) "." POSTERN_TEXT_OF(minor)
static inline const char *postern_liburing_version(void) {
#ifdef IO_URING_VERSION_MAJOR
    return POSTERN_VERSION_OF(IO_URING_VERSION_MAJOR, IO_URING_VERSION_MINOR);
#else
    return "before 2.4";
#endif
}
