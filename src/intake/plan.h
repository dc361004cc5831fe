/*
 * What an import would read, worked out before it reads: tables in the order of loading,
 * each with its files found, its joins' files found, and how its values are written.
 * Internal to the room; intake.h shows it opaque.
 */
#ifndef PROFFER_INTAKE_PLAN_H
#define PROFFER_INTAKE_PLAN_H

#include "base/arena.h"
#include "base/calendar.h"
#include "intake/intake.h"
#include "intake/mapping.h"
#include "intake/source.h"

/* Files of one join. */
typedef struct plan_join {
    char **files;
    size_t n_files;
} plan_join;

typedef struct plan_table {
    const map_table *map;
    const char *label; /* unique among the plan's tables */
    char **files;      /* paths that can be opened, or "-" */
    size_t n_files;
    plan_join *joins;    /* [map->joins_count] */
    byte_source *stream; /* the only file, opened and looked into already; or NULL */
    map_time_form form;  /* what the table says, else the mapping, else ANY */
    zone_repeat repeat;
    const char *zone; /* NULL: the options' */
    char decimal;
} plan_table;

struct intake_plan {
    mapping *mapping;     /* NULL for a guessed plan */
    const char *currency; /* the mapping's, or NULL */
    const char *source;   /* the mapping's path, or NULL */
    plan_table *tables;
    size_t n_tables;
    uint64_t bytes; /* of all files, packed; 0 when a pipe is among them */
    arena memory;
};

/* The path of a file by its number in batches: the table's files, then the joins'. */
const char *plan_file_name(const plan_table *t, uint32_t file);
/* The number of the first file of join i. */
uint32_t plan_join_file(const plan_table *t, size_t i);
/* How many numbers there are. */
uint32_t plan_file_count(const plan_table *t);

/* plan_guess.c: the table a file most likely is, from its name and its header. PF_DATA
 * with what was seen and what to do. */
pf_status plan_guess_table(const char *path, byte_source *source, intake_table *out,
                           pf_error *err);

#endif
