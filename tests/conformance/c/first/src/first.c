/* The first version. */

#define VERSION 1
#include "../../room/room.c"
