/* Tables, fields and their other names; see fields.h. */
#include "intake/fields.h"

#include <string.h>

#include "intake/words.h"

#define SHOPPER_NAMES                                                                    \
    "shopperid|shopper|customerid|customer|userid|user|visitorid|memberid|householdid|"  \
    "clientid|accountid|buyerid|reviewerid"
#define PRODUCT_NAMES                                                                    \
    "productid|product|sku|itemid|item|stockcode|asin|parentasin|articleid|article|"     \
    "productcode|itemcode|variantid|upc|ean|gtin"
#define PROMOTION_NAMES                                                                  \
    "promotionid|promotion|promoid|promo|couponid|offerid|offer|couponcode"

static const field_info product_fields[] = {
    {"id", "id|" PRODUCT_NAMES, true, true, false},
    {"title", "title|name|producttitle|productname|itemname|movietitle|itemtitle", false,
     false, false},
    {"description", "description|longdescription|productdescription|details", false,
     false, false},
    {"category",
     "category|categorypath|producttype|googleproductcategory|categories|"
     "genres|genre|class|department",
     false, false, false},
    {"brand", "brand|brandname|manufacturer|vendor", false, false, false},
    {"price", "price|regularprice|listprice|unitprice", false, false, true},
    {"currency", "currency|currencycode|pricecurrency", false, false, false},
    {"image", "image|imagepath|imagelink|imageurl|img", false, false, false},
    {"attributes", "attributes", false, false, false},
};

static const field_info shopper_fields[] = {
    {"id", "id|" SHOPPER_NAMES, true, true, false},
    {"language", "language|lang|locale", false, false, false},
    {"zone", "zone|timezone|tz", false, false, false},
    {"consent_given", "consentgiven|consent|optin", false, false, false},
    {"consent_refused", "consentrefused|optout", false, false, false},
    {"attributes", "attributes", false, false, false},
};

static const field_info campaign_fields[] = {
    {"id", "id|campaignid|campaign", true, true, false},
    {"title", "title|name|campaigntitle|campaignname", false, false, false},
    {"kind", "kind|type|campaigntype", false, false, false},
    {"starts", "starts|start|startdate|startsat|starttime|begin", false, false, false},
    {"ends", "ends|endsat|endtime", false, false, false},
    {"ends_on", "endson|end|enddate|lastday", false, false, false},
    {"attributes", "attributes", false, false, false},
};

static const field_info promotion_fields[] = {
    {"id", "id|" PROMOTION_NAMES, true, true, false},
    {"campaign", "campaign|campaignid", false, true, false},
    {"title", "title|longtitle|name|promotiontitle|promotionname", false, false, false},
    {"body", "body|text|description", false, false, false},
    {"kind", "kind|type|promotiontype|offertype|couponvaluetype", false, false, false},
    {"percent", "percent|percentoff|discountpercent", false, false, false},
    {"value", "value|moneyoff|moneyoffamount|amountoff|discountvalue", false, false,
     true},
    {"minimum_purchase", "minimumpurchase|minimumpurchaseamount|minimumspend|minspend",
     false, false, true},
    {"starts", "starts|start|startdate|startsat|starttime|begin", false, false, false},
    {"ends", "ends|endsat|endtime", false, false, false},
    {"ends_on", "endson|end|enddate|lastday", false, false, false},
    {"budget", "budget", false, false, true},
    {"currency", "currency|currencycode", false, false, false},
    {"shopper_limit", "shopperlimit|pershopperlimit|percustomerlimit|limitperuser", false,
     false, false},
    {"redemption_limit", "redemptionlimit|maxredemptions|maximumredemptions|usagelimit",
     false, false, false},
    {"channels", "channels|channel", false, false, false},
    {"stacking_group", "stackinggroup", false, false, false},
    {"contact_cost", "contactcost", false, false, true},
    {"scope_categories", "scopecategories|categories|category", false, false, false},
    {"scope_brands", "scopebrands|brands|brand", false, false, false},
    {"tags", "tags|tag|labels|label", false, false, false},
    {"audience", "audience", false, false, false},
    {"attributes", "attributes", false, false, false},
};

static const field_info scope_fields[] = {
    {"promotion", PROMOTION_NAMES, true, true, false},
    {"product", PRODUCT_NAMES, true, true, false},
};

