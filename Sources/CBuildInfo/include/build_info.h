#pragma once

/// The commit that was built, `-changed` behind it where the sources differed from it; empty where it is not known.
const char *postern_commit(void);
