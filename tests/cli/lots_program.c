/* Making and filling the workspace; see lots_program.h. */
#include "lots_program.h"

#include "program.h"

#include <stdio.h>

#include "base/file.h"

const char *lots_inside(const char *folder, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return in_folder(path);
}

void lots_configure(const char *name, const char *decide)
{
    char yaml[1024];
    const int n = snprintf(yaml, sizeof yaml,
                           "version: 1\nshop: {name: Lots, currency: USD}\n"
                           "language: {encoder: none}\nresponse: {learner: logistic}\n"
                           "decide:\n%s",
                           decide);
    assert_true(n > 0 && (size_t)n < sizeof yaml);
    assert_int_equal(
        file_write_atomic(lots_inside(name, "proffer.yaml"), yaml, (size_t)n, NULL), PF_OK);
}

const char *lots_import(const char *name, const char *decide, unsigned shoppers)
{
    char folder[64];
    const char *w = in_folder(name);
    (void)snprintf(folder, sizeof folder, "data-of-%s", name);
    RUN_CODE(0, "init", w);
    lots_configure(name, decide);
    assert_int_equal(run_other(WORDS("mkdir", in_folder(folder)))->code, 0);
    lots_write(in_folder(folder), shoppers);
    RUN_CODE(0, "import", lots_inside(folder, "products.csv"),
             lots_inside(folder, "shoppers.csv"), lots_inside(folder, "campaigns.csv"),
             lots_inside(folder, "promotions.csv"), lots_inside(folder, "past.csv"), "-w", w,
             "-q");
    return w;
}