static const field_info event_fields[] = {
    {"id", "id|eventid|messageid|insertid", false, true, false},
    {"type", "type|eventtype|event|eventname|action|behavior|behaviortype", true, false,
     false},
    {"shopper", SHOPPER_NAMES, false, true, false},
    {"product", PRODUCT_NAMES, false, true, false},
    {"promotion", PROMOTION_NAMES, false, true, false},
    {"campaign", "campaign|campaignid", false, true, false},
    {"order", "order|orderid|invoiceno|invoice|invoiceid|basket|basketid|transactionid",
     false, true, false},
    {"decision", "decision|decisionid", false, true, false},
    {"channel", "channel", false, false, false},
    {"time",
     "time|timestamp|eventtime|datetime|invoicedate|date|createdat|occurredat|ts|"
     "eventtimestamp|orderdate|unixreviewtime",
     true, false, false},
    {"quantity", "quantity|qty|units", false, false, false},
    {"paid", "paid|amount|revenue|linetotal|total|salesvalue", false, false, true},
    {"unit_price", "unitprice|price", false, false, true},
    {"discount", "discount|discountamount|shelfdiscount", false, false, true},
    {"coupon", "coupondiscount|coupon|couponamount", false, false, true},
    {"currency", "currency|currencycode", false, false, false},
    {"rating", "rating|score|stars|overall", false, false, false},
    {"propensity", "propensity", false, false, false},
    {"attributes", "attributes", false, false, false},
};

typedef struct table {
    const char *name;
    const field_info *fields;
    size_t n_fields;
} table;

#define TABLE(name, fields)                                                              \
    {                                                                                    \
        name, fields, sizeof fields / sizeof *fields                                     \
    }

static const table tables[TABLE_COUNT] = {
    [TABLE_PRODUCTS] = TABLE("products", product_fields),
    [TABLE_SHOPPERS] = TABLE("shoppers", shopper_fields),
    [TABLE_CAMPAIGNS] = TABLE("campaigns", campaign_fields),
    [TABLE_PROMOTIONS] = TABLE("promotions", promotion_fields),
    [TABLE_SCOPE] = TABLE("scope", scope_fields),
    [TABLE_EVENTS] = TABLE("events", event_fields),
};

_Static_assert(sizeof product_fields / sizeof(field_info) == PRODUCTS_ATTRIBUTES + 1,
               "products");
_Static_assert(sizeof shopper_fields / sizeof(field_info) == SHOPPERS_ATTRIBUTES + 1,
               "shoppers");
_Static_assert(sizeof campaign_fields / sizeof(field_info) == CAMPAIGNS_ATTRIBUTES + 1,
               "campaigns");
_Static_assert(sizeof promotion_fields / sizeof(field_info) == FIELDS_MAX, "promotions");
_Static_assert(sizeof event_fields / sizeof(field_info) == EVENTS_FIELD_COUNT, "events");
_Static_assert((int)EVENTS_FIELD_COUNT <= (int)FIELDS_MAX, "events are not the widest");

const char *intake_table_name(intake_table t)
{
    return (unsigned)t < TABLE_COUNT ? tables[t].name : "unknown";
}

intake_table intake_table_parse(text name)
{
    int t = 0;
    while (t < TABLE_COUNT && !text_is(name, tables[t].name))
        t++;
    return (intake_table)t;
}

size_t table_field_count(intake_table t)
{
    return tables[t].n_fields;
}

const field_info *table_field(intake_table t, size_t i)
{
    return &tables[t].fields[i];
}

int table_field_find(intake_table t, text name)
{
    for (size_t i = 0; i < tables[t].n_fields; i++)
        if (text_is(name, tables[t].fields[i].name)) return (int)i;
    return -1;
}

/* The place of a word in "a|b|c", or SIZE_MAX. */
static size_t place_of(const char *words, const char *word)
{
    const size_t n = strlen(word);
    size_t place = 0;
    for (const char *p = words; *p != 0; place++) {
        const size_t length = strcspn(p, "|");
        if (length == n && memcmp(p, word, n) == 0) return place;
        p += length + (p[length] == '|');
    }
    return SIZE_MAX;
}

int table_field_guess(intake_table t, text column, size_t *rank)
{
    char folded[64], own[64];
    int best = -1;
    *rank = SIZE_MAX;
    if (column.n >= sizeof folded || word_fold(column, folded, sizeof folded) == 0)
        return -1;
    for (size_t i = 0; i < tables[t].n_fields; i++) {
        const field_info *f = &tables[t].fields[i];
        (void)word_fold(text_of(f->name), own, sizeof own);
        size_t place = strcmp(own, folded) == 0 ? 0 : place_of(f->synonyms, folded);
        place += place != SIZE_MAX && strcmp(own, folded) != 0;
        if (place < *rank) {
            *rank = place;
            best = (int)i;
        }
    }
    return best;
}
