/*
 * Titles as a person would write them. Catalogues often hold them in capitals and packed:
 *
 *     "FRZN MEAT/MEAT DINNERS"             "Frzn meat/meat dinners"
 *     "BREAD:ITALIAN/FRENCH"               "Bread: Italian/French"
 *     "ICE - CRUSHED/CUBED, 22 LB"         "Ice - crushed/cubed (22 lb)"
 *     "SEAFOOD - FROZEN and 2 more ..."    "Seafood - frozen and 2 more ..."
 *
 * Abbreviations stay as the data has them: nothing is guessed. Titles written in small
 * letters, and those with other scripts than Latin, keep their case. White space, control
 * characters and those that turn the direction of text become single spaces.
 */
#ifndef PROFFER_MESSAGE_TITLE_H
#define PROFFER_MESSAGE_TITLE_H

#include "base/arena.h"

/* A terminated copy in the arena; "" stays "". NULL when memory is short. title is
 * checked UTF-8. */
const char *title_readable(arena *memory, const char *title);

#endif
