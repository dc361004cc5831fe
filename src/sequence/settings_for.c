/*
 * What the data ask for: the settings that are used where nobody says otherwise. All rules
 * and numbers stand here, each with where it comes from (docs/experiments.md has the runs).
 * Nothing looks at a data set's name: size, length and density decide.
 */
#include "sequence/settings.h"

/* A catalogue above this is trained against sampled negatives: a whole-catalogue pass costs
 * more than it teaches. */
enum { FULL_LOSS_PRODUCTS = 30000 };
/* Events a product from which its vector is learnt well enough for a wide, deep network. */
enum { DENSE_EVENTS_A_PRODUCT = 100 };
/* Mean events a shopper from which histories count as long. */
enum { LONG_EVENTS_A_SHOPPER = 40 };
/* Below this many events validation is too noisy for a short patience. */
enum { SMALL_EVENTS = 20000 };

typedef struct shape_of_data {
    double events_a_shopper; /* products taken, over shoppers who took two or more */
    double events_a_product;
    uint64_t events;
    bool long_histories, dense;
} shape_of_data;

static uint64_t taken_by(const sequence_events *e, uint32_t u)
{
    uint64_t n = 0;
    for (uint64_t i = e->first[u]; i < e->first[u + 1]; i++)
        n += sequence_event_took(e, i);
    return n;
}

static shape_of_data look_at(const sequence_events *e)
{
    shape_of_data d = {0};
    uint64_t of_active = 0, active = 0;
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        uint64_t n = taken_by(e, u);
        d.events += n;
        of_active += n > 1 ? n : 0;
        active += n > 1;
    }
    d.events_a_shopper = active > 0 ? (double)of_active / (double)active : 0;
    d.events_a_product = e->n_products > 0 ? (double)d.events / e->n_products : 0;
    d.long_histories = d.events_a_shopper >= LONG_EVENTS_A_SHOPPER;
    d.dense = d.events_a_product >= DENSE_EVENTS_A_PRODUCT;
    return d;
}

static sequence_settings common(sequence_architecture a)
{
    return (sequence_settings){
        .architecture = a,
        .block = SEQUENCE_BLOCK_PLAIN,
        .width = 64,
        .blocks = 1,
        .heads = 1,
        .length = 50,
        .feedforward = 4,
        .positions = true,
        .ids = true,
        .dropout = .5f,
        .side_dropout = 0,
        .mask_share = .2f,
        .loss = SEQUENCE_LOSS_FULL,
        .negatives = 4096,
        .calibration = .75f, /* Petrov and Macdonald 2023, section 5.3 */
        .rate = 1e-3f,
        .beta1 = .9f,
        .beta2 = .98f,
        .epsilon = 1e-8f,
        .warmup_steps = 100,
        .batch = 128,
        .windows = SEQUENCE_WINDOW_RANDOM,
        .epochs = 100,
        .patience = 10,
        .precision = TENSOR_FP32,
        .threads = 2,
        .seed = 1,
    };
}

/* Sparse data are learnt best by gated blocks in a short schedule: a high rate that falls to a
 * tenth, held back by weight decay. Validation NDCG@10 on Beauty: .0728 in 30 epochs, against
 * .0605 for plain blocks in the same schedule (20 epochs) and .0643 for plain blocks after 30
 * epochs at 1e-3. */
static void short_schedule(sequence_settings *s)
{
    s->block = SEQUENCE_BLOCK_GATED;
    s->batch = 256;
    s->rate = 4e-3f;
    s->cosine = true;
    s->decay = .3f;
    s->epochs = 30;
}

/* Dense data want depth and little dropout, and gain from a schedule as well: MovieLens-1M at
 * width 64 with gated blocks reaches a validation NDCG@10 of .187 in 50 epochs. */
static void dense_schedule(sequence_settings *s)
{
    s->block = SEQUENCE_BLOCK_GATED;
    s->blocks = 2;
    s->dropout = .2f;
    s->rate = 2e-3f;
    s->cosine = true;
    s->decay = .1f;
    s->epochs = 50;
}

/* 1M ratings of 3,400 films need depth, 6 events a shopper on 12,000 products are learnt by
 * heart by anything but a narrow block with strong dropout. */
static void by_density(sequence_settings *s, const shape_of_data *d)
{
    if (d->long_histories) s->length = 200;
    if (d->dense && d->long_histories && s->architecture == SEQUENCE_TRANSFORMER) {
        dense_schedule(s);
    } else if (d->dense && d->long_histories) {
        s->width = 128;
        s->blocks = 2;
        s->heads = 2;
        s->dropout = .3f;
        s->attention_dropout = .2f;
    }
    if (d->events < SMALL_EVENTS) {
        s->width = 32;
        s->patience = 20;
    } else if (!d->dense && s->architecture == SEQUENCE_TRANSFORMER) {
        short_schedule(s);
    }
}

static void by_parts(sequence_settings *s, const sequence_events *e,
                     const sequence_side *side)
{
    s->side = side != NULL && side->vectors != NULL && side->K > 0;
    s->gaps = e->time_us != NULL;
    if (e->n_products > FULL_LOSS_PRODUCTS) s->loss = SEQUENCE_LOSS_SAMPLED;
}

static void by_architecture(sequence_settings *s)
{
    switch (s->architecture) {
    case SEQUENCE_TRANSFORMER: return;
    case SEQUENCE_GRU: /* order is in the recurrence itself */
        s->blocks = 1;
        s->heads = 1;
        s->positions = false;
        s->attention_dropout = 0;
        return;
    case SEQUENCE_BERT: /* a fifth of the rows teaches per epoch: it needs more of them */
        s->epochs = 300;
        s->patience = 30;
        return;
    }
}

sequence_settings sequence_settings_for(sequence_architecture a, const sequence_events *e,
                                        const sequence_side *side)
{
    sequence_settings s = common(a);
    shape_of_data d = look_at(e);
    by_density(&s, &d);
    by_parts(&s, e, side);
    by_architecture(&s);
    return s;
}
