/* See fake_endpoint.h. One connection at a time, each closed after its answer. */
#include "language/fake_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"

enum { ANSWER_MAX = 4 << 20, TICK_MS = 20, PATIENCE_TICKS = 250 };

/* Waits a little at a time, so that stopping is quick; false when stopping. */
static bool readable(fake_endpoint *f, int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (!atomic_load(&f->stopping)) {
        if (poll(&wait, 1, TICK_MS) > 0) return true;
    }
    return false;
}

static size_t content_length(const char *headers)
{
    const char *p = strcasestr(headers, "content-length:");
    return p ? strtoul(p + 15, NULL, 10) : 0;
}

/* Reads headers and body into the endpoint; false when the line broke. */
static bool read_request(fake_endpoint *f, int fd)
{
    static char bytes[sizeof f->headers + FAKE_BODY_BYTES];
    size_t n = 0;
    const char *body = NULL;
    while (!body || n - (size_t)(body - bytes) < content_length(f->headers)) {
        if (n + 1 >= sizeof bytes || !readable(f, fd)) return false;
        const ssize_t got = recv(fd, bytes + n, sizeof bytes - 1 - n, 0);
        if (got <= 0) return false;
        n += (size_t)got;
        bytes[n] = '\0';
        if (!body && (body = strstr(bytes, "\r\n\r\n")) != NULL) {
            body += 4;
            snprintf(f->headers, sizeof f->headers, "%.*s", (int)(body - bytes), bytes);
            if (strcasestr(f->headers, "expect: 100-continue"))
                send(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
        }
    }
    snprintf(f->body, sizeof f->body, "%s", body);
    return true;
}

/* ---- answers ---- */

static void put_entry(buffer *b, fake_mode mode, size_t i, size_t n, text t)
{
    const char *gap = mode == FAKE_PRETTY ? "\n          " : "";
    size_t index = mode == FAKE_SAME_INDEX ? 0 : mode == FAKE_INDEX_TOO_LARGE ? n : i;
    buffer_append_text(b, "{\"object\": \"embedding\", ");
    if (mode != FAKE_NO_INDEX) buffer_printf(b, "\"index\": %zu, ", index);
    buffer_printf(b, "\"embedding\": [%s", gap);
    if (mode == FAKE_ZEROS)
        buffer_append_text(b, "0, 0, 0");
    else if (mode == FAKE_WORD_FOR_NUMBER)
        buffer_append_text(b, "1, \"NaN\", 1");
    else if (mode == FAKE_NUMBER_TOO_LARGE)
        buffer_append_text(b, "1, 1e999, 1");
    else
        buffer_printf(b, "%zu,%s%u,%s%zu", t.n, gap, (unsigned char)t.data[0], gap, i);
    if (mode != FAKE_OTHER_DIMENSION) buffer_printf(b, ",%s%d", gap, mode != FAKE_ZEROS);
    buffer_printf(b, "%s]}", gap);
}

static void put_vectors(fake_endpoint *f, fake_mode mode, buffer *b)
{
    arena a;
    const json_value *root = NULL;
    arena_init(&a, 64 << 20);
    json_parse(&a, f->body, strlen(f->body), &root, NULL);
    const json_value *input = json_member(root, "input");
    const size_t n = input ? input->n : 0;
    const size_t given = mode == FAKE_FEWER ? n - 1 : mode == FAKE_MORE ? n + 1 : n;
    f->largest_batch = n > f->largest_batch ? n : f->largest_batch;
    buffer_append_text(b, "{\"object\": \"list\", \"data\": [");
    for (size_t k = 0; k < given; k++) {
        const size_t i = mode == FAKE_BACKWARDS ? n - 1 - k : k;
        buffer_append_text(b, k > 0 ? ", " : "");
        put_entry(b, mode, i, n, input->values[i < n ? i : 0].text);
    }
    buffer_append_text(b, "], \"usage\": {\"total_tokens\": 1}}");
    arena_free(&a);
}

static void send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes += sent;
        n -= (size_t)sent;
    }
}

static void send_answer(int fd, const char *status, const buffer *body, size_t announced)
{
    char head[256];
    const int n = snprintf(head, sizeof head,
                           "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                           "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                           status, announced);
    send_all(fd, head, (size_t)n);
    send_all(fd, body->data, body->length);
}

