/* Frames of the shop's own, from YAML; frame.h shows the file. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/yaml.h"
#include "message/frame.h"
#include "message/frame_set.h"

typedef struct raw_frame {
    char *id, *kind, *channel, *language, *promotion, *subject, *body;
    uint32_t *version;
} raw_frame;

typedef struct raw_frames {
    raw_frame *frames;
    uint32_t frames_count;
} raw_frames;

#define NEEDED(member, most)                                                             \
    CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER, raw_frame, member, 1, most)
#define OPTIONAL(member, most)                                                           \
    CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_frame, \
                           member, 0, most)

static const cyaml_schema_field_t frame_fields[] = {
    NEEDED(id, LIMIT_ID_BYTES),
    CYAML_FIELD_UINT_PTR("version", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_frame,
                         version),
    NEEDED(kind, 64),
    NEEDED(channel, 64),
    NEEDED(language, 64),
    OPTIONAL(promotion, LIMIT_ID_BYTES),
    OPTIONAL(subject, LIMIT_FRAME_BYTES),
    NEEDED(body, LIMIT_FRAME_BYTES),
    CYAML_FIELD_END};
static const cyaml_schema_value_t frame_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_frame, frame_fields)};
static const cyaml_schema_field_t top_fields[] = {
    CYAML_FIELD_SEQUENCE("frames", CYAML_FLAG_POINTER, raw_frames, frames, &frame_value,
                         1, LIMIT_FRAMES),
    CYAML_FIELD_END};
static const cyaml_schema_value_t top_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_frames, top_fields)};

static pf_status read_key(const raw_frame *raw, frame_key *out, pf_error *err)
{
    int kind = promotion_kind_parse(text_of(raw->kind));
    if (kind < 0)
        return error_set(err, PF_USAGE, "frame '%s': there is no kind '%s'", raw->id,
                         raw->kind);
    *out = (frame_key){.kind = (promotion_kind)kind,
                       .channel = channel_parse(text_of(raw->channel)),
                       .language = language_of(raw->language, LANGUAGE_COUNT),
                       .promotion = raw->promotion != NULL ? raw->promotion : ""};
    if (out->channel == CHANNEL_NONE)
        return error_set(err, PF_USAGE, "frame '%s': there is no channel '%s'", raw->id,
                         raw->channel);
    if (out->language == LANGUAGE_COUNT)
        return error_set(err, PF_USAGE,
                         "frame '%s': there is no language '%s', only en and zh", raw->id,
                         raw->language);
    return PF_OK;
}

/* First what the file replaces, then its frames, so that ids may be used again. */
static pf_status take(frame_set *set, const raw_frames *raw, pf_error *err)
{
    frame_words w = {.id = NULL};
    for (uint32_t i = 0; i < raw->frames_count; i++) {
        pf_status s = read_key(&raw->frames[i], &w.key, err);
        if (s != PF_OK) return s;
        frame_set_drop(set, &w.key);
    }
    for (uint32_t i = 0; i < raw->frames_count; i++) {
        const raw_frame *r = &raw->frames[i];
        pf_status s = read_key(r, &w.key, err);
        w.id = r->id;
        w.version = r->version != NULL ? *r->version : 1;
        w.subject = r->subject;
        w.body = r->body;
        if (s == PF_OK) s = frame_set_add(set, &w, err);
        if (s != PF_OK) return s;
    }
    return PF_OK;
}

pf_status frame_set_parse(frame_set *set, const char *yaml, size_t n, const char *name,
                          pf_error *err)
{
    void *raw = NULL;
    pf_status s = yaml_load(&top_value, yaml, n, name, &raw, err);
    if (s != PF_OK) return s;
    s = take(set, raw, err);
    if (s != PF_OK) error_prefix(err, "%s", name);
    yaml_release(&top_value, raw);
    return s;
}

pf_status frame_set_load(frame_set *set, const char *path, pf_error *err)
{
    void *raw = NULL;
    pf_status s = yaml_load_file(&top_value, path, &raw, err);
    if (s != PF_OK) return s;
    s = take(set, raw, err);
    if (s != PF_OK) error_prefix(err, "%s", path);
    yaml_release(&top_value, raw);
    return s;
}
