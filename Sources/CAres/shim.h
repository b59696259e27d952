#pragma once
#include <sys/select.h>
#include <netinet/in.h>

#include <ares.h>

// Swift imports no macro that is a cast.
static const int postern_ares_bad_socket = ARES_SOCKET_BAD;
static const int postern_dns_class_in = 1;
static const int postern_dns_type_srv = 33;