/* Waits until the other side goes away, sending `byte` at each tick if it is one. */
static void linger(fake_endpoint *f, int fd, const char *byte)
{
    for (int tick = 0; tick < PATIENCE_TICKS && !atomic_load(&f->stopping); tick++) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        char ignored;
        if (poll(&wait, 1, TICK_MS) > 0 && recv(fd, &ignored, 1, 0) <= 0) return;
        if (byte && send(fd, byte, 1, MSG_NOSIGNAL) <= 0) return;
    }
}

static void flood(fake_endpoint *f, int fd)
{
    static char spaces[65536];
    memset(spaces, ' ', sizeof spaces);
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    send_all(fd, head, sizeof head - 1);
    while (!atomic_load(&f->stopping) &&
           send(fd, spaces, sizeof spaces, MSG_NOSIGNAL) > 0) {
    }
}

static void answer_badly(fake_endpoint *f, int fd, fake_mode mode, buffer *b)
{
    switch (mode) {
    case FAKE_NO_JSON: buffer_append_text(b, "<html>hello</html>"); break;
    case FAKE_NO_DATA: buffer_append_text(b, "{\"object\": \"list\"}"); break;
    case FAKE_HANG: linger(f, fd, NULL); return;
    case FAKE_DRIP: linger(f, fd, "H"); return;
    case FAKE_HANG_UP: return;
    case FAKE_FLOOD: flood(f, fd); return;
    case FAKE_500:
        buffer_append_text(b, "out of order\ntoday");
        send_answer(fd, "500 Internal Server Error", b, b->length);
        return;
    case FAKE_401: send_answer(fd, "401 Unauthorized", b, b->length); return;
    case FAKE_REDIRECT:
        send_answer(fd, "302 Found\r\nLocation: /other", b, b->length);
        return;
    default: break; /* FAKE_EMPTY */
    }
    send_answer(fd, "200 OK", b, b->length);
}

static void serve(fake_endpoint *f, int fd)
{
    buffer b;
    const fake_mode mode = (fake_mode)atomic_load(&f->mode);
    pthread_mutex_lock(&f->mutex);
    const bool whole = read_request(f, fd);
    buffer_init(&b, ANSWER_MAX);
    if (whole) {
        atomic_fetch_add(&f->requests, 1);
        if (mode <= FAKE_ZEROS || mode == FAKE_CUT_SHORT) put_vectors(f, mode, &b);
    }
    pthread_mutex_unlock(&f->mutex);
    if (whole && atomic_load(&f->bad_answers) > 0) {
        atomic_fetch_sub(&f->bad_answers, 1);
        send_answer(fd, "503 Service Unavailable", &b, 0);
    } else if (whole && (mode <= FAKE_ZEROS || mode == FAKE_CUT_SHORT)) {
        if (mode == FAKE_CUT_SHORT) b.length /= 2;
        send_answer(fd, "200 OK", &b, mode == FAKE_CUT_SHORT ? 2 * b.length : b.length);
    } else if (whole) {
        answer_badly(f, fd, mode, &b);
    }
    buffer_free(&b);
}

static void *run(void *context)
{
    fake_endpoint *f = context;
    while (readable(f, f->listener)) {
        const int fd = accept(f->listener, NULL, NULL);
        if (fd < 0) continue;
        serve(f, fd);
        shutdown(fd, SHUT_RDWR);
        close(fd);
    }
    return NULL;
}

fake_endpoint *fake_start(void)
{
    fake_endpoint *f = calloc(1, sizeof *f);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!f) abort();
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_init(&f->mutex, NULL);
    if (f->listener < 0 || bind(f->listener, (struct sockaddr *)&address, length) != 0 ||
        listen(f->listener, 8) != 0 ||
        getsockname(f->listener, (struct sockaddr *)&address, &length) != 0)
        abort();
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u/v1/embeddings",
             (unsigned)ntohs(address.sin_port));
    if (pthread_create(&f->thread, NULL, run, f) != 0) abort();
    return f;
}

void fake_stop(fake_endpoint *f)
{
    atomic_store(&f->stopping, true);
    pthread_join(f->thread, NULL);
    close(f->listener);
    pthread_mutex_destroy(&f->mutex);
    free(f);
}
