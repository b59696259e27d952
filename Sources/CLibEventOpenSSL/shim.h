#pragma once
// See CLibEvent's shim: first of all the system's types, without _GNU_SOURCE.
#include <sys/select.h>
#include <pthread.h>

#include <event2/bufferevent_ssl.h>
