/* Program words: the numbers of the format that ptd.h describes (section trace), for those who
 * write, check and carry out programs.
 *
 *   head = (rows - 1) | PTD_HEAD_RUNS where destinations are runs | runs << PTD_HEAD_COUNT_SHIFT
 */
#ifndef PTD_PROGRAM_FORMAT_H
#define PTD_PROGRAM_FORMAT_H

enum {
    PTD_PROGRAM_NARROW_SLOTS = 65535, /* rows with more slots take 32-bit words */
    PTD_PROGRAM_MAX_GROUP = 4,        /* a power of two: rows of a group */
    PTD_HEAD_RUNS = 1 << 2,
    PTD_HEAD_COUNT_SHIFT = 3
};

#endif
