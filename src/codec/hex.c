/* SPDX-License-Identifier: MIT
 * Hex text and bytes, a block of 32 digits a step: in the compiler's portable vectors (SSE2, NEON or plain words), and on
 * x86 by what the processor has, looked up at run time. */
#include "codec/hex.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#define X86 1
#include <immintrin.h>
#else
#define X86 0
#endif

#define BLOCK 32

/* Decodes an even number of characters, a block or more, the last block once more where it does not end with the text.
 * False: not all of them are digits. */
typedef bool decoder(uint8_t *out, const char *hex, size_t length);

/* ---- portable ---- */

typedef uint8_t bytes16 __attribute__((vector_size(16)));

/* The values of 16 digits; lanes of *bad become 0xff where a character is no digit. */
static inline bytes16 digit_values(const char *hex, bytes16 *bad) {
  bytes16 text;
  memcpy(&text, hex, sizeof text);
  bytes16 decimal = text - '0';
  bytes16 letter = (text | 0x20) - 'a';
  bytes16 is_decimal = (bytes16)(decimal < 10);
  bytes16 is_letter = (bytes16)(letter < 6);
  *bad |= ~(is_decimal | is_letter);
  return (decimal & is_decimal) | ((letter + 10) & is_letter);
}

static inline void decode_32(uint8_t *out, const char *hex, bytes16 *bad) {
  bytes16 a = digit_values(hex, bad);
  bytes16 b = digit_values(hex + 16, bad);
  bytes16 high = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  bytes16 low = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  bytes16 bytes = (high << 4) | low;
  memcpy(out, &bytes, sizeof bytes);
}

static bool decode_portable(uint8_t *out, const char *hex, size_t length) {
  bytes16 bad = {0};
  uint64_t halves[2];
  for (size_t at = 0; at + BLOCK <= length; at += BLOCK) decode_32(out + at / 2, hex + at, &bad);
  decode_32(out + (length - BLOCK) / 2, hex + length - BLOCK, &bad);
  memcpy(halves, &bad, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}

/* ---- x86 ---- */

#if X86

/* The values of 16 digits: lanes of *most stay below 16 as long as each character is a digit. '0' to '9' become 0xf6 to
 * 0xff and then 0xf0 to 0xf9, up to which nothing else comes; what is no letter is 16 or more by the saturated sum. */
__attribute__((target("ssse3"))) static inline __m128i values_16(const char *hex, __m128i *most) {
  __m128i text = _mm_loadu_si128((const __m128i *)(const void *)hex);
  __m128i decimal = _mm_subs_epu8(_mm_add_epi8(text, _mm_set1_epi8((char)(0xff - '9'))), _mm_set1_epi8(6));
  __m128i letter = _mm_sub_epi8(_mm_or_si128(text, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
  __m128i values =
    _mm_min_epu8(_mm_sub_epi8(decimal, _mm_set1_epi8((char)0xf0)), _mm_adds_epu8(letter, _mm_set1_epi8(10)));
  *most = _mm_max_epu8(*most, values);
  return values;
}

__attribute__((target("ssse3"))) static inline void ssse3_32(uint8_t *out, const char *hex, __m128i *most) {
  const __m128i weights = _mm_set1_epi16(0x0110); /* 16 for a byte's first digit, 1 for its second */
  __m128i low = _mm_maddubs_epi16(values_16(hex, most), weights);
  __m128i high = _mm_maddubs_epi16(values_16(hex + BLOCK / 2, most), weights);
  _mm_storeu_si128((__m128i *)(void *)out, _mm_packus_epi16(low, high));
}

__attribute__((target("ssse3"))) static bool decode_ssse3(uint8_t *out, const char *hex, size_t length) {
  __m128i most = _mm_setzero_si128();
  const char *last = hex + length - BLOCK;
  uint8_t *last_out = out + (length - BLOCK) / 2;
  for (; hex < last; hex += BLOCK, out += BLOCK / 2) ssse3_32(out, hex, &most);
  ssse3_32(last_out, last, &most);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(most, _mm_set1_epi8(15)), most)) == 0xffff;
}

/* As values_16 and ssse3_32, of twice as many. */
__attribute__((target("avx2"))) static inline __m256i values_32(const char *hex, __m256i *most) {
  __m256i text = _mm256_loadu_si256((const __m256i *)(const void *)hex);
  __m256i decimal = _mm256_subs_epu8(_mm256_add_epi8(text, _mm256_set1_epi8((char)(0xff - '9'))), _mm256_set1_epi8(6));
  __m256i letter = _mm256_sub_epi8(_mm256_or_si256(text, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
  __m256i values = _mm256_min_epu8(_mm256_sub_epi8(decimal, _mm256_set1_epi8((char)0xf0)),
                                   _mm256_adds_epu8(letter, _mm256_set1_epi8(10)));
  *most = _mm256_max_epu8(*most, values);
  return values;
}

__attribute__((target("avx2"))) static inline void avx2_64(uint8_t *out, const char *hex, __m256i *most) {
  const __m256i weights = _mm256_set1_epi16(0x0110);
  __m256i low = _mm256_maddubs_epi16(values_32(hex, most), weights);
  __m256i high = _mm256_maddubs_epi16(values_32(hex + BLOCK, most), weights);
  __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8); /* that packs half by half */
  _mm256_storeu_si256((__m256i *)(void *)out, bytes);
}

__attribute__((target("avx2"))) static bool decode_avx2(uint8_t *out, const char *hex, size_t length) {
  if (length < 2 * BLOCK) return decode_ssse3(out, hex, length);
  __m256i most = _mm256_setzero_si256();
  const char *last = hex + length - 2 * BLOCK;
  uint8_t *last_out = out + length / 2 - BLOCK;
  for (; hex < last; hex += 2 * BLOCK, out += BLOCK) avx2_64(out, hex, &most);
  avx2_64(last_out, last, &most);
  return _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(most, _mm256_set1_epi8(15)), most)) == -1;
}

