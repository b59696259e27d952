#pragma once
#include <stdint.h>

/// How many blocks the calling thread has asked of the heap so far.
uint64_t allocation_count(void);
