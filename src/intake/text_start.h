/*
 * The first bytes of a file that should be text: a UTF-8 byte order mark is skipped;
 * UTF-16 and UTF-32, and binary formats people take for tables (workbooks, Parquet, other
 * packers), are refused with what to do about them.
 */
#ifndef PROFFER_INTAKE_TEXT_START_H
#define PROFFER_INTAKE_TEXT_START_H

#include "base/status.h"
#include "intake/window.h"

/* Fills the window, then looks. PF_DATA with the file's name, or what filling answers. */
pf_status text_start_check(window *w, pf_error *err);

#endif
