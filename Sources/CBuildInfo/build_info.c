#include "build_info.h"

#ifndef POSTERN_COMMIT
#define POSTERN_COMMIT ""
#endif

const char *postern_commit(void) { return POSTERN_COMMIT; }
