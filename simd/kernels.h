/* kernels.h: all that isa.c includes twice, for float and for double. */
#include "map.h"
#include "stretch.h"
#include "lanes.h"
#include "short.h"
#include "fold.h"
#include "chain.h"
#include "arg.h"
#include "moments.h"
#include "row.h"
#include "transpose.h"
#include "move.h"
#include "gemm.h"
#undef GROUPS
