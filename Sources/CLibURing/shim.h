#pragma once
// What Debian 12's liburing 2.3 declares as macros or lacks, as inline functions and constants that Swift can see.
#include <liburing.h>
