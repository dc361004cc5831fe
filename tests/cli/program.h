/*
 * Runs the real program, as a user's shell does, and looks at what came out.
 *
 *     const ran *r = RUN("search", "milk", "-w", corner());
 *     assert_int_equal(r->code, 0);
 *     assert_contains(r->out, "Whole milk");
 *     assert_string_equal(r->err, "");
 *
 * A test program has one folder of its own. In it corner() is a workspace with the corner
 * shop imported, made on first use and never changed; copy_of_corner() gives one that may
 * be changed. The environment is clean: no PROFFER_... variable, no encoder's files.
 */
#ifndef PROFFER_TESTS_CLI_PROGRAM_H
#define PROFFER_TESTS_CLI_PROGRAM_H

#include "check.h"

#include <sys/types.h>

#include "base/json.h"

/* For cmocka_run_group_tests. */
int program_begin(void **state);
int program_end(void **state);

/* The folder, and paths in it; texts live until the end. */
const char *in_folder(const char *name);

/* --- running ---------------------------------------------------------------------- */

typedef struct ran {
    int code; /* exit code; 128 + the signal that ended it */
    char *out, *err;
    size_t out_n, err_n;
} ran;

/* What the next start is to find; goes back to nothing with it. */
typedef struct conditions {
    const char *input;        /* file that is standard input; else it is empty */
    const char *output;       /* file that is standard output; else it is caught */
    const char *folder;       /* to run in; else the test's own */
    unsigned long file_limit; /* most bytes in a file, then writes fail; 0 = no limit */
    bool will_be_killed;
} conditions;
extern conditions next_run;

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* Runs to the end. The result lives until the eighth run after. */
#define RUN(...) program_run(WORDS(__VA_ARGS__))
/* In the background; finish_program() waits. */
#define START(...) start_program(WORDS(__VA_ARGS__))

const ran *program_run(const char *const words[]);
pid_t start_program(const char *const words[]);
const ran *finish_program(pid_t child);
/* Another program than ours, found in the PATH. */
const ran *run_other(const char *const words[]);

/* Runs and asserts the exit code, telling what was said when it is another. */
#define RUN_CODE(code, ...) program_run_code(code, WORDS(__VA_ARGS__))
const ran *program_run_code(int code, const char *const words[]);

/* --- looking ---------------------------------------------------------------------- */

void assert_contains(const char *said, const char *words);
void assert_lacks(const char *said, const char *words);

/* What was printed, read as one JSON value; lives until the end. Fails the test when it is
 * none. */
const json_value *json_of(const ran *r);
/* A member as terminated text ("" when absent or null) or as a number (fails when it is
 * none). */
const char *word_of(const json_value *object, const char *key);
double number_of(const json_value *object, const char *key);
/* A member that must be there. */
const json_value *member_of(const json_value *object, const char *key);
/* Fails unless the object has all of these keys, divided by blanks. */
void assert_keys(const json_value *object, const char *keys);

/* --- shops ------------------------------------------------------------------------ */

/* The corner shop's data: the folder, and its mapping file. */
const char *corner_data(void);
const char *corner_mapping(void);
/* Its workspace. */
const char *corner(void);
/* A new workspace of this name with the same in it. */
const char *copy_of_corner(const char *name);
/* A new empty workspace of this name, in CNY. */
const char *empty_workspace(const char *name);
/* Writes a file of this name in the folder; returns its path. */
const char *put(const char *name, const char *words);
/* What a workspace holds, as text: what doctor counts, the fingerprint of all data, and what
 * `export --shopper` says of every seventh of the corner shop's shoppers. */
char *everything_in(const char *workspace);

#endif
