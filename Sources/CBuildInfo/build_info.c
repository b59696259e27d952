#include "build_info.h"

#ifndef POSTERN_COMMIT
#define POSTERN_COMMIT ""
#endif
#ifndef POSTERN_CHANGES
#define POSTERN_CHANGES 0
#endif

const char *postern_commit(void) { return POSTERN_COMMIT; }

int postern_has_changes(void) { return POSTERN_CHANGES; }
