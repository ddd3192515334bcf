/* team.h: several threads walking one program. */
#ifndef WA_TEAM_H
#define WA_TEAM_H

#include "autodiff/program.h"

/* Runs the steps in order, their tasks on as many threads of the context as come. The message of a
 * failure is this thread's. */
washi_status wa_walk(washi_program *p);

#endif
