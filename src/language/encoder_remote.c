/*
 * The encoder over HTTP: any endpoint that speaks OpenAI's `POST /v1/embeddings`. The
 * other side is not trusted: time, size, count, dimension and every number are checked
 * before a vector is believed.
 *
 *     -> {"model": m, "input": [text, ...], "encoding_format": "float"}
 *     <- {"data": [{"index": 0, "embedding": [number, ...]}, ...]}
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/progress.h"
#include "language/encoder_kind.h"

enum {
    /* A float needs up to 15 characters; pretty-printed with a comma and a line of its
     * own it stays below this. */
    ANSWER_BYTES_A_VALUE = 32,
    ANSWER_BYTES_A_VECTOR = 1024,
    ANSWER_BYTES_AROUND = 64 << 10,
    REQUEST_BYTES_A_TEXT = 6 * LIMIT_TEXT_BYTES + 8, /* \u0000 for each byte at worst */
    TREE_BYTES_A_BYTE = 48,                          /* a parsed value for "0," */
    COMPLAINT_BYTES = 160,
};

typedef struct remote_encoder {
    encoder base;
    encoder_remote_options options; /* texts are copies below */
    char *url, *model, *authorization;
} remote_encoder;

encoder_remote_options encoder_remote_defaults(void)
{
    return (encoder_remote_options){.connect_timeout_ms = 10000,
                                    .timeout_ms = 60000,
                                    .retries = 3,
                                    .backoff_ms = 250,
                                    .batch_texts = 64};
}

/* ---- one request ---- */

typedef struct exchange {
    const remote_encoder *e;
    CURL *curl;
    buffer request, answer;
    long http_status;
    bool again; /* whether the failure may pass by itself */
} exchange;

static size_t receive(char *bytes, size_t size, size_t n, void *context)
{
    exchange *x = context;
    return buffer_append(&x->answer, bytes, size * n) ? size * n : 0;
}

static int stop_when_cancelled(void *context, curl_off_t a, curl_off_t b, curl_off_t c,
                               curl_off_t d)
{
    (void)context, (void)a, (void)b, (void)c, (void)d;
    return progress_cancelled();
}

/* The endpoint's own words, cut and made printable, for a message. */
static void quote_answer(const buffer *answer, char into[COMPLAINT_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i < answer->length && n + 1 < COMPLAINT_BYTES; i++) {
        const unsigned char c = (unsigned char)answer->data[i];
        into[n++] = c >= ' ' && c < 127 ? (char)c : ' ';
    }
    into[n] = '\0';
}

static pf_status check_status(exchange *x, pf_error *err)
{
    if (x->http_status == 200) return PF_OK;
    char words[COMPLAINT_BYTES];
    quote_answer(&x->answer, words);
    x->again = x->http_status == 408 || x->http_status == 425 || x->http_status == 429 ||
               x->http_status >= 500;
    return error_set(err, PF_UNAVAILABLE, "the embeddings endpoint %s answered %ld: %s",
                     x->e->url, x->http_status, words);
}

static pf_status transfer(exchange *x, pf_error *err)
{
    buffer_clear(&x->answer);
    x->again = false;
    const CURLcode code = curl_easy_perform(x->curl);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return error_set(err, PF_CANCELLED, "stopped while waiting for embeddings");
    if (code == CURLE_WRITE_ERROR)
        return error_set(err, PF_LIMIT,
                         "the embeddings endpoint %s sent more than %zu bytes", x->e->url,
                         x->answer.maximum);
    if (code != CURLE_OK) {
        x->again = true;
        return error_set(err, PF_UNAVAILABLE,
                         "no answer from the embeddings endpoint %s: %s", x->e->url,
                         curl_easy_strerror(code));
    }
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &x->http_status);
    return check_status(x, err);
}

/* Waits longer before each retry; false when the user stopped the program. */
static bool wait_before(const remote_encoder *e, unsigned retry)
{
    const unsigned doublings = retry < 16 ? retry : 16;
    const long ms = e->options.backoff_ms << doublings;
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    return !progress_cancelled();
}

static pf_status transfer_with_retries(exchange *x, pf_error *err)
{
    pf_status status = transfer(x, err);
    for (unsigned retry = 0; status != PF_OK && x->again && retry < x->e->options.retries;
         retry++) {
        if (!wait_before(x->e, retry))
            return error_set(err, PF_CANCELLED, "stopped while waiting for embeddings");
        status = transfer(x, err);
    }
    return status;
}

