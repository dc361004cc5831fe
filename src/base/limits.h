/*
 * Every limit on what comes from outside, by name. A limit is generous for real shops and
 * small enough that a wrong or hostile file is refused before it harms. Passing one is
 * PF_LIMIT with the limit's value in the message.
 */
#ifndef PROFFER_BASE_LIMITS_H
#define PROFFER_BASE_LIMITS_H

#include <stdint.h>

/* Identities and texts, bytes. */
#define LIMIT_ID_BYTES 256u
#define LIMIT_TITLE_BYTES 4096u
#define LIMIT_TEXT_BYTES (64u << 10)
#define LIMIT_ATTRIBUTES_BYTES (64u << 10)
#define LIMIT_TAG_BYTES 64u
#define LIMIT_PROMOTION_TAGS 32u

/* Things. Numbers are 32 bit; the top value is never given. */
#define LIMIT_SHOPPERS 100000000u
#define LIMIT_PRODUCTS 10000000u
#define LIMIT_PROMOTIONS 1000000u
#define LIMIT_CAMPAIGNS 100000u
#define LIMIT_SCOPE_ROWS 200000000u
#define LIMIT_EVENTS UINT64_C(20000000000)

/* Files. */
#define LIMIT_LINE_BYTES (16u << 20)
#define LIMIT_FIELDS 1024u
#define LIMIT_YAML_BYTES (1u << 20)
#define LIMIT_JSON_BYTES (64u << 20)
#define LIMIT_JOIN_ROWS 50000000u
#define LIMIT_JOIN_BYTES (2ull << 30)
#define LIMIT_REJECTS_KEPT 1000000u
#define LIMIT_REJECT_ROW_BYTES 4096u
#define LIMIT_TABLE_FILES 65535u
#define LIMIT_SEQUENCE_EVENTS 2000000000u

/* Values. */
#define LIMIT_MONEY_MINOR INT64_C(1000000000000000)
#define LIMIT_QUANTITY 1000000000.0

/* Memory of one import, whatever the file's size. */
#define LIMIT_IMPORT_BYTES (512ull << 20)

/* How long a command waits for another writer of the store. */
#define LIMIT_STORE_WAIT_MS 30000

/* A catalogue in memory. */
#define LIMIT_CATALOGUE_BYTES (32ull << 30)

/* Text encoders: weight files, endpoints, vectors. */
#define LIMIT_NPZ_MEMBERS 4096u
#define LIMIT_NPZ_ARRAY_BYTES (1u << 30)
#define LIMIT_VECTOR_DIMENSION 8192u
#define LIMIT_VECTORS 20000000u
#define LIMIT_ENDPOINT_BATCH 2048u
#define LIMIT_TOKENS_MODEL_BYTES (256u << 20)
#define LIMIT_LEXICAL_TERMS 16000000u
#define LIMIT_LEXICAL_POSTINGS 2000000000u

/* Deciding: audience rules, allocations. */
#define LIMIT_AUDIENCE_BYTES 4096u
#define LIMIT_AUDIENCE_DEPTH 32u
#define LIMIT_SHOPPER_PICKS 100u
#define LIMIT_ALLOCATE_CAPS 100000u
#define LIMIT_MARGIN_CAPS 2000u /* that bind; a matrix of them is kept */
/* Shoppers x promotions of one run, a million by twelve: score and outcome of a pair are 0.3 kB,
 * some 4 GB in all, and 0.1 kB more where it may be chosen. */
#define LIMIT_DECIDE_PAIRS 12000000u
#define LIMIT_REASON_TEXT_BYTES (16ull << 30) /* kept for the reasons of one run */

/* Comparing policies on a log: actions of all rows; rows x actions x policies kept. */
#define LIMIT_POLICY_ACTIONS 4096u
#define LIMIT_POLICY_CELLS 200000000u

/* Learning what promotions bring: candidates of one logged decision; promotions and kinds of them
 * that a model corrects. */
#define LIMIT_EFFECT_CANDIDATES 100000u
#define LIMIT_FACTOR_CELLS (1u << 24)
#define LIMIT_FACTOR_KINDS 4096u

/* Messages: frames and what is filled into them. */
#define LIMIT_FRAMES 10000u
#define LIMIT_FRAME_BYTES 4096u
#define LIMIT_FRAME_PARTS 32u
#define LIMIT_FRAME_CHOICES 16u

/* Output. */
#define LIMIT_REPORT_BYTES (64u << 20)

#endif
