#pragma once

/// The commit that was built, in hexadecimal; empty where it is not known.
const char *postern_commit(void);

/// 1 where the sources differed from that commit.
int postern_has_changes(void);