/* ---- the words of a request ---- */

/* JSON must be UTF-8: each wrong byte becomes U+FFFD. */
static bool append_sound(buffer *out, text t)
{
    size_t at;
    while (!utf8_check(t.data, t.n, &at)) {
        buffer_append(out, t.data, at);
        buffer_append_text(out, "\xEF\xBF\xBD");
        t = (text){t.data + at + 1, t.n - at - 1};
    }
    return buffer_append(out, t.data, t.n);
}

static bool write_request(exchange *x, size_t n, const text *const *texts)
{
    json_writer w;
    buffer sound;
    bool right = true;
    buffer_init(&sound, 3 * (size_t)LIMIT_TEXT_BYTES + 1);
    buffer_clear(&x->request);
    json_begin(&w, &x->request);
    json_object_begin(&w);
    json_key(&w, "model");
    json_text(&w, x->e->model);
    json_key(&w, "input");
    json_array_begin(&w);
    for (size_t i = 0; i < n && right; i++) {
        buffer_clear(&sound);
        right = append_sound(&sound, *texts[i]);
        json_text_n(&w, sound.data, sound.length);
    }
    json_array_end(&w);
    json_key(&w, "encoding_format");
    json_text(&w, "float");
    json_object_end(&w);
    buffer_free(&sound);
    return right && json_finish(&w);
}

/* ---- the words of an answer ---- */

static pf_status wrong_answer(const remote_encoder *e, pf_error *err, const char *what)
{
    return error_set(err, PF_DATA, "the embeddings endpoint %s answered wrongly: %s",
                     e->url, what);
}

/* Values of length 1 into out. */
static pf_status read_vector(const remote_encoder *e, const json_value *values,
                             size_t dimension, float *out, pf_error *err)
{
    if (!values || values->kind != JSON_ARRAY || values->n != dimension)
        return wrong_answer(e, err, "a vector is missing or has another dimension");
    double square = 0;
    for (size_t j = 0; j < dimension; j++) {
        double value;
        if (values->values[j].kind != JSON_NUMBER ||
            !text_to_double(values->values[j].text, &value) || !(fabs(value) < 1e18))
            return wrong_answer(e, err,
                                "a vector holds something that is no finite number");
        out[j] = (float)value;
        square += value * value;
    }
    if (square <= 0) return wrong_answer(e, err, "a vector is all zeros");
    const double scale = 1 / sqrt(square);
    for (size_t j = 0; j < dimension; j++)
        out[j] = (float)(out[j] * scale);
    return PF_OK;
}

/* The place of entry i: its "index" if it has one, each given once. */
static bool entry_place(const json_value *entry, size_t i, size_t n, bool *seen,
                        size_t *place)
{
    const json_value *index = json_member(entry, "index");
    uint64_t number = i;
    if (index && (index->kind != JSON_NUMBER || !text_to_u64(index->text, &number)))
        return false;
    if (number >= n || seen[number]) return false;
    seen[number] = true;
    *place = (size_t)number;
    return true;
}

static pf_status read_entries(const remote_encoder *e, const json_value *data, size_t n,
                              float *const *rows, pf_error *err)
{
    bool seen[LIMIT_ENDPOINT_BATCH] = {false};
    if (!data || data->kind != JSON_ARRAY || data->n != n)
        return wrong_answer(e, err, "another number of vectors than of texts");
    for (size_t i = 0; i < n; i++) {
        size_t place;
        if (!entry_place(&data->values[i], i, n, seen, &place))
            return wrong_answer(e, err, "an index is wrong or comes twice");
        const pf_status status =
            read_vector(e, json_member(&data->values[i], "embedding"), e->base.dimension,
                        rows[place], err);
        if (status != PF_OK) return status;
    }
    return PF_OK;
}

static pf_status parse_answer(const exchange *x, arena *a, const json_value **data,
                              pf_error *err)
{
    const json_value *root;
    const pf_status status = json_parse(a, x->answer.data, x->answer.length, &root, err);
    if (status != PF_OK) {
        error_prefix(err, "the embeddings endpoint %s answered wrongly", x->e->url);
        return status;
    }
    *data = json_member(root, "data");
    return PF_OK;
}

/* ---- batches ---- */

