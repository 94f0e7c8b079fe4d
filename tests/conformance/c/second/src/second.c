/* The second version. */

#define VERSION 2
#include "../../room/room.c"
