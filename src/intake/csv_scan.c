/* Finding field ends 64 bytes at a time; see csv_scan.h. */
#include "intake/csv_scan.h"

uint64_t csv_block_mask_plain(const char *p, char delimiter)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i++)
        if (p[i] == delimiter || p[i] == '\n' || p[i] == '\r') mask |= UINT64_C(1) << i;
    return mask;
}

#ifdef __SSE2__
#include <emmintrin.h>

uint64_t csv_block_mask(const char *p, char delimiter)
{
    const __m128i want = _mm_set1_epi8(delimiter);
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        const __m128i hit =
            _mm_or_si128(_mm_cmpeq_epi8(b, want),
                         _mm_or_si128(_mm_cmpeq_epi8(b, lf), _mm_cmpeq_epi8(b, cr)));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << (16 * i);
    }
    return mask;
}
#else
uint64_t csv_block_mask(const char *p, char delimiter)
{
    return csv_block_mask_plain(p, delimiter);
}
#endif