static void exchange_close(exchange *x, struct curl_slist *headers)
{
    curl_easy_cleanup(x->curl);
    curl_slist_free_all(headers);
    buffer_free(&x->request);
    buffer_free(&x->answer);
}

static void set_options(exchange *x, struct curl_slist *headers)
{
    const encoder_remote_options *o = &x->e->options;
    curl_easy_setopt(x->curl, CURLOPT_URL, x->e->url);
    curl_easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(x->curl, CURLOPT_CONNECTTIMEOUT_MS, o->connect_timeout_ms);
    curl_easy_setopt(x->curl, CURLOPT_TIMEOUT_MS, o->timeout_ms);
    curl_easy_setopt(x->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(x->curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(x->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(x->curl, CURLOPT_XFERINFOFUNCTION, stop_when_cancelled);
}

/* headers is the caller's to give back with exchange_close, whatever this returns. */
static pf_status exchange_open(exchange *x, const remote_encoder *e, size_t texts,
                               size_t dimension, struct curl_slist **headers,
                               pf_error *err)
{
    *x = (exchange){.e = e};
    buffer_init(&x->request, texts * REQUEST_BYTES_A_TEXT + ANSWER_BYTES_AROUND);
    buffer_init(&x->answer,
                texts * (dimension * ANSWER_BYTES_A_VALUE + ANSWER_BYTES_A_VECTOR) +
                    ANSWER_BYTES_AROUND);
    x->curl = curl_easy_init();
    *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (*headers && e->authorization && !curl_slist_append(*headers, e->authorization))
        return error_set(err, PF_NO_MEMORY, "no memory to ask for embeddings");
    if (!x->curl || !*headers)
        return error_set(err, PF_NO_MEMORY, "no memory to ask for embeddings");
    set_options(x, *headers);
    return PF_OK;
}

static pf_status ask(exchange *x, size_t n, const text *const *texts, pf_error *err)
{
    if (!write_request(x, n, texts))
        return error_set(err, PF_NO_MEMORY, "no memory to ask for embeddings");
    curl_easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->request.length);
    curl_easy_setopt(x->curl, CURLOPT_POSTFIELDS, x->request.data);
    return transfer_with_retries(x, err);
}

static pf_status encode_batch(exchange *x, size_t n, const text *const *texts,
                              float *const *rows, pf_error *err)
{
    pf_status status = ask(x, n, texts, err);
    if (status != PF_OK) return status;
    arena a;
    const json_value *data;
    arena_init(&a, x->answer.maximum * TREE_BYTES_A_BYTE);
    status = parse_answer(x, &a, &data, err);
    if (status == PF_OK) status = read_entries(x->e, data, n, rows, err);
    arena_free(&a);
    return status;
}

static pf_status remote_encode(encoder *base, size_t n, const text *texts, float *out,
                               pool *p, pf_error *err)
{
    (void)p;
    const remote_encoder *e = (remote_encoder *)base;
    const size_t batch = e->options.batch_texts;
    const text *asked[LIMIT_ENDPOINT_BATCH];
    float *rows[LIMIT_ENDPOINT_BATCH];
    exchange x;
    struct curl_slist *headers;
    pf_status status = exchange_open(&x, e, batch, base->dimension, &headers, err);
    for (size_t i = 0; i < n && status == PF_OK;) {
        size_t count = 0;
        for (; i < n && count < batch; i++) {
            float *row = out + i * base->dimension;
            memset(row, 0, base->dimension * sizeof *row);
            if (text_trim(texts[i]).n == 0) continue;
            asked[count] = &texts[i];
            rows[count++] = row;
        }
        if (count > 0) status = encode_batch(&x, count, asked, rows, err);
    }
    exchange_close(&x, headers);
    return status;
}

/* ---- opening and closing ---- */

static void remote_close(encoder *base)
{
    remote_encoder *e = (remote_encoder *)base;
    mem_free(e->url);
    mem_free(e->model);
    if (e->authorization) explicit_bzero(e->authorization, strlen(e->authorization));
    mem_free(e->authorization);
    mem_free(e);
}

static pf_status check_options(const encoder_remote_options *o, pf_error *err)
{
    if (!o->url ||
        (strncmp(o->url, "http://", 7) != 0 && strncmp(o->url, "https://", 8) != 0))
        return error_set(err, PF_USAGE,
                         "the embeddings endpoint must be an http:// or https:// "
                         "address, for example https://api.openai.com/v1/embeddings");
    if (!o->model || !*o->model || !utf8_check(o->model, strlen(o->model), NULL))
        return error_set(err, PF_USAGE,
                         "the embeddings endpoint needs the name of a model");
    if (o->api_key && strpbrk(o->api_key, "\r\n"))
        return error_set(err, PF_USAGE,
                         "the key of the embeddings endpoint has line breaks");
    if (o->batch_texts < 1 || o->batch_texts > LIMIT_ENDPOINT_BATCH)
        return error_set(err, PF_USAGE, "1 to %u texts can go in one request",
                         LIMIT_ENDPOINT_BATCH);
    if (o->timeout_ms < 1 || o->connect_timeout_ms < 1 || o->backoff_ms < 0 ||
        o->backoff_ms > 60000 || o->retries > 16)
        return error_set(err, PF_USAGE,
                         "time limits of the embeddings endpoint must be positive, "
                         "the first pause at most a minute, retries at most 16");
    return PF_OK;
}

static bool copy_options(remote_encoder *e, const encoder_remote_options *o)
{
    static const char bearer[] = "Authorization: Bearer ";
    e->options = *o;
    e->options.url = e->options.model = e->options.api_key = NULL;
    e->url = mem_copy_text(o->url, strlen(o->url));
    e->model = mem_copy_text(o->model, strlen(o->model));
    if (!e->url || !e->model) return false;
    if (!o->api_key) return true;
    const size_t n = sizeof bearer + strlen(o->api_key);
    e->authorization = mem_alloc(n, 1);
    if (e->authorization) snprintf(e->authorization, n, "%s%s", bearer, o->api_key);
    return e->authorization != NULL;
}

/* Asks for one vector and takes its length as the dimension. */
static pf_status learn_dimension(remote_encoder *e, pf_error *err)
{
    static const text probe = {"dimension", 9};
    const text *asked = &probe;
    exchange x;
    struct curl_slist *headers;
    arena a;
    const json_value *data = NULL, *first = NULL;
    pf_status status = exchange_open(&x, e, 1, LIMIT_VECTOR_DIMENSION, &headers, err);
    if (status == PF_OK) status = ask(&x, 1, &asked, err);
    arena_init(&a, x.answer.maximum * TREE_BYTES_A_BYTE);
    if (status == PF_OK) status = parse_answer(&x, &a, &data, err);
    if (status == PF_OK && data && data->kind == JSON_ARRAY && data->n == 1)
        first = json_member(&data->values[0], "embedding");
    if (status == PF_OK && (!first || first->kind != JSON_ARRAY || first->n == 0 ||
                            first->n > LIMIT_VECTOR_DIMENSION))
        status = wrong_answer(e, err, "no vector for one text");
    if (status == PF_OK) e->base.dimension = first->n;
    arena_free(&a);
    exchange_close(&x, headers);
    return status;
}

static void name_vectors(remote_encoder *e)
{
    fingerprint_state state;
    char dimension[24];
    snprintf(dimension, sizeof dimension, "%zu", e->base.dimension);
    fingerprint_begin(&state);
    fingerprint_add_text(&state, "openai embeddings");
    fingerprint_add_text(&state, e->url);
    fingerprint_add_text(&state, e->model);
    fingerprint_add_text(&state, dimension);
    e->base.fingerprint = fingerprint_end(&state);
    snprintf(e->base.description, sizeof e->base.description,
             "%.120s at %.100s, %zu values", e->model, e->url, e->base.dimension);
}

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

pf_status encoder_open_remote(encoder **out, const encoder_remote_options *options,
                              pf_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = NULL;
    pf_status status = check_options(options, err);
    if (status != PF_OK) return status;
    pthread_once(&once, start_curl);
    remote_encoder *e = mem_alloc_zero(1, sizeof *e);
    if (!e) return error_set(err, PF_NO_MEMORY, "no memory for the encoder");
    e->base.encode = remote_encode;
    e->base.close = remote_close;
    if (!copy_options(e, options))
        status = error_set(err, PF_NO_MEMORY, "no memory for the encoder");
    if (status == PF_OK) status = learn_dimension(e, err);
    if (status != PF_OK) {
        remote_close(&e->base);
        return status;
    }
    name_vectors(e);
    *out = &e->base;
    return PF_OK;
}
