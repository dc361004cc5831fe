// The only C++ of the language room; see sentencepiece_shim.h. Every function ends in
// catch (...): an exception may not pass a C caller.
#include "language/sentencepiece_shim.h"

#include <algorithm>
#include <new>
#include <sentencepiece_processor.h>
#include <string>
#include <vector>

struct piece_model {
    sentencepiece::SentencePieceProcessor processor;
    uint32_t unknown = 0, begin = 0, end = 0;
};

namespace
{

struct piece {
    uint32_t id;
    std::string text;
};

// Continuation bytes of UTF-8 look like 10xxxxxx; all others begin a character.
size_t characters(const std::string &text)
{
    return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

// Words that commute are powers of one word, so commuting is transitive along a run and
// any order of the run is the same text.
bool commute(const piece &a, const piece &b)
{
    return a.text == b.text || a.text + b.text == b.text + a.text;
}

void order_ties(std::vector<piece> &pieces)
{
    const auto shorter = [](const piece &a, const piece &b) {
        return a.text.size() < b.text.size();
    };
    for (auto first = pieces.begin(); first != pieces.end();) {
        auto end = first + 1;
        while (end != pieces.end() && commute(*(end - 1), *end))
            ++end;
        std::stable_sort(first, end, shorter);
        first = end;
    }
}

std::vector<piece> segment(const piece_model &m, std::string_view text)
{
    const auto result = m.processor.EncodeAsImmutableProto(text);
    std::vector<piece> pieces;
    for (size_t i = 0; i < result.pieces_size(); i++) {
        const auto part = result.pieces(static_cast<int>(i));
        const size_t times = part.id() == m.unknown ? characters(part.piece()) : 1;
        for (size_t j = 0; j < times; j++)
            pieces.push_back({part.id(), part.piece()});
    }
    order_ties(pieces);
    if (pieces.empty()) pieces.push_back({m.unknown, ""});
    return pieces;
}

bool has_marks(piece_model &m)
{
    const int unknown = m.processor.unk_id(), begin = m.processor.bos_id(),
              end = m.processor.eos_id();
    if (unknown < 0 || begin < 0 || end < 0) return false;
    m.unknown = static_cast<uint32_t>(unknown);
    m.begin = static_cast<uint32_t>(begin);
    m.end = static_cast<uint32_t>(end);
    return true;
}

} // namespace

extern "C" {

pf_status piece_model_open(piece_model **out, const void *bytes, size_t n, pf_error *err)
{
    *out = nullptr;
    piece_model *m = nullptr;
    try {
        m = new piece_model;
        const auto status = m->processor.LoadFromSerializedProto(
            std::string_view(static_cast<const char *>(bytes), n));
        if (status.ok() && has_marks(*m)) {
            *out = m;
            return PF_OK;
        }
        const std::string why =
            status.ok() ? "no marks for unknown, begin and end" : status.error_message();
        delete m;
        return error_set(err, PF_DATA, "not a SentencePiece model: %s", why.c_str());
    } catch (...) {
        delete m;
        return error_set(err, PF_NO_MEMORY,
                         "the SentencePiece model could not be loaded");
    }
}

void piece_model_close(piece_model *m)
{
    delete m;
}

uint32_t piece_model_count(const piece_model *m)
{
    return static_cast<uint32_t>(m->processor.GetPieceSize());
}

pf_status piece_model_encode(const piece_model *m, const char *bytes, size_t n,
                             piece_sink *sink, void *context, pf_error *err)
{
    try {
        bool taken = sink(context, m->begin);
        for (const piece &p : segment(*m, std::string_view(n ? bytes : "", n)))
            taken = taken && sink(context, p.id);
        if (taken && sink(context, m->end)) return PF_OK;
    } catch (...) {
        // Falls through: all that the library throws here is a lack of memory.
    }
    return error_set(err, PF_NO_MEMORY, "no memory to cut a text into pieces");
}

} // extern "C"
