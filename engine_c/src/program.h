/* Program: what each row of a block does with the rows before it, as 16- or 32-bit words.
 *
 * The word format is that of ptd.h (section trace). Consecutive rows of L whose U patterns are
 * nested become one group of up to four: they touch the same slots, so the destinations are written
 * and read once for all of them. Destinations are a list of slots, or runs where that is shorter.
 * The program depends on the eliminated pattern alone.
 */
#ifndef PTD_PROGRAM_H
#define PTD_PROGRAM_H

#include "program_format.h"
#include "symbolic.h"

typedef struct {
    uint16_t *words;
    size_t n_words;
    size_t capacity;
} ptd_program;

/* Appends the program of all rows. row_end[symbolic->n] receives n_words after each row.
 * `max_words` bounds n_words; beyond it PTD_TRACE_TOO_LARGE with the count reached in value. */
PTD_MUST_CHECK ptd_status ptd_program_append(const ptd_symbolic *symbolic, size_t max_words,
                                             uint32_t *row_end, ptd_program *program,
                                             ptd_error *error);
/* Appends a copy of words [begin, begin + count). The same bound. */
PTD_MUST_CHECK ptd_status ptd_program_repeat(ptd_program *program, size_t begin, size_t count,
                                             size_t max_words, ptd_error *error);
/* Accepts a zeroed struct; zeroes it. */
void ptd_program_destroy(ptd_program *program);

#endif
