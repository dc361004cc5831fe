/* What an outlook holds. Private to this room. */
#ifndef PROFFER_RESPONSE_OUTLOOK_INNER_H
#define PROFFER_RESPONSE_OUTLOOK_INNER_H

#include "response/outlook.h"
#include "response/outlook_trips.h"

struct outlook {
    const shop_catalogue *catalogue;
    const shop_history *history;
    product_tree *tree;
    sequence_events_owned *trips; /* of the whole history; only a prefix is ever read */
    size_t n;
    int64_t cut_us[OUTLOOK_MOST_NETWORKS];
    sequence_model *model[OUTLOOK_MOST_NETWORKS];
};

#endif
