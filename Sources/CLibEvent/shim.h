#pragma once
// First of all: libevent's configuration defines _GNU_SOURCE, with which the system's types would look other than they
// do in Swift's Glibc module. Once a system header was read, that definition has no effect any more.
#include <sys/select.h>
#include <pthread.h>

#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/bufferevent.h>

// Swift's Glibc module leaves these out.
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timex.h>
// Glibc's own SOCK_STREAM is an enumeration, which some cold builds do not find.
static const int postern_stream_socket = SOCK_STREAM | SOCK_CLOEXEC;
static const int postern_nonblocking_stream_socket = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
static const int postern_signalfd_flags = SFD_NONBLOCK | SFD_CLOEXEC;
static const int postern_inotify_flags = IN_NONBLOCK | IN_CLOEXEC;
static const int postern_eventfd_flags = EFD_NONBLOCK | EFD_CLOEXEC;

// A GNU function, hidden without _GNU_SOURCE.
extern int pthread_setname_np(pthread_t thread, const char *name);

// Whether the kernel's clock is synchronized: 1 or 0, or -1 if it does not tell. The clock is only read.
static inline int postern_clock_is_synchronized(void) {
    struct timex state = {.modes = 0};
    int status = ntp_adjtime(&state);
    return status < 0 ? -1 : status != TIME_ERROR;
}

// Calls an event back after that time; in C, since several modules define the same `struct timeval`, and which of them
// Swift takes it from depends on the order in which files are compiled.
static inline int postern_event_after(struct event *event, int milliseconds) {
    struct timeval delay = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000L};
    return event_add(event, &delay);
}
