/*
 * What the data ask for: the settings that are used where nobody says otherwise. All rules
 * and numbers stand here, each with where it comes from (docs/experiments.md has the runs).
 * Nothing looks at a data set's name: size, length and density decide.
 */
#include "sequence/settings.h"

/* A catalogue above this is trained against sampled negatives: a whole-catalogue pass costs
 * more than it teaches. */
enum { FULL_LOSS_PRODUCTS = 30000 };
/* Events a product from which its vector is learnt well enough for a deep network. */
enum { DENSE_EVENTS_A_PRODUCT = 30 };
/* Mean events a shopper from which histories count as long. */
enum { LONG_EVENTS_A_SHOPPER = 40 };
/* Dense data with fewer events are learnt by heart by a wide network. */
enum { WIDE_EVENTS = 400000 };
/* Below this many events validation is too noisy for a short patience. */
enum { SMALL_EVENTS = 20000 };
/* Steps of training that are enough on all that was measured, from 943 shoppers to 35,598. Few
 * shoppers: smaller batches and more epochs; many: fewer epochs. */
enum { STEPS_ENOUGH = 2400, STEPS_MOST = 20000, STEPS_AN_EPOCH = 30, BATCH_LEAST = 16 };
enum { EPOCHS_LEAST = 3, EPOCHS_MOST = 200 };

typedef struct shape_of_data {
    double events_a_shopper; /* products taken, over shoppers who took two or more */
    double events_a_product;
    uint64_t events, active; /* who took two or more */
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
    uint64_t of_active = 0;
    for (uint32_t u = 0; u < e->n_shoppers; u++) {
        uint64_t n = taken_by(e, u);
        d.events += n;
        of_active += n > 1 ? n : 0;
        d.active += n > 1;
    }
    d.events_a_shopper = d.active > 0 ? (double)of_active / (double)d.active : 0;
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

/* Sparse data are learnt best by one gated block in a short schedule: a high rate that falls
 * to a tenth, held back by weight decay. Validation NDCG@10 on Beauty: .0728 in 30 epochs,
 * against .0605 for plain blocks in the same schedule (20 epochs) and .0643 for plain blocks
 * after 30 epochs at 1e-3. */
static void short_schedule(sequence_settings *s)
{
    s->block = SEQUENCE_BLOCK_GATED;
    s->batch = 256;
    s->rate = 4e-3f;
    s->cosine = true;
    s->decay = .3f;
    s->epochs = 30;
}

/* Dense, long histories want depth and little dropout, and lose when what a shopper takes later
 * is a negative of what he takes now. Validation NDCG@10 on MovieLens-1M at 50 epochs: .187 at
 * width 64, .190 with omit_taken, .201 at width 128, .212 with both. MovieLens-100K: .146 at
 * width 64 with dropout .4, .120 at 128 with fewer steps. */
static void dense_schedule(sequence_settings *s, const shape_of_data *d)
{
    const bool wide = d->events >= WIDE_EVENTS;
    s->block = SEQUENCE_BLOCK_GATED;
    s->width = wide ? 128 : 64;
    s->heads = wide ? 2 : 1;
    s->blocks = 2;
    s->dropout = wide ? .2f : .4f;
    s->omit_taken = true;
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
    if (d->dense && d->long_histories)
        dense_schedule(s, d);
    else
        short_schedule(s);
    if (d->events < SMALL_EVENTS) {
        s->width = 32;
        s->heads = 1;
        s->patience = 20;
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
        s->block = SEQUENCE_BLOCK_PLAIN;
        s->blocks = 1;
        s->heads = 1;
        s->positions = false;
        s->attention_dropout = 0;
        return;
    case SEQUENCE_BERT: /* a fifth of the rows teaches per epoch: it needs more of them */
        s->block = SEQUENCE_BLOCK_PLAIN;
        s->epochs *= 2;
        s->patience *= 2;
        return;
    }
}

/* Batches and epochs that make enough steps of the shoppers there are, and not too many. */
static void by_steps(sequence_settings *s, const shape_of_data *d)
{
    while (s->batch > BATCH_LEAST && d->active < (uint64_t)s->batch * STEPS_AN_EPOCH)
        s->batch /= 2;
    const uint64_t steps = (d->active + s->batch - 1) / s->batch + (d->active == 0);
    const uint64_t enough = (STEPS_ENOUGH + steps - 1) / steps, most = STEPS_MOST / steps;
    if (s->epochs < enough) s->epochs = enough < EPOCHS_MOST ? (unsigned)enough : EPOCHS_MOST;
    if (s->epochs > most) s->epochs = most > EPOCHS_LEAST ? (unsigned)most : EPOCHS_LEAST;
}

sequence_settings sequence_settings_for(sequence_architecture a, const sequence_events *e,
                                        const sequence_side *side)
{
    sequence_settings s = common(a);
    shape_of_data d = look_at(e);
    by_density(&s, &d);
    by_parts(&s, e, side);
    by_architecture(&s);
    by_steps(&s, &d);
    return s;
}