#endif

/* ---- which ---- */

bool cds_hex_has(enum cds_hex_way way) {
#if X86
  if (way == CDS_HEX_SSSE3) return __builtin_cpu_supports("ssse3");
  if (way == CDS_HEX_AVX2) return __builtin_cpu_supports("avx2");
#endif
  return way == CDS_HEX_PORTABLE;
}

static decoder *decoder_of(enum cds_hex_way way) {
#if X86
  if (way == CDS_HEX_AVX2 && cds_hex_has(way)) return decode_avx2;
  if (way == CDS_HEX_SSSE3 && cds_hex_has(way)) return decode_ssse3;
#endif
  (void)way;
  return decode_portable;
}

/* ---- the ends, and what is wrong ---- */

static inline unsigned digit_value(char c) {
  unsigned char byte = (unsigned char)c;
  unsigned decimal = byte - (unsigned)'0';
  unsigned letter = (byte | 0x20u) - (unsigned)'a';
  return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

static size_t first_bad(const char *hex, size_t length) {
  size_t at = 0;
  while (at < length && digit_value(hex[at]) < 16) at++;
  return at;
}

/* Less than a block. */
static bool decode_short(uint8_t *out, const char *hex, size_t length) {
  unsigned bad = 0;
  for (size_t at = 0; at < length; at += 2) {
    unsigned high = digit_value(hex[at]), low = digit_value(hex[at + 1]);
    bad |= high | low;
    out[at / 2] = (uint8_t)(high << 4 | (low & 15));
  }
  return (bad & 16) == 0;
}

size_t cds_hex_decode_by(enum cds_hex_way way, uint8_t *out, const char *hex, size_t length) {
  size_t even = length & ~(size_t)1;
  bool good = even < BLOCK ? decode_short(out, hex, even) : decoder_of(way)(out, hex, even);
  if (good && even == length) return length;
  size_t fault = first_bad(hex, length);
  return fault < length ? fault : length - 1;
}

size_t cds_hex_decode(uint8_t *out, const char *hex, size_t length) {
  enum cds_hex_way way = CDS_HEX_WAYS - 1;
  while (!cds_hex_has(way)) way--;
  return cds_hex_decode_by(way, out, hex, length);
}

void cds_hex_encode(char *out, const uint8_t *bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
}
